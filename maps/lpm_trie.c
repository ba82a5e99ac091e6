/* Longest-prefix-match tries.
 *
 * A binary trie with skipped levels: a node stands for a prefix, its children for the longer
 * prefixes whose next bit is 0 or 1. Where two prefixes part between nodes stands an intermediate
 * node without a value; it always has two children. Nodes are numbered and lie in lazy memory;
 * values lie in slots (slots.h) and a replaced value gets a new one.
 *
 * A reader/writer lock guards the trie; it is never held while a program runs.
 *
 * Semantics, and the order in which keys are walked: kernel/bpf/lpm_trie.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "maps/lazy.h"
#include "maps/slots.h"
#include "maps/value.h"

#define PREFIX_BITS_MAX 2048 /* key data has at most 256 bytes */
#define NODE_OVERHEAD	24   /* sizeof(struct lpm_trie_node) */
#define PREFIXLEN_SIZE	((uint32_t)sizeof(uint32_t))

struct node {
	uint32_t child[2];  /* id + 1; 0: none. child[0] links the free list */
	uint32_t slot;	    /* slot + 1 of value memory; 0: intermediate */
	uint32_t prefixlen; /* bits; with data it is the key as the user gave it */
	uint8_t data[];
};

struct trie {
	pthread_rwlock_t lock;
	struct xl_slots slots;
	uint8_t *nodes;
	size_t node_stride;
	uint32_t data_size; /* bytes */
	uint32_t max_prefixlen;
	uint32_t n_entries;
	uint32_t entries_max;
	uint32_t nodes_max;
	uint32_t n_fresh; /* nodes handed out so far */
	uint32_t free;	  /* id + 1 */
	uint32_t root;	  /* id + 1 */
};

/* A key as a program gives it; not aligned. */
struct key {
	uint32_t prefixlen;
	const uint8_t *data;
};

static struct key key_of(const void *key)
{
	struct key k = { .data = (const uint8_t *)key + PREFIXLEN_SIZE };

	memcpy(&k.prefixlen, key, PREFIXLEN_SIZE);
	return k;
}

static struct node *node_at(const struct trie *t, uint32_t link)
{
	return (struct node *)(t->nodes + (link - 1) * t->node_stride);
}

static uint32_t bit_of(const uint8_t *data, uint32_t bit)
{
	return data[bit / 8] >> (7 - bit % 8) & 1;
}

/* How many leading bits of @key and @node's prefix are the same. */
static uint32_t match_len(const struct trie *t, const struct node *node, struct key key)
{
	uint32_t limit = node->prefixlen < key.prefixlen ? node->prefixlen : key.prefixlen;

	for (uint32_t i = 0; i * 8 < limit; i++) {
		uint8_t differ = node->data[i] ^ key.data[i];
		uint32_t same;

		if (!differ)
			continue;
		same = i * 8 + (uint32_t)__builtin_clz(differ) - 24;
		return same < limit ? same : limit;
	}
	return limit;
}

/* There is always one: n entries need at most n - 1 intermediate nodes. */
static uint32_t take_node(struct trie *t)
{
	uint32_t link = t->free;

	if (link)
		t->free = node_at(t, link)->child[0];
	else if (t->n_fresh < t->nodes_max)
		link = ++t->n_fresh;
	return link;
}

static void put_node(struct trie *t, uint32_t link)
{
	node_at(t, link)->child[0] = t->free;
	t->free = link;
}

static void set_prefix(const struct trie *t, struct node *node, uint32_t prefixlen,
		       const uint8_t *data)
{
	node->prefixlen = prefixlen;
	memcpy(node->data, data, t->data_size);
}

/* Lookup. */

static void *slot_value(const struct xl_map *map, uint32_t slot_plus_1)
{
	return (uint8_t *)map->mem.base + (size_t)(slot_plus_1 - 1) * map->value_stride;
}

static const struct node *longest_match(const struct trie *t, struct key key)
{
	const struct node *found = NULL;
	uint32_t link = t->root;

	while (link) {
		const struct node *node = node_at(t, link);

		if (match_len(t, node, key) < node->prefixlen)
			break;
		if (node->slot)
			found = node;
		if (node->prefixlen == key.prefixlen)
			break;
		link = node->child[bit_of(key.data, node->prefixlen)];
	}
	return found;
}

static void *lookup(struct xl_map *map, const void *_key)
{
	struct trie *t = map->priv;
	struct key key = key_of(_key);
	const struct node *found;
	void *value;

	if (key.prefixlen > t->max_prefixlen)
		return NULL;
	pthread_rwlock_rdlock(&t->lock);
	found = longest_match(t, key);
	value = found ? slot_value(map, found->slot) : NULL;
	pthread_rwlock_unlock(&t->lock);
	return value;
}

/* Update. */

/* Whether a new entry may come. */
static int check_add(const struct trie *t, uint64_t flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	return t->n_entries == t->entries_max ? -ENOSPC : 0;
}

/* Makes the node for @key in the place that @at links, where @next (or nothing) hangs now, of
 * whose prefix @key shares @match bits. Links to nodes survive, pointers do too. */
static int insert(struct trie *t, uint32_t *at, struct node *next, uint32_t match, struct key key,
		  struct node **out_node)
{
	uint32_t new_link = take_node(t), fork_link = new_link;
	struct node *new;

	if (!new_link)
		return -ENOMEM;
	new = node_at(t, new_link);
	memset(new, 0, sizeof(*new));
	set_prefix(t, new, key.prefixlen, key.data);
	if (next && match == key.prefixlen) { /* an ancestor of next */
		new->child[bit_of(next->data, match)] = *at;
	} else if (next) { /* a sibling: both hang under a fork */
		struct node *fork;
		uint32_t bit = bit_of(key.data, match);

		fork_link = take_node(t);
		if (!fork_link) {
			put_node(t, new_link);
			return -ENOMEM;
		}
		fork = node_at(t, fork_link);
		memset(fork, 0, sizeof(*fork));
		set_prefix(t, fork, match, next->data);
		fork->child[bit] = new_link;
		fork->child[!bit] = *at;
	}
	*at = fork_link;
	*out_node = new;
	return 0;
}

/* The node that an update of @key writes its value to, made if need be. */
static int node_for_update(struct trie *t, struct key key, uint64_t flags, struct node **out_node)
{
	struct node *node = NULL;
	uint32_t *at = &t->root;
	uint32_t match = 0;
	int err;

	for (; *at; at = &node->child[bit_of(key.data, node->prefixlen)]) {
		node = node_at(t, *at);
		match = match_len(t, node, key);
		if (match < node->prefixlen || node->prefixlen == key.prefixlen)
			break;
	}
	if (*at && match == node->prefixlen && node->slot) {
		*out_node = node;
		return flags == BPF_NOEXIST ? -EEXIST : 0;
	}
	err = check_add(t, flags);
	if (err)
		return err;
	if (*at && match == node->prefixlen)
		*out_node = node; /* an intermediate node gets a value */
	else
		err = insert(t, at, *at ? node : NULL, match, key, out_node);
	if (!err)
		t->n_entries++;
	return err;
}

static int update(struct xl_map *map, const void *_key, const void *value, uint64_t flags)
{
	struct trie *t = map->priv;
	struct key key = key_of(_key);
	struct node *node;
	uint32_t slot;
	int err;

	if (flags > BPF_EXIST || key.prefixlen > t->max_prefixlen)
		return -EINVAL;
	pthread_rwlock_wrlock(&t->lock);
	err = node_for_update(t, key, flags, &node);
	if (!err) {
		slot = xl_slots_get(&t->slots) + 1;
		xl_value_store(slot_value(map, slot), value, map->value_size);
		if (node->slot)
			xl_slots_put(&t->slots, node->slot - 1);
		node->slot = slot;
		set_prefix(t, node, key.prefixlen, key.data);
	}
	pthread_rwlock_unlock(&t->lock);
	return err;
}

/* Deletion. */

/* Takes the node that @at links, which has no value any more, out if nothing needs it. Its
 * @parent's link is at @parent_at; a fork that would keep one child only goes too. */
static void unlink_node(struct trie *t, uint32_t *at, uint32_t *parent_at)
{
	uint32_t link = *at, parent_link = parent_at ? *parent_at : 0;
	struct node *node = node_at(t, link), *parent;

	if (node->child[0] && node->child[1])
		return; /* a fork now */
	*at = node->child[0] ? node->child[0] : node->child[1];
	put_node(t, link);
	if (*at || !parent_link)
		return;
	parent = node_at(t, parent_link);
	if (parent->slot)
		return;
	*parent_at = parent->child[0] ? parent->child[0] : parent->child[1];
	put_node(t, parent_link);
}

static int delete (struct xl_map *map, const void *_key)
{
	struct trie *t = map->priv;
	struct key key = key_of(_key);
	uint32_t *at = &t->root, *parent_at = NULL;
	struct node *node;
	int err = -ENOENT;

	if (key.prefixlen > t->max_prefixlen)
		return -EINVAL;
	pthread_rwlock_wrlock(&t->lock);
	while (*at) {
		node = node_at(t, *at);
		if (match_len(t, node, key) < node->prefixlen)
			break;
		if (node->prefixlen == key.prefixlen) {
			if (!node->slot)
				break;
			xl_slots_put(&t->slots, node->slot - 1);
			node->slot = 0;
			t->n_entries--;
			unlink_node(t, at, parent_at);
			err = 0;
			break;
		}
		parent_at = at;
		at = &node->child[bit_of(key.data, node->prefixlen)];
	}
	pthread_rwlock_unlock(&t->lock);
	return err;
}

/* Iteration: longer prefixes before the shorter ones that hold them. */

/* The first node with a value below @link. A fork has two children, so there is one. */
static const struct node *first_below(const struct trie *t, uint32_t link)
{
	const struct node *node = NULL;

	while (link) {
		node = node_at(t, link);
		link = node->child[0] ? node->child[0] : node->child[1];
	}
	return node;
}

/* The node after that of @key, NULL at the end; the first if @key is not there. */
static const struct node *node_after(const struct trie *t, struct key key)
{
	uint32_t path[PREFIX_BITS_MAX + 1], n = 0;
	const struct node *node = NULL;
	uint32_t link = t->root;

	while (link) {
		node = node_at(t, link);
		path[n++] = link;
		if (match_len(t, node, key) < node->prefixlen || node->prefixlen == key.prefixlen)
			break;
		link = node->child[bit_of(key.data, node->prefixlen)];
	}
	if (!link || !node->slot || node->prefixlen != key.prefixlen ||
	    match_len(t, node, key) < node->prefixlen)
		return first_below(t, t->root);
	for (; n > 1; n--) {
		const struct node *parent = node_at(t, path[n - 2]);

		if (parent->child[0] == path[n - 1] && parent->child[1])
			return first_below(t, parent->child[1]);
		if (parent->slot)
			return parent;
	}
	return NULL;
}

static int next_key(struct xl_map *map, const void *_key, void *out_next)
{
	struct trie *t = map->priv;
	const struct node *next;

	pthread_rwlock_rdlock(&t->lock);
	if (!_key || key_of(_key).prefixlen > t->max_prefixlen)
		next = first_below(t, t->root);
	else
		next = node_after(t, key_of(_key));
	if (next) {
		memcpy(out_next, &next->prefixlen, PREFIXLEN_SIZE);
		memcpy((uint8_t *)out_next + PREFIXLEN_SIZE, next->data, t->data_size);
	}
	pthread_rwlock_unlock(&t->lock);
	return next ? 0 : -ENOENT;
}

/* Creation. */

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	const uint32_t data_max = PREFIX_BITS_MAX / 8;
	const uint32_t value_max = XL_KMALLOC_MAX - data_max - NODE_OVERHEAD;

	if (!(attr->map_flags & BPF_F_NO_PREALLOC))
		return xl_err_set(e, -EINVAL, "an lpm_trie needs BPF_F_NO_PREALLOC");
	if (!attr->max_entries)
		return xl_err_set(e, -EINVAL, "an lpm_trie needs max_entries");
	if (attr->key_size <= PREFIXLEN_SIZE || attr->key_size > PREFIXLEN_SIZE + data_max)
		return xl_err_set(e, -EINVAL, "key_size of an lpm_trie is %u to %u, not %u",
				  PREFIXLEN_SIZE + 1, PREFIXLEN_SIZE + data_max, attr->key_size);
	if (!attr->value_size || attr->value_size > value_max)
		return xl_err_set(e, -EINVAL, "value_size of an lpm_trie is 1 to %u, not %u",
				  value_max, attr->value_size);
	return 0;
}

static void free_parts(struct trie *t)
{
	xl_lazy_free(t->nodes, t->nodes_max, t->node_stride);
	xl_slots_fini(&t->slots);
	pthread_rwlock_destroy(&t->lock);
	free(t);
}

static int alloc(struct xl_map *map)
{
	const uint32_t slots_max = UINT32_MAX - XL_SLOTS_SPARE; /* 4 billion: nobody fills more */
	const uint32_t n = map->max_entries < slots_max ? map->max_entries : slots_max;
	struct trie *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	xl_map_lock_init(&t->lock);
	t->data_size = map->key_size - PREFIXLEN_SIZE;
	t->max_prefixlen = t->data_size * 8;
	t->node_stride = (sizeof(struct node) + t->data_size + 3) & ~(size_t)3;
	t->entries_max = n;
	t->nodes_max = n <= UINT32_MAX / 2 ? 2 * n : UINT32_MAX - 1;
	t->nodes = xl_lazy_alloc(t->nodes_max, t->node_stride);
	err = t->nodes ? xl_slots_init(&t->slots, n) : -ENOMEM;
	if (!err)
		err = xl_mem_create("bpf-map", (size_t)t->slots.n * map->value_stride, &map->mem);
	if (err) {
		free_parts(t);
		return err;
	}
	map->priv = t;
	return 0;
}

static void trie_free(struct xl_map *map)
{
	free_parts(map->priv);
}

static uint32_t regions(const struct xl_map *map, struct xl_region *out)
{
	const struct trie *t = map->priv;

	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = (size_t)t->slots.n * map->value_stride,
		.stride = map->value_stride,
		.value_size = map->value_size,
	};
	return 1;
}

const struct xl_map_ops xl_lpm_trie_ops = {
	.name = "lpm_trie",
	.allowed_flags = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | XL_MAP_ACCESS_FLAGS,
	.check = check,
	.alloc = alloc,
	.free = trie_free,
	.meta_equal = xl_map_meta_equal_basic,
	.regions = regions,
	.lookup = lookup,
	.update = update,
	.delete = delete,
	.next_key = next_key,
};
