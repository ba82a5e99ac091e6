/* Text of instructions; see insn.h.
 *
 * One printer per instruction class; what varies inside a class is looked up by the opcode's
 * operation bits. The words are those of the kernel's own log, so that a person can compare.
 *
 * Source: the log of BPF_PROG_LOAD (kernel/bpf/disasm.c); insn_test.c compares with it.
 */
#include "xdp-runtime/insn.h"

#include <stdarg.h>
#include <stdio.h>

#include "xdp-runtime/helpers/helpers.h"

/* Indexed by BPF_OP >> 4. */
static const char *const alu_words[16] = {
	[BPF_ADD >> 4] = "+=",	[BPF_SUB >> 4] = "-=",	[BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",	[BPF_OR >> 4] = "|=",	[BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=", [BPF_MOD >> 4] = "%=",
	[BPF_XOR >> 4] = "^=",	[BPF_MOV >> 4] = "=",	[BPF_ARSH >> 4] = "s>>=",
};
static const char *const jump_words[16] = {
	[BPF_JEQ >> 4] = "==",	 [BPF_JGT >> 4] = ">",	  [BPF_JGE >> 4] = ">=",
	[BPF_JSET >> 4] = "&",	 [BPF_JNE >> 4] = "!=",	  [BPF_JSGT >> 4] = "s>",
	[BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",	  [BPF_JLE >> 4] = "<=",
	[BPF_JSLT >> 4] = "s<",	 [BPF_JSLE >> 4] = "s<=",
};
static const char *const fetch_words[16] = {
	[BPF_ADD >> 4] = "add",
	[BPF_OR >> 4] = "or",
	[BPF_AND >> 4] = "and",
	[BPF_XOR >> 4] = "xor",
};
/* Indexed by BPF_SIZE >> 3. */
static const char *const unsigned_words[4] = { "u32", "u16", "u8", "u64" };
static const char *const signed_words[4] = { "s32", "s16", "s8", "s64" };

static const char *size_word(const struct bpf_insn *insn)
{
	return unsigned_words[BPF_SIZE(insn->code) >> 3];
}

struct text {
	char *buf;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->buf, t->size, fmt, ap);
	va_end(ap);
}

static void say_unknown(struct text *t, const struct bpf_insn *insn)
{
	say(t, "unknown opcode %02x", insn->code);
}

static void say_alu(struct text *t, const struct bpf_insn *insn)
{
	const char reg = BPF_CLASS(insn->code) == BPF_ALU64 ? 'r' : 'w';
	const char *word = alu_words[BPF_OP(insn->code) >> 4];
	const uint32_t dst = insn->dst_reg, op = BPF_OP(insn->code);
	const char *sign = insn->off == 1 && (op == BPF_DIV || op == BPF_MOD) ? "s" : "";

	if (op == BPF_END)
		say(t, "r%u = %s%d r%u", dst,
		    BPF_CLASS(insn->code) == BPF_ALU64 ? "bswap"
		    : BPF_SRC(insn->code) == BPF_TO_BE ? "be"
						       : "le",
		    insn->imm, dst);
	else if (op == BPF_NEG)
		say(t, "%c%u = -%c%u", reg, dst, reg, dst);
	else if (!word)
		say_unknown(t, insn);
	else if (BPF_SRC(insn->code) == BPF_K)
		say(t, "%c%u %s%s %d", reg, dst, sign, word, insn->imm);
	else if (op == BPF_MOV && insn->off)
		say(t, "%c%u = (s%d)%c%u", reg, dst, insn->off, reg, insn->src_reg);
	else
		say(t, "%c%u %s%s %c%u", reg, dst, sign, word, reg, insn->src_reg);
}

static void say_atomic(struct text *t, const struct bpf_insn *insn)
{
	const char *size = size_word(insn), *width = BPF_SIZE(insn->code) == BPF_DW ? "64" : "";
	const uint32_t dst = insn->dst_reg, src = insn->src_reg;
	const int off = insn->off, op = BPF_OP(insn->imm) >> 4;

	if (insn->imm == BPF_CMPXCHG)
		say(t, "r0 = atomic%s_cmpxchg((%s *)(r%u %+d), r0, r%u)", width, size, dst, off,
		    src);
	else if (insn->imm == BPF_XCHG)
		say(t, "r%u = atomic%s_xchg((%s *)(r%u %+d), r%u)", src, width, size, dst, off,
		    src);
	else if (insn->imm == BPF_LOAD_ACQ)
		say(t, "r%u = load_acquire((%s *)(r%u %+d))", dst, size, src, off);
	else if (insn->imm == BPF_STORE_REL)
		say(t, "store_release((%s *)(r%u %+d), r%u)", size, dst, off, src);
	else if (!fetch_words[op] || insn->imm & ~(BPF_FETCH | 0xf0))
		say_unknown(t, insn);
	else if (insn->imm & BPF_FETCH)
		say(t, "r%u = atomic%s_fetch_%s((%s *)(r%u %+d), r%u)", src, width, fetch_words[op],
		    size, dst, off, src);
	else
		say(t, "lock *(%s *)(r%u %+d) %s r%u", size, dst, off, alu_words[op], src);
}

static void say_stx(struct text *t, const struct bpf_insn *insn)
{
	if (BPF_MODE(insn->code) == BPF_ATOMIC)
		say_atomic(t, insn);
	else if (BPF_MODE(insn->code) == BPF_MEM)
		say(t, "*(%s *)(r%u %+d) = r%u", size_word(insn), insn->dst_reg, insn->off,
		    insn->src_reg);
	else
		say_unknown(t, insn);
}

static void say_st(struct text *t, const struct bpf_insn *insn)
{
	if (BPF_MODE(insn->code) == BPF_MEM)
		say(t, "*(%s *)(r%u %+d) = %d", size_word(insn), insn->dst_reg, insn->off,
		    insn->imm);
	else
		say_unknown(t, insn);
}

static void say_ldx(struct text *t, const struct bpf_insn *insn)
{
	const uint32_t mode = BPF_MODE(insn->code), size = BPF_SIZE(insn->code) >> 3;

	if (mode == BPF_MEM || mode == BPF_MEMSX)
		say(t, "r%u = *(%s *)(r%u %+d)", insn->dst_reg,
		    mode == BPF_MEM ? unsigned_words[size] : signed_words[size], insn->src_reg,
		    insn->off);
	else
		say_unknown(t, insn);
}

static void say_ld_imm64(struct text *t, const struct bpf_insn *insn)
{
	const uint32_t lo = (uint32_t)insn[0].imm, hi = (uint32_t)insn[1].imm;

	switch (insn->src_reg) {
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_IDX:
		say(t, "r%u = map[id:%u]", insn->dst_reg, lo);
		break;
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		say(t, "r%u = map[id:%u][0]+%u", insn->dst_reg, lo, hi);
		break;
	case BPF_PSEUDO_FUNC:
		say(t, "r%u = subprog[%+d]", insn->dst_reg, insn->imm);
		break;
	default:
		say(t, "r%u = 0x%llx", insn->dst_reg, (unsigned long long)hi << 32 | lo);
	}
}

static void say_ld(struct text *t, const struct bpf_insn *insn)
{
	if (xl_insn_is_ld_imm64(insn))
		say_ld_imm64(t, insn);
	else if (BPF_MODE(insn->code) == BPF_ABS)
		say(t, "r0 = *(%s *)skb[%d]", size_word(insn), insn->imm);
	else if (BPF_MODE(insn->code) == BPF_IND)
		say(t, "r0 = *(%s *)skb[r%u + %d]", size_word(insn), insn->src_reg, insn->imm);
	else
		say_unknown(t, insn);
}

static void say_call(struct text *t, const struct bpf_insn *insn)
{
	const char *name = xl_helper_name(insn->imm);

	if (insn->src_reg == BPF_PSEUDO_CALL)
		say(t, "call pc%+d", insn->imm);
	else if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		say(t, "call kernel-function#%d", insn->imm);
	else
		say(t, "call %s#%d", name ? name : "unknown", insn->imm);
}

static void say_jump(struct text *t, const struct bpf_insn *insn)
{
	const char reg = BPF_CLASS(insn->code) == BPF_JMP ? 'r' : 'w';
	const char *word = jump_words[BPF_OP(insn->code) >> 4];

	if (insn->code == (BPF_JMP | BPF_CALL))
		say_call(t, insn);
	else if (insn->code == (BPF_JMP | BPF_EXIT))
		say(t, "exit");
	else if (insn->code == (BPF_JMP | BPF_JA))
		say(t, "goto pc%+d", insn->off);
	else if (insn->code == (BPF_JMP32 | BPF_JA))
		say(t, "gotol pc%+d", insn->imm);
	else if (!word)
		say_unknown(t, insn);
	else if (BPF_SRC(insn->code) == BPF_X)
		say(t, "if %c%u %s %c%u goto pc%+d", reg, insn->dst_reg, word, reg, insn->src_reg,
		    insn->off);
	else
		say(t, "if %c%u %s 0x%x goto pc%+d", reg, insn->dst_reg, word, (uint32_t)insn->imm,
		    insn->off);
}

void xl_insn_text(const struct bpf_insn *insn, char *buf, size_t size)
{
	/* Indexed by BPF_CLASS. */
	static void (*const say_class[8])(struct text *, const struct bpf_insn *) = {
		[BPF_LD] = say_ld,	[BPF_LDX] = say_ldx,   [BPF_ST] = say_st,
		[BPF_STX] = say_stx,	[BPF_ALU] = say_alu,   [BPF_JMP] = say_jump,
		[BPF_JMP32] = say_jump, [BPF_ALU64] = say_alu,
	};
	struct text t = { buf, size };

	say_class[BPF_CLASS(insn->code)](&t, insn);
}
