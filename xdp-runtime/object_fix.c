/* Changes to a checked image before libbpf sees it.
 *
 * libbpf stops at the first thing that it does not like, wherever it stands. An object of which
 * one program wants a kernel function, or whose tc half refers to things that only libbpf 1.4
 * knows, would not open at all. So what cannot work is turned into something that opens:
 *
 * - an instruction with a relocation that nothing can satisfy becomes a call of a helper number
 *   that does not exist, XL_POISON + n; the program that reaches it is refused, with reason n;
 * - relocations of programs that are not XDP go: they are never loaded;
 * - "pinning" loses its name, so that libbpf does not touch the file system; object.c pins;
 * - .ksyms is no DATASEC any more, and its externs are none;
 * - CO-RE accesses to types of the kernel's user API stay as compiled, whatever kernel this is.
 *
 * Source: bpf_program__record_reloc(), bpf_object__collect_externs() and parse_btf_map_def() of
 * libbpf 1.1, whose refusals are foreseen here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/object_priv.h"

#define HOST_BTF "/sys/kernel/btf/vmlinux"
/* linux/btf.h has it in the kernel only. */
#define BTF_INFO_ENC(kind, vlen) (((uint32_t)(kind) << 24) | (uint32_t)(vlen))
#define KCONFIG_VAR_MAX		 4096 /* bytes; chosen: CONFIG_* strings are far shorter */

struct fixer {
	struct xl_object *obj;
	struct xl_object_priv *priv;
	struct xl_elf *elf;
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

/* The program that function @func is, NULL for subprograms. */
static const struct xl_object_prog *prog_of(const struct fixer *f, const struct xl_elf_func *func)
{
	for (uint32_t i = 0; i < f->obj->n_progs; i++)
		if (f->priv->funcs[i].func == func)
			return &f->obj->progs[i];
	return NULL;
}

static bool is_foreign(const struct fixer *f, const struct xl_elf_func *func)
{
	const struct xl_object_prog *prog = func ? prog_of(f, func) : NULL;

	return prog && !prog->is_xdp;
}

static bool starts_function(const struct xl_elf *elf, int64_t insn)
{
	const struct xl_elf_func *func =
		insn < 0 ? NULL : xl_elf_func_at(elf, elf->text, (uint64_t)insn);

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

static bool is_kconfig(const struct fixer *f, const char *name)
{
	int sec = f->priv->btf ? btf__find_by_name_kind(f->priv->btf, ".kconfig", BTF_KIND_DATASEC)
			       : -1;
	const struct btf_type *t = sec > 0 ? btf__type_by_id(f->priv->btf, (uint32_t)sec) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_type *var =
			btf__type_by_id(f->priv->btf, btf_var_secinfos(t)[i].type);

		if (!strcmp(btf__str_by_offset(f->priv->btf, var->name_off), name))
			return true;
	}
	return false;
}

static enum what judge_extern(const struct fixer *f, const struct site *s, char **why)
{
	bool weak = ELF64_ST_BIND(s->sym->st_info) == STB_WEAK;

	if (ELF64_ST_TYPE(s->sym->st_info) == STT_NOTYPE && is_kconfig(f, s->name))
		return KEEP;
	if (is_call(s->insn)) {
		*why = text("needs kernel function %s, which is not served", s->name);
		return POISON;
	}
	if (weak) { /* absent, and the program asks whether it is */
		s->insn[0].imm = s->insn[1].imm = 0;
		return DROP;
	}
	*why = text("needs kernel symbol %s, which is not served", s->name);
	return POISON;
}

static enum what judge_call(const struct fixer *f, const struct site *s, char **why)
{
	int64_t target = (int64_t)(s->sym->st_value / 8) + s->insn->imm + 1;

	if (s->insn->src_reg == BPF_PSEUDO_CALL && f->elf->text &&
	    s->sym->st_shndx == f->elf->text && starts_function(f->elf, target))
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
	    s->insn->imm % 8 == 0 && s->sym->st_value % 8 == 0 && starts_function(f->elf, at / 8))
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
	if (!s->func || is_foreign(f, s->func))
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
		    (func->sec != f->elf->text || !starts_function(f->elf, target)))
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
		if (f->elf->func[i].sec == sec && !is_foreign(f, &f->elf->func[i]))
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

		if (!is_foreign(f, func))
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

		if (sym->st_shndx == SHN_UNDEF && !is_kconfig(f, xl_elf_sym_name(f->elf, i)))
			sym->st_info = ELF64_ST_INFO(STB_LOCAL, type);
	}
	for (uint32_t i = 0; i < f->elf->n_funcs; i++) {
		Elf64_Sym *sym = &f->elf->sym[f->elf->func[i].sym];

		if (f->elf->func[i].sec != f->elf->text && ELF64_ST_BIND(sym->st_info) == STB_LOCAL)
			sym->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	}
}

/* -- BTF --------------------------------------------------------------------------------- */

/* The place in the image of something that btf__type_by_id() led to. */
static void *in_image(const struct fixer *f, const void *p)
{
	uint32_t size;
	const uint8_t *raw = btf__raw_data(f->priv->btf, &size);

	return f->elf->sec[f->elf->btf].data + ((const uint8_t *)p - raw);
}

static int add_pin(struct fixer *f, const char *name)
{
	char **grown = reallocarray(f->priv->pins, f->priv->n_pins + 1, sizeof(*grown));
	char *copy = strdup(name);

	if (grown)
		f->priv->pins = grown;
	if (!grown || !copy) {
		free(copy);
		return xl_err_set(f->e, -ENOMEM, "out of memory");
	}
	f->priv->pins[f->priv->n_pins++] = copy;
	return 0;
}

/* One member of a map definition. */
static int fix_map_member(struct fixer *f, const char *map, const struct btf_member *m)
{
	static const char *const known[] = { "type",	 "max_entries", "map_flags", "numa_node",
					     "key_size", "key",		"value",     "value_size",
					     "values",	 "map_extra" };
	const char *name = btf__str_by_offset(f->priv->btf, m->name_off);
	uint32_t pinning = 0;

	if (!strcmp(name, "pinning")) {
		((struct btf_member *)in_image(f, m))->name_off = 0;
		if (!xl_object_btf_uint(f->priv->btf, m, &pinning))
			return xl_err_set(f->e, -EINVAL, "map '%s': bad 'pinning'", map);
		return pinning ? add_pin(f, map) : 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i]))
			return 0;
	return xl_err_set(f->e, -EINVAL, "map '%s': unknown field '%s' in its definition", map,
			  name);
}

static int fix_map_definitions(struct fixer *f, const struct btf_type *sec)
{
	int err = 0;

	for (int i = 0; i < btf_vlen(sec) && !err; i++) {
		const struct btf_type *var =
			btf__type_by_id(f->priv->btf, btf_var_secinfos(sec)[i].type);
		const char *name = btf__str_by_offset(f->priv->btf, var->name_off);
		const struct btf_type *def =
			btf_is_var(var) ? xl_object_btf_resolve(f->priv->btf, var->type) : NULL;

		if (!def || !btf_is_struct(def))
			continue; /* libbpf says what is wrong */
		for (int k = 0; k < btf_vlen(def) && !err; k++)
			err = fix_map_member(f, name, &btf_members(def)[k]);
	}
	return err;
}

static uint32_t any_int(const struct btf *btf)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++)
		if (btf_is_int(btf__type_by_id(btf, id)))
			return id;
	return 0;
}

/* .ksyms as a struct: its entries have the same size, and nobody looks for it. What it named is
 * made into types that stand for themselves. */
static void fix_ksyms(struct fixer *f, const struct btf_type *sec)
{
	struct btf_type *t = in_image(f, sec);
	uint32_t id = any_int(f->priv->btf);

	for (int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *old =
			btf__type_by_id(f->priv->btf, btf_var_secinfos(sec)[i].type);
		struct btf_type *is = in_image(f, old);

		if (btf_is_var(old))
			btf_var(is)->linkage = BTF_VAR_GLOBAL_ALLOCATED;
		else if (btf_is_func(old))
			is->info = BTF_INFO_ENC(BTF_KIND_TYPEDEF, 0);
		btf_members(t)[i] = (struct btf_member){ .type = id };
	}
	t->name_off = 0;
	t->info = BTF_INFO_ENC(BTF_KIND_STRUCT, btf_vlen(sec));
	t->size = 16; /* the largest int */
}

static int check_kconfig(struct fixer *f, const struct btf_type *sec)
{
	if (btf_vlen(sec) > 1024)
		return xl_err_set(f->e, -EINVAL, "section '.kconfig' has %u variables",
				  btf_vlen(sec));
	for (int i = 0; i < btf_vlen(sec); i++) {
		uint32_t id = btf_var_secinfos(sec)[i].type;
		const struct btf_type *var = btf__type_by_id(f->priv->btf, id);
		long long size = btf_is_var(var) ? btf__resolve_size(f->priv->btf, var->type) : 0;

		if (size > KCONFIG_VAR_MAX)
			return xl_err_set(f->e, -EINVAL,
					  "variable '%s' of section '.kconfig' has %lld bytes",
					  btf__str_by_offset(f->priv->btf, var->name_off), size);
	}
	return 0;
}

static int fix_btf(struct fixer *f)
{
	int err = 0;

	if (!f->priv->btf)
		return 0;
	for (uint32_t id = 1; id < btf__type_cnt(f->priv->btf) && !err; id++) {
		const struct btf_type *t = btf__type_by_id(f->priv->btf, id);
		const char *name = btf__str_by_offset(f->priv->btf, t->name_off);

		if (!btf_is_datasec(t))
			continue;
		if (!strcmp(name, ".maps"))
			err = fix_map_definitions(f, t);
		else if (!strcmp(name, ".ksyms"))
			fix_ksyms(f, t);
		else if (!strcmp(name, ".kconfig"))
			err = check_kconfig(f, t);
	}
	return err;
}

/* -- CO-RE ------------------------------------------------------------------------------- */

/* Types whose layout is the same in each kernel, because user space relies on it, and the packet
 * headers, which no kernel can change. */
static const char *const stable_types[] = {
	"__sk_buff",	  "arphdr",	 "bpf_cpumap_val", "bpf_devmap_val", "bpf_dynptr",
	"bpf_fib_lookup", "bpf_func_id", "bpf_map_type",   "bpf_sock",	     "bpf_sock_tuple",
	"bpf_spin_lock",  "bpf_timer",	 "ethhdr",	   "frag_hdr",	     "gre_base_hdr",
	"icmp6hdr",	  "icmphdr",	 "in6_addr",	   "in_addr",	     "ip_auth_hdr",
	"ip_esp_hdr",	  "iphdr",	 "ipv6_opt_hdr",   "ipv6_rt_hdr",    "ipv6_sr_hdr",
	"ipv6hdr",	  "rt0_hdr",	 "sctphdr",	   "tcphdr",	     "udphdr",
	"vlan_ethhdr",	  "vlan_hdr",	 "xdp_action",	   "xdp_md",
};

struct core_use {
	const struct fixer *f;
	bool kernel;   /* some access needs to know the kernel */
	char type[64]; /* the first such type */
};

static void look_at_core(void *arg, const struct xl_elf_func *func,
			 const struct bpf_core_relo *relo)
{
	struct core_use *use = arg;
	const struct btf_type *t = btf__type_by_id(use->f->priv->btf, relo->type_id);
	const char *name = btf__str_by_offset(use->f->priv->btf, t->name_off);

	if (use->kernel || !func || is_foreign(use->f, func) ||
	    relo->kind == BPF_CORE_TYPE_ID_LOCAL)
		return;
	for (size_t i = 0; i < sizeof(stable_types) / sizeof(stable_types[0]); i++)
		if (!strcmp(name, stable_types[i]))
			return;
	use->kernel = true;
	snprintf(use->type, sizeof(use->type), "%s", name);
}

/* Without a kernel's types at hand, or need of them, code stays as it was compiled. */
static void fix_core(struct fixer *f)
{
	struct core_use use = { .f = f };

	if (f->obj->opts.btf_path)
		return;
	xl_object_core_each(f->elf, f->priv->btf, look_at_core, &use);
	if (use.kernel && !access(HOST_BTF, R_OK))
		return;
	if (use.kernel)
		xl_object_notice(f->obj,
				 "type %s of the kernel is taken as it was compiled, since this "
				 "host has no %s",
				 use.type, HOST_BTF);
	xl_object_core_drop(f->elf);
}

int xl_object_fix(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	struct fixer f = { .obj = obj, .priv = priv, .elf = &priv->elf, .e = e };
	int err;

	fix_core(&f);
	err = fix_relocations(&f);
	if (err)
		return err;
	fix_symbols(&f);
	return fix_btf(&f);
}
