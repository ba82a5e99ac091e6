/* Arrays and per-CPU arrays.
 *
 * Values lie in mem at offset 0, `value_stride` apart: what a BPF_F_MMAPABLE array's user maps.
 * A per-CPU array has n_cpus of them per index, side by side. All elements exist from the start,
 * so there is nothing to lock; copies race as in the kernel (value.h).
 *
 * Semantics: kernel/bpf/arraymap.c, v6.18.
 */
#include "maps/map_types.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>

#include "base/percpu.h"
#include "maps/fields.h"

static void *element(const struct xl_map *map, uint32_t index)
{
	const size_t n_slots = map->ops->per_cpu ? map->n_cpus : 1;

	return (uint8_t *)map->mem.base + index * n_slots * map->value_stride;
}

static void *lookup(struct xl_map *map, const void *key)
{
	uint32_t index = xl_array_index(key);

	return index < map->max_entries ? element(map, index) : NULL;
}

static void *lookup_percpu(struct xl_map *map, const void *key, uint32_t cpu)
{
	uint32_t index = xl_array_index(key);

	if (index >= map->max_entries || cpu >= map->n_cpus)
		return NULL;
	return (uint8_t *)element(map, index) + (size_t)cpu * map->value_stride;
}

static void *lookup_this_cpu(struct xl_map *map, const void *key)
{
	return lookup_percpu(map, key, xl_cpu);
}

static int check_update(const struct xl_map *map, uint32_t index, uint64_t flags)
{
	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	return flags & BPF_F_LOCK && map->lock_off < 0 ? -EINVAL : 0;
}

static int update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t index = xl_array_index(key);
	int err = check_update(map, index, flags);

	if (err)
		return err;
	if (flags & BPF_F_LOCK)
		xl_map_value_store_locked(map, element(map, index), value);
	else
		xl_map_value_store(map, element(map, index), value);
	xl_map_value_end_timer(map, element(map, index));
	return 0;
}

static int update_this_cpu(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	int err = check_update(map, xl_array_index(key), flags);

	assert(xl_cpu < map->n_cpus);
	if (!err)
		xl_value_store(lookup_this_cpu(map, key), value, map->value_size);
	return err;
}

static int update_all_cpus(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t index = xl_array_index(key);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	xl_value_store(element(map, index), value, xl_map_value_size_sys(map));
	return 0;
}

static int lookup_all_cpus(struct xl_map *map, const void *key, void *out_value)
{
	void *value = lookup(map, key);

	if (!value)
		return -ENOENT;
	xl_value_load(out_value, value, xl_map_value_size_sys(map));
	return 0;
}

static int delete (struct xl_map *map, const void *key)
{
	return -EINVAL;
}

static const void *key_of(const struct xl_map *map, const void *value)
{
	static _Thread_local uint32_t index;

	index = (uint32_t)((size_t)((const uint8_t *)value - (const uint8_t *)map->mem.base) /
			   map->value_stride);
	return &index;
}

int xl_array_next_key(struct xl_map *map, const void *key, void *out_next)
{
	uint32_t index = key ? xl_array_index(key) : UINT32_MAX;

	if (index == map->max_entries - 1)
		return -ENOENT;
	index = index < map->max_entries ? index + 1 : 0;
	memcpy(out_next, &index, sizeof(index));
	return 0;
}

int xl_array_check(const union bpf_attr *attr, struct xl_err *e)
{
	const bool percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_ARRAY;

	if (!attr->max_entries)
		return xl_err_set(e, -EINVAL, "an array needs max_entries");
	if (attr->key_size != 4)
		return xl_err_set(e, -EINVAL, "key_size of an array is 4, not %u", attr->key_size);
	if (!attr->value_size)
		return xl_err_set(e, -EINVAL, "an array needs a value_size");
	if (percpu && (attr->map_flags & BPF_F_NUMA_NODE) && attr->numa_node != UINT32_MAX)
		return xl_err_set(e, -EINVAL, "a per-CPU map has no NUMA node");
	if (attr->value_size > INT_MAX)
		return xl_err_set(e, -E2BIG, "value_size is at most 2^31 - 1");
	if (percpu && attr->value_size > XL_PERCPU_UNIT_MIN)
		return xl_err_set(e, -E2BIG, "value_size of a per-CPU map is at most %u",
				  XL_PERCPU_UNIT_MIN);
	return 0;
}

int xl_fd_array_check(const union bpf_attr *attr, struct xl_err *e)
{
	if (attr->value_size != 4)
		return xl_err_set(e, -EINVAL, "value_size of a map of objects is 4, not %u",
				  attr->value_size);
	return xl_array_check(attr, e);
}

static int alloc(struct xl_map *map)
{
	/* Fits: at most 2^32 entries of 2^31 bytes, or of 2^15 for each of some thousand CPUs. */
	size_t size = (size_t)map->max_entries * map->value_stride;

	if (map->ops->per_cpu)
		size *= map->n_cpus;
	return xl_mem_create("bpf-map", size, &map->mem);
}

static uint32_t regions(const struct xl_map *map, struct xl_region *out)
{
	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = (size_t)((uint8_t *)element(map, map->max_entries) -
				 (uint8_t *)map->mem.base),
		.stride = map->value_stride,
		.value_size = map->value_size,
	};
	return 1;
}

/* An inner array may have another length only if both say so: its length is in the code that
 * looks it up. Source: array_map_meta_equal(). */
static bool meta_equal(const struct xl_map *meta, const struct xl_map *map)
{
	return meta->flags & BPF_F_INNER_MAP ? xl_map_meta_equal_basic(meta, map)
					     : xl_map_meta_equal_sized(meta, map);
}

const struct xl_map_ops xl_array_ops = {
	.name = "array",
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP | XL_MAP_ACCESS_FLAGS,
	.check = xl_array_check,
	.alloc = alloc,
	.meta_equal = meta_equal,
	.regions = regions,
	.lookup = lookup,
	.key_of = key_of,
	.update = update,
	.delete = delete,
	.next_key = xl_array_next_key,
};

const struct xl_map_ops xl_percpu_array_ops = {
	.name = "percpu_array",
	.per_cpu = true,
	.allowed_flags = BPF_F_NUMA_NODE | XL_MAP_ACCESS_FLAGS,
	.check = xl_array_check,
	.alloc = alloc,
	.meta_equal = xl_map_meta_equal_basic,
	.regions = regions,
	.lookup = lookup_this_cpu,
	.update = update_this_cpu,
	.delete = delete,
	.lookup_percpu = lookup_percpu,
	.sys_lookup = lookup_all_cpus,
	.sys_update = update_all_cpus,
	.next_key = xl_array_next_key,
};
