/* What is reachable from programs: the maps they use, the programs and maps in those, and so on.
 * Each is found once, by its id. */
#include "xdp-runtime/twin/twin_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

struct xl_twin_prog *xl_twin_find_prog(struct xl_twin *twin, uint32_t id)
{
	for (uint32_t i = 0; i < twin->progs.n; i++)
		if (twin->progs.at[i].prog->obj.id == id)
			return &twin->progs.at[i];
	return NULL;
}

struct xl_twin_map *xl_twin_find_map(struct xl_twin *twin, uint32_t id)
{
	for (uint32_t i = 0; i < twin->maps.n; i++)
		if (twin->maps.at[i].map->obj.id == id)
			return &twin->maps.at[i];
	return NULL;
}

static int add_prog(struct xl_twin *twin, struct xl_prog *prog)
{
	if (xl_twin_find_prog(twin, prog->obj.id))
		return 0;
	return VEC_ADD(&twin->progs, (struct xl_twin_prog){ .prog = prog, .fd = -1 }) ? 0 : -ENOMEM;
}

static int add_map(struct xl_twin *twin, struct xl_map *map)
{
	if (xl_twin_find_map(twin, map->obj.id))
		return 0;
	return VEC_ADD(&twin->maps, (struct xl_twin_map){ .map = map, .fd = -1 }) ? 0 : -ENOMEM;
}

/* Where the id of a program or map stands in an element; -1: there is none. */
static const int id_offset[] = {
	[XL_VALUE_BYTES] = -1, [XL_VALUE_PROG_FD] = 0, [XL_VALUE_MAP_FD] = 0,
	[XL_VALUE_DEVMAP] = 4, [XL_VALUE_CPUMAP] = 4,  [XL_VALUE_FOREIGN_FD] = -1,
};

/* The program or map that an element of @map holds, NULL if none. Borrowed. */
static struct xl_obj *element_obj(struct xl_twin *twin, struct xl_map *map, const uint8_t *value)
{
	const bool is_map = map->ops->value_kind == XL_VALUE_MAP_FD;
	const int off = id_offset[map->ops->value_kind];
	uint32_t id = 0;
	struct xl_obj *obj;

	if (off < 0 || (uint32_t)off + sizeof(id) > map->value_size)
		return NULL;
	memcpy(&id, value + off, sizeof(id));
	if (!id)
		return NULL;
	pthread_mutex_lock(&twin->rt->lock);
	obj = xl_handle_by_id(twin->rt->handles, is_map ? XL_OBJ_MAP : XL_OBJ_PROG, id);
	pthread_mutex_unlock(&twin->rt->lock);
	return obj;
}

static int collect_elements(struct xl_twin *twin, struct xl_map *map)
{
	uint8_t *key, *next, *value;
	int err;

	if (map->ops->value_kind == XL_VALUE_BYTES || !map->ops->next_key || !map->key_size)
		return 0;
	key = calloc(1, map->key_size);
	next = calloc(1, map->key_size);
	value = calloc(1, xl_map_value_size_sys(map) + 8);
	err = key && next && value ? xl_map_next_key(map, NULL, key) : -ENOMEM;
	while (!err) {
		struct xl_obj *obj = NULL;

		if (!xl_map_sys_lookup(map, key, value, 0))
			obj = element_obj(twin, map, value);
		if (obj)
			err = obj->kind == XL_OBJ_MAP ? add_map(twin, xl_map_of(obj))
						      : add_prog(twin, xl_prog_of(obj));
		if (err)
			break;
		err = xl_map_next_key(map, key, next);
		memcpy(key, next, map->key_size);
	}
	free(key);
	free(next);
	free(value);
	return err == -ENOMEM ? err : 0;
}

/* Lists grow while they are walked, until nothing new is found. */
int xl_twin_reach(struct xl_twin *twin)
{
	uint32_t p = 0, m = 0;
	int err = 0;

	while (!err && (p < twin->progs.n || m < twin->maps.n)) {
		if (p < twin->progs.n) {
			struct xl_prog *prog = twin->progs.at[p++].prog;

			for (uint32_t i = 0; i < prog->n_maps && !err; i++)
				err = add_map(twin, prog->maps[i]);
		} else {
			err = collect_elements(twin, twin->maps.at[m++].map);
		}
	}
	return err;
}
