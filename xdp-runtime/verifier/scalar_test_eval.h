/* What instructions do to single numbers, for any width: the oracle of the scalar tests.
 *
 * Written from RFC 9669 4, on one number and with no regard to speed.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_SCALAR_TEST_EVAL_H
#define XL_XDP_RUNTIME_VERIFIER_SCALAR_TEST_EVAL_H

#include "xdp-runtime/verifier/scalar_word.h"

struct eval_op {
	const char *name;
	uint8_t op;
	int16_t off;
};

static const struct eval_op alu_ops[] = {
	{ "add", BPF_ADD, 0 },	 { "sub", BPF_SUB, 0 },	    { "mul", BPF_MUL, 0 },
	{ "div", BPF_DIV, 0 },	 { "mod", BPF_MOD, 0 },	    { "sdiv", BPF_DIV, 1 },
	{ "smod", BPF_MOD, 1 },	 { "and", BPF_AND, 0 },	    { "or", BPF_OR, 0 },
	{ "xor", BPF_XOR, 0 },	 { "lsh", BPF_LSH, 0 },	    { "rsh", BPF_RSH, 0 },
	{ "arsh", BPF_ARSH, 0 }, { "mov", BPF_MOV, 0 },	    { "neg", BPF_NEG, 0 },
	{ "movs8", BPF_MOV, 8 }, { "movs16", BPF_MOV, 16 }, { "movs32", BPF_MOV, 32 },
};

static const struct eval_op jump_ops[] = {
	{ "jeq", BPF_JEQ, 0 },	 { "jne", BPF_JNE, 0 },	  { "jlt", BPF_JLT, 0 },
	{ "jle", BPF_JLE, 0 },	 { "jgt", BPF_JGT, 0 },	  { "jge", BPF_JGE, 0 },
	{ "jslt", BPF_JSLT, 0 }, { "jsle", BPF_JSLE, 0 }, { "jsgt", BPF_JSGT, 0 },
	{ "jsge", BPF_JSGE, 0 }, { "jset", BPF_JSET, 0 },
};

#define N_ALU_OPS  (sizeof(alu_ops) / sizeof(*alu_ops))
#define N_JUMP_OPS (sizeof(jump_ops) / sizeof(*jump_ops))

/* @op on @bits-wide numbers; the result may have more bits. */
static inline uint64_t eval_word(const struct eval_op *op, unsigned bits, uint64_t a, uint64_t b)
{
	const int64_t sa = xl_signed(a, bits), sb = xl_signed(b, bits);
	const unsigned count = (unsigned)(b & (bits - 1));

	switch (op->op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		if (!b)
			return 0;
		return op->off ? (uint64_t)((__int128)sa / sb) : a / b;
	case BPF_MOD:
		if (!b)
			return a;
		return op->off ? (uint64_t)((__int128)sa % sb) : a % b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << count;
	case BPF_RSH:
		return a >> count;
	case BPF_ARSH:
		return (uint64_t)(sa >> count);
	case BPF_NEG:
		return -a;
	}
	return op->off ? (uint64_t)xl_signed(b, (unsigned)op->off * XL_SCALAR_WIDTH / 64) : b;
}

static inline uint64_t eval_alu(const struct eval_op *op, bool is64, uint64_t a, uint64_t b)
{
	const unsigned bits = is64 ? XL_SCALAR_WIDTH : XL_SCALAR_HALF;
	const uint64_t mask = xl_low_mask(bits);

	return eval_word(op, bits, a & mask, b & mask) & mask;
}

static inline bool eval_jump(uint8_t op, bool is64, uint64_t a, uint64_t b)
{
	const unsigned bits = is64 ? XL_SCALAR_WIDTH : XL_SCALAR_HALF;
	const int64_t sa = xl_signed(a, bits), sb = xl_signed(b, bits);

	a &= xl_low_mask(bits);
	b &= xl_low_mask(bits);
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JSLT:
		return sa < sb;
	case BPF_JSLE:
		return sa <= sb;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	}
	return (a & b) != 0;
}

#endif
