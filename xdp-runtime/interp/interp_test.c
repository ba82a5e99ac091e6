/* Claims about the interpreter: what each instruction does, and what a program may see of the
 * context, its frame and its run. interp_fault_test.c has what it may not do; the kernel is asked
 * in interp_kernel_test.c and interp_call_kernel_test.c.
 */
#include <setjmp.h>

#include "xdp-runtime/interp/interp_test_rig.h"

#include <cmocka.h>

#include "base/percpu.h"

#define BODY_MAX   8
#define CTX(field) ((int)offsetof(struct xdp_md, field))

/* A program's middle: it starts with r0..r8 = 0 and r9 = the packet, and ends with r0. */
struct piece {
	struct bpf_insn insn[BODY_MAX];
	uint64_t r0;
};

/* The 64-bit r0 that @piece ends with, on a packet of 16 bytes 0xf0, 0xf1 … 0xff. */
static uint64_t result_of(const struct piece *piece)
{
	static struct rig rig;
	struct bpf_insn insn[BODY_MAX + 8] = { LDX(BPF_W, 9, 1, CTX(data)), MOV(1, 0) };
	uint8_t packet[16];
	struct xl_verdict verdict;
	struct xl_prog prog;
	uint32_t n = 2;
	uint64_t r0;

	for (uint32_t i = 0; i < 16; i++)
		packet[i] = (uint8_t)(0xf0 + i);
	for (uint32_t i = 0; i < BODY_MAX; i++)
		insn[n++] = piece->insn[i].code || (i && xl_insn_is_ld_imm64(&piece->insn[i - 1]))
				    ? piece->insn[i]
				    : GOTO(0);
	insn[n++] = STX(BPF_DW, 9, 0, 0);
	insn[n++] = MOV(0, XDP_PASS);
	insn[n++] = EXIT_INSN;
	rig_init(&rig);
	assert_int_equal(rig_load(&rig, &prog, insn, n), 0);
	verdict = rig_run(&rig, &prog, packet, sizeof(packet));
	assert_int_equal(verdict.faulted, 0);
	assert_int_equal(verdict.action, XDP_PASS);
	memcpy(&r0, rig.frame.data, sizeof(r0));
	rig_unload(&prog);
	return r0;
}

#define SET(reg, value) LD_IMM64(reg, 0, UINT64_C(value))

static void check_pieces(const struct piece *pieces, size_t n)
{
	char text[128];

	for (size_t i = 0; i < n; i++) {
		const uint64_t r0 = result_of(&pieces[i]);

		if (r0 == pieces[i].r0)
			continue;
		xl_insn_text(&pieces[i].insn[xl_insn_is_ld_imm64(pieces[i].insn) ? 2 : 0], text,
			     sizeof(text));
		fail_msg("row %zu (… %s …): r0 is 0x%llx, not 0x%llx", i, text,
			 (unsigned long long)r0, (unsigned long long)pieces[i].r0);
	}
}
#define CHECK(pieces) check_pieces(pieces, sizeof(pieces) / sizeof(pieces[0]))

static void arithmetic_wraps_and_32_bits_clear_the_upper_half(void **state)
{
	const struct piece pieces[] = {
		{ { MOV(0, -1) }, UINT64_MAX },
		{ { ALU32_K(BPF_MOV, 0, -1) }, UINT32_MAX },
		{ { MOV(0, -1), ALU64_K(BPF_ADD, 0, 2) }, 1 },
		{ { MOV(0, -1), ALU32_K(BPF_ADD, 0, 2) }, 1 },
		{ { MOV(0, 3), ALU64_K(BPF_SUB, 0, 5) }, -2ULL },
		{ { MOV(0, 3), ALU32_K(BPF_SUB, 0, 5) }, 0xfffffffe },
		{ { MOV(0, -7), ALU64_K(BPF_MUL, 0, 3) }, -21ULL },
		{ { SET(0, 0x100000001), ALU32_K(BPF_MUL, 0, -1) }, 0xffffffff },
		{ { SET(0, 0x1200000034), ALU64_K(BPF_OR, 0, -256) }, 0xffffffffffffff34 },
		{ { SET(0, 0x1200000034), ALU32_K(BPF_OR, 0, 0x100) }, 0x134 },
		{ { SET(0, 0x1200000034), ALU64_K(BPF_AND, 0, -16) }, 0x1200000030 },
		{ { MOV(0, -1), MOV(1, 0x55), ALU64_X(BPF_XOR, 0, 1) }, ~UINT64_C(0x55) },
		{ { MOV(0, 5), INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0) }, -5ULL },
		{ { MOV(0, 5), INSN(BPF_ALU | BPF_NEG, 0, 0, 0, 0) }, 0xfffffffb },
		{ { MOV(0, 1), ALU64_K(BPF_LSH, 0, 63) }, UINT64_C(1) << 63 },
		{ { MOV(0, 1), MOV(1, 65), ALU64_X(BPF_LSH, 0, 1) }, 2 },
		{ { MOV(0, 1), MOV(1, 33), ALU32_X(BPF_LSH, 0, 1) }, 2 },
		{ { MOV(0, -1), ALU64_K(BPF_RSH, 0, 60) }, 15 },
		{ { MOV(0, -1), ALU32_K(BPF_RSH, 0, 28) }, 15 },
		{ { MOV(0, -256), ALU64_K(BPF_ARSH, 0, 4) }, -16ULL },
		{ { MOV(0, -256), ALU32_K(BPF_ARSH, 0, 4) }, 0xfffffff0 },
		{ { SET(0, 0x123456789abcdef0), MOVX(1, 0), MOVX(0, 1) }, 0x123456789abcdef0 },
		{ { SET(1, 0x123456789abcdef0), ALU32_X(BPF_MOV, 0, 1) }, 0x9abcdef0 },
	};

	CHECK(pieces);
}

#define DIV(class, op, d, s, off) INSN((class) | (op) | BPF_X, d, s, off, 0)

static void division_by_zero_and_overflow_are_defined(void **state)
{
	const struct piece pieces[] = {
		{ { MOV(0, -7), MOV(1, 2), DIV(BPF_ALU64, BPF_DIV, 0, 1, 0) }, 0x7ffffffffffffffc },
		{ { MOV(0, -7), MOV(1, 2), DIV(BPF_ALU64, BPF_DIV, 0, 1, 1) }, -3ULL },
		{ { MOV(0, -7), MOV(1, 2), DIV(BPF_ALU64, BPF_MOD, 0, 1, 1) }, -1ULL },
		{ { MOV(0, -7), MOV(1, 2), DIV(BPF_ALU, BPF_DIV, 0, 1, 1) }, 0xfffffffd },
		{ { MOV(0, -7), DIV(BPF_ALU64, BPF_DIV, 0, 1, 0) }, 0 },
		{ { MOV(0, -7), DIV(BPF_ALU64, BPF_DIV, 0, 1, 1) }, 0 },
		{ { MOV(0, -7), DIV(BPF_ALU64, BPF_MOD, 0, 1, 0) }, -7ULL },
		{ { MOV(0, -7), DIV(BPF_ALU64, BPF_MOD, 0, 1, 1) }, -7ULL },
		{ { MOV(0, -7), DIV(BPF_ALU, BPF_MOD, 0, 1, 0) }, 0xfffffff9 },
		{ { MOV(0, -7), DIV(BPF_ALU, BPF_DIV, 0, 1, 1) }, 0 },
		/* A divisor of 32 bits is only those. */
		{ { MOV(0, 9), SET(1, 0x100000000), DIV(BPF_ALU, BPF_DIV, 0, 1, 0) }, 0 },
		{ { SET(0, 0x8000000000000000), MOV(1, -1), DIV(BPF_ALU64, BPF_DIV, 0, 1, 1) },
		  0x8000000000000000 },
		{ { SET(0, 0x8000000000000000), MOV(1, -1), DIV(BPF_ALU64, BPF_MOD, 0, 1, 1) }, 0 },
		{ { SET(0, 0x80000000), MOV(1, -1), DIV(BPF_ALU, BPF_DIV, 0, 1, 1) }, 0x80000000 },
		{ { SET(0, 0x80000000), MOV(1, -1), DIV(BPF_ALU, BPF_MOD, 0, 1, 1) }, 0 },
		{ { MOV(0, 100), INSN(BPF_ALU64 | BPF_MOD | BPF_K, 0, 0, 1, -7) }, 2 },
	};

	CHECK(pieces);
}

static void moves_extend_signs_and_swaps_reverse_bytes(void **state)
{
#define MOVSX(class, d, s, bits) INSN((class) | BPF_MOV | BPF_X, d, s, bits, 0)
#define END(code, d, bits)	 INSN((code) | BPF_END, d, 0, 0, bits)
	const struct piece pieces[] = {
		{ { MOV(1, 0x80), MOVSX(BPF_ALU64, 0, 1, 8) }, -128ULL },
		{ { MOV(1, 0x8000), MOVSX(BPF_ALU64, 0, 1, 16) }, 0xffffffffffff8000 },
		{ { SET(1, 0x80000000), MOVSX(BPF_ALU64, 0, 1, 32) }, 0xffffffff80000000 },
		{ { MOV(1, 0x80), MOVSX(BPF_ALU, 0, 1, 8) }, 0xffffff80 },
		{ { MOV(1, 0x8000), MOVSX(BPF_ALU, 0, 1, 16) }, 0xffff8000 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_BE, 0, 16) }, 0x8877 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_BE, 0, 32) }, 0x88776655 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_BE, 0, 64) },
		  0x8877665544332211 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_LE, 0, 16) }, 0x7788 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_LE, 0, 32) }, 0x55667788 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU | BPF_TO_LE, 0, 64) },
		  0x1122334455667788 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU64, 0, 16) }, 0x8877 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU64, 0, 32) }, 0x88776655 },
		{ { SET(0, 0x1122334455667788), END(BPF_ALU64, 0, 64) }, 0x8877665544332211 },
	};

	CHECK(pieces);
}

static void loads_and_stores_have_four_widths(void **state)
{
	const struct piece pieces[] = {
		{ { LDX(BPF_B, 0, 9, 3) }, 0xf3 },
		{ { LDX(BPF_H, 0, 9, 3) }, 0xf4f3 },
		{ { LDX(BPF_W, 0, 9, 3) }, 0xf6f5f4f3 },
		{ { LDX(BPF_DW, 0, 9, 3) }, 0xfaf9f8f7f6f5f4f3 },
		{ { LDSX(BPF_B, 0, 9, 3) }, 0xfffffffffffffff3 },
		{ { LDSX(BPF_H, 0, 9, 3) }, 0xfffffffffffff4f3 },
		{ { LDSX(BPF_W, 0, 9, 3) }, 0xfffffffff6f5f4f3 },
		{ { ST(BPF_DW, 10, -8, -2), LDX(BPF_DW, 0, 10, -8) }, -2ULL },
		{ { ST(BPF_W, 10, -8, -2), LDX(BPF_DW, 0, 10, -8) }, 0xfffffffe },
		{ { ST(BPF_H, 10, -6, -2), LDX(BPF_DW, 0, 10, -8) }, 0xfffe0000 },
		{ { MOV(1, 0x1234), STX(BPF_B, 10, -1, 1), LDX(BPF_DW, 0, 10, -8) },
		  0x3400000000000000 },
		{ { MOVX(2, 10), ALU64_K(BPF_ADD, 2, -512), ST(BPF_DW, 2, 0, 7),
		    LDX(BPF_DW, 0, 10, -512) },
		  7 },
	};

	CHECK(pieces);
}

#define ON_STACK(value, ...) \
	SET(2, value), STX(BPF_DW, 10, -8, 2), MOV(1, 3), MOV(0, 5), __VA_ARGS__

static void atomics_return_the_old_value_and_keep_their_width(void **state)
{
	const struct piece pieces[] = {
		{ { ON_STACK(0x1000000ff, ATOMIC(BPF_DW, BPF_ADD, 10, -8, 1),
			     LDX(BPF_DW, 0, 10, -8)) },
		  0x100000102 },
		{ { ON_STACK(0x1ffffffff, ATOMIC(BPF_W, BPF_ADD, 10, -8, 1),
			     LDX(BPF_DW, 0, 10, -8)) },
		  0x100000002 },
		{ { ON_STACK(0xf0, ATOMIC(BPF_DW, BPF_OR, 10, -8, 1), LDX(BPF_DW, 0, 10, -8)) },
		  0xf3 },
		{ { ON_STACK(0xf1, ATOMIC(BPF_DW, BPF_AND, 10, -8, 1), LDX(BPF_DW, 0, 10, -8)) },
		  1 },
		{ { ON_STACK(0xf1, ATOMIC(BPF_W, BPF_XOR, 10, -8, 1), LDX(BPF_DW, 0, 10, -8)) },
		  0xf2 },
		{ { ON_STACK(0x500000007, ATOMIC(BPF_DW, BPF_ADD | BPF_FETCH, 10, -8, 1),
			     MOVX(0, 1)) },
		  0x500000007 },
		{ { ON_STACK(0x500000007, ATOMIC(BPF_W, BPF_OR | BPF_FETCH, 10, -8, 1),
			     MOVX(0, 1)) },
		  7 },
		{ { ON_STACK(0x500000007, ATOMIC(BPF_W, BPF_XCHG, 10, -8, 1),
			     LDX(BPF_DW, 0, 10, -8)) },
		  0x500000003 },
		/* r0 is 5: the first two differ from memory, the others do not. */
		{ { ON_STACK(0x500000007, ATOMIC(BPF_DW, BPF_CMPXCHG, 10, -8, 1)) }, 0x500000007 },
		{ { ON_STACK(0x500000007, ATOMIC(BPF_W, BPF_CMPXCHG, 10, -8, 1)) }, 7 },
		{ { ON_STACK(5, ATOMIC(BPF_DW, BPF_CMPXCHG, 10, -8, 1), LDX(BPF_DW, 0, 10, -8)) },
		  3 },
		{ { SET(0, 0x700000005), ST(BPF_DW, 10, -8, 5),
		    ATOMIC(BPF_W, BPF_CMPXCHG, 10, -8, 1) },
		  5 },
		{ { ON_STACK(0x1234, INSN(BPF_STX | BPF_ATOMIC | BPF_B, 0, 10, -8, BPF_LOAD_ACQ)) },
		  0x34 },
		{ { ON_STACK(0x1234, INSN(BPF_STX | BPF_ATOMIC | BPF_H, 10, 1, -8, BPF_STORE_REL),
			     LDX(BPF_DW, 0, 10, -8)) },
		  3 },
	};

	CHECK(pieces);
}

/* r0 = whether the jump with a = r1 and b (r2 or the immediate) is taken. */
static bool taken(uint8_t class, uint8_t op, uint64_t a, uint64_t b, bool immediate)
{
	const struct piece piece = { {
		LD_IMM64(1, 0, a),
		LD_IMM64(2, 0, b),
		MOV(0, 1),
		immediate ? INSN(class | op | BPF_K, 1, 0, 1, (int32_t)b)
			  : INSN(class | op | BPF_X, 1, 2, 1, 0),
		MOV(0, 0),
	} };

	return result_of(&piece);
}

static void jumps_compare_as_their_names_say(void **state)
{
	static const uint64_t values[] = { 0,	       1,	    -1ULL,     INT32_MAX,
					   0x80000000, 0x100000000, INT64_MIN, 0xffffffff80000000,
					   7 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			const uint64_t a = values[i], b = values[j];
			const int64_t sa = (int64_t)a, sb = (int64_t)b;
			const uint32_t a32 = (uint32_t)a, b32 = (uint32_t)b;
			const int32_t sa32 = (int32_t)a, sb32 = (int32_t)b;
			/* The immediate is b where b fits. */
			const bool k = sb == sb32;
			const struct {
				uint8_t op;
				bool full, half;
			} rows[] = {
				{ BPF_JEQ, a == b, a32 == b32 },
				{ BPF_JNE, a != b, a32 != b32 },
				{ BPF_JGT, a > b, a32 > b32 },
				{ BPF_JGE, a >= b, a32 >= b32 },
				{ BPF_JLT, a < b, a32 < b32 },
				{ BPF_JLE, a <= b, a32 <= b32 },
				{ BPF_JSET, (a & b) != 0, (a32 & b32) != 0 },
				{ BPF_JSGT, sa > sb, sa32 > sb32 },
				{ BPF_JSGE, sa >= sb, sa32 >= sb32 },
				{ BPF_JSLT, sa < sb, sa32 < sb32 },
				{ BPF_JSLE, sa <= sb, sa32 <= sb32 },
			};

			for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
				const uint8_t op = rows[r].op;

				assert_int_equal(taken(BPF_JMP, op, a, b, false), rows[r].full);
				assert_int_equal(taken(BPF_JMP32, op, a, b, false), rows[r].half);
				if (!k)
					continue;
				assert_int_equal(taken(BPF_JMP, op, a, b, true), rows[r].full);
				assert_int_equal(taken(BPF_JMP32, op, a, b, true), rows[r].half);
			}
		}
}

static void jumps_go_forth_and_back(void **state)
{
	const struct piece pieces[] = {
		{ { JMP_K(BPF_JEQ, 0, 0, 1), MOV(0, 1), ALU64_K(BPF_ADD, 0, 2), GOTOL(0) }, 2 },
		/* Ten rounds. */
		{ { MOV(1, 10), ALU64_K(BPF_ADD, 0, 3), ALU64_K(BPF_SUB, 1, 1),
		    JMP_K(BPF_JNE, 1, 0, -3) },
		  30 },
		{ { MOV(1, 10), JMP_K(BPF_JEQ, 1, 0, 3), ALU64_K(BPF_ADD, 0, 3),
		    ALU64_K(BPF_SUB, 1, 1), GOTOL(-4) },
		  30 },
	};

	CHECK(pieces);
}

struct loaded {
	struct rig rig;
	struct xl_prog prog;
};

static struct xl_verdict run_insns(struct loaded *l, const struct bpf_insn *insn, uint32_t n)
{
	static const uint8_t packet[64];
	struct xl_verdict verdict;
	char why[512];

	rig_init(&l->rig);
	assert_int_equal(rig_load(&l->rig, &l->prog, insn, n), 0);
	verdict = rig_run(&l->rig, &l->prog, packet, sizeof(packet));
	xl_fault_describe(&l->rig.run.fault, why, sizeof(why));
	if (verdict.faulted)
		fail_msg("%s", why);
	rig_unload(&l->prog);
	return verdict;
}
#define RUN(l, insns) run_insns(l, insns, sizeof(insns) / sizeof(insns[0]))

static void functions_keep_r6_to_r9_and_have_their_own_stack(void **state)
{
	static struct loaded l;
	const struct bpf_insn insns[] = {
		ST(BPF_DW, 10, -8, 1),
		MOV(6, 600),
		MOV(9, 900),
		MOV(1, 20),
		MOVX(2, 10),
		CALL_FN(5), /* f(20, r10) */
		LDX(BPF_DW, 1, 10, -8),
		ALU64_X(BPF_ADD, 0, 1),
		ALU64_X(BPF_ADD, 0, 6),
		ALU64_X(BPF_ADD, 0, 9),
		EXIT_INSN,
		/* f: its stack is its own and starts as zeros; r2 reaches its caller's. */
		LDX(BPF_DW, 0, 10, -8),
		ST(BPF_DW, 10, -8, 50),
		LDX(BPF_DW, 3, 2, -8),
		ALU64_K(BPF_ADD, 3, 1),
		STX(BPF_DW, 2, -8, 3),
		MOV(6, 0),
		MOV(9, 0),
		ALU64_X(BPF_ADD, 0, 1),
		EXIT_INSN,
	};

	assert_int_equal(RUN(&l, insns).retval, 20 + 2 + 600 + 900);
}

static void eight_frames_are_enough_for_recursion_that_ends(void **state)
{
	static struct loaded l;
	const struct bpf_insn insns[] = {
		MOV(1, 6),
		CALL_FN(1),
		EXIT_INSN,
		/* f(n) = n ? n + f(n - 1) : 0; with main that makes 8 frames. */
		MOVX(6, 1),
		MOV(0, 0),
		JMP_K(BPF_JEQ, 1, 0, 3),
		ALU64_K(BPF_SUB, 1, 1),
		CALL_FN(-5),
		ALU64_X(BPF_ADD, 0, 6),
		EXIT_INSN,
	};

	assert_int_equal(RUN(&l, insns).retval, 21);
}

static void context_fields_give_whole_pointers_wherever_the_context_goes(void **state)
{
	static struct loaded l;
	const struct bpf_insn insns[] = {
		/* Spilled, filled, moved, then used in a function. */
		STX(BPF_DW, 10, -8, 1),
		LDX(BPF_DW, 7, 10, -8),
		ALU64_K(BPF_ADD, 7, 8),
		MOVX(1, 7),
		CALL_FN(1),
		EXIT_INSN,
		LDX(BPF_W, 2, 1, CTX(data) - 8),
		LDX(BPF_W, 3, 1, CTX(data_end) - 8),
		LDX(BPF_W, 4, 1, CTX(data_meta) - 8),
		LDX(BPF_W, 5, 1, CTX(ingress_ifindex) - 8),
		LDX(BPF_W, 6, 1, CTX(rx_queue_index) - 8),
		STX(BPF_DW, 2, 0, 2),
		STX(BPF_DW, 2, 8, 3),
		STX(BPF_DW, 2, 16, 4),
		STX(BPF_DW, 2, 24, 5),
		STX(BPF_DW, 2, 32, 6),
		MOV(0, XDP_TX),
		EXIT_INSN,
	};
	uint64_t out[5];

	assert_int_equal(RUN(&l, insns).action, XDP_TX);
	memcpy(out, l.rig.frame.data, sizeof(out));
	assert_int_equal(out[0], (uintptr_t)l.rig.frame.data);
	assert_int_equal(out[1], (uintptr_t)l.rig.frame.data_end);
	assert_int_equal(out[2], (uintptr_t)l.rig.frame.data_meta);
	assert_int_equal(out[3], 3);
	assert_int_equal(out[4], 5);
}

static void maps_work_through_helpers_and_direct_addresses(void **state)
{
	static struct loaded l;
	struct xl_map *array, *hash;
	const uint32_t key = 1;
	uint64_t *value;

	rig_init(&l.rig);
	array = rig_map(&l.rig, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	hash = rig_map(&l.rig, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	value = xl_map_lookup(array, &key);
	*value = 7;

	const struct bpf_insn insns[] = {
		LD_ADDR(6, value),
		LDX(BPF_DW, 7, 6, 0),
		ALU64_K(BPF_ADD, 7, 1),
		STX(BPF_DW, 6, 0, 7),
		ST(BPF_W, 10, -4, 9),
		LD_ADDR(1, hash),
		MOVX(2, 10),
		ALU64_K(BPF_ADD, 2, -4),
		MOVX(3, 6), /* value from the other map */
		MOV(4, BPF_ANY),
		CALL_HELPER(BPF_FUNC_map_update_elem),
		LD_ADDR(1, hash),
		MOVX(2, 10),
		ALU64_K(BPF_ADD, 2, -4),
		CALL_HELPER(BPF_FUNC_map_lookup_elem),
		JMP_K(BPF_JEQ, 0, 0, 1),
		LDX(BPF_DW, 0, 0, 0),
		EXIT_INSN,
	};

	assert_int_equal(rig_load(&l.rig, &l.prog, insns, sizeof(insns) / sizeof(insns[0])), 0);
	assert_int_equal(rig_run(&l.rig, &l.prog, "abcdefghijklmn", 14).retval, 8);
	assert_int_equal(l.rig.run.fault.kind, XL_FAULT_NONE);
	assert_int_equal(*value, 8);
	rig_unload(&l.prog);
	rig_fini(&l.rig);
}

/* What the run answers while a program of it is at work: the sink of bpf_trace_printk asks. */
struct asked {
	struct rig *rig;
	const uint8_t *value;
	bool done;
};

static void ask_what_is_readable(void *arg, const char *text, size_t len)
{
	struct asked *asked = arg;
	const struct xl_run *run = &asked->rig->run;
	const struct xl_frame *frame = &asked->rig->frame;

	assert_int_equal(run->readable(run, (uintptr_t)frame->data, 1000), 64);
	assert_int_equal(run->readable(run, (uintptr_t)frame->data + 60, 3), 3);
	assert_int_equal(run->readable(run, (uintptr_t)frame->data_end, 1), 0);
	assert_int_equal(run->readable(run, (uintptr_t)asked->value + 3, 100), 9);
	assert_int_equal(run->readable(run, (uintptr_t)asked->value + 12, 1), 0);
	assert_int_equal(run->readable(run, 0, 8), 0);
	assert_int_equal(run->readable(run, UINTPTR_MAX, 8), 0);
	asked->done = true;
}

static void helpers_learn_what_is_readable_while_a_program_runs(void **state)
{
	static struct rig rig;
	const struct bpf_insn insns[] = {
		ST(BPF_H, 10, -8, 'x'),
		MOVX(1, 10),
		ALU64_K(BPF_ADD, 1, -8),
		MOV(2, 2),
		CALL_HELPER(BPF_FUNC_trace_printk),
		EXIT_INSN,
	};
	static const uint8_t packet[64];
	const uint32_t key = 1;
	struct asked asked = { .rig = &rig };
	struct xl_prog prog;

	rig_init(&rig);
	asked.value = xl_map_lookup(rig_map(&rig, BPF_MAP_TYPE_ARRAY, 4, 12, 4, 0), &key);
	rig.run.sinks = (struct xl_run_sinks){ .arg = &asked, .trace = ask_what_is_readable };
	assert_int_equal(rig_load(&rig, &prog, insns, sizeof(insns) / sizeof(insns[0])), 0);
	assert_int_equal(rig_run(&rig, &prog, packet, sizeof(packet)).faulted, 0);
	assert_true(asked.done);
	rig_unload(&prog);
	rig_fini(&rig);
}

static void each_frame_of_a_burst_runs_on_its_own(void **state)
{
	/* retval = packet[0] + what an earlier frame may have left on the stack */
	const struct bpf_insn insns[] = {
		LDX(BPF_W, 2, 1, CTX(data)),
		LDX(BPF_B, 0, 2, 0),
		LDX(BPF_DW, 3, 10, -8),
		ALU64_X(BPF_ADD, 0, 3),
		ST(BPF_DW, 10, -8, 100),
		JMP_K(BPF_JEQ, 0, 9, 1),
		EXIT_INSN,
		LDX(BPF_B, 0, 2, 1000), /* the frame that starts with 9 faults */
		EXIT_INSN,
	};
	static struct loaded l;
	static uint8_t buf[4][4096];
	struct xl_frame frames[4];
	struct xl_burst burst = { .n = 4 };
	struct xl_verdict verdicts[4];
	const uint8_t first[4] = { XDP_TX, 9, 200, XDP_DROP };

	rig_init(&l.rig);
	assert_int_equal(rig_load(&l.rig, &l.prog, insns, sizeof(insns) / sizeof(insns[0])), 0);
	for (int i = 0; i < 4; i++) {
		uint8_t packet[14] = { first[i] };

		xl_frame_init(&frames[i], buf[i], sizeof(buf[i]), packet, sizeof(packet));
		burst.frame[i] = &frames[i];
	}
	xl_interp.run(&l.rig.run, &l.prog, &burst, verdicts);
	assert_int_equal(verdicts[0].action, XDP_TX);
	assert_int_equal(verdicts[1].action, XDP_ABORTED);
	assert_int_equal(verdicts[1].faulted, 1);
	/* Above XDP_REDIRECT: aborted, but it says what came back. */
	assert_int_equal(verdicts[2].action, XDP_ABORTED);
	assert_int_equal(verdicts[2].retval, 200);
	assert_int_equal(verdicts[2].faulted, 0);
	assert_int_equal(verdicts[3].action, XDP_DROP);
	/* The fault outlives the good frame after it. */
	assert_int_equal(l.rig.run.fault.kind, XL_FAULT_ACCESS);
	assert_int_equal(l.rig.run.fault.insn, 7);
	assert_null(xl_run);
	rig_unload(&l.prog);
}

static void a_redirect_counts_only_for_the_frame_that_returns_it(void **state)
{
	/* Redirects to 7 always, and says so for packets that start with 4. */
	const struct bpf_insn insns[] = {
		LDX(BPF_W, 6, 1, CTX(data)),
		LDX(BPF_B, 6, 6, 0),
		JMP_K(BPF_JEQ, 6, 5, 3),
		MOV(1, 7),
		MOV(2, 0),
		CALL_HELPER(BPF_FUNC_redirect),
		MOVX(0, 6),
		JMP_K(BPF_JNE, 6, 5, 1),
		MOV(0, XDP_REDIRECT), /* 5: returns it without a target */
		EXIT_INSN,
	};
	static struct loaded l;
	struct xl_verdict v;

	rig_init(&l.rig);
	assert_int_equal(rig_load(&l.rig, &l.prog, insns, sizeof(insns) / sizeof(insns[0])), 0);
	v = rig_run(&l.rig, &l.prog, "\4bcdefghijklmn", 14);
	assert_int_equal(v.action, XDP_REDIRECT);
	assert_int_equal(v.redirect.kind, XL_REDIRECT_IFINDEX);
	assert_int_equal(v.redirect.ifindex, 7);
	v = rig_run(&l.rig, &l.prog, "\2bcdefghijklmn", 14);
	assert_int_equal(v.action, XDP_PASS);
	assert_int_equal(v.redirect.kind, XL_REDIRECT_NONE);
	v = rig_run(&l.rig, &l.prog, "\5bcdefghijklmn", 14);
	assert_int_equal(v.action, XDP_REDIRECT);
	assert_int_equal(v.redirect.kind, XL_REDIRECT_NONE);
	rig_unload(&l.prog);
}

static void instructions_are_counted(void **state)
{
	static struct loaded l;
	const struct bpf_insn insns[] = {
		MOV(1, 3), MOV(0, XDP_PASS), ALU64_K(BPF_SUB, 1, 1), JMP_K(BPF_JNE, 1, 0, -2),
		EXIT_INSN,
	};

	RUN(&l, insns);
	assert_int_equal(l.rig.run.n_insns, 2 + 3 * 2 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_wraps_and_32_bits_clear_the_upper_half),
		cmocka_unit_test(division_by_zero_and_overflow_are_defined),
		cmocka_unit_test(moves_extend_signs_and_swaps_reverse_bytes),
		cmocka_unit_test(loads_and_stores_have_four_widths),
		cmocka_unit_test(atomics_return_the_old_value_and_keep_their_width),
		cmocka_unit_test(jumps_compare_as_their_names_say),
		cmocka_unit_test(jumps_go_forth_and_back),
		cmocka_unit_test(functions_keep_r6_to_r9_and_have_their_own_stack),
		cmocka_unit_test(eight_frames_are_enough_for_recursion_that_ends),
		cmocka_unit_test(context_fields_give_whole_pointers_wherever_the_context_goes),
		cmocka_unit_test(maps_work_through_helpers_and_direct_addresses),
		cmocka_unit_test(helpers_learn_what_is_readable_while_a_program_runs),
		cmocka_unit_test(each_frame_of_a_burst_runs_on_its_own),
		cmocka_unit_test(a_redirect_counts_only_for_the_frame_that_returns_it),
		cmocka_unit_test(instructions_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
