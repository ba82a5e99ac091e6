/* Map definitions as they were before BTF: an array of structs in section "maps".
 *
 * Nothing says how large the struct is, and loaders have used many. Each map has a symbol, so the
 * size of an entry is that of the section, divided by the number of maps in it; the size tells
 * which loader the object was written for:
 *
 *     16, 20        samples/bpf and libbpf 0.x, without and with flags
 *     24, 28        samples/bpf with index of the inner map and NUMA node; aya and older iproute2
 *                   with id and pinning
 *     36            iproute2's struct bpf_elf_map
 *     40            goebpf, with pointers to the inner map and to a path to pin at
 *
 * Larger ones (gobpf: 280) begin as that of 20 bytes does.
 *
 * Source: bpf_elf.h of iproute2; bpf_load.h and bpf_helpers.h of Linux 4.x; bpf_map_def in
 * aya-ebpf-bindings; bpf_helpers.h of goebpf.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_norm.h"

#define MAPS_MAX 1024		      /* chosen: ten times what any known object has */
#define WORK_MAX (UINT64_C(1) << 28)  /* chosen: about a second */
#define SIZE_MIN 16		      /* type, key, value, entries */
#define NO_MAP	 (XL_LEGACY_NONE - 1) /* a pointer, but to something else */

/* Words after the four that are always there; 0: the layout has none. */
struct layout {
	uint32_t size;
	uint8_t flags, numa_node, pinning, id, inner_id, inner_slot;
	uint8_t inner_index; /* of the map in the section */
	uint8_t inner_pointer, pin_pointer;
};

static const struct layout layouts[] = {
	{ .size = 16 },
	{ .size = 20, .flags = 4 },
	{ .size = 24, .flags = 4, .inner_index = 5 },
	{ .size = 28, .flags = 4, .id = 5, .inner_index = 5, .numa_node = 6, .pinning = 6 },
	{ .size = 36, .flags = 4, .id = 5, .pinning = 6, .inner_id = 7, .inner_slot = 8 },
	{ .size = 40, .flags = 4, .inner_pointer = 6, .pin_pointer = 8 },
};

static const struct layout *layout_of(uint64_t size)
{
	const struct layout *best = &layouts[1];

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].size == size)
			best = &layouts[i];
	return best;
}

static bool is_map_in_map(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* -- which maps there are ------------------------------------------------------------------- */

static int compare_place(const void *a, const void *b)
{
	const struct xl_legacy_map *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

static bool names_map(const struct xl_elf *elf, uint32_t sym)
{
	const Elf64_Sym *s = &elf->sym[sym];
	int type = ELF64_ST_TYPE(s->st_info);
	const char *name = xl_elf_sym_name(elf, sym);

	return (type == STT_OBJECT || type == STT_NOTYPE) && *name && strncmp(name, ".L", 2) &&
	       s->st_shndx < elf->n_secs && xl_elf_is_old_maps(elf, s->st_shndx);
}

/* Several symbols of one place are one map, which the first of them names. */
static int find_maps(const struct xl_elf *elf, struct xl_legacy_maps *out, struct xl_err *e)
{
	uint32_t n = 0, kept = 0;

	for (uint32_t i = 0; i < elf->n_syms; i++)
		n += names_map(elf, i);
	/* each is looked for among all symbols, relocations and types */
	if (n > MAPS_MAX || n * (uint64_t)elf->size / sizeof(Elf64_Rel) > WORK_MAX)
		return xl_err_set(e, -EINVAL, "%u maps are too many", n);
	out->map = calloc(n + 1, sizeof(*out->map));
	if (!out->map)
		return xl_err_set(e, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < elf->n_syms; i++)
		if (names_map(elf, i))
			out->map[out->n++] = (struct xl_legacy_map){
				.name = xl_elf_sym_name(elf, i),
				.sym = i,
				.sec = elf->sym[i].st_shndx,
				.off = elf->sym[i].st_value,
				.inner = XL_LEGACY_NONE,
			};
	qsort(out->map, out->n, sizeof(*out->map), compare_place);
	for (uint32_t i = 0; i < out->n; i++)
		if (!kept || compare_place(&out->map[i], &out->map[kept - 1]))
			out->map[kept++] = out->map[i];
	out->n = kept;
	return 0;
}

/* -- what they say -------------------------------------------------------------------------- */

static uint32_t word(const struct xl_elf *elf, const struct xl_legacy_map *m, uint32_t index)
{
	uint32_t value;

	memcpy(&value, elf->sec[m->sec].data + m->off + index * sizeof(value), sizeof(value));
	return value;
}

/* The optional word @index. */
static uint32_t word_or_0(const struct xl_elf *elf, const struct xl_legacy_map *m, uint8_t index)
{
	return index ? word(elf, m, index) : 0;
}

static void read_map(const struct xl_elf *elf, const struct layout *l, struct xl_legacy_map *m)
{
	m->type = word(elf, m, 0);
	m->key_size = word(elf, m, 1);
	m->value_size = word(elf, m, 2);
	m->max_entries = word(elf, m, 3);
	m->flags = word_or_0(elf, m, l->flags);
	m->pinning = word_or_0(elf, m, l->pinning);
	m->id = word_or_0(elf, m, l->id);
	m->inner_id = word_or_0(elf, m, l->inner_id);
	m->inner_slot = word_or_0(elf, m, l->inner_slot);
	if (m->flags & BPF_F_NUMA_NODE && l->numa_node) {
		m->numa_node = word(elf, m, l->numa_node);
		m->pinning = l->pinning == l->numa_node ? 0 : m->pinning;
	}
}

/* The map that a pointer at offset @off of section @sec leads to. */
static uint32_t pointed_at(const struct xl_elf *elf, const struct xl_legacy_maps *maps,
			   uint32_t sec, uint64_t off)
{
	struct xl_legacy_map to = { 0 };

	for (uint32_t i = 1; i < elf->n_secs; i++) {
		uint32_t n;
		Elf64_Rel *rels = xl_elf_rels(elf, i, &n);

		if (!elf->sec[i].kept || elf->sec[i].type != SHT_REL || elf->sec[i].info != sec)
			continue;
		for (uint32_t k = 0; k < n; k++) {
			const Elf64_Sym *sym = &elf->sym[ELF64_R_SYM(rels[k].r_info)];

			if (rels[k].r_offset != off || sym->st_shndx >= elf->n_secs)
				continue;
			memcpy(&to.off, elf->sec[sec].data + off, sizeof(to.off));
			to.off += sym->st_value;
			to.sec = sym->st_shndx;
			for (uint32_t m = 0; m < maps->n; m++)
				if (!compare_place(&maps->map[m], &to))
					return m;
			return NO_MAP;
		}
	}
	return XL_LEGACY_NONE;
}

/* Finds what the inner maps of @m look like. */
static void read_inner(const struct xl_elf *elf, const struct layout *l,
		       const struct xl_legacy_maps *maps, struct xl_legacy_map *m)
{
	uint32_t index = XL_LEGACY_NONE;

	if (!is_map_in_map(m->type))
		return;
	if (l->inner_pointer)
		index = pointed_at(elf, maps, m->sec, m->off + l->inner_pointer * 4);
	else if (l->inner_index)
		index = word(elf, m, l->inner_index);
	for (uint32_t i = 0; l->inner_id && m->inner_id && i < maps->n; i++)
		if (maps->map[i].id == m->inner_id)
			index = i;
	if (index < maps->n && !is_map_in_map(maps->map[index].type))
		m->inner = index;
}

/* Reads the maps [@from, @to), which are those of one section. */
static int read_section(const struct xl_elf *elf, struct xl_legacy_maps *maps, uint32_t from,
			uint32_t to, struct xl_err *e)
{
	const struct xl_elf_sec *s = &elf->sec[maps->map[from].sec];
	const uint64_t size = s->size / (to - from);
	const struct layout *l = layout_of(size);

	if (s->size % (to - from) || size < SIZE_MIN || size % 4)
		return xl_err_set(e, -EINVAL,
				  "section '%s': %lu bytes for %u maps are no definitions of "
				  "one size",
				  s->name, (unsigned long)s->size, to - from);
	for (uint32_t i = from; i < to; i++) {
		struct xl_legacy_map *m = &maps->map[i];

		if (m->off % size || m->off >= s->size)
			return xl_err_set(e, -EINVAL,
					  "map '%s' at offset %lu of section '%s', whose entries "
					  "have %lu bytes",
					  m->name, (unsigned long)m->off, s->name,
					  (unsigned long)size);
		read_map(elf, l, m);
		if (l->pin_pointer &&
		    pointed_at(elf, maps, m->sec, m->off + l->pin_pointer * 4) != XL_LEGACY_NONE)
			m->pinning = 1;
	}
	for (uint32_t i = from; i < to; i++)
		read_inner(elf, l, maps, &maps->map[i]);
	return 0;
}

int xl_legacy_read(const struct xl_elf *elf, struct xl_legacy_maps *out, struct xl_err *e)
{
	uint32_t to;
	int err;

	out->n = 0;
	err = find_maps(elf, out, e);
	for (uint32_t from = 0; from < out->n && !err; from = to) {
		for (to = from + 1; to < out->n && out->map[to].sec == out->map[from].sec; to++)
			;
		err = read_section(elf, out, from, to, e);
	}
	if (err) {
		free(out->map);
		*out = (struct xl_legacy_maps){ 0 };
	}
	return err;
}
