/* `xdpland map list OBJ`: the maps of an object, their shape, what would stop them. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/object_list.h"
#include "maps/map.h"
#include "xdp-runtime/object/object.h"

/* What a person may want to know beside the sizes. */
static const char *remark(const struct xl_object_map *m)
{
	if (m->why_not)
		return m->why_not;
	if (m->is_internal)
		return m->flags & BPF_F_RDONLY_PROG ? "constants" : "global data";
	return m->is_pinned ? "shared by name" : "";
}

static void print_table(const struct xl_object *obj)
{
	int name = 3;

	for (uint32_t i = 0; i < obj->n_maps; i++)
		if ((int)strlen(obj->maps[i].name) > name)
			name = (int)strlen(obj->maps[i].name);
	if (name > 40)
		name = 40;
	printf("%-*s  %-16s  %6s  %8s  %10s  %6s  %s\n", name, "MAP", "TYPE", "KEY", "VALUE",
	       "ENTRIES", "FLAGS", "NOTE");
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		const struct xl_object_map *m = &obj->maps[i];

		printf("%-*s  %-16s  %6u  %8u  %10u  %#6x  %s\n", name, m->name,
		       xl_map_type_name(m->type), m->key_size, m->value_size, m->max_entries,
		       m->flags, remark(m));
	}
}

static uint32_t count(const struct xl_object *obj)
{
	return obj->n_maps;
}

static void write_item(struct xl_json *j, const struct xl_object *obj, uint32_t i)
{
	const struct xl_object_map *m = &obj->maps[i];

	xl_json_begin_object(j, NULL);
	xl_json_str(j, "name", m->name);
	xl_json_str(j, "type", xl_map_type_name(m->type));
	xl_json_u64(j, "bytes_key", m->key_size);
	xl_json_u64(j, "bytes_value", m->value_size);
	xl_json_u64(j, "max_entries", m->max_entries);
	xl_json_u64(j, "flags", m->flags);
	xl_json_bool(j, "internal", m->is_internal);
	xl_json_bool(j, "pinned", m->is_pinned);
	if (m->why_not)
		xl_json_str(j, "why_not", m->why_not);
	xl_json_end_object(j);
}

int xl_cli_map_list(int argc, char **argv)
{
	static const struct xl_object_list list = {
		.verb = "map list",
		.usage = "xdpland map list OBJ [-j]",
		.intro = "Lists the maps of an object file, their shape, and what would stop "
			 "them.\n",
		.array = "maps",
		.count = count,
		.print_table = print_table,
		.write_item = write_item,
	};

	return xl_object_list_run(&list, argc, argv);
}
