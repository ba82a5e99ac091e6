/* The kernel refuses what we refuse, with our words, and writes instructions as we do. */
#include "xdp-runtime/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/insn_test_cases.h"
#include "xdp-runtime/vlog.h"

static char log_buf[1 << 20];

static long load(const struct bpf_insn *insns, uint32_t n, uint32_t log_level)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	attr.log_buf = (uintptr_t)log_buf;
	attr.log_size = sizeof(log_buf);
	attr.log_level = log_level;
	log_buf[0] = '\0';
	fd = xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close((int)fd);
	return fd;
}

static void the_kernel_refuses_what_we_refuse_in_the_same_words(void **state)
{
	char line[256];

	for (size_t i = 0; i < sizeof(bad_progs) / sizeof(bad_progs[0]); i++) {
		if (bad_progs[i].ours_only)
			continue;
		assert_true(load(bad_progs[i].insns, bad_progs[i].n, 1) < 0);
		snprintf(line, sizeof(line), "%s\n", bad_progs[i].words);
		if (!strstr(log_buf, line))
			fail_msg("we say: %skernel says: %s", line, log_buf);
	}
}

/* Finds "\n<insn>: (<code>) " in the log; returns the text after it, ended where the kernel's
 * remarks about registers begin. */
static char *kernel_text(uint32_t insn, uint8_t code)
{
	char head[32], *text, *end;

	snprintf(head, sizeof(head), "\n%u: (%02x) ", insn, code);
	text = strstr(log_buf, head);
	if (!text)
		return NULL;
	text += strlen(head);
	end = text + strcspn(text, ";\n");
	while (end > text && end[-1] == ' ')
		end--;
	*end = '\0';
	return text;
}

static void instructions_read_as_in_the_kernels_log(void **state)
{
	char ours[128], *theirs;

	for (uint32_t i = 0; i < N_ALL_FORMS; i++) {
		assert_true(load(all_forms, N_ALL_FORMS, 2) >= 0);
		theirs = kernel_text(i, all_forms[i].code);
		xl_insn_text(&all_forms[i], ours, sizeof(ours));
		if (!theirs)
			fail_msg("insn %u (%s) is not in the log", i, ours);
		assert_string_equal(ours, theirs);
		i += (uint32_t)xl_insn_is_ld_imm64(&all_forms[i]);
	}
}

/* Every program that differs from a good one in a single bit. */
static void we_refuse_nothing_that_the_kernel_takes(void **state)
{
	struct bpf_insn insns[N_ALL_FORMS];
	uint32_t *starts, n_starts, n_taken = 0;
	struct xl_vlog log;

	for (uint32_t bit = 0; bit < N_ALL_FORMS * 64; bit++) {
		uint8_t byte;

		memcpy(insns, all_forms, sizeof(insns));
		memcpy(&byte, (uint8_t *)insns + bit / 8, 1);
		byte ^= (uint8_t)(1 << bit % 8);
		memcpy((uint8_t *)insns + bit / 8, &byte, 1);
		xl_vlog_init(&log, 1);
		if (!xl_insn_check(insns, N_ALL_FORMS, &log, &starts, &n_starts)) {
			free(starts);
			n_taken++;
		} else if (load(insns, N_ALL_FORMS, 0) >= 0) {
			fail_msg("insn %u, bit %u: we say %s", bit / 64, bit % 64, log.last);
		}
		xl_vlog_fini(&log);
	}
	assert_true(n_taken > N_ALL_FORMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_refuses_what_we_refuse_in_the_same_words),
		cmocka_unit_test(we_refuse_nothing_that_the_kernel_takes),
		cmocka_unit_test(instructions_read_as_in_the_kernels_log),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: no kernel BPF here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
