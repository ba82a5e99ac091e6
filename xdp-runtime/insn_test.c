/* Claims about the text and the form of instructions. insn_kernel_test.c asks the kernel. */
#include "xdp-runtime/insn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "xdp-runtime/insn_test_cases.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/vlog.h"

static int check(const struct bpf_insn *insns, uint32_t n, struct xl_vlog *log)
{
	uint32_t *starts = NULL, n_starts;
	int err = xl_insn_check(insns, n, log, &starts, &n_starts);

	free(starts);
	return err;
}

static void malformed_programs_are_refused_with_a_reason(void **state)
{
	for (size_t i = 0; i < sizeof(bad_progs) / sizeof(bad_progs[0]); i++) {
		struct xl_vlog log;

		xl_vlog_init(&log, 1);
		assert_int_equal(check(bad_progs[i].insns, bad_progs[i].n, &log), -EINVAL);
		assert_string_equal(log.last, bad_progs[i].words);
		xl_vlog_fini(&log);
		assert_int_equal(check(bad_progs[i].insns, bad_progs[i].n, NULL), -EINVAL);
	}
}

static void all_instructions_pass_and_functions_are_found(void **state)
{
	uint32_t *starts, n_starts;

	assert_int_equal(xl_insn_check(all_forms, N_ALL_FORMS, NULL, &starts, &n_starts), 0);
	assert_int_equal(n_starts, 2);
	assert_int_equal(starts[0], 0);
	assert_int_equal(starts[1], N_ALL_FORMS - 2);
	free(starts);
}

static void sizes_and_numbers_of_functions_are_bounded(void **state)
{
	struct bpf_insn *insns = calloc(4 * XL_SUBPROGS_MAX, sizeof(*insns));
	const struct bpf_insn exit = EXIT, mov0 = MOV0;
	uint32_t n = 0;

	assert_int_equal(check(insns, 0, NULL), -E2BIG);
	/* One call for each further function, then the functions. */
	for (uint32_t n_more = XL_SUBPROGS_MAX - 1; n_more <= XL_SUBPROGS_MAX; n_more++) {
		n = 0;
		for (uint32_t i = 0; i < n_more; i++) {
			const int32_t target = (int32_t)(n_more + 1 + 2 * i);
			const struct bpf_insn call = CALL(target - (int32_t)n - 1);

			insns[n++] = call;
		}
		insns[n++] = exit;
		for (uint32_t i = 0; i < n_more; i++) {
			insns[n++] = mov0;
			insns[n++] = exit;
		}
		assert_int_equal(check(insns, n, NULL), n_more < XL_SUBPROGS_MAX ? 0 : -E2BIG);
	}
	free(insns);
}

static void pointers_to_functions_and_maps_have_names(void **state)
{
	static const struct {
		struct bpf_insn insn[2];
		const char *text;
	} cases[] = {
		{ { LD64(1, BPF_PSEUDO_MAP_FD, 7, 0) }, "r1 = map[id:7]" },
		{ { LD64(2, BPF_PSEUDO_MAP_VALUE, 7, 16) }, "r2 = map[id:7][0]+16" },
		{ { LD64(3, BPF_PSEUDO_FUNC, 5, 0) }, "r3 = subprog[+5]" },
		{ { I(0x85, 0, 0, 0, 51) }, "call bpf_redirect_map#51" },
		{ { I(0x85, 0, 0, 0, 9999) }, "call unknown#9999" },
		{ { I(0x61, 1, 2, 40, 0) }, "r1 = *(u32 *)(r2 +40)" },
		{ { I(0xd3, 0, 2, 40, BPF_LOAD_ACQ) }, "r0 = load_acquire((u8 *)(r2 +40))" },
		{ { I(0xdb, 2, 0, -8, BPF_STORE_REL) }, "store_release((u64 *)(r2 -8), r0)" },
		{ { I(0x20, 0, 0, 0, 12) }, "r0 = *(u32 *)skb[12]" },
	};
	char text[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xl_insn_text(cases[i].insn, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void any_bytes_have_a_text(void **state)
{
	char text[128];

	for (uint32_t code = 0; code < 256; code++)
		for (int32_t imm = -1; imm < 0x200; imm++) {
			const struct bpf_insn insns[2] = { I(code, 15, 15, -1, imm) };

			text[0] = '\0';
			xl_insn_text(insns, text, sizeof(text));
			assert_true(text[0]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_programs_are_refused_with_a_reason),
		cmocka_unit_test(all_instructions_pass_and_functions_are_found),
		cmocka_unit_test(sizes_and_numbers_of_functions_are_bounded),
		cmocka_unit_test(pointers_to_functions_and_maps_have_names),
		cmocka_unit_test(any_bytes_have_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
