/* Hash maps: plain, per-CPU, and their LRU forms.
 *
 * An index (htab.h) gives each key a node, and the node a slot of value memory (slots.h). An
 * update of a plain map takes a new slot and leaves the old bytes alone, so that a program which
 * looked the value up before sees it whole; a per-CPU value has one writer each and is
 * overwritten in place. An LRU map makes room by evicting (lru.h) instead of saying -E2BIG.
 *
 * A reader/writer lock guards the index; it is never held while a program runs.
 *
 * Semantics: kernel/bpf/hashtab.c, v6.18.
 */
#include "maps/map_types.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/percpu.h"
#include "maps/fields.h"
#include "maps/htab.h"
#include "maps/lru.h"
#include "maps/slots.h"

#define ELEM_OVERHEAD 48 /* sizeof(struct htab_elem) */

struct hash {
	pthread_rwlock_t lock;
	struct xl_htab index;
	struct xl_slots slots;
	bool is_lru;
	bool lru_per_cpu; /* BPF_F_NO_COMMON_LRU */
	struct xl_lru lru;
};

static struct hash *hash_of(const struct xl_map *map)
{
	return map->priv;
}

/* Values of a slot: one, or one for each CPU. */
static size_t slot_size(const struct xl_map *map)
{
	return (size_t)map->value_stride * (map->ops->per_cpu ? map->n_cpus : 1);
}

static void *slot_value(const struct xl_map *map, uint32_t slot)
{
	return (uint8_t *)map->mem.base + slot * slot_size(map);
}

static void *slot_cpu_value(const struct xl_map *map, uint32_t slot, uint32_t cpu)
{
	return (uint8_t *)slot_value(map, slot) + (size_t)cpu * map->value_stride;
}

/* Removes an entry. Lock: held for writing. */
static void remove_node(const struct xl_map *map, struct xl_htab_node *node)
{
	struct hash *h = hash_of(map);

	if (h->is_lru)
		xl_lru_remove(&h->lru, xl_htab_id(&h->index, node));
	xl_map_value_end_timer(map, slot_value(map, node->value));
	xl_slots_put(&h->slots, node->value);
	xl_htab_remove(&h->index, node);
}

/* Adds an entry with a slot whose bytes are anything; NULL when the map is full.
 * Lock: held for writing. */
static struct xl_htab_node *add_node(const struct xl_map *map, const void *key)
{
	struct hash *h = hash_of(map);
	const uint32_t queue = h->lru_per_cpu ? xl_cpu : 0;
	struct xl_htab_node *node;

	if (h->is_lru && xl_lru_full(&h->lru, queue))
		remove_node(map, xl_htab_node(&h->index, xl_lru_victim(&h->lru, queue)));
	node = xl_htab_insert(&h->index, key);
	if (!node)
		return NULL;
	node->value = xl_slots_get(&h->slots);
	if (h->is_lru)
		xl_lru_add(&h->lru, queue, xl_htab_id(&h->index, node));
	return node;
}

/* Finds or adds the entry that an update writes to.
 *
 * Errors    -EINVAL, -EEXIST, -ENOENT by @flags; -E2BIG full
 */
static int node_for_update(const struct xl_map *map, const void *key, uint64_t flags,
			   struct xl_htab_node **out_node, bool *out_is_new)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;

	node = xl_htab_find(&h->index, key);
	if (node && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!node && flags == BPF_EXIST)
		return -ENOENT;
	*out_is_new = !node;
	if (node && h->is_lru)
		xl_lru_mark(&h->lru, xl_htab_id(&h->index, node));
	if (!node)
		node = add_node(map, key);
	*out_node = node;
	return node ? 0 : -E2BIG;
}

/* Overwrites a value where it lies, with its spin lock held. False with @out_err 0 if there is
 * nothing to overwrite. */
static bool update_locked(struct xl_map *map, const void *key, const void *value, uint64_t flags,
			  int *out_err)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;
	void *old = NULL;

	pthread_rwlock_rdlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	*out_err = node && flags == BPF_NOEXIST	 ? -EEXIST
		   : !node && flags == BPF_EXIST ? -ENOENT
						 : 0;
	if (node)
		old = slot_value(map, node->value);
	pthread_rwlock_unlock(&h->lock);
	if (old && !*out_err)
		xl_map_value_store_locked(map, old, value);
	return old || *out_err;
}

static int update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	const bool locked = flags & BPF_F_LOCK;
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;
	uint32_t slot;
	bool is_new;
	int err;

	flags &= ~(uint64_t)BPF_F_LOCK;
	if (flags > BPF_EXIST || (locked && map->lock_off < 0))
		return -EINVAL;
	if (locked && update_locked(map, key, value, flags, &err))
		return err;
	pthread_rwlock_wrlock(&h->lock);
	err = node_for_update(map, key, flags, &node, &is_new);
	if (!err) {
		slot = is_new ? node->value : xl_slots_get(&h->slots);
		xl_map_fields_clear(map, slot_value(map, slot));
		xl_map_value_store(map, slot_value(map, slot), value);
		if (map->timer_off >= 0)
			xl_map_value_timer(map, slot_value(map, slot))[1] =
				xl_htab_id(&h->index, node);
		if (!is_new) {
			xl_map_value_end_timer(map, slot_value(map, node->value));
			xl_slots_put(&h->slots, node->value);
		}
		node->value = slot;
	}
	pthread_rwlock_unlock(&h->lock);
	return err;
}

static int update_this_cpu(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;
	bool is_new;
	int err;

	assert(xl_cpu < map->n_cpus);
	if (flags > BPF_EXIST)
		return -EINVAL;
	pthread_rwlock_wrlock(&h->lock);
	err = node_for_update(map, key, flags, &node, &is_new);
	if (!err) {
		if (is_new)
			xl_value_zero(slot_value(map, node->value), slot_size(map));
		xl_value_store(slot_cpu_value(map, node->value, xl_cpu), value, map->value_size);
	}
	pthread_rwlock_unlock(&h->lock);
	return err;
}

static int update_all_cpus(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;
	bool is_new;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	pthread_rwlock_wrlock(&h->lock);
	err = node_for_update(map, key, flags, &node, &is_new);
	if (!err)
		xl_value_store(slot_value(map, node->value), value, slot_size(map));
	pthread_rwlock_unlock(&h->lock);
	return err;
}

/* The value of CPU @cpu (0 for plain maps) for @key, or NULL. @use counts as a use for LRU. */
static void *find_value(struct xl_map *map, const void *key, uint32_t cpu, bool use)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;
	void *value = NULL;

	pthread_rwlock_rdlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	if (node) {
		value = slot_cpu_value(map, node->value, cpu);
		if (use && h->is_lru)
			xl_lru_mark(&h->lru, xl_htab_id(&h->index, node));
	}
	pthread_rwlock_unlock(&h->lock);
	return value;
}

static void *lookup(struct xl_map *map, const void *key)
{
	return find_value(map, key, 0, true);
}

static void *lookup_this_cpu(struct xl_map *map, const void *key)
{
	assert(xl_cpu < map->n_cpus);
	return find_value(map, key, xl_cpu, true);
}

static void *lookup_percpu(struct xl_map *map, const void *key, uint32_t cpu)
{
	return cpu < map->n_cpus ? find_value(map, key, cpu, true) : NULL;
}

static void copy_out(const struct xl_map *map, void *value, void *out_value, uint64_t flags)
{
	if (map->ops->per_cpu)
		xl_value_load(out_value, value, xl_map_value_size_sys(map));
	else if (flags & BPF_F_LOCK)
		xl_map_value_load_locked(map, out_value, value);
	else
		xl_map_value_load(map, out_value, value);
}

/* A walk by the control side is no use: it would make everything equally recent. */
static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	void *value = find_value(map, key, 0, false);

	if (!value)
		return -ENOENT;
	copy_out(map, value, out_value, 0);
	return 0;
}

static int delete (struct xl_map *map, const void *key)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;

	pthread_rwlock_wrlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	if (node)
		remove_node(map, node);
	pthread_rwlock_unlock(&h->lock);
	return node ? 0 : -ENOENT;
}

static int lookup_and_delete(struct xl_map *map, const void *key, void *out_value, uint64_t flags)
{
	struct hash *h = hash_of(map);
	struct xl_htab_node *node;

	pthread_rwlock_wrlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	if (node) {
		copy_out(map, slot_value(map, node->value), out_value, flags);
		remove_node(map, node);
	}
	pthread_rwlock_unlock(&h->lock);
	return node ? 0 : -ENOENT;
}

/* A value with a timer knows its node; what lies in value memory is only believed if it is so. */
static const void *key_of(const struct xl_map *map, const void *value)
{
	const struct hash *h = hash_of(map);
	const uint64_t id = xl_map_value_timer(map, (void *)value)[1];
	const struct xl_htab_node *node;

	if (id >= h->index.n_fresh)
		return NULL;
	node = xl_htab_node(&h->index, (uint32_t)id);
	return node->used && slot_value(map, node->value) == value ? node->key : NULL;
}

static int next_key(struct xl_map *map, const void *key, void *out_next)
{
	struct hash *h = hash_of(map);
	int err;

	pthread_rwlock_rdlock(&h->lock);
	err = xl_htab_next_key(&h->index, key, out_next);
	pthread_rwlock_unlock(&h->lock);
	return err;
}

static int next_at(struct xl_map *map, uint32_t *at, void *out_key)
{
	struct hash *h = hash_of(map);
	int err;

	pthread_rwlock_rdlock(&h->lock);
	err = xl_htab_next_at(&h->index, at, out_key);
	pthread_rwlock_unlock(&h->lock);
	return err;
}

int xl_hash_check(const union bpf_attr *attr, struct xl_err *e)
{
	const struct xl_map_ops *ops = xl_map_ops_of(attr->map_type);
	const bool lru = ops->allowed_flags & BPF_F_NO_COMMON_LRU;
	const bool on_node = (attr->map_flags & BPF_F_NUMA_NODE) && attr->numa_node != UINT32_MAX;

	if (lru && (attr->map_flags & BPF_F_NO_PREALLOC))
		return xl_err_set(e, -ENOTSUPP, "an LRU map cannot have BPF_F_NO_PREALLOC");
	if (on_node && (ops->per_cpu || (attr->map_flags & BPF_F_NO_COMMON_LRU)))
		return xl_err_set(e, -EINVAL, "a per-CPU map has no NUMA node");
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return xl_err_set(e, -EINVAL, "a hash needs max_entries, key_size and value_size");
	if ((uint64_t)attr->key_size + attr->value_size >= XL_KMALLOC_MAX - ELEM_OVERHEAD)
		return xl_err_set(e, -E2BIG, "key and value of a hash have less than 4 MiB");
	if (ops->per_cpu && attr->value_size > XL_PERCPU_UNIT_MIN)
		return xl_err_set(e, -E2BIG, "value_size of a per-CPU map is at most %u",
				  XL_PERCPU_UNIT_MIN);
	return 0;
}

/* Each CPU has as many entries as the others. Source: htab_map_alloc(). */
static uint32_t share_among_cpus(uint32_t max_entries, uint32_t n_cpus)
{
	uint64_t up = ((uint64_t)max_entries + n_cpus - 1) / n_cpus * n_cpus;

	return up <= UINT32_MAX ? (uint32_t)up : max_entries / n_cpus * n_cpus;
}

static void free_parts(struct hash *h)
{
	xl_lru_fini(&h->lru);
	xl_slots_fini(&h->slots);
	xl_htab_fini(&h->index);
	pthread_rwlock_destroy(&h->lock);
	free(h);
}

static int alloc(struct xl_map *map)
{
	struct hash *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	xl_map_lock_init(&h->lock);
	h->is_lru = map->ops->allowed_flags & BPF_F_NO_COMMON_LRU;
	h->lru_per_cpu = map->flags & BPF_F_NO_COMMON_LRU;
	if (h->lru_per_cpu)
		map->max_entries = share_among_cpus(map->max_entries, map->n_cpus);
	err = map->max_entries > XL_HASH_ENTRIES_MAX ? -E2BIG : 0;
	if (!err)
		err = xl_htab_init(&h->index, map->key_size, map->max_entries, map->seed);
	if (!err)
		err = xl_slots_init(&h->slots, map->max_entries);
	if (!err && h->is_lru)
		err = xl_lru_init(&h->lru, map->max_entries, h->lru_per_cpu ? map->n_cpus : 1);
	if (!err)
		err = xl_mem_create("bpf-map", h->slots.n * slot_size(map), &map->mem);
	if (err) {
		free_parts(h);
		return err;
	}
	map->priv = h;
	return 0;
}

static void hash_free(struct xl_map *map)
{
	free_parts(hash_of(map));
}

static uint32_t regions(const struct xl_map *map, struct xl_region *out)
{
	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = hash_of(map)->slots.n * slot_size(map),
		.stride = map->value_stride,
		.value_size = map->value_size,
	};
	return 1;
}

#define HASH_OPS_COMMON                                                              \
	.check = xl_hash_check, .alloc = alloc, .free = hash_free,                   \
	.meta_equal = xl_map_meta_equal_basic, .regions = regions, .delete = delete, \
	.sys_lookup = sys_lookup, .sys_lookup_and_delete = lookup_and_delete,        \
	.next_key = next_key, .next_at = next_at

#define HASH_OPS_PLAIN HASH_OPS_COMMON, .lookup = lookup, .update = update, .key_of = key_of

#define HASH_OPS_PERCPU                                                                         \
	HASH_OPS_COMMON, .per_cpu = true, .lookup = lookup_this_cpu, .update = update_this_cpu, \
			 .lookup_percpu = lookup_percpu, .sys_update = update_all_cpus

const struct xl_map_ops xl_hash_ops = {
	.name = "hash",
	.allowed_flags = XL_HASH_FLAGS,
	HASH_OPS_PLAIN,
};

const struct xl_map_ops xl_percpu_hash_ops = {
	.name = "percpu_hash",
	.allowed_flags = XL_HASH_FLAGS,
	HASH_OPS_PERCPU,
};

const struct xl_map_ops xl_lru_hash_ops = {
	.name = "lru_hash",
	.allowed_flags = XL_HASH_FLAGS | BPF_F_NO_COMMON_LRU,
	HASH_OPS_PLAIN,
};

const struct xl_map_ops xl_lru_percpu_hash_ops = {
	.name = "lru_percpu_hash",
	.allowed_flags = XL_HASH_FLAGS | BPF_F_NO_COMMON_LRU,
	HASH_OPS_PERCPU,
};
