/* Claims about what a program may not do: it is stopped, and one line says why. */
#include <setjmp.h>
#include <stdio.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/helpers/kfuncs.h"

#include <cmocka.h>

#define CTX(field)	 ((int)offsetof(struct xdp_md, field))
#define PACKET_LEN	 64
#define INSN_LIMIT	 100000
#define STACK_AT(r, off) MOVX(r, 10), ALU64_K(BPF_ADD, r, off)

/* Maps of every kind that a case wants, made new for each. */
struct maps {
	struct xl_map *array, *rdonly, *wronly, *hash, *progs, *devmap, *queue;
};

static void make_maps(struct rig *rig, struct maps *m)
{
	m->array = rig_map(rig, BPF_MAP_TYPE_ARRAY, 4, 12, 4, 0);
	m->rdonly = rig_map(rig, BPF_MAP_TYPE_ARRAY, 4, 12, 1, BPF_F_RDONLY_PROG);
	m->wronly = rig_map(rig, BPF_MAP_TYPE_ARRAY, 4, 12, 1, BPF_F_WRONLY_PROG);
	m->hash = rig_map(rig, BPF_MAP_TYPE_HASH, 8, 16, 4, 0);
	m->progs = rig_map(rig, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	m->devmap = rig_map(rig, BPF_MAP_TYPE_DEVMAP, 4, 4, 4, 0);
	m->queue = rig_map(rig, BPF_MAP_TYPE_QUEUE, 0, 12, 4, 0);
	strcpy(m->array->name, "counters");
	strcpy(m->rdonly->name, ".rodata");
	assert_non_null(m->queue);
}

/* Runs @insn and returns the verdict; the program is the caller's to unload. */
static struct xl_verdict run(struct rig *rig, struct xl_prog *prog, const struct bpf_insn *insn,
			     uint32_t n)
{
	static const uint8_t packet[PACKET_LEN];

	rig->run.insn_limit = INSN_LIMIT;
	assert_int_equal(rig_load(rig, prog, insn, n), 0);
	return rig_run(rig, prog, packet, sizeof(packet));
}

static void expect(struct rig *rig, const struct bpf_insn *insn, uint32_t n,
		   enum xl_fault_kind kind, const char *words)
{
	struct xl_verdict verdict;
	struct xl_prog prog;
	char why[512];

	verdict = run(rig, &prog, insn, n);
	xl_fault_describe(&rig->run.fault, why, sizeof(why));
	assert_string_equal(why, words);
	assert_int_equal(rig->run.fault.kind, kind);
	assert_int_equal(verdict.faulted, 1);
	assert_int_equal(verdict.action, XDP_ABORTED);
	assert_null(rig->run.engine_state);
	rig_unload(&prog);
}

/* The instructions come last, since they use the maps. */
#define EXPECT(kind, words, ...)                                                               \
	do {                                                                                   \
		const struct bpf_insn insns[] = { __VA_ARGS__ };                               \
                                                                                               \
		expect(&rig, insns, sizeof(insns) / sizeof(insns[0]), XL_FAULT_##kind, words); \
	} while (0)

static struct rig rig;
static struct maps m;

static int setup(void **state)
{
	rig_init(&rig);
	make_maps(&rig, &m);
	return 0;
}

static int teardown(void **state)
{
	rig_fini(&rig);
	return 0;
}

static void null_and_wild_pointers_are_named(void **state)
{
	EXPECT(ACCESS, "insn 1 of test (r0 = *(u64 *)(r2 +0)): read of 8 bytes at NULL", MOV(2, 0),
	       LDX(BPF_DW, 0, 2, 0), EXIT_INSN);
	EXPECT(ACCESS, "insn 1 of test (*(u8 *)(r2 +9) = 1): write of 1 byte at NULL+9", MOV(2, 0),
	       ST(BPF_B, 2, 9, 1), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 2 of test (r0 = *(u8 *)(r2 +1)): read of 1 byte at 0xdead0000beef0001: "
	       "no packet, stack or map value is there",
	       LD_IMM64(2, 0, 0xdead0000beef0000), LDX(BPF_B, 0, 2, 1), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 2 of test (r0 = *(u8 *)(r2 +0)): read of 1 byte at "
	       "the address of a function, which is not memory",
	       LD_FUNC(2, 3), LDX(BPF_B, 0, 2, 0), EXIT_INSN, GOTO(0), EXIT_INSN);
}

static void the_packet_ends_where_it_ends(void **state)
{
	EXPECT(ACCESS,
	       "insn 1 of test (r0 = *(u64 *)(r2 +57)): read of 8 bytes at packet+57: "
	       "the packet has 64 bytes",
	       LDX(BPF_W, 2, 1, CTX(data)), LDX(BPF_DW, 0, 2, 57), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 1 of test (*(u32 *)(r2 -4) = 1): write of 4 bytes at packet-4: "
	       "there are 0 bytes of metadata before it",
	       LDX(BPF_W, 2, 1, CTX(data)), ST(BPF_W, 2, -4, 1), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 1 of test (r0 = *(u8 *)(r2 +0)): read of 1 byte at packet+64: "
	       "the packet has 64 bytes",
	       LDX(BPF_W, 2, 1, CTX(data_end)), LDX(BPF_B, 0, 2, 0), EXIT_INSN);
	/* What a helper cut off is gone. */
	EXPECT(ACCESS,
	       "insn 4 of test (r0 = *(u8 *)(r6 +63)): read of 1 byte at packet+63: "
	       "the packet has 60 bytes",
	       LDX(BPF_W, 6, 1, CTX(data)), MOV(2, -4), CALL_HELPER(BPF_FUNC_xdp_adjust_tail),
	       LDX(BPF_B, 0, 6, 59), LDX(BPF_B, 0, 6, 63), EXIT_INSN);
}

static void a_stack_has_512_bytes_and_lives_as_long_as_its_function(void **state)
{
	EXPECT(ACCESS,
	       "insn 0 of test (*(u64 *)(r10 -4) = 1): write of 8 bytes at stack r10-4 of "
	       "function 0: it has 512 bytes",
	       ST(BPF_DW, 10, -4, 1), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = *(u8 *)(r10 +0)): read of 1 byte at stack r10+0 of "
	       "function 0: it has 512 bytes",
	       LDX(BPF_B, 0, 10, 0), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 2 of test (r0 = *(u8 *)(r10 -513)): read of 1 byte at stack r10-513 of "
	       "function 1: it has 512 bytes",
	       CALL_FN(1), EXIT_INSN, LDX(BPF_B, 0, 10, -513), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 1 of test (r0 = *(u8 *)(r0 -8)): read of 1 byte at stack r10-8 of a "
	       "function that has returned",
	       CALL_FN(2), LDX(BPF_B, 0, 0, -8), EXIT_INSN, MOVX(0, 10), EXIT_INSN);
}

static void the_context_has_only_its_fields(void **state)
{
#define CTX_WORDS ": only whole fields of struct xdp_md can be read there"
	EXPECT(ACCESS,
	       "insn 0 of test (*(u32 *)(r1 +0) = 0): write of 4 bytes at context+0" CTX_WORDS,
	       ST(BPF_W, 1, 0, 0), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = *(u64 *)(r1 +0)): read of 8 bytes at context+0" CTX_WORDS,
	       LDX(BPF_DW, 0, 1, 0), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = *(u32 *)(r1 +2)): read of 4 bytes at context+2" CTX_WORDS,
	       LDX(BPF_W, 0, 1, 2), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = *(s32 *)(r1 +4)): read of 4 bytes at context+4" CTX_WORDS,
	       LDSX(BPF_W, 0, 1, CTX(data_end)), EXIT_INSN);
	/* Only programs in a devmap have this one. */
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = *(u32 *)(r1 +20)): read of 4 bytes at context+20" CTX_WORDS,
	       LDX(BPF_W, 0, 1, CTX(egress_ifindex)), EXIT_INSN);
}

static void a_map_value_has_its_size_and_flags(void **state)
{
	const uint32_t key = 0;
	const uintptr_t counters = (uintptr_t)xl_map_lookup(m.array, &key);
	const uintptr_t rodata = (uintptr_t)xl_map_lookup(m.rdonly, &key);
	struct xl_region wronly;

	assert_int_equal(xl_map_regions(m.wronly, &wronly), 1);
	/* 12 bytes, although the next value starts at 16. */
	EXPECT(ACCESS,
	       "insn 2 of test (r0 = *(u64 *)(r2 +8)): read of 8 bytes at "
	       "map counters, value+8: a value has 12 bytes",
	       LD_ADDR(2, counters), LDX(BPF_DW, 0, 2, 8), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 3 of test (*(u8 *)(r2 +12) = 1): write of 1 byte at "
	       "map counters, value+12: a value has 12 bytes",
	       LD_ADDR(2, counters), ST(BPF_B, 2, 0, 1), ST(BPF_B, 2, 12, 1), EXIT_INSN);
	EXPECT(RDONLY,
	       "insn 3 of test (*(u32 *)(r2 +0) = 1): write of 4 bytes at "
	       "map .rodata, value+0: a value has 12 bytes and is read-only",
	       LD_ADDR(2, rodata), LDX(BPF_W, 0, 2, 0), ST(BPF_W, 2, 0, 1), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 3 of test (r0 = *(u32 *)(r2 +0)): read of 4 bytes at "
	       "map m, value+0: a value has 12 bytes and is write-only",
	       LD_ADDR(2, wronly.base), ST(BPF_W, 2, 0, 1), LDX(BPF_W, 0, 2, 0), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 2 of test (r0 = *(u32 *)(r2 +8)): read of 4 bytes at "
	       "map pointer of counters itself, which is not memory",
	       LD_ADDR(2, m.array), LDX(BPF_W, 0, 2, 8), EXIT_INSN);
}

static void atomics_are_aligned_and_checked(void **state)
{
	EXPECT(ACCESS,
	       "insn 1 of test (lock *(u64 *)(r10 -12) += r2): write of 8 bytes at "
	       "an address that is not a multiple of 8",
	       MOV(2, 1), ATOMIC(BPF_DW, BPF_ADD, 10, -12, 2), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 1 of test (r2 = atomic_xchg((u32 *)(r10 +0), r2)): write of 4 bytes at "
	       "stack r10+0 of function 0: it has 512 bytes",
	       MOV(2, 1), ATOMIC(BPF_W, BPF_XCHG, 10, 0, 2), EXIT_INSN);
	EXPECT(ACCESS,
	       "insn 0 of test (r0 = load_acquire((u32 *)(r1 +0))): read of 4 bytes at "
	       "context+0" CTX_WORDS,
	       INSN(BPF_STX | BPF_ATOMIC | BPF_W, 0, 1, 0, BPF_LOAD_ACQ), EXIT_INSN);
}

static void helpers_get_only_what_their_row_asks_for(void **state)
{
	const uint32_t key = 0;
	const uintptr_t counters = (uintptr_t)xl_map_lookup(m.array, &key);
	const uintptr_t rodata = (uintptr_t)xl_map_lookup(m.rdonly, &key);

	EXPECT(HELPER_ARG,
	       "insn 3 of test (call bpf_map_lookup_elem#1): argument 1 of "
	       "bpf_map_lookup_elem: a map is expected, not NULL",
	       MOV(1, 0), STACK_AT(2, -4), CALL_HELPER(BPF_FUNC_map_lookup_elem), EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_map_lookup_elem#1): argument 1 of bpf_map_lookup_elem: a "
	       "map is expected, not map counters, value+0: a value has 12 bytes",
	       LD_ADDR(1, counters), STACK_AT(2, -4), CALL_HELPER(BPF_FUNC_map_lookup_elem),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_map_lookup_elem#1): argument 2 of bpf_map_lookup_elem: "
	       "8 bytes at stack r10-4 of function 0: it has 512 bytes",
	       LD_ADDR(1, m.hash), STACK_AT(2, -4), CALL_HELPER(BPF_FUNC_map_lookup_elem),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 6 of test (call bpf_map_update_elem#2): argument 3 of bpf_map_update_elem: "
	       "12 bytes at NULL",
	       LD_ADDR(1, m.array), STACK_AT(2, -4), MOV(3, 0), MOV(4, 0),
	       CALL_HELPER(BPF_FUNC_map_update_elem), EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 3 of test (call bpf_xdp_adjust_head#44): argument 1 of bpf_xdp_adjust_head: "
	       "the context is expected, not context+4" CTX_WORDS,
	       ALU64_K(BPF_ADD, 1, 4), MOV(2, 0), GOTO(0), CALL_HELPER(BPF_FUNC_xdp_adjust_head),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_xdp_load_bytes#189): argument 4 of bpf_xdp_load_bytes: "
	       "a size of 0",
	       MOV(2, 0), STACK_AT(3, -8), MOV(4, 0), CALL_HELPER(BPF_FUNC_xdp_load_bytes),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_xdp_load_bytes#189): argument 4 of bpf_xdp_load_bytes: "
	       "a size of -1",
	       MOV(2, 0), STACK_AT(3, -8), MOV(4, -1), CALL_HELPER(BPF_FUNC_xdp_load_bytes),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_xdp_load_bytes#189): argument 3 of bpf_xdp_load_bytes: "
	       "16 bytes at stack r10-8 of function 0: it has 512 bytes",
	       MOV(2, 0), STACK_AT(3, -8), MOV(4, 16), CALL_HELPER(BPF_FUNC_xdp_load_bytes),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_xdp_load_bytes#189): argument 3 of bpf_xdp_load_bytes: "
	       "4 bytes at map .rodata, value+0: a value has 12 bytes and is read-only",
	       MOV(2, 0), LD_ADDR(3, rodata), MOV(4, 4), CALL_HELPER(BPF_FUNC_xdp_load_bytes),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 5 of test (call bpf_csum_diff#28): argument 1 of bpf_csum_diff: "
	       "4 bytes at NULL",
	       MOV(1, 0), MOV(2, 4), MOV(3, 0), MOV(4, 0), MOV(5, 0),
	       CALL_HELPER(BPF_FUNC_csum_diff), EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 5 of test (call bpf_loop#181): argument 2 of bpf_loop: "
	       "a function of the program is expected",
	       MOV(1, 1), LD_IMM64(2, 0, 1), MOV(3, 0), MOV(4, 0), CALL_HELPER(BPF_FUNC_loop),
	       EXIT_INSN);
}

static void a_map_goes_only_into_helpers_for_its_type(void **state)
{
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_map_lookup_elem#1): cannot pass map_type 3 into func "
	       "bpf_map_lookup_elem#1: m",
	       LD_ADDR(1, m.progs), STACK_AT(2, -4), CALL_HELPER(BPF_FUNC_map_lookup_elem),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_redirect_map#51): cannot pass map_type 2 into func "
	       "bpf_redirect_map#51: counters",
	       LD_ADDR(1, m.array), MOV(2, 0), MOV(3, 0), CALL_HELPER(BPF_FUNC_redirect_map),
	       EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 3 of test (call bpf_tail_call#12): cannot pass map_type 2 into func "
	       "bpf_tail_call#12: counters",
	       LD_ADDR(2, m.array), MOV(3, 0), CALL_HELPER(BPF_FUNC_tail_call), EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 6 of test (call bpf_map_update_elem#2): cannot pass map_type 14 into func "
	       "bpf_map_update_elem#2: m",
	       LD_ADDR(1, m.devmap), STACK_AT(2, -4), MOVX(3, 2), MOV(4, 0),
	       CALL_HELPER(BPF_FUNC_map_update_elem), EXIT_INSN);
	EXPECT(HELPER_ARG,
	       "insn 4 of test (call bpf_map_pop_elem#88): cannot pass map_type 1 into func "
	       "bpf_map_pop_elem#88: m",
	       LD_ADDR(1, m.hash), STACK_AT(2, -16), CALL_HELPER(BPF_FUNC_map_pop_elem), EXIT_INSN);
}

#define LIMIT_WORDS ": ran too long: 100000 instructions for one packet"

static void loops_without_end_are_stopped(void **state)
{
	EXPECT(INSN_LIMIT, "insn 0 of test (if r1 == 0x0 goto pc+1)" LIMIT_WORDS,
	       JMP_K(BPF_JEQ, 1, 0, 1), GOTO(-2), EXIT_INSN);
	assert_int_equal(rig.run.n_insns, INSN_LIMIT);
	/* 8 million rounds of a callback: the callback's instructions count. */
	EXPECT(INSN_LIMIT, "insn 9 of test (exit)" LIMIT_WORDS, MOV(1, 1 << 23), LD_FUNC(2, 5),
	       MOV(3, 0), MOV(4, 0), CALL_HELPER(BPF_FUNC_loop), EXIT_INSN, GOTO(0), MOV(0, 0),
	       EXIT_INSN);
	assert_int_equal(rig.run.n_insns, INSN_LIMIT);
}

static void calls_are_eight_deep_with_callbacks(void **state)
{
	EXPECT(CALL_DEPTH,
	       "insn 0 of test (call pc-1): calls too deep: the call stack of 9 frames is too deep",
	       CALL_FN(-1), EXIT_INSN);
	EXPECT(CALL_DEPTH,
	       "insn 5 of test (call bpf_loop#181): calls too deep: "
	       "the call stack of 9 frames is too deep",
	       MOV(1, 1), LD_FUNC(2, -2), MOV(3, 0), MOV(4, 0), CALL_HELPER(BPF_FUNC_loop),
	       EXIT_INSN);
}

static void keys_that_a_helper_lends_are_readable_until_it_returns(void **state)
{
	const uint64_t key = 0x55;
	const uint64_t value[2] = { 1, 2 };
	/* r0 = the key that the callback saw; the callback stores its address in r4's place */
	const struct bpf_insn good[] = {
		ST(BPF_DW, 10, -8, 0),	LD_ADDR(1, m.hash), LD_FUNC(2, 7),
		STACK_AT(3, -8),	MOV(4, 0),	    CALL_HELPER(BPF_FUNC_for_each_map_elem),
		LDX(BPF_DW, 0, 10, -8), EXIT_INSN,	    LDX(BPF_DW, 5, 2, 0),
		STX(BPF_DW, 4, 0, 5),	MOV(0, 0),	    EXIT_INSN,
	};
	struct xl_prog prog;

	assert_int_equal(xl_map_update(m.hash, &key, value, BPF_ANY), 0);
	assert_int_equal(run(&rig, &prog, good, sizeof(good) / sizeof(good[0])).retval, 0x55);
	rig_unload(&prog);
	EXPECT(RDONLY,
	       "insn 10 of test (*(u64 *)(r2 +0) = 1): write of 8 bytes at key+0: "
	       "it has 8 bytes and is read-only",
	       ST(BPF_DW, 10, -8, 0), LD_ADDR(1, m.hash), LD_FUNC(2, 6), STACK_AT(3, -8), MOV(4, 0),
	       CALL_HELPER(BPF_FUNC_for_each_map_elem), EXIT_INSN, ST(BPF_DW, 2, 0, 1), MOV(0, 0),
	       EXIT_INSN);
	assert_null(rig.run.lent);
}

static void what_a_program_writes_over_a_dynptr_is_not_believed(void **state)
{
	const int32_t from_xdp = xl_kfunc_number("bpf_dynptr_from_xdp");
	const int32_t slice = xl_kfunc_number("bpf_dynptr_slice_rdwr");
	struct xl_region counters;
	char words[256];

	assert_int_equal(xl_map_regions(m.array, &counters), 1);
	snprintf(words, sizeof(words),
		 "insn 10 of test (call bpf_dynptr_slice_rdwr#%d): argument 1 of "
		 "bpf_dynptr_slice_rdwr: what lies there is no dynptr, or its memory is gone",
		 slice);
	/* Another address in one of the packet. */
	EXPECT(HELPER_ARG, words, MOV(2, 0), STACK_AT(3, -16), CALL_HELPER(from_xdp),
	       ST(BPF_DW, 10, -16, 0x1000), STACK_AT(1, -16), MOV(2, 0), MOV(3, 0), MOV(4, 8),
	       CALL_HELPER(slice), EXIT_INSN);
	/* More than a value holds in one of a value. */
	snprintf(words, sizeof(words),
		 "insn 11 of test (call bpf_dynptr_data#203): argument 1 of bpf_dynptr_data: what "
		 "lies there is no dynptr, or its memory is gone");
	EXPECT(HELPER_ARG, words, LD_ADDR(1, counters.base), MOV(2, 12), MOV(3, 0),
	       STACK_AT(4, -16), CALL_HELPER(BPF_FUNC_dynptr_from_mem), ST(BPF_B, 10, -8, 13),
	       STACK_AT(1, -16), MOV(2, 12), CALL_HELPER(BPF_FUNC_dynptr_data), EXIT_INSN);
}

static void dynptrs_and_iterators_lie_on_the_stack(void **state)
{
	const int32_t new = xl_kfunc_number("bpf_iter_num_new");
	struct xl_region counters;
	char words[256];

	assert_int_equal(xl_map_regions(m.array, &counters), 1);
	snprintf(words, sizeof(words),
		 "insn 4 of test (call bpf_iter_num_new#%d): argument 1 of bpf_iter_num_new: an "
		 "aligned place on the stack is expected",
		 new);
	EXPECT(HELPER_ARG, words, LD_ADDR(1, counters.base), MOV(2, 0), MOV(3, 9), CALL_HELPER(new),
	       EXIT_INSN);
	EXPECT(HELPER_ARG, words, STACK_AT(1, -12), MOV(2, 0), MOV(3, 9), CALL_HELPER(new),
	       EXIT_INSN);
}

static void a_tail_call_into_a_refused_program_says_why(void **state)
{
	const struct bpf_insn nothing[] = { MOV(0, 2), EXIT_INSN };
	char reason[] = "unknown func bpf_sk_lookup_tcp#84";
	const uint32_t key = 1;
	static struct xl_prog target; /* the map outlives this function */

	assert_int_equal(rig_load(&rig, &target, nothing, 2), 0);
	target.refused = reason;
	assert_int_equal(xl_map_sys_update(m.progs, &key, &key, xl_obj_get(&target.obj), BPF_ANY),
			 0);
	EXPECT(HELPER_ARG,
	       "insn 3 of test (call bpf_tail_call#12): argument 3 of bpf_tail_call: the program "
	       "there cannot run: unknown func bpf_sk_lookup_tcp#84",
	       LD_ADDR(2, m.progs), MOV(3, 1), CALL_HELPER(BPF_FUNC_tail_call), EXIT_INSN);
	rig_unload(&target);
}

static void an_unchecked_opcode_stops_the_program(void **state)
{
	struct bpf_insn insns[] = { MOV(0, 2), EXIT_INSN };
	static const uint8_t packet[PACKET_LEN];
	struct xl_prog prog;
	char why[512];

	assert_int_equal(rig_load(&rig, &prog, insns, 2), 0);
	insns[0].code = 0xff;
	assert_int_equal(rig_run(&rig, &prog, packet, sizeof(packet)).action, XDP_ABORTED);
	assert_int_equal(rig.run.fault.kind, XL_FAULT_BAD_INSN);
	xl_fault_describe(&rig.run.fault, why, sizeof(why));
	assert_string_equal(why,
			    "insn 0 of test (unknown opcode ff): cannot be executed: opcode ff");
	rig_unload(&prog);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(null_and_wild_pointers_are_named),
		TEST(the_packet_ends_where_it_ends),
		TEST(a_stack_has_512_bytes_and_lives_as_long_as_its_function),
		TEST(the_context_has_only_its_fields),
		TEST(a_map_value_has_its_size_and_flags),
		TEST(atomics_are_aligned_and_checked),
		TEST(helpers_get_only_what_their_row_asks_for),
		TEST(a_map_goes_only_into_helpers_for_its_type),
		TEST(loops_without_end_are_stopped),
		TEST(calls_are_eight_deep_with_callbacks),
		TEST(keys_that_a_helper_lends_are_readable_until_it_returns),
		TEST(what_a_program_writes_over_a_dynptr_is_not_believed),
		TEST(dynptrs_and_iterators_lie_on_the_stack),
		TEST(a_tail_call_into_a_refused_program_says_why),
		TEST(an_unchecked_opcode_stops_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
