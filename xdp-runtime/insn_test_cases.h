/* Programs that are refused for their form, and with which words; programs that are not. Shared by
 * the test of our check and the one that asks the kernel.
 */
#ifndef XL_XDP_RUNTIME_INSN_TEST_CASES_H
#define XL_XDP_RUNTIME_INSN_TEST_CASES_H

#include <stdbool.h>

#include "base/uapi.h"

#define I(c, d, s, o, i)                                                            \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define MOV0			I(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0)
#define EXIT			I(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define JA(off)			I(BPF_JMP | BPF_JA, 0, 0, off, 0)
#define CALL(off)		I(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)
#define LD64(dst, kind, lo, hi) I(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, lo), I(0, 0, 0, 0, hi)

struct bad_prog {
	const char *words; /* what the log's last line says */
	bool ours_only;	   /* the kernel has other words, or none */
	struct bpf_insn insns[8];
	unsigned n;
};

#define BAD(text, ...)                                                                    \
	{                                                                                 \
		.words = text, .insns = { __VA_ARGS__ },                                  \
		.n = sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) \
	}
#define BAD_HERE(text, ...)                                                               \
	{                                                                                 \
		.words = text, .ours_only = true, .insns = { __VA_ARGS__ },               \
		.n = sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) \
	}

static const struct bad_prog bad_progs[] = {
	BAD("jump out of range from insn 1 to 9", MOV0, JA(7), EXIT),
	BAD("jump out of range from insn 1 to -1", MOV0, JA(-3), EXIT),
	BAD("jump out of range from insn 2 to 4", MOV0, CALL(2), JA(1), EXIT, MOV0, EXIT),
	BAD("jump out of range from insn 1 to 100002", MOV0, I(BPF_JMP32 | BPF_JA, 0, 0, 0, 100000),
	    EXIT),
	BAD("jump into the middle of ldimm64 insn 2", MOV0,
	    I(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0), LD64(1, 0, 1, 0), EXIT),
	BAD("unreachable insn 2", MOV0, EXIT, MOV0, EXIT),
	BAD("unreachable insn 2", MOV0, JA(-1), EXIT),
	BAD("last insn is not an exit or jmp", EXIT, MOV0),
	BAD("last insn is not an exit or jmp", MOV0, CALL(0), MOV0, EXIT),
	BAD("last insn is not an exit or jmp", MOV0, LD64(0, 0, 0, 0)),
	BAD("last insn is not an exit or jmp", MOV0, CALL(2), EXIT, LD64(0, 0, 0, 0), EXIT),
	BAD("call to invalid destination", MOV0, CALL(90), EXIT),
	BAD("call to invalid destination", MOV0, CALL(-3), EXIT),
	BAD("call to invalid destination", LD64(1, BPF_PSEUDO_FUNC, 90, 0), MOV0, EXIT),
	BAD("unknown opcode ff", I(0xff, 0, 0, 0, 0), EXIT),
	BAD("unknown opcode df", MOV0, I(0xdf, 0, 0, 0, 16), EXIT),
	BAD("unknown opcode 99", MOV0, I(0x99, 0, 10, -8, 0), EXIT),
	BAD("unknown opcode 9a", MOV0, I(0x9a, 10, 0, -8, 0), EXIT),
	BAD("unknown opcode 8f", MOV0, I(0x8f, 0, 0, 0, 0), EXIT),
	BAD("unknown opcode 86", I(0x86, 0, 0, 0, 6), EXIT),
	BAD("invalid bpf_ld_imm64 insn", MOV0, I(0x18, 0, 0, 0, 0), MOV0, EXIT),
	BAD("invalid bpf_ld_imm64 insn", MOV0, I(0x18, 0, 0, 0, 0), I(0, 1, 0, 0, 0), EXIT),
	BAD("unrecognized bpf_ld_imm64 insn", MOV0, LD64(1, 9, 0, 0), EXIT),
	BAD("unrecognized bpf_ld_imm64 insn", MOV0, LD64(1, BPF_PSEUDO_MAP_FD, 0, 1), EXIT),
	BAD_HERE("pseudo btf_id 9 in ldimm64: no kernel variables here", MOV0,
		 LD64(1, BPF_PSEUDO_BTF_ID, 9, 0), EXIT),
	BAD("BPF_LD_IMM64 uses reserved fields", I(0x18, 0, 0, 1, 0), I(0, 0, 0, 0, 0), EXIT),
	BAD("R11 is invalid", I(0xb7, 11, 0, 0, 0), EXIT),
	BAD("R12 is invalid", I(0xbf, 0, 12, 0, 0), EXIT),
	BAD("frame pointer is read only", I(0xb7, 10, 0, 0, 0), EXIT),
	BAD("frame pointer is read only", LD64(10, 0, 0, 0), EXIT),
	BAD("frame pointer is read only", I(0x79, 10, 10, -8, 0), EXIT),
	BAD("BPF_END uses reserved fields", MOV0, I(0xdc, 0, 0, 0, 17), EXIT),
	BAD("BPF_END uses reserved fields", MOV0, I(0xd7, 0, 1, 0, 16), EXIT),
	BAD("BPF_NEG uses reserved fields", MOV0, I(0x87, 0, 0, 0, 17), EXIT),
	BAD("BPF_MOV uses reserved fields", MOV0, I(0xbf, 0, 0, 3, 0), EXIT),
	BAD("BPF_MOV uses reserved fields", I(0xb7, 0, 0, 8, 0), EXIT),
	BAD("BPF_MOV uses reserved fields", MOV0, I(0xbc, 0, 0, 32, 0), EXIT),
	BAD("BPF_ALU uses reserved fields", MOV0, I(0x07, 0, 0, 1, 0), EXIT),
	BAD("BPF_ALU uses reserved fields", MOV0, I(0x0f, 0, 0, 0, 1), EXIT),
	BAD("BPF_ALU uses reserved fields", MOV0, I(0x07, 0, 1, 0, 1), EXIT),
	BAD("BPF_ALU uses reserved fields", MOV0, I(0x37, 0, 0, 2, 1), EXIT),
	BAD("div by zero", MOV0, I(0x37, 0, 0, 0, 0), EXIT),
	BAD("div by zero", MOV0, I(0x94, 0, 0, 1, 0), EXIT),
	BAD("invalid shift 64", MOV0, I(0x67, 0, 0, 0, 64), EXIT),
	BAD("invalid shift -1", MOV0, I(0x64, 0, 0, 0, -1), EXIT),
	BAD("invalid shift 32", MOV0, I(0xc4, 0, 0, 0, 32), EXIT),
	BAD("BPF_JMP/JMP32 uses reserved fields", MOV0, I(0x15, 0, 1, 0, 1), EXIT),
	BAD("BPF_JMP/JMP32 uses reserved fields", MOV0, I(0x1e, 0, 0, 0, 1), EXIT),
	BAD("BPF_JA uses reserved fields", MOV0, I(0x05, 0, 0, 0, 1), EXIT),
	BAD("BPF_JA uses reserved fields", MOV0, I(0x06, 0, 0, 1, 0), EXIT),
	BAD("BPF_EXIT uses reserved fields", MOV0, I(0x95, 0, 0, 0, 1)),
	BAD("BPF_EXIT uses reserved fields", MOV0, I(0x95, 1, 0, 0, 0)),
	BAD("BPF_STX uses reserved fields", MOV0, I(0x7b, 10, 0, -8, 1), EXIT),
	BAD("BPF_ST uses reserved fields", MOV0, I(0x7a, 10, 1, -8, 1), EXIT),
	BAD("BPF_LDX uses reserved fields", MOV0, I(0x79, 0, 10, -8, 1), EXIT),
	BAD("invalid atomic operand size", MOV0, I(0xd3, 10, 0, -8, 0), EXIT),
	BAD("BPF_ATOMIC uses invalid atomic opcode 10", MOV0, I(0xdb, 10, 0, -8, 0x10), EXIT),
	BAD("BPF_ATOMIC uses invalid atomic opcode 1234", MOV0, I(0xdb, 10, 0, -8, 0x1234), EXIT),
	BAD("BPF_LD_[ABS|IND] instructions not allowed for this program type", I(0x20, 0, 0, 0, 0),
	    EXIT),
	BAD("BPF_LD_[ABS|IND] instructions not allowed for this program type", I(0x50, 0, 1, 0, 0),
	    EXIT),
	BAD("BPF_CALL uses reserved fields", I(0x85, 0, 0, 3, BPF_FUNC_ktime_get_ns), EXIT),
	BAD("BPF_CALL uses reserved fields", MOV0, I(0x85, 0, 1, 1, 1), EXIT, MOV0, EXIT),
	BAD("BPF_CALL uses reserved fields", I(0x85, 0, 7, 0, BPF_FUNC_ktime_get_ns), EXIT),
	BAD("invalid func unknown#9999", I(0x85, 0, 0, 0, 9999), EXIT),
	BAD("invalid func unknown#-1", I(0x85, 0, 0, 0, -1), EXIT),
	BAD_HERE("unknown func bpf_send_signal#109: a packet's run belongs to no task",
		 I(0x85, 0, 0, 0, BPF_FUNC_send_signal), EXIT),
	BAD_HERE("calling kernel function #1000 is not allowed", I(0x85, 0, 2, 0, 1000), EXIT),
};

/* One of each kind of instruction, in a program that the kernel's verifier accepts. */
static const struct bpf_insn all_forms[] = {
	LD64(0, 0, -1, 5),
	I(0xb7, 1, 0, 0, -7), /* r1 = -7 */
	I(0xb4, 2, 0, 0, 7),  /* w2 = 7 */
	I(0x07, 0, 0, 0, -3), /* K forms */
	I(0x14, 0, 0, 0, 9),
	I(0x27, 0, 0, 0, 3),
	I(0x37, 0, 0, 0, 3),
	I(0x34, 0, 0, 1, 3),
	I(0x97, 0, 0, 1, -7),
	I(0x94, 0, 0, 0, 100),
	I(0x47, 0, 0, 0, 0x7f),
	I(0x54, 0, 0, 0, 0x7f),
	I(0xa7, 0, 0, 0, -1),
	I(0x67, 0, 0, 0, 3),
	I(0x74, 0, 0, 0, 3),
	I(0xc7, 0, 0, 0, 3),
	I(0x0f, 0, 1, 0, 0), /* X forms */
	I(0x1c, 0, 1, 0, 0),
	I(0x2f, 0, 1, 0, 0),
	I(0x3f, 0, 1, 1, 0),
	I(0x3c, 0, 1, 0, 0),
	I(0x9f, 0, 1, 0, 0),
	I(0x9c, 0, 1, 1, 0),
	I(0x4f, 0, 1, 0, 0),
	I(0x5f, 0, 1, 0, 0),
	I(0xaf, 0, 1, 0, 0),
	I(0x6f, 0, 2, 0, 0),
	I(0x7c, 0, 2, 0, 0),
	I(0xcf, 0, 2, 0, 0),
	I(0xbf, 3, 0, 0, 0),
	I(0xbc, 3, 0, 0, 0),
	I(0xbf, 3, 0, 8, 0),
	I(0xbf, 3, 0, 32, 0),
	I(0xbc, 3, 0, 16, 0),
	I(0x87, 3, 0, 0, 0),
	I(0x84, 3, 0, 0, 0),
	I(0xd4, 3, 0, 0, 16),
	I(0xdc, 3, 0, 0, 32),
	I(0xd7, 3, 0, 0, 64),
	I(0x7a, 10, 0, -8, -1), /* stores and loads */
	I(0x62, 10, 0, -16, 5),
	I(0x6b, 10, 0, -12, 0),
	I(0x73, 10, 0, -10, 0),
	I(0x73, 10, 0, -9, 0),
	I(0x61, 4, 10, -8, 0),
	I(0x71, 4, 10, -8, 0),
	I(0x69, 4, 10, -8, 0),
	I(0x79, 4, 10, -8, 0),
	I(0x81, 4, 10, -8, 0),
	I(0x89, 4, 10, -8, 0),
	I(0x91, 4, 10, -8, 0),
	I(0xdb, 10, 1, -8, BPF_ADD),
	I(0xc3, 10, 1, -8, BPF_XOR),
	I(0xdb, 10, 1, -8, BPF_OR | BPF_FETCH),
	I(0xc3, 10, 1, -8, BPF_AND | BPF_FETCH),
	I(0xdb, 10, 1, -8, BPF_XCHG),
	I(0xc3, 10, 1, -8, BPF_CMPXCHG),
	I(0x05, 0, 0, 0, 0), /* jumps */
	I(0x06, 0, 0, 0, 0),
	I(0x15, 0, 0, 0, -1),
	I(0x5d, 0, 1, 0, 0),
	I(0x2e, 0, 1, 0, 0),
	I(0x36, 0, 0, 0, 5),
	I(0xa5, 0, 0, 0, 5),
	I(0xbd, 0, 1, 0, 0),
	I(0x46, 0, 0, 0, 5),
	I(0x65, 0, 0, 0, -5),
	I(0x7e, 0, 1, 0, 0),
	I(0xc6, 0, 0, 0, 5),
	I(0xdd, 0, 1, 0, 0),
	I(0x85, 0, 0, 0, BPF_FUNC_ktime_get_ns),
	CALL(2),
	MOV0,
	EXIT,
	MOV0,
	EXIT,
};
#define N_ALL_FORMS (sizeof(all_forms) / sizeof(all_forms[0]))

#endif
