/* Functions whose symbols have no type.
 *
 * LLVM before 7 and hand-written assembly leave the type and the size of a function's symbol
 * away, and some tools drop the symbols of static functions. Where a section of code has no
 * function, each global label in it starts one, which ends where the next begins; code without
 * any label is one function that is called like its section.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_norm.h"

#define LABELS_MAX XL_ELF_FUNCS_MAX /* of untyped code; more are no functions anyway */

/* Marks sections of code without a function. NULL: out of memory. */
static bool *find_untyped(const struct xl_elf *elf, bool *out_any)
{
	bool *untyped = calloc(elf->n_secs, sizeof(*untyped));

	for (uint32_t i = 1; untyped && i < elf->n_secs; i++) {
		const struct xl_elf_sec *s = &elf->sec[i];

		untyped[i] =
			s->kept && s->data && s->type == SHT_PROGBITS && s->flags & SHF_EXECINSTR;
	}
	for (uint32_t i = 0; untyped && i < elf->n_funcs; i++)
		untyped[elf->func[i].sec] = false;
	*out_any = false;
	for (uint32_t i = 1; untyped && i < elf->n_secs; i++)
		*out_any |= untyped[i];
	return untyped;
}

bool xl_untyped_needed(const struct xl_elf *elf)
{
	bool any;

	free(find_untyped(elf, &any));
	return any;
}

/* Whether symbol @i starts a function. Labels of basic blocks ("LBB0_3") do not. */
static bool starts_func(const struct xl_elf *elf, const bool *untyped, uint32_t i)
{
	const Elf64_Sym *sym = &elf->sym[i];
	const char *name = xl_elf_sym_name(elf, i);

	return sym->st_shndx < elf->n_secs && untyped[sym->st_shndx] &&
	       ELF64_ST_TYPE(sym->st_info) == STT_NOTYPE && *name &&
	       sym->st_value % sizeof(struct bpf_insn) == 0 &&
	       sym->st_value < elf->sec[sym->st_shndx].size &&
	       (ELF64_ST_BIND(sym->st_info) != STB_LOCAL ||
		(strncmp(name, "LBB", 3) && strncmp(name, ".L", 2)));
}

struct start {
	uint32_t sec, sym;
	uint64_t at;
	bool is_local;
};

/* By place; of several labels in one place the global one comes first. */
static int compare_start(const void *a, const void *b)
{
	const struct start *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->is_local != y->is_local)
		return x->is_local ? 1 : -1;
	return x->sym < y->sym ? -1 : x->sym > y->sym;
}

static int find_starts(const struct xl_elf *elf, const bool *untyped, struct start *starts,
		       uint32_t *out_n, struct xl_err *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < elf->n_syms; i++) {
		if (!starts_func(elf, untyped, i))
			continue;
		if (n == LABELS_MAX)
			return xl_err_set(e, -EINVAL, "more than %u labels in code without types",
					  LABELS_MAX);
		starts[n++] = (struct start){
			.sec = elf->sym[i].st_shndx,
			.sym = i,
			.at = elf->sym[i].st_value,
			.is_local = ELF64_ST_BIND(elf->sym[i].st_info) == STB_LOCAL,
		};
	}
	qsort(starts, n, sizeof(*starts), compare_start);
	*out_n = n;
	return 0;
}

/* Names code that has no label, by its section. */
static int name_section(const struct xl_elf *elf, uint32_t sec, struct xl_elf_image *img,
			struct xl_err *e)
{
	const Elf64_Sym sym = { .st_shndx = (uint16_t)sec,
				.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				.st_size = elf->sec[sec].size };
	char name[64] = "_";
	uint32_t unused;
	size_t n = isalpha((unsigned char)*elf->sec[sec].name) ? 0 : 1;

	for (const char *s = elf->sec[sec].name; *s && n + 1 < sizeof(name); s++)
		name[n++] = isalnum((unsigned char)*s) ? *s : '_';
	name[n] = '\0';
	return xl_elf_image_add_sym(img, name, &sym, &unused, e);
}

/* Makes each place that has a label a function, up to the next. */
static void type_labels(const struct xl_elf *elf, const struct start *starts, uint32_t n,
			struct xl_elf_image *img)
{
	uint32_t next;

	for (uint32_t i = 0; i < n; i = next) {
		Elf64_Sym *sym = xl_elf_image_sym(img, starts[i].sym);
		uint64_t end = elf->sec[starts[i].sec].size;

		next = i + 1;
		while (next < n && starts[next].sec == starts[i].sec &&
		       starts[next].at == starts[i].at)
			next++;
		if (next < n && starts[next].sec == starts[i].sec)
			end = starts[next].at;
		sym->st_size = end - starts[i].at;
		sym->st_info = ELF64_ST_INFO(ELF64_ST_BIND(sym->st_info), STT_FUNC);
	}
}

static int repair(const struct xl_elf *elf, bool *untyped, struct start *starts,
		  struct xl_elf_image *img, struct xl_err *e)
{
	uint32_t n = 0, named = 0;
	int err = find_starts(elf, untyped, starts, &n, e);

	if (err)
		return err;
	type_labels(elf, starts, n, img);
	for (uint32_t i = 0; i < n; i++)
		untyped[starts[i].sec] = false;
	for (uint32_t i = 1; i < elf->n_secs && !err && named < LABELS_MAX; i++) {
		if (!untyped[i])
			continue;
		err = name_section(elf, i, img, e);
		named++;
	}
	return err;
}

int xl_untyped_repair(const struct xl_elf *elf, struct xl_elf_image *img, struct xl_err *e)
{
	struct start *starts = calloc(LABELS_MAX, sizeof(*starts));
	bool any, *untyped = find_untyped(elf, &any);
	int err = starts && untyped ? repair(elf, untyped, starts, img, e)
				    : xl_err_set(e, -ENOMEM, "out of memory");

	free(starts);
	free(untyped);
	return err;
}
