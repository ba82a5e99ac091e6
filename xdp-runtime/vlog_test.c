/* Claims about the log of a program load. */
#include "xdp-runtime/vlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void the_log_grows_and_remembers_its_last_whole_line(void **state)
{
	struct xl_vlog log;

	xl_vlog(NULL, "nobody listens to %d\n", 1);
	xl_vlog_init(&log, 1);
	assert_null(log.buf);
	xl_vlog(&log, "first ");
	assert_string_equal(log.last, "");
	xl_vlog(&log, "line\nsecond");
	assert_string_equal(log.last, "first line");
	for (int i = 0; i < 1000; i++)
		xl_vlog(&log, " and %d", i);
	xl_vlog(&log, "\n%s\n", "last");
	assert_string_equal(log.last, "last");
	assert_int_equal(log.len, strlen(log.buf));
	assert_memory_equal(log.buf, "first line\nsecond and 0 and 1", 28);
	xl_vlog_fini(&log);
	assert_null(log.buf);
}

static void a_log_without_end_is_cut_and_harmless(void **state)
{
	static char megabyte[1 << 20];
	struct xl_vlog log;

	memset(megabyte, 'x', sizeof(megabyte) - 2);
	megabyte[sizeof(megabyte) - 2] = '\n';
	xl_vlog_init(&log, 2);
	for (int i = 0; i < 40; i++)
		xl_vlog(&log, "%s", megabyte);
	assert_true(log.len <= 16 << 20);
	assert_int_equal(strlen(log.last), sizeof(log.last) - 1);
	xl_vlog_fini(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_grows_and_remembers_its_last_whole_line),
		cmocka_unit_test(a_log_without_end_is_cut_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
