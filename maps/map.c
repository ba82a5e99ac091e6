/* What all maps share: creation, the two sides' dispatch, and the end of life; see map.h.
 *
 * A type fills in the ops that differ; what is left NULL is done here from the others. The checks
 * of creation run in the kernel's order, since loaders probe with attributes that are wrong in
 * one way and read the errno.
 *
 * Source: map_create(), bpf_map_copy_value(), bpf_map_update_value() in kernel/bpf/syscall.c, v6.18.
 */
#include "maps/map.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/fields.h"

/* An object that programs may still see, kept until the map goes. */
struct xl_map_retired {
	struct xl_map_retired *next;
	struct xl_obj *obj;
};

static void drop_retired(struct xl_map *map)
{
	struct xl_map_retired *r = atomic_load_explicit(&map->retired, memory_order_acquire), *next;

	for (; r; r = next) {
		next = r->next;
		xl_obj_put(r->obj);
		free(r);
	}
}

void xl_map_retire(struct xl_map *map, struct xl_obj *obj)
{
	struct xl_map_retired *r;

	if (!obj)
		return;
	if (map->defer_put) {
		map->defer_put(map->defer_arg, obj);
		return;
	}
	r = malloc(sizeof(*r));
	if (!r)
		return; /* the object is never freed: better than freed under a program */
	r->obj = obj;
	r->next = atomic_load_explicit(&map->retired, memory_order_relaxed);
	/* release pairs with the acquire in drop_retired: the list's fields are written. */
	while (!atomic_compare_exchange_weak_explicit(&map->retired, &r->next, r,
						      memory_order_release, memory_order_relaxed))
		;
}

void xl_map_release(struct xl_obj *obj)
{
	struct xl_map *map = xl_map_of(obj);

	if (map->priv)
		map->ops->free(map);
	drop_retired(map);
	xl_mem_destroy(&map->mem);
	xl_map_put(map->inner_meta);
	xl_obj_put(map->btf);
	free(map);
}

void xl_map_release_uref(struct xl_map *map)
{
	if (map->ops->release_uref)
		map->ops->release_uref(map);
}

/* Creation. */

static bool numa_node_online(uint32_t node)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", node);
	return !node || !access(path, F_OK);
}

static int check_common(const union bpf_attr *attr, const struct xl_map_ops *ops, struct xl_err *e)
{
	const uint32_t flags = attr->map_flags;
	const uint32_t prog_access = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
	const char *why_not = xl_map_type_why_not(attr->map_type);

	if (attr->map_extra && !(ops && ops->takes_extra))
		return xl_err_set(e, -EINVAL, "map_extra is for bloom filters and arenas");
	if ((flags & BPF_F_RDONLY) && (flags & BPF_F_WRONLY))
		return xl_err_set(e, -EINVAL, "BPF_F_RDONLY and BPF_F_WRONLY exclude each other");
	if ((flags & BPF_F_NUMA_NODE) && attr->numa_node != UINT32_MAX &&
	    !numa_node_online(attr->numa_node))
		return xl_err_set(e, -EINVAL, "there is no NUMA node %u", attr->numa_node);
	if (!ops)
		return xl_err_set(e, -EINVAL, "maps of type %u (%s) are not served%s%s",
				  attr->map_type, xl_map_type_name(attr->map_type),
				  why_not ? ": " : "", why_not ? why_not : "");
	if (flags & ~ops->allowed_flags)
		return xl_err_set(e, -EINVAL, "map type %s does not take the flags 0x%x", ops->name,
				  flags & ~ops->allowed_flags);
	if ((flags & prog_access) == prog_access)
		return xl_err_set(e, -EINVAL,
				  "BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other");
	return ops->check(attr, e);
}

static int check_inner(const struct xl_map *inner, struct xl_err *e)
{
	if (!inner)
		return xl_err_set(e, -EBADF, "inner_map_fd is not a map");
	if (inner->inner_meta)
		return xl_err_set(e, -EINVAL, "a map of maps cannot be an inner map");
	if (!inner->ops->meta_equal)
		return xl_err_set(e, -ENOTSUPP, "a map of type %s cannot be an inner map",
				  inner->ops->name);
	return 0;
}

/* Source: bpf_obj_name_cpy(). */
static int copy_name(const union bpf_attr *attr, char *name, struct xl_err *e)
{
	size_t i;

	for (i = 0; i < BPF_OBJ_NAME_LEN && attr->map_name[i]; i++) {
		if (!isalnum((unsigned char)attr->map_name[i]) && attr->map_name[i] != '_' &&
		    attr->map_name[i] != '.')
			return xl_err_set(e, -EINVAL, "a map name has letters, digits, _ and .");
		name[i] = attr->map_name[i];
	}
	if (i == BPF_OBJ_NAME_LEN)
		return xl_err_set(e, -EINVAL, "a map name has at most %d characters",
				  BPF_OBJ_NAME_LEN - 1);
	return 0;
}

static struct xl_map *new_head(const struct xl_map_ops *ops, enum bpf_map_type type)
{
	struct xl_map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	xl_obj_init(&map->obj, XL_OBJ_MAP, xl_map_release);
	map->ops = ops;
	map->type = type;
	map->mem = XL_MEM_NONE;
	map->lock_off = -1;
	map->timer_off = -1;
	return map;
}

/* What a map of maps remembers of its inner maps: the shape, not the map. */
static struct xl_map *new_meta(const struct xl_map *inner)
{
	struct xl_map *meta = new_head(inner->ops, inner->type);

	if (!meta)
		return NULL;
	meta->key_size = inner->key_size;
	meta->value_size = inner->value_size;
	meta->max_entries = inner->max_entries;
	meta->flags = inner->flags;
	meta->n_cpus = inner->n_cpus;
	meta->value_stride = inner->value_stride;
	meta->rdonly_prog = inner->rdonly_prog;
	meta->wronly_prog = inner->wronly_prog;
	memcpy(meta->field, inner->field, sizeof(meta->field));
	meta->n_fields = inner->n_fields;
	meta->lock_off = inner->lock_off;
	meta->timer_off = inner->timer_off;
	if (inner->btf)
		meta->btf = xl_obj_get(inner->btf);
	return meta;
}

static void fill_head(struct xl_map *map, const union bpf_attr *attr, const struct xl_map_env *env)
{
	map->key_size = attr->key_size;
	map->value_size = attr->value_size;
	map->value_stride = (attr->value_size + 7) & ~7U;
	map->max_entries = attr->max_entries;
	/* Who may read and write through an fd is the fd's affair, not the map's. */
	map->flags = attr->map_flags & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY);
	map->map_extra = attr->map_extra;
	map->rdonly_prog = attr->map_flags & BPF_F_RDONLY_PROG;
	map->wronly_prog = attr->map_flags & BPF_F_WRONLY_PROG;
	map->n_cpus = env->n_cpus;
	map->seed = attr->map_flags & BPF_F_ZERO_SEED ? 0 : env->seed;
	map->defer_put = env->defer_put;
	map->defer_arg = env->defer_arg;
}

int xl_map_create(const union bpf_attr *attr, const struct xl_map_env *env, struct xl_map *inner,
		  struct xl_map **out_map, struct xl_err *e)
{
	const struct xl_map_ops *ops = xl_map_ops_of(attr->map_type);
	struct xl_map *map;
	int err;

	err = check_common(attr, ops, e);
	if (err)
		return err;
	if (attr->map_ifindex)
		return xl_err_set(e, -EINVAL, "maps cannot be offloaded to a device");
	if (ops->value_kind == XL_VALUE_MAP_FD) {
		err = check_inner(inner, e);
		if (err)
			return err;
	}
	map = new_head(ops, attr->map_type);
	if (!map)
		return -ENOMEM;
	fill_head(map, attr, env);
	err = -ENOMEM;
	if (ops->value_kind == XL_VALUE_MAP_FD) {
		map->inner_meta = new_meta(inner);
		if (!map->inner_meta)
			goto err_map;
	}
	err = ops->alloc(map);
	if (err) {
		xl_err_set(e, err, "no room for %u entries of %u bytes", attr->max_entries,
			   attr->value_size);
		goto err_map;
	}
	err = copy_name(attr, map->name, e);
	if (!err && map->mem.fd < 0)
		err = xl_mem_create("bpf-map", 0, &map->mem);
	if (err)
		goto err_map;
	*out_map = map;
	return 0;

err_map:
	xl_map_put(map);
	return err;
}

size_t xl_map_value_size_sys(const struct xl_map *map)
{
	if (map->ops->per_cpu)
		return (size_t)map->value_stride * map->n_cpus;
	return map->value_size;
}

bool xl_map_meta_equal(const struct xl_map *meta, const struct xl_map *map)
{
	return meta->ops->meta_equal && meta->ops->meta_equal(meta, map);
}

uint32_t xl_map_regions(const struct xl_map *map, struct xl_region *out)
{
	return map->ops->regions ? map->ops->regions(map, out) : 0;
}

/* The program side. The verifier refuses what these answer with -EACCES and -EOPNOTSUPP. */

void *xl_map_lookup(struct xl_map *map, const void *key)
{
	if (map->ops->no_prog_access || !map->ops->lookup || map->wronly_prog)
		return NULL;
	return map->ops->lookup(map, key);
}

static int check_prog_write(const struct xl_map *map)
{
	if (map->ops->no_prog_access || map->ops->no_prog_write)
		return -EOPNOTSUPP;
	return map->rdonly_prog ? -EACCES : 0;
}

int xl_map_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	int err = check_prog_write(map);

	if (err)
		return err;
	return map->ops->update ? map->ops->update(map, key, value, flags) : -EOPNOTSUPP;
}

int xl_map_delete(struct xl_map *map, const void *key)
{
	int err = check_prog_write(map);

	if (err)
		return err;
	return map->ops->delete ? map->ops->delete (map, key) : -EOPNOTSUPP;
}

/* The control side. */

/* BPF_F_LOCK is for values with a spin lock. */
static bool lock_flag_fits(const struct xl_map *map, uint64_t flags)
{
	return !(flags & BPF_F_LOCK) || map->lock_off >= 0;
}

int xl_map_sys_lookup(struct xl_map *map, const void *key, void *out_value, uint64_t flags)
{
	void *value;

	if (flags & ~(uint64_t)BPF_F_LOCK || !lock_flag_fits(map, flags))
		return -EINVAL;
	if (map->ops->sys_lookup && !flags)
		return map->ops->sys_lookup(map, key, out_value);
	if (!map->ops->lookup)
		return -EOPNOTSUPP;
	value = map->ops->lookup(map, key);
	if (!value)
		return -ENOENT;
	if (flags)
		xl_map_value_load_locked(map, out_value, value);
	else
		xl_map_value_load(map, out_value, value);
	return 0;
}

int xl_map_sys_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *obj,
		      uint64_t flags)
{
	if (!lock_flag_fits(map, flags))
		return -EINVAL;
	if (map->ops->update_obj)
		return map->ops->update_obj(map, key, value, obj, flags);
	if (map->ops->sys_update)
		return map->ops->sys_update(map, key, value, flags);
	if (!map->ops->update)
		return -EOPNOTSUPP;
	return map->ops->update(map, key, value, flags);
}

int xl_map_sys_delete(struct xl_map *map, const void *key)
{
	return map->ops->delete ? map->ops->delete (map, key) : -EOPNOTSUPP;
}

int xl_map_sys_lookup_and_delete(struct xl_map *map, const void *key, void *out_value,
				 uint64_t flags)
{
	if (flags & ~(uint64_t)BPF_F_LOCK || !lock_flag_fits(map, flags))
		return -EINVAL;
	if (!map->ops->sys_lookup_and_delete)
		return -ENOTSUPP;
	return map->ops->sys_lookup_and_delete(map, key, out_value, flags);
}

int xl_map_next_key(struct xl_map *map, const void *key, void *out_next)
{
	return map->ops->next_key ? map->ops->next_key(map, key, out_next) : -EOPNOTSUPP;
}
