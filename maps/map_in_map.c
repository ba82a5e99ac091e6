/* Arrays and hashes of maps.
 *
 * An element is a reference to an inner map of the declared shape. A program's lookup gives the
 * inner map itself, which it hands to the next lookup; an inner map that is replaced lives on
 * until no program can be using it (xl_map_retire).
 *
 * Semantics: kernel/bpf/map_in_map.c, arraymap.c (array_of_map_*), hashtab.c (htab_of_map_*), v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "maps/htab.h"
#include "maps/obj_array.h"

/* Whether @obj may be an element. Source: bpf_map_fd_get_ptr(). */
static int check_inner(const struct xl_map *map, struct xl_obj *obj)
{
	if (!obj)
		return -EBADF;
	if (obj->kind != XL_OBJ_MAP || !xl_map_meta_equal(map->inner_meta, xl_map_of(obj)))
		return -EINVAL;
	return 0;
}

/* Array of maps. */

static void *array_lookup(struct xl_map *map, const void *key)
{
	return xl_obj_array_at(map->priv, xl_array_index(key));
}

static int array_sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	uint32_t id;
	int err = xl_obj_array_id(map->priv, xl_array_index(key), &id);

	if (!err)
		memcpy(out_value, &id, sizeof(id));
	return err;
}

static int array_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *obj,
			uint64_t flags)
{
	uint32_t index = xl_array_index(key);
	int err;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	err = check_inner(map, obj);
	if (!err)
		xl_obj_array_set(map->priv, map, index, obj);
	return err;
}

static int array_delete(struct xl_map *map, const void *key)
{
	return xl_obj_array_delete(map->priv, map, xl_array_index(key));
}

static int array_alloc(struct xl_map *map)
{
	map->priv = xl_obj_array_create(map->max_entries);
	return map->priv ? 0 : -ENOMEM;
}

static void array_free(struct xl_map *map)
{
	xl_obj_array_destroy(map->priv);
}

/* Hash of maps. */

struct hash_of_maps {
	pthread_rwlock_t lock;
	struct xl_htab index;
	struct xl_obj_array *maps; /* by node */
};

static struct xl_htab_node *find(struct hash_of_maps *h, const void *key)
{
	return xl_htab_find(&h->index, key);
}

static void *hash_lookup(struct xl_map *map, const void *key)
{
	struct hash_of_maps *h = map->priv;
	struct xl_obj *inner = NULL;
	struct xl_htab_node *node;

	pthread_rwlock_rdlock(&h->lock);
	node = find(h, key);
	if (node)
		inner = xl_obj_array_at(h->maps, xl_htab_id(&h->index, node));
	pthread_rwlock_unlock(&h->lock);
	return inner;
}

static int hash_sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	struct hash_of_maps *h = map->priv;
	struct xl_htab_node *node;
	uint32_t id;
	int err = -ENOENT;

	pthread_rwlock_rdlock(&h->lock);
	node = find(h, key);
	if (node)
		err = xl_obj_array_id(h->maps, xl_htab_id(&h->index, node), &id);
	pthread_rwlock_unlock(&h->lock);
	if (!err)
		memcpy(out_value, &id, sizeof(id));
	return err;
}

static int hash_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *obj,
		       uint64_t flags)
{
	struct hash_of_maps *h = map->priv;
	struct xl_htab_node *node;
	struct xl_obj *old = NULL;
	int err = check_inner(map, obj);

	if (err)
		return err;
	if (flags > BPF_EXIST)
		return -EINVAL;
	pthread_rwlock_wrlock(&h->lock);
	node = find(h, key);
	if (node && flags == BPF_NOEXIST)
		err = -EEXIST;
	else if (!node && flags == BPF_EXIST)
		err = -ENOENT;
	else if (!node && !(node = xl_htab_insert(&h->index, key)))
		err = -E2BIG;
	if (!err)
		old = xl_obj_array_swap(h->maps, xl_htab_id(&h->index, node), obj);
	pthread_rwlock_unlock(&h->lock);
	xl_map_retire(map, old);
	return err;
}

static int hash_delete(struct xl_map *map, const void *key)
{
	struct hash_of_maps *h = map->priv;
	struct xl_htab_node *node;
	struct xl_obj *old = NULL;

	pthread_rwlock_wrlock(&h->lock);
	node = find(h, key);
	if (node) {
		old = xl_obj_array_swap(h->maps, xl_htab_id(&h->index, node), NULL);
		xl_htab_remove(&h->index, node);
	}
	pthread_rwlock_unlock(&h->lock);
	xl_map_retire(map, old);
	return node ? 0 : -ENOENT;
}

static int hash_next_key(struct xl_map *map, const void *key, void *out_next)
{
	struct hash_of_maps *h = map->priv;
	int err;

	pthread_rwlock_rdlock(&h->lock);
	err = xl_htab_next_key(&h->index, key, out_next);
	pthread_rwlock_unlock(&h->lock);
	return err;
}

static int hash_next_at(struct xl_map *map, uint32_t *at, void *out_key)
{
	struct hash_of_maps *h = map->priv;
	int err;

	pthread_rwlock_rdlock(&h->lock);
	err = xl_htab_next_at(&h->index, at, out_key);
	pthread_rwlock_unlock(&h->lock);
	return err;
}

static int hash_check(const union bpf_attr *attr, struct xl_err *e)
{
	if (attr->value_size != 4)
		return xl_err_set(e, -EINVAL, "value_size of a map of objects is 4, not %u",
				  attr->value_size);
	return xl_hash_check(attr, e);
}

static void hash_free_parts(struct hash_of_maps *h)
{
	if (h->maps)
		xl_obj_array_destroy(h->maps);
	xl_htab_fini(&h->index);
	pthread_rwlock_destroy(&h->lock);
	free(h);
}

static int hash_alloc(struct xl_map *map)
{
	struct hash_of_maps *h;
	int err;

	if (map->max_entries > XL_HASH_ENTRIES_MAX)
		return -E2BIG;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	xl_map_lock_init(&h->lock);
	err = xl_htab_init(&h->index, map->key_size, map->max_entries, map->seed);
	if (!err) {
		h->maps = xl_obj_array_create(map->max_entries);
		err = h->maps ? 0 : -ENOMEM;
	}
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

/* No meta_equal: maps of maps do not nest. */
const struct xl_map_ops xl_array_of_maps_ops = {
	.name = "array_of_maps",
	.value_kind = XL_VALUE_MAP_FD,
	.no_prog_write = true,
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	.check = xl_fd_array_check,
	.alloc = array_alloc,
	.free = array_free,
	.lookup = array_lookup,
	.delete = array_delete,
	.sys_lookup = array_sys_lookup,
	.update_obj = array_update,
	.next_key = xl_array_next_key,
};

const struct xl_map_ops xl_hash_of_maps_ops = {
	.name = "hash_of_maps",
	.value_kind = XL_VALUE_MAP_FD,
	.no_prog_write = true,
	.allowed_flags = XL_HASH_FLAGS,
	.check = hash_check,
	.alloc = hash_alloc,
	.free = hash_free,
	.lookup = hash_lookup,
	.delete = hash_delete,
	.sys_lookup = hash_sys_lookup,
	.update_obj = hash_update,
	.next_key = hash_next_key,
	.next_at = hash_next_at,
};
