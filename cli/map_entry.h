/* What loading and dumping of maps share: a map with its types, and what its values stand for. */
#ifndef XL_CLI_MAP_ENTRY_H
#define XL_CLI_MAP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-runtime/object/object.h"

struct btf;
struct xl_obj;

struct xl_map_shape {
	const struct xl_object *obj;
	const struct xl_object_map *om;
	struct xl_map *map;
	bool is_indexed;	       /* keys are 0..max_entries - 1, walked in that order */
	const struct btf *btf;	       /* NULL: none */
	uint32_t key_type, value_type; /* BTF ids, 0: none */
	size_t value_size_sys;	       /* bytes of a value as bpf(2) has it: all CPUs */
};

/* Looks at @om, which is loaded. */
struct xl_map_shape xl_map_shape_of(const struct xl_object *obj, const struct xl_object_map *om);

/* Programs and maps of the object by name or by id; NULL if there is none (that is loaded). */
struct xl_obj *xl_map_shape_obj(const struct xl_map_shape *shape, const char *name);
struct xl_obj *xl_map_shape_obj_of_id(const struct xl_map_shape *shape, uint32_t id);
const char *xl_map_shape_name_of_id(const struct xl_map_shape *shape, uint32_t id);

#endif
