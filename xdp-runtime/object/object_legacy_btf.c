/* Old map definitions written as new ones; see object_legacy.c for the old.
 *
 * A definition in BTF is a variable in section .maps whose struct type says everything:
 *
 *     struct {
 *             char (*type)[2];           each number is the length of an array
 *             char (*key_size)[4];
 *             char (*values[])…          a pointer to the struct that defines the inner maps
 *     } my_map;
 *
 * One such variable is made for each old map, the map's symbol is moved there, and the section of
 * old style goes. There is one DATASEC .maps, so an existing one is made anew with more in it.
 *
 * Source: parse_btf_map_def() of libbpf 1.1.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_norm.h"
#include "xdp-runtime/object/object_priv.h"

#define MAPS_SECTION ".maps"
#define MEMBERS_MAX  16

/* linux/btf.h has it in the kernel only. */
#define BTF_INFO_ENC(kind, vlen) (((uint32_t)(kind) << 24) | (uint32_t)(vlen))

struct writer {
	const struct xl_elf *elf;
	const struct xl_legacy_maps *maps;
	struct xl_elf_image *img;
	struct btf *btf; /* what is written; ids and strings of the file's hold */
	int int_id, char_id;
	uint32_t sec; /* .maps */
	struct {
		int var;
		uint32_t size;
	} * vars; /* [maps->n] */
	struct xl_err *e;
};

/* A definition in the making: its members, before the struct can be. */
struct members {
	const char *name[MEMBERS_MAX];
	int type[MEMBERS_MAX];
	uint32_t n;
};

static int out_of_memory(struct writer *w)
{
	return xl_err_set(w->e, -ENOMEM, "out of memory");
}

static int add_member(struct members *m, const char *name, int type)
{
	if (type < 0)
		return type;
	m->name[m->n] = name;
	m->type[m->n++] = type;
	return 0;
}

static int add_number(struct writer *w, struct members *m, const char *name, uint32_t value)
{
	int array = btf__add_array(w->btf, w->int_id, w->char_id, value);

	return add_member(m, name, array < 0 ? array : btf__add_ptr(w->btf, array));
}

/* iproute2's BPF_ANNOTATE_KV_PAIR(map, …): struct ____btf_map_MAP { K key; V value; }. */
static int add_annotated(struct writer *w, struct members *m, const char *map, const char *field,
			 uint32_t size)
{
	const struct btf_type *t;
	char name[160];
	int id;

	snprintf(name, sizeof(name), "____btf_map_%s", map);
	id = btf__find_by_name_kind(w->btf, name, BTF_KIND_STRUCT);
	if (id < 0)
		return 0;
	t = btf__type_by_id(w->btf, (uint32_t)id);
	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *of = &btf_members(t)[i];
		const uint32_t type = of->type;

		if (!strcmp(btf__str_by_offset(w->btf, of->name_off), field) &&
		    btf__resolve_size(w->btf, type) == size)
			return add_member(m, field, btf__add_ptr(w->btf, (int)type));
	}
	return 0;
}

/* The struct type that defines @map, with those members of it that inner maps may have too. */
static int add_definition(struct writer *w, const struct xl_legacy_map *map, bool is_inner,
			  uint32_t *out_size)
{
	struct members m = { 0 };
	int id, err;

	err = add_number(w, &m, "type", map->type);
	err = err ? err : add_number(w, &m, "key_size", map->key_size);
	err = err ? err : add_number(w, &m, "value_size", map->value_size);
	err = err ? err : add_number(w, &m, "max_entries", map->max_entries);
	err = err ? err : add_number(w, &m, "map_flags", map->flags);
	if (!err && map->flags & BPF_F_NUMA_NODE)
		err = add_number(w, &m, "numa_node", map->numa_node);
	err = err ? err : add_annotated(w, &m, map->name, "key", map->key_size);
	err = err ? err : add_annotated(w, &m, map->name, "value", map->value_size);
	if (!err && !is_inner && map->pinning)
		err = add_number(w, &m, "pinning", map->pinning);
	if (!err && map->inner != XL_LEGACY_NONE) {
		int inner = add_definition(w, &w->maps->map[map->inner], true, NULL);
		int ptr = inner < 0 ? inner : btf__add_ptr(w->btf, inner);

		err = add_member(&m, "values",
				 ptr < 0 ? ptr : btf__add_array(w->btf, w->int_id, ptr, 0));
	}
	/* a flexible array takes no room */
	id = err ? err : btf__add_struct(w->btf, NULL, m.n * 8);
	for (uint32_t i = 0; i < m.n && id > 0; i++) {
		err = btf__add_field(w->btf, m.name[i], m.type[i], i * 64, 0);
		id = err ? err : id;
	}
	if (out_size)
		*out_size = m.n * 8;
	return id;
}

/* -- variables and their section -------------------------------------------------------------- */

void xl_legacy_name(const char *name, char *buf, size_t size)
{
	size_t n = 0;

	for (; *name && n + 1 < size; name++)
		buf[n++] = isalnum((unsigned char)*name) ? *name : '_';
	buf[n] = '\0';
}

/* Moves the symbols that named the old definition to offset @at of .maps. */
static int move_symbols(struct writer *w, const struct xl_legacy_map *map, const char *name,
			uint64_t at, uint32_t size)
{
	int err = 0;

	for (uint32_t i = 0; i < w->elf->n_syms && !err; i++) {
		Elf64_Sym *sym = xl_elf_image_sym(w->img, i);

		if (sym->st_shndx != map->sec || sym->st_value != map->off ||
		    ELF64_ST_TYPE(sym->st_info) == STT_SECTION)
			continue;
		sym->st_shndx = (uint16_t)w->sec;
		sym->st_value = at;
		sym->st_size = size;
		sym->st_other = STV_DEFAULT;
		sym->st_info = ELF64_ST_INFO(i == map->sym ? STB_GLOBAL : STB_LOCAL, STT_OBJECT);
		if (i == map->sym && strcmp(name, map->name))
			err = xl_elf_image_rename_sym(w->img, i, name, w->e);
	}
	return err;
}

static int write_map(struct writer *w, uint32_t i)
{
	const struct xl_legacy_map *map = &w->maps->map[i];
	char name[1024]; /* as long as the check lets names be */
	uint64_t at = 0;
	int id, err;

	xl_legacy_name(map->name, name, sizeof(name));
	id = add_definition(w, map, false, &w->vars[i].size);
	w->vars[i].var = id < 0 ? id : btf__add_var(w->btf, name, BTF_VAR_GLOBAL_ALLOCATED, id);
	if (w->vars[i].var < 0)
		return xl_err_set(w->e, -EINVAL, "map '%s': its definition has no BTF: %s", name,
				  strerror(-w->vars[i].var));
	err = xl_elf_image_append(w->img, w->sec, NULL, w->vars[i].size, &at, w->e);
	return err ? err : move_symbols(w, map, name, at, w->vars[i].size);
}

/* A DATASEC that nobody shall look for, as a struct: its entries have the same size. */
static void retire(struct writer *w, uint32_t id)
{
	struct btf_type *t = (struct btf_type *)btf__type_by_id(w->btf, id);

	for (int i = 0; i < btf_vlen(t); i++)
		btf_members(t)[i] = (struct btf_member){ .type = (uint32_t)w->int_id };
	t->name_off = 0;
	t->info = BTF_INFO_ENC(BTF_KIND_STRUCT, btf_vlen(t));
	t->size = 4; /* that of the int */
}

/* Name of DATASEC @id, "" for other types. */
static const char *datasec(const struct writer *w, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(w->btf, id);

	return btf_is_datasec(t) ? btf__str_by_offset(w->btf, t->name_off) : "";
}

/* Offsets and size stay 0: libbpf takes them from the symbols, as for what clang made. */
static int write_datasec(struct writer *w, uint32_t n_types)
{
	int err = btf__add_datasec(w->btf, MAPS_SECTION, 0);

	for (uint32_t id = 1; id < n_types && err >= 0; id++) {
		if (strcmp(datasec(w, id), MAPS_SECTION))
			continue;
		for (int i = 0; i < btf_vlen(btf__type_by_id(w->btf, id)) && err >= 0; i++) {
			struct btf_var_secinfo v = btf_var_secinfos(btf__type_by_id(w->btf, id))[i];

			err = btf__add_datasec_var_info(w->btf, (int)v.type, 0, v.size);
		}
	}
	for (uint32_t i = 0; i < w->maps->n && err >= 0; i++)
		err = btf__add_datasec_var_info(w->btf, w->vars[i].var, 0, w->vars[i].size);
	if (err < 0)
		return xl_err_set(w->e, err, "section '.maps': %s", strerror(-err));
	for (uint32_t id = 1; id < n_types; id++)
		if (!strcmp(datasec(w, id), MAPS_SECTION) || !strcmp(datasec(w, id), "maps") ||
		    !strncmp(datasec(w, id), "maps/", 5))
			retire(w, id);
	return 0;
}

static int write_btf(struct writer *w)
{
	uint32_t sec = w->elf->btf, size;
	const void *raw = btf__raw_data(w->btf, &size);
	int err = raw ? 0 : out_of_memory(w);

	if (!err && !sec)
		err = xl_elf_image_add_sec(w->img, ".BTF", 0, &sec, w->e);
	return err ? err : xl_elf_image_set(w->img, sec, raw, size, w->e);
}

static int write_all(struct writer *w)
{
	const uint32_t n_types = btf__type_cnt(w->btf);
	int err = 0;

	w->int_id = btf__add_int(w->btf, "int", 4, BTF_INT_SIGNED);
	w->char_id = btf__add_int(w->btf, "char", 1, 0);
	w->sec = w->elf->maps;
	if (w->int_id < 0 || w->char_id < 0)
		return out_of_memory(w);
	if (!w->sec)
		err = xl_elf_image_add_sec(w->img, MAPS_SECTION, SHF_ALLOC | SHF_WRITE, &w->sec,
					   w->e);
	for (uint32_t i = 0; i < w->maps->n && !err; i++)
		err = write_map(w, i);
	err = err ? err : write_datasec(w, n_types);
	for (uint32_t i = 1; i < w->elf->n_secs; i++)
		if (xl_elf_is_old_maps(w->elf, i))
			xl_elf_image_drop_sec(w->img, i);
	return err ? err : write_btf(w);
}

int xl_legacy_to_btf(const struct xl_elf *elf, const struct btf *btf,
		     const struct xl_legacy_maps *maps, struct xl_elf_image *img, struct xl_err *e)
{
	struct writer w = { .elf = elf, .maps = maps, .img = img, .e = e };
	const void *raw;
	uint32_t size;
	int err;

	raw = btf ? btf__raw_data(btf, &size) : NULL;
	w.btf = raw ? btf__new(raw, size) : btf__new_empty();
	w.vars = calloc(maps->n + 1, sizeof(*w.vars));
	err = w.btf && w.vars ? write_all(&w) : out_of_memory(&w);
	free(w.vars);
	btf__free(w.btf);
	return err;
}
