/* Hash index; see htab.h. */
#include "maps/htab.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "maps/lazy.h"

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd: Knuth 6.4 */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * MULTIPLIER;
	return hash ^ hash >> 29;
}

/* Multiply and fold, a word at a time. Keys come from packets: the seed makes collisions
 * unpredictable enough for a chained table whose chains hold one entry on average. */
static uint32_t hash_of(const struct xl_htab *h, const uint8_t *key)
{
	uint64_t hash = h->seed ^ h->key_size, word;
	uint32_t left = h->key_size;

	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&word, key, 8);
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, key, left);
	hash = mix(hash, word);
	return (uint32_t)(mix(hash, h->seed) >> 32);
}

static uint32_t round_up_pow2(uint32_t n)
{
	return n <= 1 ? 1 : 1U << (32 - __builtin_clz(n - 1));
}

int xl_htab_init(struct xl_htab *h, uint32_t key_size, uint32_t max, uint64_t seed)
{
	if (max > 1U << 31)
		return -E2BIG;
	*h = (struct xl_htab){
		.key_size = key_size,
		.max = max,
		.seed = seed,
		.n_buckets = round_up_pow2(max),
		.node_stride = (sizeof(struct xl_htab_node) + key_size + 7) & ~(size_t)7,
	};
	h->bucket = xl_lazy_alloc(h->n_buckets, sizeof(*h->bucket));
	h->node = xl_lazy_alloc(max, h->node_stride);
	if (h->bucket && h->node)
		return 0;
	xl_htab_fini(h);
	return -ENOMEM;
}

void xl_htab_fini(struct xl_htab *h)
{
	xl_lazy_free(h->bucket, h->n_buckets, sizeof(*h->bucket));
	xl_lazy_free(h->node, h->max, h->node_stride);
	h->bucket = NULL;
	h->node = NULL;
}

struct xl_htab_node *xl_htab_find(const struct xl_htab *h, const void *key)
{
	uint32_t hash = hash_of(h, key);
	uint32_t link = h->bucket[hash & (h->n_buckets - 1)];

	while (link) {
		struct xl_htab_node *node = xl_htab_node(h, link - 1);

		if (node->hash == hash && !memcmp(node->key, key, h->key_size))
			return node;
		link = node->next;
	}
	return NULL;
}

static struct xl_htab_node *take_node(struct xl_htab *h)
{
	struct xl_htab_node *node;

	if (!h->free)
		return xl_htab_node(h, h->n_fresh++);
	node = xl_htab_node(h, h->free - 1);
	h->free = node->next;
	return node;
}

struct xl_htab_node *xl_htab_insert(struct xl_htab *h, const void *key)
{
	uint32_t hash = hash_of(h, key);
	uint32_t *bucket = &h->bucket[hash & (h->n_buckets - 1)];
	struct xl_htab_node *node;

	if (h->n == h->max)
		return NULL;
	node = take_node(h);
	node->hash = hash;
	node->used = 1;
	node->value = 0;
	memcpy(node->key, key, h->key_size);
	node->next = *bucket;
	*bucket = xl_htab_id(h, node) + 1;
	h->n++;
	return node;
}

void xl_htab_remove(struct xl_htab *h, struct xl_htab_node *node)
{
	uint32_t link = xl_htab_id(h, node) + 1;
	uint32_t *at = &h->bucket[node->hash & (h->n_buckets - 1)];

	while (*at != link) {
		assert(*at);
		at = &xl_htab_node(h, *at - 1)->next;
	}
	*at = node->next;
	node->used = 0;
	node->next = h->free;
	h->free = link;
	h->n--;
}

struct xl_htab_node *xl_htab_first(const struct xl_htab *h, uint32_t from)
{
	for (; from < h->n_fresh; from++)
		if (xl_htab_node(h, from)->used)
			return xl_htab_node(h, from);
	return NULL;
}

int xl_htab_next_key(const struct xl_htab *h, const void *key, void *out_next)
{
	struct xl_htab_node *node = key ? xl_htab_find(h, key) : NULL;

	node = xl_htab_first(h, node ? xl_htab_id(h, node) + 1 : 0);
	if (!node)
		return -ENOENT;
	memcpy(out_next, node->key, h->key_size);
	return 0;
}

int xl_htab_next_at(const struct xl_htab *h, uint32_t *at, void *out_key)
{
	struct xl_htab_node *node = xl_htab_first(h, *at);

	if (!node)
		return -ENOENT;
	*at = xl_htab_id(h, node) + 1;
	memcpy(out_key, node->key, h->key_size);
	return 0;
}
