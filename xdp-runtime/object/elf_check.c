/* Checking an ELF object and writing it out anew; see elf_check.h.
 *
 * The order is that of dependence: header, section table, section bodies, names, symbols,
 * functions, relocations. Nothing is used before it was checked, and all sizes are compared by
 * subtraction, so that no sum can wrap. The new image is
 *
 *     | the file as it was | bodies that were not aligned | section table |
 */
#include "xdp-runtime/object/elf_check.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

#define NAME_LEN_MAX 1023 /* chosen: KSYM_NAME_LEN is 512 */
#define INSN_SIZE    sizeof(struct bpf_insn)

/* What is known while reading. */
struct reader {
	const uint8_t *file;
	size_t size;
	Elf64_Ehdr eh;
	Elf64_Shdr *sh; /* copies of the section headers */
	struct xl_elf *elf;
	struct xl_err *e;
};

#define FAIL(r, ...) xl_err_set((r)->e, -EINVAL, __VA_ARGS__)

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_386, "i386" },	   { EM_X86_64, "x86-64" },
		{ EM_ARM, "arm" },	   { EM_AARCH64, "arm64" },
		{ EM_PPC64, "ppc64" },	   { EM_S390, "s390" },
		{ EM_RISCV, "riscv" },	   { EM_MIPS, "mips" },
		{ EM_SPARCV9, "sparc64" }, { 258 /* EM_LOONGARCH */, "loongarch" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}

static int check_machine(struct reader *r)
{
	const char *name = machine_name(r->eh.e_machine);

	if (r->eh.e_machine == EM_BPF)
		return 0;
	if (name)
		return FAIL(r, "compiled for %s, not for BPF: compile it with clang -target bpf",
			    name);
	return FAIL(r, "compiled for ELF machine %u, not for BPF (%u)", r->eh.e_machine, EM_BPF);
}

static int read_header(struct reader *r)
{
	const uint8_t *id = r->file;

	if (r->size > XL_ELF_SIZE_MAX)
		return xl_err_set(r->e, -EFBIG, "file of %zu bytes is larger than any object",
				  r->size);
	if (r->size < SELFMAG || memcmp(id, ELFMAG, SELFMAG))
		return FAIL(r, "not an ELF file");
	if (r->size < sizeof(r->eh))
		return FAIL(r, "ELF header truncated: the file has %zu of %zu bytes", r->size,
			    sizeof(r->eh));
	if (id[EI_CLASS] != ELFCLASS64)
		return FAIL(r, "not a 64-bit ELF file (class %u at offset 4)", id[EI_CLASS]);
	if (id[EI_DATA] == ELFDATA2MSB)
		return FAIL(r, "big-endian object: compile it with clang -target bpfel");
	if (id[EI_DATA] != ELFDATA2LSB || id[EI_VERSION] != EV_CURRENT)
		return FAIL(r, "unknown ELF encoding %u, version %u (offset 5)", id[EI_DATA],
			    id[EI_VERSION]);
	memcpy(&r->eh, r->file, sizeof(r->eh));
	if (check_machine(r))
		return -EINVAL;
	if (r->eh.e_type != ET_REL)
		return FAIL(r, "ELF type %u is not that of an object file (%u)", r->eh.e_type,
			    ET_REL);
	if (r->eh.e_version != EV_CURRENT)
		return FAIL(r, "unknown ELF version %u (offset 20)", r->eh.e_version);
	return 0;
}

static int read_section_table(struct reader *r)
{
	uint64_t off = r->eh.e_shoff, n = r->eh.e_shnum;

	if (!off || !n)
		return FAIL(r, "no section table (offset %lu, %lu sections)", (unsigned long)off,
			    (unsigned long)n);
	if (r->eh.e_shentsize != sizeof(Elf64_Shdr))
		return FAIL(r, "section headers of %u bytes, not %zu", r->eh.e_shentsize,
			    sizeof(Elf64_Shdr));
	if (off > r->size || n > (r->size - off) / sizeof(Elf64_Shdr))
		return FAIL(r,
			    "truncated: section table at offset %lu with %lu headers ends "
			    "outside of the file of %zu bytes",
			    (unsigned long)off, (unsigned long)n, r->size);
	if (r->eh.e_shstrndx >= n || r->eh.e_shstrndx == 0)
		return FAIL(r, "section %u of %lu cannot hold the section names", r->eh.e_shstrndx,
			    (unsigned long)n);
	r->sh = calloc(n, sizeof(*r->sh));
	r->elf->sec = calloc(n, sizeof(*r->elf->sec));
	if (!r->sh || !r->elf->sec)
		return xl_err_set(r->e, -ENOMEM, "out of memory");
	memcpy(r->sh, r->file + off, n * sizeof(Elf64_Shdr));
	r->elf->sec[0].name = ""; /* of undefined section symbols */
	r->elf->n_secs = (uint32_t)n;
	return 0;
}

static bool has_body(const Elf64_Shdr *sh)
{
	return sh->sh_type != SHT_NULL && sh->sh_type != SHT_NOBITS && sh->sh_size;
}

static int compare_offset(const void *a, const void *b)
{
	const Elf64_Shdr *x = *(const Elf64_Shdr *const *)a, *y = *(const Elf64_Shdr *const *)b;

	return x->sh_offset < y->sh_offset ? -1 : x->sh_offset > y->sh_offset;
}

/* Bodies lie in the file and apart: a change of one never changes another. */
static int check_bodies(struct reader *r)
{
	Elf64_Shdr **by_offset = calloc(r->elf->n_secs, sizeof(Elf64_Shdr *));
	uint64_t end = sizeof(Elf64_Ehdr);
	uint32_t n = 0;
	int err = 0;

	if (!by_offset)
		return xl_err_set(r->e, -ENOMEM, "out of memory");
	for (uint32_t i = 1; i < r->elf->n_secs && !err; i++) {
		Elf64_Shdr *sh = &r->sh[i];

		if (!has_body(sh))
			continue;
		if (sh->sh_offset > r->size || sh->sh_size > r->size - sh->sh_offset)
			err = FAIL(r,
				   "truncated: section %u at offset %lu with %lu bytes ends "
				   "outside of the file of %zu bytes",
				   i, (unsigned long)sh->sh_offset, (unsigned long)sh->sh_size,
				   r->size);
		by_offset[n++] = sh;
	}
	qsort(by_offset, n, sizeof(*by_offset), compare_offset);
	for (uint32_t i = 0; i < n && !err; i++) {
		if (by_offset[i]->sh_offset < end)
			err = FAIL(r, "section %u at offset %lu overlaps what lies before it",
				   (uint32_t)(by_offset[i] - r->sh),
				   (unsigned long)by_offset[i]->sh_offset);
		end = by_offset[i]->sh_offset + by_offset[i]->sh_size;
	}
	free(by_offset);
	return err;
}

static size_t round_up8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static bool misaligned(const Elf64_Shdr *sh)
{
	return has_body(sh) && sh->sh_offset % 8;
}

/* Makes the image, without its section table, and points the sections at their bodies. */
static int make_image(struct reader *r)
{
	size_t table = r->elf->n_secs * sizeof(Elf64_Shdr), at = round_up8(r->size), size = at;
	struct xl_elf *elf = r->elf;

	for (uint32_t i = 1; i < elf->n_secs; i++)
		if (misaligned(&r->sh[i]))
			size += round_up8(r->sh[i].sh_size);
	elf->size = size + table;
	elf->image = calloc(1, elf->size);
	if (!elf->image)
		return xl_err_set(r->e, -ENOMEM, "out of memory");
	memcpy(elf->image, r->file, r->size);
	for (uint32_t i = 1; i < elf->n_secs; i++) {
		Elf64_Shdr *sh = &r->sh[i];

		if (misaligned(sh)) {
			memcpy(elf->image + at, r->file + sh->sh_offset, sh->sh_size);
			sh->sh_offset = at;
			at += round_up8(sh->sh_size);
		}
		elf->sec[i] = (struct xl_elf_sec){
			.name = "",
			.type = sh->sh_type,
			.link = sh->sh_link,
			.info = sh->sh_info,
			.flags = sh->sh_flags,
			.size = sh->sh_size,
			.data = has_body(sh) ? elf->image + sh->sh_offset : NULL,
		};
	}
	assert(at == size);
	r->eh.e_shoff = size;
	r->eh.e_phoff = r->eh.e_phnum = r->eh.e_phentsize = 0;
	memcpy(elf->image, &r->eh, sizeof(r->eh));
	return 0;
}

/* A string table ends each string, so any offset inside of it is a string. */
static int check_strings(struct reader *r, uint32_t sec, const char *what)
{
	const struct xl_elf_sec *s = &r->elf->sec[sec];

	if (s->type != SHT_STRTAB)
		return FAIL(r, "section %u with the names of %s is of type %u, not a string table",
			    sec, what, s->type);
	if (!s->data || s->data[s->size - 1] || s->data[0])
		return FAIL(r, "string table in section %u does not begin and end with a zero byte",
			    sec);
	return 0;
}

/* Names go into messages: a line of text must stay one. NULL: it will do. The limit also keeps
 * strings that end in the same place from being read a million times. */
static const char *bad_name(const char *name)
{
	for (size_t n = 0; name[n]; n++) {
		if ((unsigned char)name[n] < 0x20 || name[n] == 0x7f)
			return "control characters in the name";
		if (n == NAME_LEN_MAX)
			return "the name is too long";
	}
	return NULL;
}

static int name_sections(struct reader *r)
{
	const struct xl_elf_sec *names = &r->elf->sec[r->eh.e_shstrndx];

	if (check_strings(r, r->eh.e_shstrndx, "sections"))
		return -EINVAL;
	for (uint32_t i = 1; i < r->elf->n_secs; i++) {
		if (r->sh[i].sh_type == SHT_NULL)
			continue;
		if (r->sh[i].sh_name >= names->size)
			return FAIL(r, "section %u: name at offset %u is outside of the names", i,
				    r->sh[i].sh_name);
		r->elf->sec[i].name = (const char *)names->data + r->sh[i].sh_name;
		if (bad_name(r->elf->sec[i].name))
			return FAIL(r, "section %u: %s", i, bad_name(r->elf->sec[i].name));
	}
	return 0;
}

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* Sections that are read by their name: one of each, with bytes. */
static int find_special(struct reader *r)
{
	struct xl_elf *elf = r->elf;
	uint32_t license = 0, version = 0;
	const struct {
		const char *name;
		uint32_t *index;
	} special[] = {
		{ ".text", &elf->text },       { ".maps", &elf->maps }, { ".BTF", &elf->btf },
		{ ".BTF.ext", &elf->btf_ext }, { "license", &license }, { "version", &version },
	};

	for (uint32_t i = 1; i < elf->n_secs; i++) {
		for (size_t k = 0; k < sizeof(special) / sizeof(special[0]); k++) {
			if (strcmp(elf->sec[i].name, special[k].name))
				continue;
			if (*special[k].index)
				return FAIL(r, "sections %u and %u are both called '%s'",
					    *special[k].index, i, special[k].name);
			if (elf->sec[i].type != SHT_PROGBITS)
				return FAIL(r, "section '%s' is of type %u, not PROGBITS",
					    special[k].name, elf->sec[i].type);
			*special[k].index = i;
			if (special[k].index != &elf->text)
				elf->sec[i].flags &= ~(uint64_t)SHF_EXECINSTR;
		}
	}
	/* An empty section is as good as none. */
	for (size_t k = 0; k < sizeof(special) / sizeof(special[0]); k++)
		if (*special[k].index && !elf->sec[*special[k].index].data)
			*special[k].index = 0;
	return 0;
}

/* Decides what a loader will see, by the same names and types as libbpf. Sections that it does not
 * know stay as well, since BTF may describe their variables. */
static int choose_section(struct reader *r, uint32_t i)
{
	struct xl_elf_sec *s = &r->elf->sec[i];

	if (s->type == SHT_SYMTAB) {
		if (r->elf->symtab)
			return FAIL(r, "sections %u and %u are both symbol tables", r->elf->symtab,
				    i);
		r->elf->symtab = i;
		return 0;
	}
	if (s->type != SHT_PROGBITS && s->type != SHT_NOBITS)
		return 0;
	if (!s->size || has_prefix(s->name, ".debug_") || has_prefix(s->name, ".struct_ops"))
		return 0;
	if (s->size > XL_ELF_DATA_MAX)
		return FAIL(r, "section '%s' of %lu bytes is too large", s->name,
			    (unsigned long)s->size);
	if (s->type == SHT_NOBITS)
		s->flags &= ~(uint64_t)SHF_EXECINSTR;
	if (s->flags & SHF_EXECINSTR && s->size % INSN_SIZE)
		return FAIL(r, "section '%s': %lu bytes of code are not whole instructions",
			    s->name, (unsigned long)s->size);
	s->kept = true;
	return 0;
}

static int choose_sections(struct reader *r)
{
	int err = find_special(r);

	for (uint32_t i = 1; i < r->elf->n_secs && !err; i++)
		err = choose_section(r, i);
	return err;
}

static int find_symbols(struct reader *r)
{
	struct xl_elf *elf = r->elf;
	struct xl_elf_sec *s = &elf->sec[elf->symtab];

	if (!elf->symtab)
		return FAIL(r, "no symbol table: a stripped object cannot be loaded");
	if (r->sh[elf->symtab].sh_entsize != sizeof(Elf64_Sym) || s->size % sizeof(Elf64_Sym))
		return FAIL(r, "symbol table '%s': %lu bytes in entries of %lu, not of %zu",
			    s->name, (unsigned long)s->size,
			    (unsigned long)r->sh[elf->symtab].sh_entsize, sizeof(Elf64_Sym));
	if (s->link >= elf->n_secs)
		return FAIL(r, "symbol table '%s' takes its names from section %u of %u", s->name,
			    s->link, elf->n_secs);
	if (s->size / sizeof(Elf64_Sym) > INT32_MAX)
		return FAIL(r, "symbol table '%s' is too large", s->name);
	elf->strtab = s->link;
	elf->sym = (Elf64_Sym *)s->data;
	elf->n_syms = (uint32_t)(s->size / sizeof(Elf64_Sym));
	s->kept = true;
	return check_strings(r, elf->strtab, "symbols");
}

static int check_symbol(struct reader *r, uint32_t i)
{
	const Elf64_Sym *sym = &r->elf->sym[i];
	const struct xl_elf_sec *s;
	const char *name;

	if (sym->st_name >= r->elf->sec[r->elf->strtab].size)
		return FAIL(r, "symbol %u: name at offset %u is outside of the names", i,
			    sym->st_name);
	name = (const char *)r->elf->sec[r->elf->strtab].data + sym->st_name;
	if (bad_name(name))
		return FAIL(r, "symbol %u: %s", i, bad_name(name));
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || sym->st_shndx == SHN_COMMON)
		return 0;
	if (sym->st_shndx >= r->elf->n_secs)
		return FAIL(r, "symbol %u '%s' lies in section %u of %u", i, name, sym->st_shndx,
			    r->elf->n_secs);
	s = &r->elf->sec[sym->st_shndx];
	if (s->kept && (sym->st_value > s->size || sym->st_size > s->size - sym->st_value))
		return FAIL(r,
			    "symbol %u '%s' at offset %lu with %lu bytes ends outside of "
			    "section '%s'",
			    i, name, (unsigned long)sym->st_value, (unsigned long)sym->st_size,
			    s->name);
	return 0;
}

static bool is_code(const struct xl_elf *elf, uint32_t sec)
{
	return sec < elf->n_secs && elf->sec[sec].kept && elf->sec[sec].flags & SHF_EXECINSTR;
}

static bool is_func(const struct xl_elf *elf, const Elf64_Sym *sym)
{
	return ELF64_ST_TYPE(sym->st_info) == STT_FUNC && sym->st_shndx < SHN_LORESERVE &&
	       is_code(elf, sym->st_shndx);
}

static int compare_func(const void *a, const void *b)
{
	const struct xl_elf_func *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int add_func(struct reader *r, uint32_t i)
{
	const Elf64_Sym *sym = &r->elf->sym[i];
	const char *name = xl_elf_sym_name(r->elf, i);

	if (!*name)
		return FAIL(r, "symbol %u: a function without a name", i);
	if (sym->st_size % INSN_SIZE || sym->st_value % INSN_SIZE ||
	    (!sym->st_size && sym->st_value == r->elf->sec[sym->st_shndx].size))
		return FAIL(r,
			    "function '%s' at offset %lu of section '%s' has %lu bytes, "
			    "not whole instructions",
			    name, (unsigned long)sym->st_value, r->elf->sec[sym->st_shndx].name,
			    (unsigned long)sym->st_size);
	if (r->elf->n_funcs == XL_ELF_FUNCS_MAX)
		return FAIL(r, "more than %u functions", XL_ELF_FUNCS_MAX);
	r->elf->func[r->elf->n_funcs++] = (struct xl_elf_func){
		.name = name,
		.sym = i,
		.sec = sym->st_shndx,
		.insn = (uint32_t)(sym->st_value / INSN_SIZE),
		.n_insns = (uint32_t)(sym->st_size / INSN_SIZE),
	};
	return 0;
}

/* Hand-written assembly tends to leave sizes away: such a function ends where the next begins. */
static void size_funcs(struct reader *r)
{
	struct xl_elf *elf = r->elf;

	for (uint32_t i = 0; i < elf->n_funcs; i++) {
		struct xl_elf_func *f = &elf->func[i];
		uint64_t end = elf->sec[f->sec].size / INSN_SIZE;

		if (f->n_insns)
			continue;
		if (i + 1 < elf->n_funcs && f[1].sec == f->sec)
			end = f[1].insn;
		f->n_insns = (uint32_t)(end - f->insn);
		elf->sym[f->sym].st_size = f->n_insns * INSN_SIZE;
	}
}

static int read_symbols(struct reader *r)
{
	struct xl_elf *elf = r->elf;
	int err = find_symbols(r);

	if (err)
		return err;
	elf->func = calloc(XL_ELF_FUNCS_MAX, sizeof(*elf->func));
	if (!elf->func)
		return xl_err_set(r->e, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < elf->n_syms && !err; i++) {
		err = check_symbol(r, i);
		if (!err && is_func(elf, &elf->sym[i]))
			err = add_func(r, i);
	}
	qsort(elf->func, elf->n_funcs, sizeof(*elf->func), compare_func);
	if (!err)
		size_funcs(r);
	for (uint32_t i = 1; i < elf->n_funcs && !err; i++) {
		const struct xl_elf_func *a = &elf->func[i - 1], *b = &elf->func[i];

		if (a->sec == b->sec && (a->insn == b->insn || b->insn - a->insn < a->n_insns))
			err = FAIL(r, "functions '%s' and '%s' of section '%s' overlap", a->name,
				   b->name, elf->sec[a->sec].name);
	}
	return err;
}

/* Instruction @insn of a section may be rewritten together with its second half. */
static int check_target_insn(struct reader *r, uint32_t rel_sec, uint64_t off)
{
	const struct xl_elf_sec *s = &r->elf->sec[r->elf->sec[rel_sec].info];
	const struct bpf_insn *insn = (const struct bpf_insn *)(s->data + off);
	const struct xl_elf_func *f =
		xl_elf_func_at(r->elf, r->elf->sec[rel_sec].info, off / INSN_SIZE);

	if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && f &&
	    off / INSN_SIZE + 1 >= (uint64_t)f->insn + f->n_insns)
		return FAIL(r,
			    "section '%s': relocated instruction at offset %lu is cut by the "
			    "end of function '%s'",
			    s->name, (unsigned long)off, f->name);
	return 0;
}

static int check_rel(struct reader *r, uint32_t sec, const Elf64_Rel *rel, uint32_t i)
{
	const struct xl_elf_sec *s = &r->elf->sec[sec], *target = &r->elf->sec[s->info];
	const Elf64_Sym *sym;

	if (rel->r_offset % 8 || rel->r_offset >= target->size || target->size - rel->r_offset < 8)
		return FAIL(r,
			    "relocation %u in '%s' changes offset %lu of '%s', which has %lu "
			    "bytes",
			    i, s->name, (unsigned long)rel->r_offset, target->name,
			    (unsigned long)target->size);
	if (ELF64_R_SYM(rel->r_info) >= r->elf->n_syms)
		return FAIL(r, "relocation %u in '%s' names symbol %lu of %u", i, s->name,
			    (unsigned long)ELF64_R_SYM(rel->r_info), r->elf->n_syms);
	sym = &r->elf->sym[ELF64_R_SYM(rel->r_info)];
	if (sym->st_shndx == SHN_COMMON)
		return FAIL(r,
			    "variable '%s' is a common symbol: compile with -fno-common, or "
			    "initialise it",
			    xl_elf_sym_name(r->elf, ELF64_R_SYM(rel->r_info)));
	if (sym->st_shndx == SHN_ABS)
		return FAIL(r, "relocation %u in '%s' names the absolute symbol '%s'", i, s->name,
			    xl_elf_sym_name(r->elf, ELF64_R_SYM(rel->r_info)));
	return is_code(r->elf, s->info) ? check_target_insn(r, sec, rel->r_offset) : 0;
}

static int check_rels(struct reader *r)
{
	struct xl_elf *elf = r->elf;
	int err = 0;

	for (uint32_t i = 1; i < elf->n_secs && !err; i++) {
		struct xl_elf_sec *s = &elf->sec[i];
		Elf64_Rel *rels;
		uint32_t n;

		if ((s->type != SHT_REL && s->type != SHT_RELA) || !s->data)
			continue;
		if (s->info >= elf->n_secs)
			return FAIL(r, "section '%s' relocates section %u of %u", s->name, s->info,
				    elf->n_secs);
		if (!is_code(elf, s->info) && (!elf->maps || s->info != elf->maps) &&
		    !xl_elf_is_old_maps(elf, s->info))
			continue;
		if (s->type == SHT_RELA)
			return FAIL(r,
				    "section '%s' holds relocations with addends (RELA), which "
				    "BPF does not have",
				    s->name);
		if (s->link != elf->symtab)
			return FAIL(r,
				    "section '%s' names symbols of section %u, not of the "
				    "symbol table",
				    s->name, s->link);
		if (r->sh[i].sh_entsize != sizeof(Elf64_Rel) || s->size % sizeof(Elf64_Rel) ||
		    s->size / sizeof(Elf64_Rel) > INT32_MAX)
			return FAIL(r, "section '%s': %lu bytes in entries of %lu, not of %zu",
				    s->name, (unsigned long)s->size,
				    (unsigned long)r->sh[i].sh_entsize, sizeof(Elf64_Rel));
		s->kept = true;
		rels = xl_elf_rels(elf, i, &n);
		for (uint32_t k = 0; k < n && !err; k++)
			err = check_rel(r, i, &rels[k], k);
	}
	return err;
}

/* Writes the section table. What is not kept stays in its place, so that indexes hold, but is
 * bytes without a name. */
static void write_table(struct reader *r)
{
	const uint64_t flags = SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR | SHF_MERGE | SHF_STRINGS;
	const uint32_t no_name = (uint32_t)r->elf->sec[r->eh.e_shstrndx].size - 1;
	struct xl_elf *elf = r->elf;

	memset(&r->sh[0], 0, sizeof(r->sh[0]));
	for (uint32_t i = 1; i < elf->n_secs; i++) {
		Elf64_Shdr *sh = &r->sh[i];

		sh->sh_addralign = 8;
		sh->sh_addr = 0;
		sh->sh_flags = elf->sec[i].flags & flags;
		if (elf->sec[i].kept || i == elf->strtab || i == r->eh.e_shstrndx)
			continue;
		if (has_prefix(elf->sec[i].name, ".struct_ops") && elf->sec[i].data) {
			sh->sh_type = SHT_LOUSER; /* BTF asks for its size, that is all */
			continue;
		}
		sh->sh_name = no_name;
		sh->sh_type = SHT_PROGBITS;
		sh->sh_offset = sizeof(Elf64_Ehdr);
		sh->sh_size = sh->sh_flags = sh->sh_link = sh->sh_info = sh->sh_entsize = 0;
	}
	memcpy(elf->image + r->eh.e_shoff, r->sh, elf->n_secs * sizeof(*r->sh));
}

int xl_elf_check(const void *data, size_t size, struct xl_elf *out_elf, struct xl_err *e)
{
	struct xl_elf elf = { 0 };
	struct reader r = { .file = data, .size = size, .elf = &elf, .e = e };
	int err;

	err = read_header(&r);
	err = err ? err : read_section_table(&r);
	err = err ? err : check_bodies(&r);
	err = err ? err : make_image(&r);
	err = err ? err : name_sections(&r);
	err = err ? err : choose_sections(&r);
	err = err ? err : read_symbols(&r);
	err = err ? err : check_rels(&r);
	if (err) {
		xl_elf_release(&elf);
	} else {
		write_table(&r);
		*out_elf = elf;
	}
	free(r.sh);
	return err;
}

void xl_elf_release(struct xl_elf *elf)
{
	free(elf->image);
	free(elf->sec);
	free(elf->func);
	memset(elf, 0, sizeof(*elf));
}

const char *xl_elf_sym_name(const struct xl_elf *elf, uint32_t sym)
{
	const Elf64_Sym *s = &elf->sym[sym];

	if (ELF64_ST_TYPE(s->st_info) == STT_SECTION && !s->st_name && s->st_shndx < elf->n_secs)
		return elf->sec[s->st_shndx].name;
	return (const char *)elf->sec[elf->strtab].data + s->st_name;
}

const struct xl_elf_func *xl_elf_func_at(const struct xl_elf *elf, uint32_t sec, uint64_t insn)
{
	uint32_t low = 0, high = elf->n_funcs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct xl_elf_func *f = &elf->func[mid];

		if (f->sec < sec || (f->sec == sec && (uint64_t)f->insn + f->n_insns <= insn))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == elf->n_funcs || elf->func[low].sec != sec || insn < elf->func[low].insn)
		return NULL;
	return &elf->func[low];
}

bool xl_elf_is_old_maps(const struct xl_elf *elf, uint32_t sec)
{
	const struct xl_elf_sec *s = &elf->sec[sec];

	return s->kept && s->data && !(s->flags & SHF_EXECINSTR) &&
	       (!strcmp(s->name, "maps") || has_prefix(s->name, "maps/"));
}

void xl_elf_cut_rels(struct xl_elf *elf, uint32_t sec, uint32_t n_rels)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)elf->image;
	Elf64_Shdr *sh = (Elf64_Shdr *)(elf->image + eh->e_shoff) + sec;

	assert(n_rels * sizeof(Elf64_Rel) <= elf->sec[sec].size);
	elf->sec[sec].size = n_rels * sizeof(Elf64_Rel);
	sh->sh_size = elf->sec[sec].size;
}
