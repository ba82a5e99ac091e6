/* Tail calls, functions and callbacks go on as in the kernel's JIT.
 *
 * A scenario is up to three programs and a prog array that holds some of them; program 0 is run.
 * Programs name the array by the pseudo kind of its load, so the same instructions serve both
 * sides.
 */
#include <setjmp.h>
#include <stdio.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/interp/interp_test_kernel.h"

#include <cmocka.h>

#define PACKET_LEN 64
#define ARRAY_SIZE 8
#define PROGS_MAX  3
#define THE_ARRAY  LD_IMM64(2, BPF_PSEUDO_MAP_FD, 0)
#define TAIL_CALL  CALL_HELPER(BPF_FUNC_tail_call)
/* bpf_tail_call(ctx in r6, array, @index) */
#define TAIL_CALL_TO(index) MOVX(1, 6), THE_ARRAY, MOV(3, index), TAIL_CALL
/* Adds 1 to byte @off of the packet; the packet is checked for 64 bytes. Uses r1..r4. */
#define COUNT_AT(off)                                                                            \
	LDX(BPF_W, 2, 6, offsetof(struct xdp_md, data)),                                         \
		LDX(BPF_W, 3, 6, offsetof(struct xdp_md, data_end)), MOVX(4, 2),                 \
		ALU64_K(BPF_ADD, 4, PACKET_LEN), JMP_X(BPF_JGT, 4, 3, 3), LDX(BPF_B, 1, 2, off), \
		ALU64_K(BPF_ADD, 1, 1), STX(BPF_B, 2, off, 1)

struct scenario {
	const char *name;
	struct {
		struct bpf_insn insn[96];
		uint32_t n;
	} prog[PROGS_MAX];
	int slot[ARRAY_SIZE]; /* number of a program plus one; 0: empty */
	bool or_refused;      /* kernels differ on whether they take it */
};

#define PROG(...)                                                                            \
	{                                                                                    \
		{ __VA_ARGS__ },                                                             \
			sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) \
	}

static int kernel_array(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_PROG_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = ARRAY_SIZE;
	return (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void kernel_set_slot(int array, uint32_t slot, int prog)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)array;
	attr.key = (uintptr_t)&slot;
	attr.value = (uintptr_t)&prog;
	assert_int_equal(xl_kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
}

/* Replaces the loads of the array by @kind and @address. */
static void resolve(struct bpf_insn *insn, uint32_t n, uint8_t kind, uint64_t address)
{
	const struct bpf_insn pair[] = { LD_IMM64(0, kind, address) };

	for (uint32_t i = 0; i < n; i++)
		if (xl_insn_is_ld_imm64(&insn[i]) && insn[i].src_reg == BPF_PSEUDO_MAP_FD) {
			insn[i].src_reg = kind;
			insn[i].imm = pair[0].imm;
			insn[i + 1].imm = pair[1].imm;
		}
}

/* 0, or the kernel's error for a program that it refuses. */
static int run_in_kernel(const struct scenario *s, uint8_t *packet, uint32_t *out_retval)
{
	static char log[1 << 16];
	int fds[PROGS_MAX] = { -1, -1, -1 }, err = 0;
	const int array = kernel_array();

	for (uint32_t i = 0; i < PROGS_MAX && s->prog[i].n && !err; i++) {
		struct bpf_insn insn[96];

		memcpy(insn, s->prog[i].insn, sizeof(insn));
		resolve(insn, s->prog[i].n, BPF_PSEUDO_MAP_FD, (uint32_t)array);
		fds[i] = kernel_load_functions(insn, s->prog[i].n, log, sizeof(log));
		if (fds[i] < 0 && !s->or_refused)
			fail_msg("%s: program %u: %s", s->name, i, log);
		err = fds[i] < 0 ? fds[i] : 0;
	}
	for (uint32_t slot = 0; slot < ARRAY_SIZE && !err; slot++)
		if (s->slot[slot])
			kernel_set_slot(array, slot, fds[s->slot[slot] - 1]);
	if (!err)
		assert_int_equal(kernel_run(fds[0], packet, PACKET_LEN, out_retval), 0);
	for (uint32_t i = 0; i < PROGS_MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	close(array);
	return err;
}

static void run_here(const struct scenario *s, uint8_t *packet, uint32_t *out_retval)
{
	static struct rig rig;
	struct xl_prog progs[PROGS_MAX];
	struct bpf_insn insns[PROGS_MAX][96];
	struct xl_verdict verdict;
	struct xl_map *array;
	char why[512];

	rig_init(&rig);
	array = rig_map(&rig, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, ARRAY_SIZE, 0);
	for (uint32_t i = 0; i < PROGS_MAX && s->prog[i].n; i++) {
		memcpy(insns[i], s->prog[i].insn, sizeof(insns[i]));
		resolve(insns[i], s->prog[i].n, 0, (uintptr_t)array);
		assert_int_equal(rig_load(&rig, &progs[i], insns[i], s->prog[i].n), 0);
	}
	for (uint32_t slot = 0; slot < ARRAY_SIZE; slot++)
		if (s->slot[slot])
			assert_int_equal(
				xl_map_sys_update(array, &slot, &(uint32_t){ 1 },
						  xl_obj_get(&progs[s->slot[slot] - 1].obj),
						  BPF_ANY),
				0);
	verdict = rig_run(&rig, &progs[0], packet, PACKET_LEN);
	xl_fault_describe(&rig.run.fault, why, sizeof(why));
	if (verdict.faulted)
		fail_msg("%s: %s", s->name, why);
	memcpy(packet, rig.frame.data, PACKET_LEN);
	*out_retval = verdict.retval;
	rig_fini(&rig);
	for (uint32_t i = 0; i < PROGS_MAX && s->prog[i].n; i++)
		rig_unload(&progs[i]);
}

static void check(const struct scenario *s)
{
	uint8_t theirs[PACKET_LEN] = { 0 }, ours[PACKET_LEN] = { 0 };
	uint32_t their_retval = 0, our_retval = 0;

	run_here(s, ours, &our_retval);
	if (run_in_kernel(s, theirs, &their_retval))
		return;
	if (our_retval != their_retval || memcmp(ours, theirs, sizeof(ours)))
		fail_msg("%s: %u here, %u in the kernel; counts %u %u %u and %u %u %u", s->name,
			 our_retval, their_retval, ours[0], ours[1], ours[2], theirs[0], theirs[1],
			 theirs[2]);
}

static void calls_of_all_kinds_go_as_in_the_kernel(void **state)
{
	const struct scenario scenarios[] = {
		{ .name = "a program that calls itself runs 34 times",
		  .prog = { PROG(MOVX(6, 1), COUNT_AT(0), TAIL_CALL_TO(0), MOV(0, 77), EXIT_INSN) },
		  .slot = { 1 } },
		{ .name = "the target's return value counts",
		  .prog = { PROG(MOVX(6, 1), COUNT_AT(0), TAIL_CALL_TO(3), MOV(0, 1), EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(1), MOV(0, 42), EXIT_INSN) },
		  .slot = { [3] = 2 } },
		{ .name = "misses fall through and are not counted",
		  .prog = { PROG(MOVX(6, 1), MOV(7, 40), TAIL_CALL_TO(5), COUNT_AT(0),
				 ALU64_K(BPF_SUB, 7, 1), JMP_K(BPF_JNE, 7, 0, -15), TAIL_CALL_TO(0),
				 MOV(0, 9), EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(1), TAIL_CALL_TO(0), MOV(0, 8), EXIT_INSN) },
		  .slot = { 2 } },
		{ .name = "an index out of range misses",
		  .prog = { PROG(MOVX(6, 1), TAIL_CALL_TO(ARRAY_SIZE), TAIL_CALL_TO(-1), MOV(0, 3),
				 EXIT_INSN) },
		  .slot = { 1, 1, 1, 1, 1, 1, 1, 1 } },
		{ .name = "an index has 32 bits",
		  .prog = { PROG(MOVX(6, 1), MOVX(1, 6), THE_ARRAY, LD_IMM64(3, 0, 0x700000001),
				 TAIL_CALL, MOV(0, 3), EXIT_INSN),
			    PROG(MOV(0, 42), EXIT_INSN) },
		  .slot = { [1] = 2 } },
		{ .name = "a target entered from a function returns to the function's caller",
		  .prog = { PROG(MOVX(6, 1), MOV(7, 100), MOV(8, 1000), CALL_FN(4),
				 ALU64_X(BPF_ADD, 0, 7), ALU64_X(BPF_ADD, 0, 8), GOTO(0), EXIT_INSN,
				 /* function */ MOVX(6, 1), MOV(7, 1), MOV(8, 2), TAIL_CALL_TO(1),
				 MOV(0, 5), EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(1), MOV(7, 3), MOV(8, 4), MOV(0, 42),
				 EXIT_INSN) },
		  .slot = { [1] = 2 } },
		{ .name = "a miss in a function returns to the function",
		  .prog = { PROG(MOVX(6, 1), MOV(7, 100), CALL_FN(2), ALU64_X(BPF_ADD, 0, 7),
				 EXIT_INSN,
				 /* function */ MOVX(6, 1), MOV(7, 1), TAIL_CALL_TO(1), MOV(0, 5),
				 ALU64_X(BPF_ADD, 0, 7), EXIT_INSN) },
		  .slot = { 1 } },
		{ .name = "functions and their program share one count",
		  .prog = { PROG(MOVX(6, 1), COUNT_AT(0), MOVX(1, 6), CALL_FN(9), MOVX(1, 6),
				 CALL_FN(7), TAIL_CALL_TO(0), MOV(0, 6), EXIT_INSN,
				 /* function */ MOVX(6, 1), COUNT_AT(1), TAIL_CALL_TO(0), MOV(0, 5),
				 EXIT_INSN) },
		  .slot = { 1 } },
		{ .name = "programs call each other from functions, three deep",
		  .prog = { PROG(MOVX(6, 1), COUNT_AT(0), MOVX(1, 6), CALL_FN(2),
				 ALU64_K(BPF_ADD, 0, 1), EXIT_INSN,
				 /* function */ MOVX(6, 1), TAIL_CALL_TO(1), MOV(0, 5), EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(1), MOVX(1, 6), CALL_FN(2),
				 ALU64_K(BPF_ADD, 0, 10), EXIT_INSN,
				 /* function */ MOVX(6, 1), TAIL_CALL_TO(2), MOV(0, 6), EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(2), MOVX(1, 6), CALL_FN(2),
				 ALU64_K(BPF_ADD, 0, 100), EXIT_INSN,
				 /* function */ MOVX(6, 1), TAIL_CALL_TO(0), MOV(0, 7),
				 EXIT_INSN) },
		  .slot = { 1, 2, 3 } },
		{ .name = "bpf_loop calls with 0..n-1 and its context",
		  .prog = { PROG(ST(BPF_DW, 10, -8, 0), MOV(1, 10), LD_FUNC(2, 7), MOVX(3, 10),
				 ALU64_K(BPF_ADD, 3, -8), MOV(4, 0), CALL_HELPER(BPF_FUNC_loop),
				 LDX(BPF_DW, 1, 10, -8), EXIT_INSN,
				 /* callback */ LDX(BPF_DW, 3, 2, 0), ALU64_X(BPF_ADD, 3, 1),
				 STX(BPF_DW, 2, 0, 3), MOV(0, 0), EXIT_INSN) } },
		{ .name = "a callback may end bpf_loop",
		  .prog = { PROG(MOV(6, 5), MOV(1, 100), LD_FUNC(2, 6), MOV(3, 0), MOV(4, 0),
				 CALL_HELPER(BPF_FUNC_loop), ALU64_X(BPF_ADD, 0, 6), EXIT_INSN,
				 /* callback */ MOV(6, 9), MOV(0, 0), JMP_K(BPF_JLT, 1, 7, 1),
				 MOV(0, 1), EXIT_INSN) } },
		{ .name = "loops nest",
		  .prog = { PROG(ST(BPF_DW, 10, -8, 0), MOV(1, 5), LD_FUNC(2, 7), MOVX(3, 10),
				 ALU64_K(BPF_ADD, 3, -8), MOV(4, 0), CALL_HELPER(BPF_FUNC_loop),
				 LDX(BPF_DW, 0, 10, -8), EXIT_INSN,
				 /* outer */ MOVX(3, 2), MOV(1, 7), LD_FUNC(2, 5), MOV(4, 0),
				 CALL_HELPER(BPF_FUNC_loop), MOV(0, 0), EXIT_INSN,
				 /* inner */ LDX(BPF_DW, 3, 2, 0), ALU64_K(BPF_ADD, 3, 3),
				 STX(BPF_DW, 2, 0, 3), MOV(0, 0), EXIT_INSN) } },
		{ .name = "a tail call from a callback ends the callback",
		  .prog = { PROG(MOVX(6, 1), STX(BPF_DW, 10, -8, 1), MOV(1, 3), LD_FUNC(2, 7),
				 MOVX(3, 10), ALU64_K(BPF_ADD, 3, -8), MOV(4, 0),
				 CALL_HELPER(BPF_FUNC_loop), ALU64_K(BPF_ADD, 0, 20), EXIT_INSN,
				 /* callback */ LDX(BPF_DW, 6, 2, 0), TAIL_CALL_TO(1), MOV(0, 0),
				 EXIT_INSN),
			    PROG(MOVX(6, 1), COUNT_AT(1), MOV(0, 0), EXIT_INSN) },
		  .slot = { [1] = 2 },
		  .or_refused = true },
	};

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		check(&scenarios[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_all_kinds_go_as_in_the_kernel),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: no kernel BPF here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
