/* Prints docs/helpers.md or docs/maps.md from the tables that loading and running use, so that what
 * the docs say is what is. tools/gen-docs calls it. */
#include <stdio.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/helpers/kfuncs.h"

#define MAP_TYPES_END 64 /* beyond all numbers of map types */

static const char generated[] = "<!-- By tools/gen-docs, from %s. Not to be edited. -->\n\n";

/* Helpers. */

static int32_t helpers_end(void)
{
	return xl_helper_end() > xl_helper_notes_end() ? xl_helper_end() : xl_helper_notes_end();
}

static void print_kfuncs(void)
{
	printf("\n## Kernel functions\n\n"
	       "Called by BTF name (kfuncs). No connection is ever found here. A program that "
	       "calls one that is not in this\ntable is refused when it is loaded, by its name.\n\n"
	       "| function | served since |\n|---|---|\n");
	for (int32_t id = XL_KFUNC_FIRST; id < xl_kfunc_end(); id++)
		printf("| `%s` | %s |\n", xl_helper_of(id)->name, xl_helper_of(id)->since);
}

/* As text, since there is nothing to say of each. */
static void print_foreign(void)
{
	const char *between = "";
	int column = 0;

	printf("\n## Helpers of other types of programs\n\n"
	       "The kernel refuses XDP programs that call them, and so does this. (`bpftool "
	       "feature "
	       "probe` of version 7.1 and\nbefore lists them for type xdp all the same: it does "
	       "not know the words with which newer kernels refuse.)\n\n");
	for (int32_t id = 1; xl_helper_name(id); id++) {
		if (!xl_helper_is_foreign(id))
			continue;
		column += printf("%s`%s`", between, xl_helper_name(id));
		between = ", ";
		if (column > 80) {
			between = ",\n";
			column = 0;
		}
	}
	printf("\n");
}

static void print_helpers(void)
{
	printf("# Helpers\n\n");
	printf(generated, "xdp-runtime/helpers/helpers.c and helper_notes.c");
	printf("What kernel 6.18 gives to XDP programs, and what becomes of it here. A program "
	       "that calls a helper which is not served\nis refused when it is loaded, with the "
	       "reason; its siblings in the object run. Return values and errors of those that\n"
	       "are served are the kernel's.\n\n");
	printf("| # | helper | served since | |\n|--:|---|---|---|\n");
	for (int32_t id = 1; id < helpers_end(); id++) {
		const struct xl_helper *h = xl_helper_of(id);
		const char *note = xl_helper_note(id), *why_not = xl_helper_why_not(id);

		if (h)
			printf("| %d | `%s` | %s | %s%s%s |\n", id, h->name, h->since,
			       h->gpl_only ? "GPL only" : "", h->gpl_only && note ? "; " : "",
			       note ? note : "");
		else if (why_not && !xl_helper_is_foreign(id))
			printf("| %d | `%s` | no | %s |\n", id, xl_helper_name(id), why_not);
	}
	print_foreign();
	print_kfuncs();
}

/* Maps. */

/* Attributes with which some map of a type can be made. */
static const struct shape {
	uint32_t key_size, value_size, max_entries, flags;
} shapes[] = {
	{ 4, 8, 1, 0 }, { 4, 4, 1, 0 },	   { 8, 8, 1, BPF_F_NO_PREALLOC },
	{ 0, 8, 1, 0 }, { 0, 0, 4096, 0 },
};

static const char *const flag_names[] = {
	"BPF_F_NO_PREALLOC", "BPF_F_NO_COMMON_LRU",  "BPF_F_NUMA_NODE",	   "BPF_F_RDONLY",
	"BPF_F_WRONLY",	     "BPF_F_STACK_BUILD_ID", "BPF_F_ZERO_SEED",	   "BPF_F_RDONLY_PROG",
	"BPF_F_WRONLY_PROG", "BPF_F_CLONE",	     "BPF_F_MMAPABLE",	   "BPF_F_PRESERVE_ELEMS",
	"BPF_F_INNER_MAP",   "BPF_F_LINK",	     "BPF_F_PATH_FD",	   "BPF_F_VTYPE_BTF_OBJ_FD",
	"BPF_F_TOKEN_FD",    "BPF_F_SEGV_ON_FAULT",  "BPF_F_NO_USER_CONV", "BPF_F_RB_OVERWRITE",
};
#define N_FLAGS (sizeof(flag_names) / sizeof(flag_names[0]))

static bool can_be_made(enum bpf_map_type type, const struct shape *shape, uint32_t flags,
			struct xl_map *inner)
{
	const struct xl_map_env env = { .n_cpus = 1 };
	union bpf_attr attr;
	struct xl_map *map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = shape->key_size;
	attr.value_size = shape->value_size;
	attr.max_entries = shape->max_entries;
	attr.map_flags = flags;
	if (xl_map_create(&attr, &env, inner, &map, NULL))
		return false;
	xl_map_put(map);
	return true;
}

/* Which flags a type takes is asked, one by one: some types judge them by more than a mask. */
static void print_flags(enum bpf_map_type type, struct xl_map *inner)
{
	const struct shape *shape = shapes, *end = shapes + sizeof(shapes) / sizeof(shapes[0]);
	const char *between = "";

	while (shape < end && !can_be_made(type, shape, shape->flags, inner))
		shape++;
	for (uint32_t i = 0; shape < end && i < N_FLAGS; i++) {
		const uint32_t flag = 1U << i;

		if (!can_be_made(type, shape, shape->flags | flag, inner))
			continue;
		printf("%s%s%s", between, flag_names[i], shape->flags & flag ? " (must be)" : "");
		between = ", ";
	}
}

static void print_map_type(enum bpf_map_type type, struct xl_map *inner)
{
	const char *note = xl_map_type_note(type), *why_not = xl_map_type_why_not(type);

	printf("| %u | `%s` | ", type, xl_map_type_name(type));
	if (xl_map_ops_of(type)) {
		printf("yes | ");
		print_flags(type, inner);
		printf(" | %s |\n", note ? note : "");
	} else {
		printf("no | | %s |\n", why_not ? why_not : "");
	}
}

static int print_maps(void)
{
	const struct xl_map_env env = { .n_cpus = 1 };
	struct xl_map *inner;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	if (xl_map_create(&attr, &env, NULL, &inner, NULL))
		return 1;
	printf("# Map types\n\n");
	printf(generated, "maps/map_types.c and map_notes.c");
	printf("Creation flags, errors and limits of those that are served are those of kernel "
	       "6.18. An object that declares a map of\nanother type still loads: only its "
	       "programs that use the map are refused, with the reason.\n\n");
	printf("| # | type | served | creation flags | |\n|--:|---|---|---|---|\n");
	for (int type = 1; type < MAP_TYPES_END; type++)
		if (strcmp(xl_map_type_name((enum bpf_map_type)type), "?") != 0)
			print_map_type((enum bpf_map_type)type, inner);
	xl_map_put(inner);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "helpers")) {
		print_helpers();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "maps"))
		return print_maps();
	fprintf(stderr, "usage: %s helpers|maps\n", argv[0]);
	return 2;
}
