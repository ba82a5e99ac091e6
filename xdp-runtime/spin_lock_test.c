/* Claims about spin locks: they exclude, and no program can use one to stop others for good. */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>

#include "maps/fields.h"
#include "xdp-runtime/interp/interp_test_rig.h"

#include <cmocka.h>

#define LOCK_OFF  8
#define N_ROUNDS  20000
#define N_THREADS 3

/* An array of one value: u64 a; lock; u32; u64 b. */
static struct xl_map *locked_map(struct rig *rig)
{
	struct xl_map *map = rig_map(rig, BPF_MAP_TYPE_ARRAY, 4, 24, 1, 0);

	assert_non_null(map);
	map->field[0] = (struct xl_map_field){ LOCK_OFF, sizeof(struct bpf_spin_lock) };
	map->n_fields = 1;
	map->lock_off = LOCK_OFF;
	return map;
}

/* r6 = the value */
#define FIND(map)                                                                     \
	LD_ADDR(1, map), MOVX(2, 10), ALU64_K(BPF_ADD, 2, -8), ST(BPF_DW, 10, -8, 0), \
		CALL_HELPER(BPF_FUNC_map_lookup_elem), MOVX(6, 0)
#define LOCK	 MOVX(1, 6), ALU64_K(BPF_ADD, 1, LOCK_OFF), CALL_HELPER(BPF_FUNC_spin_lock)
#define UNLOCK	 MOVX(1, 6), ALU64_K(BPF_ADD, 1, LOCK_OFF), CALL_HELPER(BPF_FUNC_spin_unlock)
#define END	 MOV(0, XDP_PASS), EXIT_INSN
#define ADD_1(o) LDX(BPF_DW, 1, 6, o), ALU64_K(BPF_ADD, 1, 1), STX(BPF_DW, 6, o, 1)

/* Runs a program; @says is part of what stops it, NULL: nothing does. */
static void try(struct rig *rig, const struct bpf_insn *insns, uint32_t n, const char *says)
{
	const uint8_t packet[64] = { 0 };
	struct xl_verdict v;
	struct xl_prog prog;
	char text[256];

	assert_int_equal(rig_load(rig, &prog, insns, n), 0);
	v = rig_run(rig, &prog, packet, sizeof(packet));
	assert_int_equal(v.faulted, says != NULL);
	if (says) {
		xl_fault_describe(&rig->run.fault, text, sizeof(text));
		if (!strstr(text, says))
			fail_msg("\"%s\" instead of \"%s\"", text, says);
	}
	assert_null(rig->run.locked);
	rig_unload(&prog);
}
#define TRY(rig, says, ...)                                                 \
	do {                                                                \
		const struct bpf_insn insns_[] = { __VA_ARGS__ };           \
		try(rig, insns_, sizeof(insns_) / sizeof(insns_[0]), says); \
	} while (0)

static void what_the_kernel_refuses_stops_the_program(void **state)
{
	static struct rig rig;
	struct xl_map *map, *plain;
	_Atomic uint32_t *lock;

	rig_init(&rig);
	map = locked_map(&rig);
	plain = rig_map(&rig, BPF_MAP_TYPE_ARRAY, 4, 24, 1, 0);
	lock = xl_map_value_lock(map, map->mem.base);
	TRY(&rig, NULL, FIND(map), LOCK, ADD_1(0), UNLOCK, LOCK, UNLOCK, END);
	TRY(&rig, "held already", FIND(map), LOCK, LOCK, UNLOCK, END);
	assert_int_equal(*lock, 0);
	TRY(&rig, "not held", FIND(map), UNLOCK, END);
	TRY(&rig, NULL, FIND(map), LOCK, END); /* given back at the end */
	assert_int_equal(*lock, 0);
	TRY(&rig, "the bpf_spin_lock of a map value is expected", FIND(map), MOVX(1, 6),
	    CALL_HELPER(BPF_FUNC_spin_lock), END);
	TRY(&rig, "the bpf_spin_lock of a map value is expected", FIND(plain), LOCK, END);
	TRY(&rig, "the bpf_spin_lock of a map value is expected", MOVX(1, 10),
	    ALU64_K(BPF_ADD, 1, -8), CALL_HELPER(BPF_FUNC_spin_lock), END);
	TRY(&rig, "the bpf_spin_lock of a map value is expected", MOV(1, 0),
	    CALL_HELPER(BPF_FUNC_spin_lock), END);
	rig_fini(&rig);
}

static void a_lock_that_never_comes_back_is_not_waited_for_forever(void **state)
{
	static struct rig rig;
	const uint32_t key = 0;
	uint64_t value[3] = { 1, 2, 3 };
	struct xl_map *map;

	rig_init(&rig);
	map = locked_map(&rig);
	*xl_map_value_lock(map, map->mem.base) = 1;
	TRY(&rig, "does not give it back", FIND(map), LOCK, UNLOCK, END);
	assert_int_equal(xl_map_sys_update(map, &key, value, NULL, BPF_F_LOCK), 0);
	assert_int_equal(xl_map_sys_lookup(map, &key, value, BPF_F_LOCK), 0);
	assert_int_equal(value[1], 0);
	assert_int_equal(*xl_map_value_lock(map, map->mem.base), 1);
	rig_fini(&rig);
}

struct worker {
	struct rig *rig;
	const struct bpf_insn *insns;
	uint32_t n;
	pthread_t thread;
};

static void *work(void *arg)
{
	const struct worker *w = arg;
	static _Thread_local struct rig own; /* a run and a frame of this thread's own */
	const uint8_t packet[64] = { 0 };
	struct xl_burst burst = { 1, { &own.frame } };
	struct xl_verdict v;
	struct xl_prog prog;

	xl_run_init(&own.run, &w->rig->rt);
	own.run.clock = xl_run_clock_frame;
	if (rig_load(w->rig, &prog, w->insns, w->n))
		return "load";
	for (int i = 0; i < N_ROUNDS; i++) {
		xl_frame_init(&own.frame, own.buf, sizeof(own.buf), packet, sizeof(packet));
		prog.engine->run(&own.run, &prog, &burst, &v);
		if (v.faulted)
			return "fault";
	}
	rig_unload(&prog);
	return NULL;
}

/* Both counters grow together, so a locked look sees them equal. */
static void what_is_done_with_the_lock_held_is_seen_whole(void **state)
{
	static struct rig rig;
	const uint32_t key = 0;
	struct worker workers[N_THREADS];
	uint64_t value[3];
	struct xl_map *map;

	rig_init(&rig);
	map = locked_map(&rig);
	const struct bpf_insn insns[] = { FIND(map), LOCK, ADD_1(0), ADD_1(16), UNLOCK, END };

	for (int i = 0; i < N_THREADS; i++) {
		workers[i] = (struct worker){ &rig, insns, sizeof(insns) / sizeof(insns[0]), 0 };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(xl_map_sys_lookup(map, &key, value, BPF_F_LOCK), 0);
		assert_int_equal(value[0], value[2]);
	}
	for (int i = 0; i < N_THREADS; i++) {
		void *says;

		pthread_join(workers[i].thread, &says);
		if (says)
			fail_msg("%s", (const char *)says);
	}
	assert_int_equal(xl_map_sys_lookup(map, &key, value, 0), 0);
	assert_int_equal(value[0], N_THREADS * N_ROUNDS);
	assert_int_equal(value[2], N_THREADS * N_ROUNDS);
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_refuses_stops_the_program),
		cmocka_unit_test(a_lock_that_never_comes_back_is_not_waited_for_forever),
		cmocka_unit_test(what_is_done_with_the_lock_held_is_seen_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
