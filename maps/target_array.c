/* Arrays of redirect targets; see target_array.h. */
#include "maps/target_array.h"

#include <errno.h>
#include <string.h>

#include "maps/map_types.h"
#include "maps/obj_array.h"

struct xl_target xl_target_of(const struct xl_map *map, const void *value)
{
	struct xl_target target = { 0 };

	memcpy(&target, value, map->value_size);
	return target;
}

int xl_target_check(const union bpf_attr *attr, struct xl_err *e)
{
	if (!attr->max_entries)
		return xl_err_set(e, -EINVAL, "a map of targets needs max_entries");
	if (attr->key_size != 4)
		return xl_err_set(e, -EINVAL, "key_size of a map of targets is 4, not %u",
				  attr->key_size);
	if (attr->value_size != 4 && attr->value_size != 8)
		return xl_err_set(e, -EINVAL, "value_size of a map of targets is 4 or 8, not %u",
				  attr->value_size);
	return 0;
}

static uint64_t *element(const struct xl_map *map, uint32_t index)
{
	return (uint64_t *)map->mem.base + index;
}

static struct xl_target load(const uint64_t *element)
{
	/* relaxed: the number and the id are the whole message. */
	uint64_t word = __atomic_load_n(element, __ATOMIC_RELAXED);
	struct xl_target target;

	memcpy(&target, &word, sizeof(target));
	return target;
}

uint32_t xl_target_array_at(struct xl_map *map, uint64_t index)
{
	return index < map->max_entries ? load(element(map, (uint32_t)index)).number : 0;
}

void *xl_target_array_lookup(struct xl_map *map, const void *key)
{
	uint32_t index = xl_array_index(key);

	return xl_target_array_at(map, index) ? element(map, index) : NULL;
}

void xl_target_array_set(struct xl_map *map, uint32_t index, uint32_t number, struct xl_obj *prog)
{
	struct xl_target target = { .number = number, .fd = prog ? (int32_t)prog->id : 0 };
	uint64_t word;

	memcpy(&word, &target, sizeof(word));
	__atomic_store_n(element(map, index), word, __ATOMIC_RELAXED);
	xl_obj_array_set(map->priv, map, index, prog);
}

int xl_target_array_delete(struct xl_map *map, const void *key)
{
	uint32_t index = xl_array_index(key);

	if (index >= map->max_entries)
		return -EINVAL;
	xl_target_array_set(map, index, 0, NULL);
	return 0;
}

int xl_target_array_alloc(struct xl_map *map)
{
	struct xl_obj_array *progs;
	int err = xl_mem_create("bpf-map", (size_t)map->max_entries * sizeof(uint64_t), &map->mem);

	if (err)
		return err;
	progs = xl_obj_array_create(map->max_entries);
	if (!progs)
		return -ENOMEM;
	map->priv = progs;
	return 0;
}

void xl_target_array_free(struct xl_map *map)
{
	xl_obj_array_destroy(map->priv);
}

uint32_t xl_target_array_regions(const struct xl_map *map, struct xl_region *out)
{
	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = (size_t)map->max_entries * sizeof(uint64_t),
		.stride = sizeof(uint64_t),
		.value_size = map->value_size,
	};
	return 1;
}
