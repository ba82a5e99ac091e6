/* That nothing is forgotten: each helper which the kernel gives to XDP programs is served here, or
 * there is a reason why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/vlog.h"

#define LOG_SIZE 8192

/* Whether the kernel knows @id and lets XDP programs call it, whatever the arguments. */
static bool kernel_has(int32_t id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = id },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static char log[LOG_SIZE];
	union bpf_attr attr;
	long fd;

	log[0] = '\0';
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 3;
	attr.license = (uintptr_t) "GPL";
	attr.log_level = 1;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = LOG_SIZE;
	fd = xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close((int)fd);
	return fd >= 0 || !(strstr(log, "unknown func") || strstr(log, "invalid func") ||
			    strstr(log, "cannot use helper"));
}

static void each_helper_of_the_kernel_is_served_or_has_a_reason(void **state)
{
	for (int32_t id = 1; xl_helper_name(id); id++) {
		const char *why_not = xl_helper_why_not(id);

		if (kernel_has(id) != (xl_helper_of(id) || !xl_helper_is_foreign(id)))
			fail_msg("%s#%d: %s", xl_helper_name(id), id,
				 kernel_has(id) ? "the kernel has it for XDP programs"
						: "the kernel does not have it for XDP programs");
		assert_true(xl_helper_of(id) || why_not);
	}
}

static void nothing_is_served_that_the_kernel_lacks(void **state)
{
	for (int32_t id = 1; xl_helper_name(id); id++)
		if (xl_helper_of(id) && !kernel_has(id))
			fail_msg("%s#%d: the kernel does not have it for XDP programs",
				 xl_helper_name(id), id);
}

/* By name, and for the reason that docs/helpers.md gives. */
static void what_is_not_served_is_refused_at_load(void **state)
{
	uint32_t n = 0;

	for (int32_t id = 1; xl_helper_name(id); id++) {
		const struct bpf_insn insns[] = {
			{ .code = BPF_JMP | BPF_CALL, .imm = id },
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
			{ .code = BPF_JMP | BPF_EXIT },
		};
		const char *why_not = xl_helper_why_not(id);
		uint32_t *starts = NULL, n_starts;
		struct xl_vlog log;
		int err;

		xl_vlog_init(&log, 1);
		err = xl_insn_check(insns, 3, &log, &starts, &n_starts);
		free(starts);
		assert_int_equal(!err, xl_helper_of(id) != NULL);
		if (err) {
			assert_non_null(why_not);
			if (!strstr(log.last, xl_helper_name(id)) || !strstr(log.last, why_not))
				fail_msg("#%d: \"%s\"", id, log.last);
			n++;
		}
		xl_vlog_fini(&log);
	}
	assert_true(n > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_helper_of_the_kernel_is_served_or_has_a_reason),
		cmocka_unit_test(nothing_is_served_that_the_kernel_lacks),
		cmocka_unit_test(what_is_not_served_is_refused_at_load),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
