/* An index from keys to small numbers: buckets and nodes, in lazy memory.
 *
 * A node is an entry: its key and a number that means something to the user (a slot of value
 * memory). Nodes never move and keep their id while the entry lives, whatever happens to its
 * value. Iteration goes by node id: an entry that is there from start to end is seen exactly once,
 * and updating entries on the way cannot make the walk endless.
 *
 * Thread: the caller locks; find and next may run together.
 */
#ifndef XL_MAPS_HTAB_H
#define XL_MAPS_HTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xl_htab_node {
	uint32_t next;	/* id + 1 of the next node in the bucket or the free list; 0: none */
	uint32_t value; /* the user's */
	uint32_t hash;	/* low half of the key's hash */
	uint32_t used;	/* 0 or 1 */
	uint8_t key[];
};

struct xl_htab {
	uint32_t key_size;
	uint32_t max;	    /* entries */
	uint32_t n;	    /* entries now */
	uint32_t n_fresh;   /* nodes handed out so far; those above were never touched */
	uint32_t free;	    /* id + 1 of the first freed node; 0: none */
	uint32_t n_buckets; /* a power of two */
	size_t node_stride; /* bytes */
	uint64_t seed;
	uint32_t *bucket; /* id + 1 of the first node; 0: none */
	uint8_t *node;
};

/* Errors: -ENOMEM no address space, -E2BIG @max above 2^31. */
int xl_htab_init(struct xl_htab *h, uint32_t key_size, uint32_t max, uint64_t seed);
/* Accepts a zeroed struct. */
void xl_htab_fini(struct xl_htab *h);

static inline struct xl_htab_node *xl_htab_node(const struct xl_htab *h, uint32_t id)
{
	return (struct xl_htab_node *)(h->node + id * h->node_stride);
}
static inline uint32_t xl_htab_id(const struct xl_htab *h, const struct xl_htab_node *node)
{
	return (uint32_t)((size_t)((const uint8_t *)node - h->node) / h->node_stride);
}

/* The entry with @key, or NULL. Valid until it is removed. */
struct xl_htab_node *xl_htab_find(const struct xl_htab *h, const void *key);
/* A new entry for @key, which is not there yet; NULL when max are. */
struct xl_htab_node *xl_htab_insert(struct xl_htab *h, const void *key);
void xl_htab_remove(struct xl_htab *h, struct xl_htab_node *node);

/* The entry with the lowest id that is at least @from, or NULL. */
struct xl_htab_node *xl_htab_first(const struct xl_htab *h, uint32_t from);
/* bpf(2)'s rule: the key after @key; the first when @key is NULL or gone; -ENOENT at the end. */
int xl_htab_next_key(const struct xl_htab *h, const void *key, void *out_next);
/* The key with the lowest id that is at least *@at, which then is one more than that id. */
int xl_htab_next_at(const struct xl_htab *h, uint32_t *at, void *out_key);

#endif
