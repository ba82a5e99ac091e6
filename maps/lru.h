/* Which entry of an LRU map goes next.
 *
 * A second-chance queue: entries stand in the order of their arrival; the oldest goes, unless it
 * was used since it was last looked at, then it goes to the back with the mark cleared. A use
 * writes one byte, and only if it is not set: readers share the line.
 *
 * There is one queue, or with BPF_F_NO_COMMON_LRU one for each CPU, each with its share of
 * the entries: an insert then evicts only what the same CPU inserted.
 *
 * Source: the idea is kernel/bpf/bpf_lru_list.c's reference bit; its batching, which evicts
 * from a map that is not full yet, is left out.
 *
 * Thread: the map's lock is held for writing, except for xl_lru_mark.
 */
#ifndef XL_MAPS_LRU_H
#define XL_MAPS_LRU_H

#include <stdbool.h>
#include <stdint.h>

struct xl_lru_link {
	uint32_t prev, next; /* ids + 1; 0: end */
	uint16_t queue;
	uint8_t used; /* readers set it, relaxed */
};

struct xl_lru_queue {
	uint32_t oldest, newest; /* ids + 1; 0: none */
	uint32_t n;
};

struct xl_lru {
	uint32_t n_entries;
	uint32_t n_queues;
	uint32_t queue_max; /* entries of one queue */
	struct xl_lru_queue *queue;
	struct xl_lru_link *link; /* by id */
};

/* For ids below @n_entries, in @n_queues equal shares. -ENOMEM. */
int xl_lru_init(struct xl_lru *lru, uint32_t n_entries, uint32_t n_queues);
/* Accepts a zeroed struct. */
void xl_lru_fini(struct xl_lru *lru);

/* Puts @id, unused so far, at the back of @queue. */
void xl_lru_add(struct xl_lru *lru, uint32_t queue, uint32_t id);
void xl_lru_remove(struct xl_lru *lru, uint32_t id);
/* Whether an insert into @queue must evict first. */
static inline bool xl_lru_full(const struct xl_lru *lru, uint32_t queue)
{
	return lru->queue[queue].n == lru->queue_max;
}
/* The id to evict from @queue, which is not empty. It stays until removed. */
uint32_t xl_lru_victim(struct xl_lru *lru, uint32_t queue);

/* Says that @id was used. Thread: any that holds the map's lock. */
static inline void xl_lru_mark(struct xl_lru *lru, uint32_t id)
{
	uint8_t *used = &lru->link[id].used;

	if (!__atomic_load_n(used, __ATOMIC_RELAXED))
		__atomic_store_n(used, 1, __ATOMIC_RELAXED);
}

#endif
