/* Changes to a checked image before libbpf sees it: code and symbols.
 *
 * libbpf stops at the first thing that it does not like, wherever it stands. An object of which
 * one program wants a kernel function, or whose tc half refers to things that only libbpf 1.4
 * knows, would not open at all. So what cannot work is turned into something that opens:
 *
 * - an instruction with a relocation that nothing can satisfy becomes a call of a helper number
 *   that does not exist, XL_POISON + n; the program that reaches it is refused, with reason n;
 * - a call of a kernel function that we serve gets our number for it (kfuncs.h), and that of a
 *   weak one that we do not, where the program asks first, one that stops it if it gets there;
 * - relocations of programs that are not XDP go: they are never loaded;
 * - externs are gone with their relocations.
 *
 * Source: bpf_program__record_reloc() and bpf_object__collect_externs() of libbpf 1.1, whose
 * refusals are foreseen here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/object/object_priv.h"

struct fixer {
	struct xl_object *obj;
	struct xl_object_priv *priv;
	struct xl_elf *elf;
	/* By symbol: the last function that asked whether that weak one is there, or NULL. */
	const struct xl_elf_func **asked;
	struct xl_err *e;
};

/* -- instructions ------------------------------------------------------------------------ */

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL);
}

static bool is_ld_imm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* Replaces @insn (both halves of a ld_imm64) by calls that name reason @text. Takes @text. */
static int poison(struct fixer *f, struct bpf_insn *insn, char *text)
{
	const int n = is_ld_imm64(insn) ? 2 : 1;
	char **grown = text ? reallocarray(f->priv->poisons, f->priv->n_poisons + 1,
					   sizeof(*f->priv->poisons))
			    : NULL;

	if (!grown) {
		free(text);
		return xl_err_set(f->e, -ENOMEM, "out of memory");
	}
	f->priv->poisons = grown;
	for (int i = 0; i < n; i++)
		insn[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
					     .imm = XL_POISON + (int)f->priv->n_poisons };
	f->priv->poisons[f->priv->n_poisons++] = text;
	return 0;
}

__attribute__((format(printf, 1, 2))) static char *text(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

bool xl_object_is_foreign(const struct xl_object *obj, const struct xl_elf_func *func)
{
	for (uint32_t i = 0; func && i < obj->n_progs; i++)
		if (xl_object_priv(obj)->funcs[i].func == func)
			return !obj->progs[i].is_xdp;
	return false;
}

/* Whether a subprogram starts at instruction @insn of .text. A function that is alone in the file
 * is none, but the program: libbpf would append it to itself, beyond its end. */
static bool starts_subprog(const struct xl_elf *elf, int64_t insn)
{
	const struct xl_elf_func *func = insn < 0 || elf->n_funcs == 1
						 ? NULL
						 : xl_elf_func_at(elf, elf->text, (uint64_t)insn);

	return func && func->insn == insn;
}

/* -- relocations of code ----------------------------------------------------------------- */

enum what { KEEP, POISON, DROP };

struct site {
	const struct xl_elf_func *func;
	struct bpf_insn *insn;
	const Elf64_Sym *sym;
	const char *name; /* of the symbol */
};

static const char *where(const struct fixer *f, const struct site *s)
{
	return s->sym->st_shndx < f->elf->n_secs ? f->elf->sec[s->sym->st_shndx].name : "";
}

static enum what judge_extern(const struct fixer *f, const struct site *s, char **why)
{
	bool weak = ELF64_ST_BIND(s->sym->st_info) == STB_WEAK;

	if (ELF64_ST_TYPE(s->sym->st_info) == STT_NOTYPE && xl_object_is_kconfig(f->obj, s->name))
		return KEEP;
	if (!xl_object_is_ksym(f->obj, s->name) && f->priv->btf) {
		*why = text("refers to '%s', which is defined in another object: link them with "
			    "bpftool gen object",
			    s->name);
		return POISON;
	}
	if (xl_kfunc_number(s->name) >= 0) {
		if (is_call(s->insn))
			*s->insn = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
						      .imm = xl_kfunc_number(s->name) };
		else /* the program asks whether it is there */
			s->insn[0].imm = 1;
		return DROP;
	}
	if (is_call(s->insn) && weak && f->asked[s->sym - f->elf->sym] == s->func) {
		*s->insn = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = XL_KFUNC_ABSENT };
		return DROP;
	}
	if (is_call(s->insn)) {
		*why = text("needs kernel function %s, which is not served", s->name);
		return POISON;
	}
	if (weak) { /* absent, and the program asks whether it is */
		s->insn[0].imm = s->insn[1].imm = 0;
		f->asked[s->sym - f->elf->sym] = s->func;
		return DROP;
	}
	*why = text("needs kernel symbol %s, which is not served", s->name);
	return POISON;
}

static enum what judge_call(const struct fixer *f, const struct site *s, char **why)
{
	int64_t target = (int64_t)(s->sym->st_value / 8) + s->insn->imm + 1;

	if (s->insn->src_reg == BPF_PSEUDO_CALL && f->elf->text &&
	    s->sym->st_shndx == f->elf->text && starts_subprog(f->elf, target))
		return KEEP;
	*why = text("calls '%s' in section '%s': only whole functions of .text can be called",
		    s->name, where(f, s));
	return POISON;
}

/* A function's address: of a global one by its symbol, of a static one by section and offset. */
static enum what judge_func_addr(const struct fixer *f, const struct site *s, char **why)
{
	int bind = ELF64_ST_BIND(s->sym->st_info), type = ELF64_ST_TYPE(s->sym->st_info);
	int64_t at = (int64_t)s->sym->st_value + s->insn->imm;

	if (f->elf->text && s->sym->st_shndx == f->elf->text && at % 8 == 0 &&
	    ((bind == STB_LOCAL && type == STT_SECTION) ||
	     (bind == STB_GLOBAL && type == STT_FUNC)) &&
	    s->insn->imm % 8 == 0 && s->sym->st_value % 8 == 0 && starts_subprog(f->elf, at / 8))
		return KEEP;
	*why = text("takes the address of '%s' in section '%s': only functions of .text have one",
		    s->name, where(f, s));
	return POISON;
}

static bool has_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(s, prefix, n) && (!s[n] || s[n] == '.');
}

static bool holds_data(const struct xl_elf_sec *s)
{
	if (s->type == SHT_NOBITS)
		return has_prefix(s->name, ".bss");
	return s->type == SHT_PROGBITS &&
	       (has_prefix(s->name, ".data") || has_prefix(s->name, ".rodata"));
}

static enum what judge_load(const struct fixer *f, const struct site *s, char **why)
{
	const struct xl_elf_sec *sec = &f->elf->sec[s->sym->st_shndx];

	if (sec->kept && sec->flags & SHF_EXECINSTR)
		return judge_func_addr(f, s, why);
	if (sec->kept && (holds_data(sec) || s->sym->st_shndx == f->elf->maps))
		return KEEP;
	*why = text("refers to '%s' in section '%s', which holds neither maps nor global data",
		    s->name, sec->name);
	return POISON;
}

static enum what judge(const struct fixer *f, const struct site *s, char **why)
{
	if (!s->func || xl_object_is_foreign(f->obj, s->func))
		return DROP;
	if (!is_call(s->insn) && !is_ld_imm64(s->insn)) {
		*why = text("instruction %td of '%s' (opcode %#x) cannot refer to '%s'",
			    s->insn - (struct bpf_insn *)f->elf->sec[s->func->sec].data -
				    s->func->insn,
			    s->func->name, s->insn->code, s->name);
		return POISON;
	}
	if (s->sym->st_shndx == SHN_UNDEF)
		return judge_extern(f, s, why);
	return is_call(s->insn) ? judge_call(f, s, why) : judge_load(f, s, why);
}

/* Calls that no relocation explains stay in their section, where libbpf looks for functions only
 * if it is .text. */
static int fix_bare_calls(struct fixer *f, const struct xl_elf_func *func, const bool *relocated)
{
	struct bpf_insn *insn = (struct bpf_insn *)f->elf->sec[func->sec].data + func->insn;
	int err = 0;

	for (uint32_t i = 0; i < func->n_insns && !err; i++) {
		bool bare = !relocated[func->insn + i];
		int64_t target = (int64_t)func->insn + i + insn[i].imm + 1;

		if (bare && is_call(&insn[i]) && insn[i].src_reg == BPF_PSEUDO_CALL &&
		    (func->sec != f->elf->text || !starts_subprog(f->elf, target)))
			err = poison(f, &insn[i],
				     text("'%s' calls into its own section '%s': only functions "
					  "of .text can be called",
					  func->name, f->elf->sec[func->sec].name));
		if (is_ld_imm64(&insn[i]))
			i++;
	}
	return err;
}

static int fix_rel_section(struct fixer *f, uint32_t sec, bool *relocated)
{
	struct xl_elf_sec *target = &f->elf->sec[f->elf->sec[sec].info];
	uint32_t n, kept = 0;
	Elf64_Rel *rels = xl_elf_rels(f->elf, sec, &n);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t sym = (uint32_t)ELF64_R_SYM(rels[i].r_info);
		uint64_t insn = rels[i].r_offset / sizeof(struct bpf_insn);
		struct site s = {
			.func = xl_elf_func_at(f->elf, f->elf->sec[sec].info, insn),
			.insn = (struct bpf_insn *)target->data + insn,
			.sym = &f->elf->sym[sym],
			.name = xl_elf_sym_name(f->elf, sym),
		};
		char *why = NULL;
		enum what what = judge(f, &s, &why);

		relocated[insn] = true;
		if (what == POISON && poison(f, s.insn, why))
			return -ENOMEM;
		if (what == KEEP)
			rels[kept++] = rels[i];
	}
	xl_elf_cut_rels(f->elf, sec, kept);
	return 0;
}

static int fix_code(struct fixer *f, uint32_t sec)
{
	const struct xl_elf_sec *s = &f->elf->sec[sec];
	bool *relocated = calloc(s->size / sizeof(struct bpf_insn) + 1, sizeof(*relocated));
	int err = relocated ? 0 : xl_err_set(f->e, -ENOMEM, "out of memory");

	for (uint32_t i = 1; i < f->elf->n_secs && !err; i++)
		if (f->elf->sec[i].kept && f->elf->sec[i].type == SHT_REL &&
		    f->elf->sec[i].info == sec)
			err = fix_rel_section(f, i, relocated);
	for (uint32_t i = 0; i < f->elf->n_funcs && !err; i++)
		if (f->elf->func[i].sec == sec && !xl_object_is_foreign(f->obj, &f->elf->func[i]))
			err = fix_bare_calls(f, &f->elf->func[i], relocated);
	free(relocated);
	return err;
}

/* Slots of prog arrays that name programs which are not loaded stay empty. */
static void fix_map_rels(struct fixer *f, uint32_t sec)
{
	uint32_t n, kept = 0;
	Elf64_Rel *rels = xl_elf_rels(f->elf, sec, &n);

	for (uint32_t i = 0; i < n; i++) {
		const Elf64_Sym *sym = &f->elf->sym[ELF64_R_SYM(rels[i].r_info)];
		const struct xl_elf_func *func =
			sym->st_shndx < f->elf->n_secs
				? xl_elf_func_at(f->elf, sym->st_shndx, sym->st_value / 8)
				: NULL;

		if (!xl_object_is_foreign(f->obj, func))
			rels[kept++] = rels[i];
	}
	xl_elf_cut_rels(f->elf, sec, kept);
}

static int fix_relocations(struct fixer *f)
{
	int err = 0;

	for (uint32_t i = 1; i < f->elf->n_secs && !err; i++) {
		const struct xl_elf_sec *s = &f->elf->sec[i];

		if (s->kept && s->flags & SHF_EXECINSTR)
			err = fix_code(f, i);
		else if (s->kept && s->type == SHT_REL && s->info == f->elf->maps)
			fix_map_rels(f, i);
	}
	return err;
}

/* -- symbols ----------------------------------------------------------------------------- */

/* Externs are gone with their relocations, except for .kconfig's; a static entry function is as
 * good as any. */
static void fix_symbols(struct fixer *f)
{
	for (uint32_t i = 0; i < f->elf->n_syms; i++) {
		Elf64_Sym *sym = &f->elf->sym[i];
		int type = ELF64_ST_TYPE(sym->st_info);

		if (sym->st_shndx == SHN_UNDEF &&
		    !xl_object_is_kconfig(f->obj, xl_elf_sym_name(f->elf, i)))
			sym->st_info = ELF64_ST_INFO(STB_LOCAL, type);
	}
	for (uint32_t i = 0; i < f->elf->n_funcs; i++) {
		Elf64_Sym *sym = &f->elf->sym[f->elf->func[i].sym];

		if (f->elf->func[i].sec != f->elf->text && ELF64_ST_BIND(sym->st_info) == STB_LOCAL)
			sym->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	}
}

int xl_object_fix(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	struct fixer f = { .obj = obj, .priv = priv, .elf = &priv->elf, .e = e };
	int err;

	err = xl_object_fix_core(obj, e);
	err = err ? err : xl_object_fix_btf(obj, e);
	f.asked = calloc((size_t)priv->elf.n_syms + 1, sizeof(*f.asked));
	if (!err && !f.asked)
		err = xl_err_set(e, -ENOMEM, "out of memory");
	err = err ? err : fix_relocations(&f);
	free(f.asked);
	if (!err)
		fix_symbols(&f);
	return err;
}
