/* Which repairs an object needs, and the way through them; see object_norm.h. */
#include "xdp-runtime/object/object_norm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool holds_maps(const struct xl_elf *elf, uint32_t sec)
{
	return (elf->maps && sec == elf->maps) || xl_elf_is_old_maps(elf, sec);
}

/* -- static maps: relocations that name the section, with the map's offset in the instruction -- */

struct place {
	uint32_t sec, sym;
	uint64_t off;
};

static int compare_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* The places of all maps, sorted. NULL: out of memory. */
static struct place *find_places(const struct xl_elf *elf, uint32_t *out_n)
{
	struct place *places;
	uint32_t n = 0;

	for (uint32_t i = 1; i < elf->n_syms; i++)
		n += elf->sym[i].st_shndx < elf->n_secs && holds_maps(elf, elf->sym[i].st_shndx);
	places = calloc(n + 1, sizeof(*places));
	n = 0;
	for (uint32_t i = 1; places && i < elf->n_syms; i++)
		if (elf->sym[i].st_shndx < elf->n_secs && holds_maps(elf, elf->sym[i].st_shndx) &&
		    ELF64_ST_TYPE(elf->sym[i].st_info) != STT_SECTION)
			places[n++] = (struct place){ .sec = elf->sym[i].st_shndx,
						      .sym = i,
						      .off = elf->sym[i].st_value };
	if (places)
		qsort(places, n, sizeof(*places), compare_place);
	*out_n = n;
	return places;
}

static void retarget(struct xl_elf *elf, uint32_t rel_sec, const struct place *places, uint32_t n)
{
	uint32_t n_rels;
	Elf64_Rel *rels = xl_elf_rels(elf, rel_sec, &n_rels);

	for (uint32_t i = 0; i < n_rels; i++) {
		const Elf64_Sym *sym = &elf->sym[ELF64_R_SYM(rels[i].r_info)];
		struct bpf_insn *insn = (struct bpf_insn *)(elf->sec[elf->sec[rel_sec].info].data +
							    rels[i].r_offset);
		struct place at = { .sec = sym->st_shndx, .off = (uint32_t)insn->imm };
		const struct place *map;

		if (ELF64_ST_TYPE(sym->st_info) != STT_SECTION || sym->st_shndx >= elf->n_secs ||
		    insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		map = bsearch(&at, places, n, sizeof(at), compare_place);
		if (!map)
			continue;
		insn->imm = 0;
		rels[i].r_info = ELF64_R_INFO((uint64_t)map->sym, ELF64_R_TYPE(rels[i].r_info));
	}
}

/* In place: nothing changes its size. */
static int retarget_all(struct xl_elf *elf, struct xl_err *e)
{
	uint32_t n;
	struct place *places = find_places(elf, &n);

	if (!places)
		return xl_err_set(e, -ENOMEM, "out of memory");
	for (uint32_t i = 1; i < elf->n_secs && n; i++)
		if (elf->sec[i].kept && elf->sec[i].type == SHT_REL &&
		    elf->sec[elf->sec[i].info].flags & SHF_EXECINSTR)
			retarget(elf, i, places, n);
	free(places);
	return 0;
}

/* -- repairs that need room ------------------------------------------------------------------- */

static bool has_legacy_maps(const struct xl_elf *elf)
{
	for (uint32_t i = 1; i < elf->n_secs; i++)
		if (xl_elf_is_old_maps(elf, i))
			return true;
	return false;
}

/* Keeps the names, since those of the image go with it; as BTF has them. */
static int keep_names(struct xl_object_lore *lore, struct xl_err *e)
{
	size_t size = 1, at = 0;

	for (uint32_t i = 0; i < lore->legacy.n; i++)
		size += strlen(lore->legacy.map[i].name) + 1;
	lore->names = malloc(size);
	if (!lore->names)
		return xl_err_set(e, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < lore->legacy.n; i++) {
		size_t n = strlen(lore->legacy.map[i].name) + 1;

		xl_legacy_name(lore->legacy.map[i].name, lore->names + at, n);
		lore->legacy.map[i].name = lore->names + at;
		at += n;
	}
	return 0;
}

static int repair(const struct xl_elf *elf, const struct btf *btf, struct xl_object_lore *lore,
		  struct xl_elf_image *img, struct xl_err *e)
{
	int err = 0;

	if (xl_untyped_needed(elf))
		err = xl_untyped_repair(elf, img, e);
	if (!err && has_legacy_maps(elf)) {
		err = xl_legacy_read(elf, &lore->legacy, e);
		err = err ? err : xl_legacy_to_btf(elf, btf, &lore->legacy, img, e);
		err = err ? err : keep_names(lore, e);
	}
	return err;
}

int xl_norm(struct xl_elf *elf, const struct btf *btf, struct xl_object_lore *lore, bool *changed,
	    struct xl_err *e)
{
	struct xl_elf_image img = { 0 };
	struct xl_elf made = { 0 };
	uint8_t *data = NULL;
	size_t size = 0;
	int err;

	err = retarget_all(elf, e);
	if (err)
		return err;
	*changed = xl_untyped_needed(elf) || has_legacy_maps(elf);
	if (!*changed)
		return 0;
	err = xl_elf_image_read(elf, &img, e);
	if (err)
		return err;
	err = repair(elf, btf, lore, &img, e);
	err = err ? err : xl_elf_image_write(&img, &data, &size, e);
	err = err ? err : xl_elf_check(data, size, &made, e);
	xl_elf_image_release(&img);
	free(data);
	if (err)
		return err;
	xl_elf_release(elf);
	*elf = made;
	return 0;
}

void xl_object_lore_release(struct xl_object_lore *lore)
{
	free(lore->legacy.map);
	free(lore->names);
	*lore = (struct xl_object_lore){ 0 };
}
