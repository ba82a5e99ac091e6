/* Prog arrays: the targets of tail calls.
 *
 * A slot holds a reference to a program, which this folder knows as an xl_obj only; that it fits
 * the map (type, frags) is checked where programs are known.
 *
 * Semantics: prog_fd_array_* in kernel/bpf/arraymap.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <string.h>

#include "maps/obj_array.h"

static int update_obj(struct xl_map *map, const void *key, const void *value, struct xl_obj *obj,
		      uint64_t flags)
{
	uint32_t index = xl_array_index(key);

	if (flags != BPF_ANY)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (!obj)
		return -EBADF;
	xl_obj_array_set(map->priv, map, index, obj);
	return 0;
}

static int delete (struct xl_map *map, const void *key)
{
	return xl_obj_array_delete(map->priv, map, xl_array_index(key));
}

struct xl_obj *xl_prog_array_at(struct xl_map *map, uint32_t index)
{
	return xl_obj_array_at(map->priv, index);
}

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	uint32_t id;
	int err = xl_obj_array_id(map->priv, xl_array_index(key), &id);

	if (!err)
		memcpy(out_value, &id, sizeof(id));
	return err;
}

/* Programs in the array may hold the array itself; when nobody outside can reach it any more it
 * lets go of them. Source: prog_array_map_clear(). */
static void release_uref(struct xl_map *map)
{
	xl_obj_array_clear(map->priv, map);
}

static int alloc(struct xl_map *map)
{
	map->priv = xl_obj_array_create(map->max_entries);
	return map->priv ? 0 : -ENOMEM;
}

static void prog_array_free(struct xl_map *map)
{
	xl_obj_array_destroy(map->priv);
}

/* No meta_equal: what a slot may hold depends on the map's users, so it cannot be an inner map. */
const struct xl_map_ops xl_prog_array_ops = {
	.name = "prog_array",
	.value_kind = XL_VALUE_PROG_FD,
	.no_prog_access = true,
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	.check = xl_fd_array_check,
	.alloc = alloc,
	.free = prog_array_free,
	.release_uref = release_uref,
	.delete = delete,
	.sys_lookup = sys_lookup,
	.update_obj = update_obj,
	.next_key = xl_array_next_key,
};
