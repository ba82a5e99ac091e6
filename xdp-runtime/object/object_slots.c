/* Slots that an object fills otherwise than by static initialisers, which libbpf knows.
 *
 *     SEC("2/5")                           iproute2: this program goes into slot 5 of the prog
 *                                          array whose definition says id 2
 *     tag "tail:calls/5" on a function     Cilium: into slot 5 of the prog array `calls`
 *     id 42, inner_idx 3 of a map          iproute2: this map goes into slot 3 of each map of
 *                                          maps whose inner_id is 42
 *
 * A slot that does not exist, or a program that cannot run, leaves the array as it is: a tail
 * call to it falls through, as it would in the kernel.
 *
 * Source: bpf_fill_prog_arrays() and bpf_maps_attach_all() of iproute2; bpf/lib/tailcall.h and
 * pkg/bpf of Cilium.
 */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_priv.h"

#define TAG_PREFIX "tail:"
#define TAGS_MAX   4096 /* chosen: no object has as many programs */

/* A number up to @end, or to the end of the text if @end is 0. */
static bool read_number(const char **at, char end, uint32_t *out)
{
	char *stop;
	unsigned long long value = strtoull(*at, &stop, 0);

	if (**at < '0' || **at > '9' || *stop != end || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	*at = stop + (end != 0);
	return true;
}

static bool is_made(const struct xl_object *obj, const char *name, uint32_t *out_i)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (strcmp(obj->maps[i].name, name))
			continue;
		*out_i = i;
		return bpf_map__fd(xl_object_priv(obj)->stores[i].bpf) >= 0;
	}
	return false;
}

static void put_prog(struct xl_object *obj, uint32_t prog, const char *map, uint32_t slot)
{
	struct bpf_program *bpf = xl_object_priv(obj)->funcs[prog].bpf;
	int fd = bpf ? bpf_program__fd(bpf) : -1;
	uint32_t i;

	if (fd < 0 || !is_made(obj, map, &i) || obj->maps[i].type != BPF_MAP_TYPE_PROG_ARRAY)
		return;
	if (bpf_map_update_elem(bpf_map__fd(xl_object_priv(obj)->stores[i].bpf), &slot, &fd, 0))
		xl_object_notice(obj, "%s: program '%s' cannot be put into slot %u of '%s'",
				 obj->name, obj->progs[prog].name, slot, map);
}

/* -- iproute2 --------------------------------------------------------------------------------- */

static void fill_by_section(struct xl_object *obj, uint32_t prog)
{
	const struct xl_legacy_maps *maps = &xl_object_priv(obj)->lore.legacy;
	const char *at = obj->progs[prog].section;
	uint32_t id, slot;

	if (!read_number(&at, '/', &id) || !read_number(&at, 0, &slot))
		return;
	for (uint32_t i = 0; i < maps->n; i++) {
		if (maps->map[i].id != id || maps->map[i].type != BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		put_prog(obj, prog, maps->map[i].name, slot);
		return;
	}
}

static void put_map(struct xl_object *obj, const struct xl_legacy_map *inner,
		    const struct xl_legacy_map *outer)
{
	uint32_t from, to;
	int fd;

	if (!is_made(obj, inner->name, &from) || !is_made(obj, outer->name, &to))
		return;
	fd = bpf_map__fd(xl_object_priv(obj)->stores[from].bpf);
	if (bpf_map_update_elem(bpf_map__fd(xl_object_priv(obj)->stores[to].bpf),
				&inner->inner_slot, &fd, 0))
		xl_object_notice(obj, "%s: map '%s' cannot be put into slot %u of '%s'", obj->name,
				 inner->name, inner->inner_slot, outer->name);
}

static void fill_maps_of_maps(struct xl_object *obj)
{
	const struct xl_legacy_maps *maps = &xl_object_priv(obj)->lore.legacy;

	for (uint32_t o = 0; o < maps->n; o++) {
		const struct xl_legacy_map *outer = &maps->map[o];

		if (outer->inner == XL_LEGACY_NONE || !outer->inner_id)
			continue;
		for (uint32_t i = 0; i < maps->n; i++)
			if (i != o && maps->map[i].id == outer->inner_id)
				put_map(obj, &maps->map[i], outer);
	}
}

/* -- Cilium ----------------------------------------------------------------------------------- */

/* The program whose function has type @id. */
static bool prog_of_type(const struct xl_object *obj, uint32_t id, uint32_t *out_i)
{
	const struct btf *btf = xl_object_priv(obj)->btf;
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (uint32_t i = 0; btf_is_func(t) && i < obj->n_progs; i++) {
		*out_i = i;
		if (!strcmp(obj->progs[i].name, btf__str_by_offset(btf, t->name_off)))
			return true;
	}
	return false;
}

/* "tail:MAP/N" */
static void fill_by_tag(struct xl_object *obj, uint32_t prog, const char *tag)
{
	const char *slash = strrchr(tag, '/'), *at = slash ? slash + 1 : NULL;
	char map[256];
	uint32_t slot;
	size_t n;

	tag += strlen(TAG_PREFIX);
	if (!at || slash < tag || !read_number(&at, 0, &slot))
		return;
	n = (size_t)(slash - tag);
	if (n >= sizeof(map))
		return;
	memcpy(map, tag, n);
	map[n] = '\0';
	put_prog(obj, prog, map, slot);
}

static void fill_by_tags(struct xl_object *obj)
{
	const struct btf *btf = xl_object_priv(obj)->btf;
	uint32_t prog, n = 0;

	for (uint32_t id = 1; btf && id < btf__type_cnt(btf) && n < TAGS_MAX; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *tag = btf__str_by_offset(btf, t->name_off);

		if (!btf_is_decl_tag(t) || btf_decl_tag(t)->component_idx != -1 ||
		    strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)))
			continue;
		n++;
		if (prog_of_type(obj, t->type, &prog))
			fill_by_tag(obj, prog, tag);
	}
}

void xl_object_fill_slots(struct xl_object *obj)
{
	for (uint32_t i = 0; i < obj->n_progs; i++)
		fill_by_section(obj, i);
	fill_by_tags(obj);
	fill_maps_of_maps(obj);
}
