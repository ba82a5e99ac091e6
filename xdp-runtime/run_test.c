/* Claims about the state of a run and the words for a fault. */
#include "xdp-runtime/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

static void a_new_run_has_real_time_and_a_fixed_seed(void **state)
{
	struct xl_runtime rt = { 0 };
	struct xl_run a, b;
	uint64_t before;

	xl_run_init(&a, &rt);
	xl_run_init(&b, &rt);
	assert_ptr_equal(a.rt, &rt);
	assert_int_equal(a.insn_limit, XL_INSN_LIMIT_DEFAULT);
	assert_int_equal(a.fault.kind, XL_FAULT_NONE);
	before = a.clock(&a);
	assert_true(a.clock(&a) >= before);
	for (int i = 0; i < 100; i++)
		assert_int_equal(xl_run_prandom_u32(&a), xl_run_prandom_u32(&b));
	assert_int_not_equal(xl_run_prandom_u32(&a), xl_run_prandom_u32(&a));
}

static void the_frames_clock_is_its_arrival(void **state)
{
	struct xl_frame frame = { .time_ns = 1234567890123 };
	struct xl_runtime rt = { 0 };
	struct xl_run run;

	xl_run_init(&run, &rt);
	run.frame = &frame;
	assert_int_equal(xl_run_clock_frame(&run), 1234567890123);
}

static void a_fault_is_described_within_any_buffer(void **state)
{
	struct bpf_insn insn = { .code = BPF_JMP | BPF_EXIT };
	struct xl_prog prog = { .name = "fifteen_letters", .insns = &insn, .n_insns = 1 };
	struct xl_fault fault = { .kind = XL_FAULT_ACCESS,
				  .prog = &prog,
				  .size = 1,
				  .write = true,
				  .detail = "packet+54: the packet has 54 bytes" };
	const char *whole = "insn 0 of fifteen_letters (exit): write of 1 byte at "
			    "packet+54: the packet has 54 bytes";
	char buf[256];

	for (size_t size = 1; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		xl_fault_describe(&fault, buf, size);
		assert_true(strlen(buf) < size);
		assert_memory_equal(buf, whole, strlen(buf));
		assert_true(size == sizeof(buf) - 1 || buf[size] == 'x');
	}
	assert_string_equal(buf, whole);
	fault = (struct xl_fault){ .kind = XL_FAULT_NONE };
	xl_fault_describe(&fault, buf, sizeof(buf));
	assert_string_equal(buf, "no fault");
	/* An index that is none, after a bug of ours: no read beyond the program. */
	fault = (struct xl_fault){ .kind = XL_FAULT_BAD_INSN, .prog = &prog, .insn = 7 };
	xl_fault_describe(&fault, buf, sizeof(buf));
	assert_string_equal(buf, "insn 7 of fifteen_letters: cannot be executed: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_run_has_real_time_and_a_fixed_seed),
		cmocka_unit_test(the_frames_clock_is_its_arrival),
		cmocka_unit_test(a_fault_is_described_within_any_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
