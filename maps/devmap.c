/* Devmaps: ports to redirect to, by index or by any number.
 *
 * A value is an ifindex and the id of a program that runs on what is sent there. That such a port
 * exists is not known here: maps hold numbers. Programs read values but never write them.
 *
 * Semantics: kernel/bpf/devmap.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "maps/htab.h"
#include "maps/obj_array.h"
#include "maps/slots.h"
#include "maps/target_array.h"
#include "maps/value.h"

/* A lookup points right at the port's number, so programs may not write there.
 * Source: dev_map_init_map(). */
static void set_rdonly(struct xl_map *map)
{
	map->flags |= BPF_F_RDONLY_PROG;
	map->rdonly_prog = true;
}

/* Devmap: an array. */

static int array_alloc(struct xl_map *map)
{
	set_rdonly(map);
	return xl_target_array_alloc(map);
}

static int array_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *prog,
			uint64_t flags)
{
	const struct xl_target port = xl_target_of(map, value);
	uint32_t index = xl_array_index(key);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (port.fd > 0 && (!port.number || !prog))
		return -EINVAL;
	xl_target_array_set(map, index, port.number, prog);
	return 0;
}

static bool array_redirect_target(struct xl_map *map, uint64_t index, uint32_t *out_ifindex)
{
	*out_ifindex = xl_target_array_at(map, index);
	return *out_ifindex;
}

/* Devmap hash. */

struct dev_hash {
	pthread_rwlock_t lock;
	struct xl_htab index; /* node -> slot of value memory */
	struct xl_slots slots;
	struct xl_obj_array *progs; /* by node */
};

static struct xl_target *slot_value(const struct xl_map *map, uint32_t slot)
{
	return (struct xl_target *)map->mem.base + slot;
}

static int hash_check(const union bpf_attr *attr, struct xl_err *e)
{
	int err = xl_target_check(attr, e);

	if (!err && attr->max_entries > 1U << 31)
		err = xl_err_set(e, -EINVAL, "a devmap_hash has at most 2^31 entries");
	return err;
}

static void hash_free_parts(struct dev_hash *h)
{
	if (h->progs)
		xl_obj_array_destroy(h->progs);
	xl_slots_fini(&h->slots);
	xl_htab_fini(&h->index);
	pthread_rwlock_destroy(&h->lock);
	free(h);
}

static int hash_alloc(struct xl_map *map)
{
	struct dev_hash *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	set_rdonly(map);
	xl_map_lock_init(&h->lock);
	err = xl_htab_init(&h->index, map->key_size, map->max_entries, map->seed);
	if (!err)
		err = xl_slots_init(&h->slots, map->max_entries);
	if (!err) {
		h->progs = xl_obj_array_create(map->max_entries);
		err = h->progs ? 0 : -ENOMEM;
	}
	if (!err)
		err = xl_mem_create("bpf-map", (size_t)h->slots.n * sizeof(struct xl_target),
				    &map->mem);
	if (err) {
		hash_free_parts(h);
		return err;
	}
	map->priv = h;
	return 0;
}

static void hash_free(struct xl_map *map)
{
	hash_free_parts(map->priv);
}

static uint32_t hash_regions(const struct xl_map *map, struct xl_region *out)
{
	const struct dev_hash *h = map->priv;

	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = (size_t)h->slots.n * sizeof(struct xl_target),
		.stride = sizeof(struct xl_target),
		.value_size = map->value_size,
	};
	return 1;
}

static void *hash_lookup(struct xl_map *map, const void *key)
{
	struct dev_hash *h = map->priv;
	struct xl_htab_node *node;
	void *value;

	pthread_rwlock_rdlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	value = node ? slot_value(map, node->value) : NULL;
	pthread_rwlock_unlock(&h->lock);
	return value;
}

/* Writes a new entry's or a replaced entry's value into a slot that nobody looks at yet. Returns
 * the program before, to be retired. */
static struct xl_obj *hash_set(struct xl_map *map, struct xl_htab_node *node, bool is_new,
			       uint32_t ifindex, struct xl_obj *prog)
{
	struct dev_hash *h = map->priv;
	struct xl_target target = { .number = ifindex, .fd = prog ? (int32_t)prog->id : 0 };
	uint32_t slot = xl_slots_get(&h->slots);

	xl_value_store(slot_value(map, slot), &target, sizeof(target));
	if (!is_new)
		xl_slots_put(&h->slots, node->value);
	node->value = slot;
	return xl_obj_array_swap(h->progs, xl_htab_id(&h->index, node), prog);
}

static int hash_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *prog,
		       uint64_t flags)
{
	const struct xl_target port = xl_target_of(map, value);
	struct dev_hash *h = map->priv;
	struct xl_obj *old = NULL;
	struct xl_htab_node *node;
	bool is_new;
	int err = 0;

	if (flags > BPF_EXIST || !port.number)
		return -EINVAL;
	pthread_rwlock_wrlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	is_new = !node;
	if (node && (flags & BPF_NOEXIST))
		err = -EEXIST;
	else if (port.fd > 0 && !prog)
		err = -EINVAL;
	else if (!node && !(node = xl_htab_insert(&h->index, key)))
		err = -E2BIG;
	if (!err)
		old = hash_set(map, node, is_new, port.number, prog);
	pthread_rwlock_unlock(&h->lock);
	xl_map_retire(map, old);
	return err;
}

static int hash_delete(struct xl_map *map, const void *key)
{
	struct dev_hash *h = map->priv;
	struct xl_htab_node *node;
	struct xl_obj *old = NULL;

	pthread_rwlock_wrlock(&h->lock);
	node = xl_htab_find(&h->index, key);
	if (node) {
		old = xl_obj_array_swap(h->progs, xl_htab_id(&h->index, node), NULL);
		xl_slots_put(&h->slots, node->value);
		xl_htab_remove(&h->index, node);
	}
	pthread_rwlock_unlock(&h->lock);
	xl_map_retire(map, old);
	return node ? 0 : -ENOENT;
}

static int hash_next_key(struct xl_map *map, const void *key, void *out_next)
{
	struct dev_hash *h = map->priv;
	int err;

	pthread_rwlock_rdlock(&h->lock);
	err = xl_htab_next_key(&h->index, key, out_next);
	pthread_rwlock_unlock(&h->lock);
	return err;
}

/* The kernel's hash takes the low 32 bits of the index. */
static bool hash_redirect_target(struct xl_map *map, uint64_t index, uint32_t *out_ifindex)
{
	uint32_t key = (uint32_t)index;
	const struct xl_target *port = hash_lookup(map, &key);

	if (!port)
		return false;
	*out_ifindex = __atomic_load_n(&port->number, __ATOMIC_RELAXED);
	return true;
}

#define DEVMAP_OPS                                                      \
	.value_kind = XL_VALUE_DEVMAP, .no_prog_write = true,           \
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY, \
	.meta_equal = xl_map_meta_equal_basic

const struct xl_map_ops xl_devmap_ops = {
	.name = "devmap",
	DEVMAP_OPS,
	.check = xl_target_check,
	.alloc = array_alloc,
	.free = xl_target_array_free,
	.regions = xl_target_array_regions,
	.lookup = xl_target_array_lookup,
	.delete = xl_target_array_delete,
	.redirect_target = array_redirect_target,
	.update_obj = array_update,
	.next_key = xl_array_next_key,
};

const struct xl_map_ops xl_devmap_hash_ops = {
	.name = "devmap_hash",
	DEVMAP_OPS,
	.check = hash_check,
	.alloc = hash_alloc,
	.free = hash_free,
	.regions = hash_regions,
	.lookup = hash_lookup,
	.delete = hash_delete,
	.redirect_target = hash_redirect_target,
	.update_obj = hash_update,
	.next_key = hash_next_key,
};
