/* The checks that need no execution; see insn.h.
 *
 * What follows from an opcode is a row: which fields mean something, whether the destination is
 * written, what more there is to check. The order of the passes is the kernel's, so that of
 * several errors it is the kernel's one that is found:
 *
 *   functions -> jump ranges -> opcodes and 16-byte loads -> reachability -> fields
 *
 * Afterwards an engine may follow any path without looking: each instruction is known, each
 * target is the start of an instruction of the same function, no function runs off its end.
 *
 * Source: add_subprog_and_kfunc(), check_subprogs(), resolve_pseudo_ldimm64(), check_cfg() and
 * do_check(), kernel/bpf/verifier.c, v6.18; insn_test.c compares the verdicts and words.
 */
#include "xdp-runtime/insn.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/vlog.h"

struct check {
	const struct bpf_insn *insns;
	uint32_t n;
	struct xl_vlog *log;
	uint32_t *starts; /* ascending */
	uint32_t n_starts;
	uint8_t *reached; /* one per instruction */
};

#define refuse(c, ...) (xl_vlog((c)->log, __VA_ARGS__), -EINVAL)

/* What a family of opcodes looks like. */
struct form {
	const char *name; /* in "NAME uses reserved fields" */
	bool dst, src, off, imm;
	bool src_is_kind; /* src_reg is no register */
	bool writes_dst;
	/* Further rules; NULL: none. 0 or a refusal. */
	int (*more)(const struct check *c, const struct bpf_insn *insn, const struct form *form);
};

static int reserved(const struct check *c, const struct form *form)
{
	return refuse(c, "%s uses reserved fields\n", form->name);
}

static int check_shift(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	const int width = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;

	if (insn->imm < 0 || insn->imm >= width)
		return refuse(c, "invalid shift %d\n", insn->imm);
	return 0;
}

static int check_div(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	if (insn->off != 0 && insn->off != 1)
		return reserved(c, form);
	if (BPF_SRC(insn->code) == BPF_K && insn->imm == 0)
		return refuse(c, "div by zero\n");
	return 0;
}

static int check_mov(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	const bool is_64 = BPF_CLASS(insn->code) == BPF_ALU64;

	if (insn->off && insn->off != 8 && insn->off != 16 && !(is_64 && insn->off == 32))
		return reserved(c, form);
	return 0;
}

static int check_end(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	if (insn->imm != 16 && insn->imm != 32 && insn->imm != 64)
		return reserved(c, form);
	return 0;
}

static int check_atomic(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	const bool load = insn->imm == BPF_LOAD_ACQ, store = insn->imm == BPF_STORE_REL;

	switch (insn->imm) {
	case BPF_ADD:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_ADD | BPF_FETCH:
	case BPF_OR | BPF_FETCH:
	case BPF_AND | BPF_FETCH:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG:
	case BPF_LOAD_ACQ:
	case BPF_STORE_REL:
		break;
	default:
		return refuse(c, "BPF_ATOMIC uses invalid atomic opcode %02x\n", insn->imm);
	}
	if (!load && !store && BPF_SIZE(insn->code) != BPF_W && BPF_SIZE(insn->code) != BPF_DW)
		return refuse(c, "invalid atomic operand size\n");
	if ((load && insn->dst_reg == BPF_REG_10) ||
	    (insn->imm & BPF_FETCH && insn->imm != BPF_CMPXCHG && insn->src_reg == BPF_REG_10))
		return refuse(c, "frame pointer is read only\n");
	return 0;
}

static int check_helper(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	const char *name, *why_not;

	if (insn->off)
		return reserved(c, form);
	if (xl_helper_of(insn->imm) || insn->imm == XL_KFUNC_ABSENT)
		return 0;
	name = xl_helper_name(insn->imm);
	if (!name)
		return refuse(c, "invalid func unknown#%d\n", insn->imm);
	why_not = xl_helper_why_not(insn->imm);
	return refuse(c, "unknown func %s#%d%s%s\n", name, insn->imm, why_not ? ": " : "",
		      why_not ? why_not : "");
}

static int check_call(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	switch (insn->src_reg) {
	case 0:
		return check_helper(c, insn, form);
	case BPF_PSEUDO_CALL:
		return insn->off ? reserved(c, form) : 0;
	case BPF_PSEUDO_KFUNC_CALL:
		return refuse(c, "calling kernel function #%d is not allowed\n", insn->imm);
	default:
		return reserved(c, form);
	}
}

static int check_ld_abs(const struct check *c, const struct bpf_insn *insn, const struct form *form)
{
	return refuse(c, "BPF_LD_[ABS|IND] instructions not allowed for this program type\n");
}

static const struct form alu_k = { "BPF_ALU", .dst = 1, .imm = 1, .writes_dst = 1 };
static const struct form alu_x = { "BPF_ALU", .dst = 1, .src = 1, .writes_dst = 1 };
static const struct form shift_k = { "BPF_ALU", .dst = 1, .imm = 1, .writes_dst = 1,
				     .more = check_shift };
static const struct form div_k = { "BPF_ALU", .dst = 1,	       .off = 1,
				   .imm = 1,  .writes_dst = 1, .more = check_div };
static const struct form div_x = { "BPF_ALU", .dst = 1,	       .src = 1,
				   .off = 1,  .writes_dst = 1, .more = check_div };
static const struct form mov_k = { "BPF_MOV", .dst = 1, .imm = 1, .writes_dst = 1 };
static const struct form mov_x = { "BPF_MOV", .dst = 1,	       .src = 1,
				   .off = 1,  .writes_dst = 1, .more = check_mov };
static const struct form neg = { "BPF_NEG", .dst = 1, .writes_dst = 1 };
static const struct form end = { "BPF_END", .dst = 1, .imm = 1, .writes_dst = 1,
				 .more = check_end };
static const struct form ld_imm64 = { "BPF_LD_IMM64", .dst = 1,		.src = 1,
				      .imm = 1,	      .src_is_kind = 1, .writes_dst = 1 };
static const struct form ld_abs = { "BPF_LD_ABS", .dst = 1, .src = 1,
				    .off = 1,	  .imm = 1, .more = check_ld_abs };
static const struct form ldx = { "BPF_LDX", .dst = 1, .src = 1, .off = 1, .writes_dst = 1 };
static const struct form st = { "BPF_ST", .dst = 1, .off = 1, .imm = 1 };
static const struct form stx = { "BPF_STX", .dst = 1, .src = 1, .off = 1 };
static const struct form atomic = { "BPF_ATOMIC", .dst = 1, .src = 1,
				    .off = 1,	  .imm = 1, .more = check_atomic };
static const struct form jmp_k = { "BPF_JMP/JMP32", .dst = 1, .off = 1, .imm = 1 };
static const struct form jmp_x = { "BPF_JMP/JMP32", .dst = 1, .src = 1, .off = 1 };
static const struct form ja = { "BPF_JA", .off = 1 };
static const struct form gotol = { "BPF_JA", .imm = 1 };
static const struct form call = { "BPF_CALL", .src = 1,		.off = 1,
				  .imm = 1,   .src_is_kind = 1, .more = check_call };
static const struct form leave = { "BPF_EXIT" };

#define ALU(op, k, x)                                                                            \
	[BPF_ALU | op | BPF_K] = &k, [BPF_ALU | op | BPF_X] = &x, [BPF_ALU64 | op | BPF_K] = &k, \
			[BPF_ALU64 | op | BPF_X] = &x
#define JMP(op)                                                           \
	[BPF_JMP | op | BPF_K] = &jmp_k, [BPF_JMP | op | BPF_X] = &jmp_x, \
			[BPF_JMP32 | op | BPF_K] = &jmp_k, [BPF_JMP32 | op | BPF_X] = &jmp_x
#define SIZES(class, mode, form)                                        \
	[class | mode | BPF_B] = &form, [class | mode | BPF_H] = &form, \
			[class | mode | BPF_W] = &form, [class | mode | BPF_DW] = &form

static const struct form *const form_of[256] = {
	ALU(BPF_ADD, alu_k, alu_x),
	ALU(BPF_SUB, alu_k, alu_x),
	ALU(BPF_MUL, alu_k, alu_x),
	ALU(BPF_OR, alu_k, alu_x),
	ALU(BPF_AND, alu_k, alu_x),
	ALU(BPF_XOR, alu_k, alu_x),
	ALU(BPF_LSH, shift_k, alu_x),
	ALU(BPF_RSH, shift_k, alu_x),
	ALU(BPF_ARSH, shift_k, alu_x),
	ALU(BPF_DIV, div_k, div_x),
	ALU(BPF_MOD, div_k, div_x),
	ALU(BPF_MOV, mov_k, mov_x),
	[BPF_ALU | BPF_NEG] = &neg,
	[BPF_ALU64 | BPF_NEG] = &neg,
	[BPF_ALU | BPF_END | BPF_TO_LE] = &end,
	[BPF_ALU | BPF_END | BPF_TO_BE] = &end,
	[BPF_ALU64 | BPF_END] = &end,
	[BPF_LD | BPF_IMM | BPF_DW] = &ld_imm64,
	[BPF_LD | BPF_ABS | BPF_B] = &ld_abs,
	[BPF_LD | BPF_ABS | BPF_H] = &ld_abs,
	[BPF_LD | BPF_ABS | BPF_W] = &ld_abs,
	[BPF_LD | BPF_IND | BPF_B] = &ld_abs,
	[BPF_LD | BPF_IND | BPF_H] = &ld_abs,
	[BPF_LD | BPF_IND | BPF_W] = &ld_abs,
	SIZES(BPF_LDX, BPF_MEM, ldx),
	[BPF_LDX | BPF_MEMSX | BPF_B] = &ldx,
	[BPF_LDX | BPF_MEMSX | BPF_H] = &ldx,
	[BPF_LDX | BPF_MEMSX | BPF_W] = &ldx,
	SIZES(BPF_ST, BPF_MEM, st),
	SIZES(BPF_STX, BPF_MEM, stx),
	SIZES(BPF_STX, BPF_ATOMIC, atomic),
	JMP(BPF_JEQ),
	JMP(BPF_JNE),
	JMP(BPF_JGT),
	JMP(BPF_JGE),
	JMP(BPF_JLT),
	JMP(BPF_JLE),
	JMP(BPF_JSET),
	JMP(BPF_JSGT),
	JMP(BPF_JSGE),
	JMP(BPF_JSLT),
	JMP(BPF_JSLE),
	[BPF_JMP | BPF_JA] = &ja,
	[BPF_JMP32 | BPF_JA] = &gotol,
	[BPF_JMP | BPF_CALL] = &call,
	[BPF_JMP | BPF_EXIT] = &leave,
};

/* Pass 1: functions start where something calls or points. */

static bool names_function(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) ||
	       (xl_insn_is_ld_imm64(insn) && insn->src_reg == BPF_PSEUDO_FUNC);
}

/* Index of the last function that starts at or before @insn. */
static uint32_t function_of(const struct check *c, uint32_t insn)
{
	uint32_t lo = 0, hi = c->n_starts;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->starts[mid] <= insn)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t function_end(const struct check *c, uint32_t function)
{
	return function + 1 < c->n_starts ? c->starts[function + 1] : c->n;
}

static int add_function(struct check *c, uint32_t start)
{
	const uint32_t at = function_of(c, start);

	if (c->starts[at] == start)
		return 0;
	if (c->n_starts == XL_SUBPROGS_MAX) {
		xl_vlog(c->log, "too many subprograms\n");
		return -E2BIG;
	}
	for (uint32_t i = c->n_starts++; i > at + 1; i--)
		c->starts[i] = c->starts[i - 1];
	c->starts[at + 1] = start;
	return 0;
}

static int find_functions(struct check *c)
{
	int err;

	c->starts[0] = 0;
	c->n_starts = 1;
	for (uint32_t i = 0; i < c->n; i++) {
		const int64_t target = (int64_t)i + c->insns[i].imm + 1;

		if (!names_function(&c->insns[i]))
			continue;
		if (target < 0 || target >= c->n)
			return refuse(c, "call to invalid destination\n");
		err = add_function(c, (uint32_t)target);
		if (err)
			return err;
	}
	return 0;
}

/* Pass 2: jumps stay inside of their function, and nothing falls off its end. */

static bool is_jump(const struct bpf_insn *insn)
{
	const uint32_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static bool is_goto(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JA) || insn->code == (BPF_JMP32 | BPF_JA);
}

static int64_t jump_target(const struct check *c, uint32_t i)
{
	const struct bpf_insn *insn = &c->insns[i];

	return (int64_t)i + 1 + (insn->code == (BPF_JMP32 | BPF_JA) ? insn->imm : insn->off);
}

static int check_jumps(const struct check *c)
{
	uint32_t function = 0, end = function_end(c, 0);

	for (uint32_t i = 0; i < c->n; i++) {
		const struct bpf_insn *insn = &c->insns[i];
		const int64_t target = jump_target(c, i);

		if (is_jump(insn) && (target < c->starts[function] || target >= end))
			return refuse(c, "jump out of range from insn %u to %lld\n", i,
				      (long long)target);
		if (i + 1 < end)
			continue;
		if (!is_goto(insn) && insn->code != (BPF_JMP | BPF_EXIT))
			return refuse(c, "last insn is not an exit or jmp\n");
		end = function_end(c, ++function);
	}
	return 0;
}

/* Pass 3: known opcodes, whole 16-byte loads. */

static int check_ld_imm64(const struct check *c, uint32_t i)
{
	const struct bpf_insn *insn = &c->insns[i];

	if (i + 1 == c->n || insn[1].code || insn[1].dst_reg || insn[1].src_reg || insn[1].off)
		return refuse(c, "invalid bpf_ld_imm64 insn\n");
	switch (insn->src_reg) {
	case 0:
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
	case BPF_PSEUDO_FUNC:
		return 0;
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_IDX:
		if (!insn[1].imm)
			return 0;
		break;
	case BPF_PSEUDO_BTF_ID:
		return refuse(c, "pseudo btf_id %d in ldimm64: no kernel variables here\n",
			      insn->imm);
	}
	return refuse(c, "unrecognized bpf_ld_imm64 insn\n");
}

static int check_opcodes(const struct check *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct bpf_insn *insn = &c->insns[i];

		if (BPF_CLASS(insn->code) == BPF_LDX && form_of[insn->code] && insn->imm)
			return reserved(c, &ldx);
		if (!form_of[insn->code])
			return refuse(c, "unknown opcode %02x\n", insn->code);
		if (!xl_insn_is_ld_imm64(insn))
			continue;
		if (check_ld_imm64(c, i))
			return -EINVAL;
		i++;
	}
	return 0;
}

/* Pass 4: each instruction can be reached, and no 16-byte load from its middle. */

struct todo {
	uint32_t *insn;
	uint32_t n;
};

static void reach(const struct check *c, struct todo *todo, int64_t target)
{
	if (c->reached[target])
		return;
	c->reached[target] = 1;
	todo->insn[todo->n++] = (uint32_t)target;
}

static void follow(const struct check *c, struct todo *todo, uint32_t i)
{
	const struct bpf_insn *insn = &c->insns[i];

	if (insn->code == (BPF_JMP | BPF_EXIT))
		return;
	if (is_jump(insn))
		reach(c, todo, jump_target(c, i));
	if (names_function(insn))
		reach(c, todo, (int64_t)i + 1 + insn->imm);
	if (!is_goto(insn))
		reach(c, todo, (int64_t)i + (xl_insn_is_ld_imm64(insn) ? 2 : 1));
}

static int check_reachable(const struct check *c)
{
	/* Each instruction is pushed once. */
	struct todo todo = { malloc(c->n * sizeof(*todo.insn)), 0 };

	if (!todo.insn)
		return -ENOMEM;
	reach(c, &todo, 0);
	while (todo.n)
		follow(c, &todo, todo.insn[--todo.n]);
	free(todo.insn);
	for (uint32_t i = 0; i < c->n; i++) {
		if (!c->reached[i])
			return refuse(c, "unreachable insn %u\n", i);
		if (!xl_insn_is_ld_imm64(&c->insns[i]))
			continue;
		if (c->reached[i + 1])
			return refuse(c, "jump into the middle of ldimm64 insn %u\n", i);
		i++;
	}
	return 0;
}

/* Pass 5: registers, reserved fields, what an opcode asks besides. */

static int check_fields(const struct check *c, const struct bpf_insn *insn)
{
	const struct form *f = form_of[insn->code];

	if ((!f->dst && insn->dst_reg) || (!f->src && insn->src_reg) || (!f->off && insn->off) ||
	    (!f->imm && insn->imm))
		return reserved(c, f);
	if (f->more && f->more(c, insn, f))
		return -EINVAL;
	if (f->src && !f->src_is_kind && insn->src_reg > BPF_REG_10)
		return refuse(c, "R%u is invalid\n", insn->src_reg);
	if (insn->dst_reg > BPF_REG_10)
		return refuse(c, "R%u is invalid\n", insn->dst_reg);
	if (f->writes_dst && insn->dst_reg == BPF_REG_10)
		return refuse(c, "frame pointer is read only\n");
	return 0;
}

static int check_all_fields(const struct check *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		if (check_fields(c, &c->insns[i]))
			return -EINVAL;
		if (xl_insn_is_ld_imm64(&c->insns[i]))
			i++;
	}
	return 0;
}

static int check(struct check *c)
{
	int err = find_functions(c);

	if (!err)
		err = check_jumps(c);
	if (!err)
		err = check_opcodes(c);
	if (!err)
		err = check_reachable(c);
	if (!err)
		err = check_all_fields(c);
	return err;
}

int xl_insn_check(const struct bpf_insn *insns, uint32_t n_insns, struct xl_vlog *log,
		  uint32_t **out_starts, uint32_t *out_n_starts)
{
	struct check c = { .insns = insns, .n = n_insns, .log = log };
	int err;

	if (!n_insns || n_insns > XL_INSNS_MAX)
		return -E2BIG;
	c.starts = malloc(XL_SUBPROGS_MAX * sizeof(*c.starts));
	c.reached = calloc(n_insns, 1);
	err = c.starts && c.reached ? check(&c) : -ENOMEM;
	free(c.reached);
	if (err) {
		free(c.starts);
		return err;
	}
	*out_starts = c.starts;
	*out_n_starts = c.n_starts;
	return 0;
}
