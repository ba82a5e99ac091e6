/* Epochs; see epoch.h. */
#include "base/epoch.h"

#include <assert.h>
#include <sched.h>

void xl_epoch_init(struct xl_epoch *e)
{
	atomic_init(&e->now, 1);
	for (uint32_t i = 0; i < XL_EPOCH_WORKERS_MAX; i++)
		atomic_init(&e->worker[i].seen, XL_EPOCH_OFFLINE);
	e->deferred = NULL;
}

void xl_epoch_online(struct xl_epoch *e, uint32_t worker)
{
	assert(worker < XL_EPOCH_WORKERS_MAX);
	/* seq_cst: control must see this worker before the worker sees any version. */
	atomic_store(&e->worker[worker].seen, atomic_load(&e->now));
	atomic_thread_fence(memory_order_seq_cst);
}

void xl_epoch_offline(struct xl_epoch *e, uint32_t worker)
{
	atomic_store_explicit(&e->worker[worker].seen, XL_EPOCH_OFFLINE, memory_order_release);
}

/* The oldest epoch that an online worker may still be in. */
static uint64_t oldest_seen(struct xl_epoch *e)
{
	uint64_t oldest = XL_EPOCH_OFFLINE, seen;

	for (uint32_t i = 0; i < XL_EPOCH_WORKERS_MAX; i++) {
		/* acquire pairs with the release in xl_epoch_quiescent(). */
		seen = atomic_load_explicit(&e->worker[i].seen, memory_order_acquire);
		if (seen < oldest)
			oldest = seen;
	}
	return oldest;
}

static uint64_t advance(struct xl_epoch *e)
{
	return atomic_fetch_add(&e->now, 1) + 1;
}

void xl_epoch_wait(struct xl_epoch *e)
{
	const uint64_t target = advance(e);

	while (oldest_seen(e) < target)
		sched_yield();
	xl_epoch_poll(e);
}

void xl_epoch_defer(struct xl_epoch *e, struct xl_epoch_deferred *d,
		    void (*free)(struct xl_epoch_deferred *self))
{
	d->since = advance(e);
	d->free = free;
	d->next = e->deferred;
	e->deferred = d;
	xl_epoch_poll(e);
}

static void run_deferred(struct xl_epoch *e, uint64_t oldest)
{
	struct xl_epoch_deferred **link = &e->deferred, *d, *next;

	/* Newest first: from the first one that is old enough, all are. */
	while (*link && (*link)->since > oldest)
		link = &(*link)->next;
	d = *link;
	*link = NULL;
	for (; d; d = next) {
		next = d->next;
		d->free(d);
	}
}

void xl_epoch_poll(struct xl_epoch *e)
{
	if (e->deferred)
		run_deferred(e, oldest_seen(e));
}

void xl_epoch_fini(struct xl_epoch *e)
{
	assert(oldest_seen(e) == XL_EPOCH_OFFLINE);
	run_deferred(e, XL_EPOCH_OFFLINE);
}
