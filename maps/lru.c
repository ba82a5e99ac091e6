/* Second-chance eviction; see lru.h. */
#include "maps/lru.h"

#include <assert.h>
#include <errno.h>

#include "maps/lazy.h"

int xl_lru_init(struct xl_lru *lru, uint32_t n_entries, uint32_t n_queues)
{
	*lru = (struct xl_lru){
		.n_entries = n_entries,
		.n_queues = n_queues,
		.queue_max = n_entries / n_queues,
	};
	lru->queue = xl_lazy_alloc(n_queues, sizeof(*lru->queue));
	lru->link = xl_lazy_alloc(n_entries, sizeof(*lru->link));
	if (lru->queue && lru->link)
		return 0;
	xl_lru_fini(lru);
	return -ENOMEM;
}

void xl_lru_fini(struct xl_lru *lru)
{
	xl_lazy_free(lru->queue, lru->n_queues, sizeof(*lru->queue));
	xl_lazy_free(lru->link, lru->n_entries, sizeof(*lru->link));
	lru->queue = NULL;
	lru->link = NULL;
}

static void append(struct xl_lru *lru, struct xl_lru_queue *q, uint32_t id)
{
	struct xl_lru_link *link = &lru->link[id];

	link->prev = q->newest;
	link->next = 0;
	if (q->newest)
		lru->link[q->newest - 1].next = id + 1;
	else
		q->oldest = id + 1;
	q->newest = id + 1;
	q->n++;
}

static void unlink_id(struct xl_lru *lru, struct xl_lru_queue *q, uint32_t id)
{
	const struct xl_lru_link *link = &lru->link[id];

	if (link->prev)
		lru->link[link->prev - 1].next = link->next;
	else
		q->oldest = link->next;
	if (link->next)
		lru->link[link->next - 1].prev = link->prev;
	else
		q->newest = link->prev;
	q->n--;
}

void xl_lru_add(struct xl_lru *lru, uint32_t queue, uint32_t id)
{
	assert(queue < lru->n_queues && !xl_lru_full(lru, queue));
	lru->link[id].queue = (uint16_t)queue;
	lru->link[id].used = 0;
	append(lru, &lru->queue[queue], id);
}

void xl_lru_remove(struct xl_lru *lru, uint32_t id)
{
	unlink_id(lru, &lru->queue[lru->link[id].queue], id);
}

uint32_t xl_lru_victim(struct xl_lru *lru, uint32_t queue)
{
	struct xl_lru_queue *q = &lru->queue[queue];

	assert(q->n);
	/* Ends: the lock keeps readers out, so one round clears every mark. */
	for (;;) {
		uint32_t id = q->oldest - 1;

		if (!lru->link[id].used)
			return id;
		lru->link[id].used = 0;
		unlink_id(lru, q, id);
		append(lru, q, id);
	}
}
