/* Claims about writing JSON. */
#include "cli/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void commas_and_names_are_where_json_wants_them(void **state)
{
	struct xl_json j;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	xl_json_init(&j, out);
	xl_json_begin_object(&j, NULL);
	xl_json_u64(&j, "a", UINT64_MAX);
	xl_json_begin_array(&j, "b");
	xl_json_i64(&j, NULL, -1);
	xl_json_begin_object(&j, NULL);
	xl_json_end_object(&j);
	xl_json_begin_array(&j, NULL);
	xl_json_end_array(&j);
	xl_json_null(&j, NULL);
	xl_json_end_array(&j);
	xl_json_bool(&j, "c", true);
	xl_json_raw(&j, "ts", "%d.%09d", 1, 2);
	xl_json_end_object(&j);
	xl_json_newline(&j);
	xl_json_begin_object(&j, NULL);
	xl_json_end_object(&j);
	fclose(out);
	assert_string_equal(text, "{\"a\":18446744073709551615,\"b\":[-1,{},[],null],\"c\":true,"
				  "\"ts\":1.000000002}\n{}");
	free(text);
}

static void strings_are_valid_whatever_they_hold(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "q\"b\\n\n\t\r\b\f", "\"q\\\"b\\\\n\\n\\t\\r\\b\\f\"" },
		{ "\x01\x7f", "\"\\u0001\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ "\xff\xc3", "\"\\u00ff\\u00c3\"" },
		{ "\xc0\xaf\xed\xa0\x80", "\"\\u00c0\\u00af\\u00ed\\u00a0\\u0080\"" },
		{ "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xl_json j;
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		xl_json_init(&j, out);
		xl_json_str(&j, NULL, rows[i].in);
		fclose(out);
		assert_string_equal(text, rows[i].out);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_names_are_where_json_wants_them),
		cmocka_unit_test(strings_are_valid_whatever_they_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
