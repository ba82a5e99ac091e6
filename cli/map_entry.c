/* Shapes of maps; see map_entry.h. */
#include "cli/map_entry.h"

#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/btf.h"
#include "xdp-runtime/prog.h"

struct xl_map_shape xl_map_shape_of(const struct xl_object *obj, const struct xl_object_map *om)
{
	struct xl_map *map = om->map;
	struct xl_map_shape shape = {
		.obj = obj,
		.om = om,
		.map = map,
		.is_indexed = map->ops->next_key == xl_map_ops_of(BPF_MAP_TYPE_ARRAY)->next_key,
		.value_size_sys = xl_map_value_size_sys(map),
	};

	if (!map->btf)
		return shape;
	shape.btf = xl_btf_of(map->btf)->btf;
	shape.key_type = map->btf_key_type_id;
	shape.value_type = map->btf_value_type_id;
	return shape;
}

/* Of the two kinds of objects, what the map's values name. */
static bool names_maps(const struct xl_map_shape *shape)
{
	return shape->map->ops->value_kind == XL_VALUE_MAP_FD;
}

struct xl_obj *xl_map_shape_obj(const struct xl_map_shape *shape, const char *name)
{
	const struct xl_object *obj = shape->obj;

	for (uint32_t i = 0; names_maps(shape) && i < obj->n_maps; i++)
		if (obj->maps[i].map && !strcmp(obj->maps[i].name, name))
			return &obj->maps[i].map->obj;
	for (uint32_t i = 0; !names_maps(shape) && i < obj->n_progs; i++)
		if (obj->progs[i].prog && !strcmp(obj->progs[i].name, name))
			return &obj->progs[i].prog->obj;
	return NULL;
}

const char *xl_map_shape_name_of_id(const struct xl_map_shape *shape, uint32_t id)
{
	const struct xl_object *obj = shape->obj;

	for (uint32_t i = 0; names_maps(shape) && i < obj->n_maps; i++)
		if (obj->maps[i].map && obj->maps[i].map->obj.id == id)
			return obj->maps[i].name;
	for (uint32_t i = 0; !names_maps(shape) && i < obj->n_progs; i++)
		if (obj->progs[i].prog && obj->progs[i].prog->obj.id == id)
			return obj->progs[i].name;
	return NULL;
}

struct xl_obj *xl_map_shape_obj_of_id(const struct xl_map_shape *shape, uint32_t id)
{
	const char *name = xl_map_shape_name_of_id(shape, id);

	return name ? xl_map_shape_obj(shape, name) : NULL;
}
