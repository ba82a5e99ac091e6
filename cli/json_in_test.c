/* Claims about reading JSON. */
#include "cli/json_in.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static json_t *load(const char *text)
{
	struct xl_err e = { 0 };
	json_t *json;

	if (xl_json_load_text(text, strlen(text), "in.json", &json, &e))
		fail_msg("%s", e.text);
	return json;
}

static void integers_that_are_too_long_come_as_text(void **state)
{
	json_t *json = load("[18446744073709551615, -9223372036854775808, 999999999999999999, "
			    "\"18446744073709551615\", 1.5]");

	assert_string_equal(json_string_value(json_array_get(json, 0)), "18446744073709551615");
	assert_string_equal(json_string_value(json_array_get(json, 1)), "-9223372036854775808");
	assert_int_equal(json_integer_value(json_array_get(json, 2)), 999999999999999999);
	assert_string_equal(json_string_value(json_array_get(json, 3)), "18446744073709551615");
	assert_true(json_is_real(json_array_get(json, 4)));
	json_decref(json);
}

static void each_anonymous_member_is_kept(void **state)
{
	json_t *json = load("{\"\":{\"a\":1}, \"\" : {\"b\":\"\"}}");
	const char *name;
	json_t *value;
	int n = 0;

	json_object_foreach(json, name, value)
	{
		assert_true(xl_json_is_anonymous(name));
		n++;
	}
	assert_int_equal(n, 2);
	json_decref(json);
}

static void what_is_no_json_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[1,\n2,,]",
		"\"",
		"\"\\",
		"[\"a\\\"]",
		"{\"a\":1,\"a\":2}",
		"\"\xff\"",
		"[1]x",
		"123456789012345678901234567890x",
		"[\"\\u00\"]",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xl_err e = { 0 };
		json_t *json;

		assert_int_equal(xl_json_load_text(bad[i], strlen(bad[i]), "in.json", &json, &e),
				 -EINVAL);
		assert_non_null(strstr(e.text, ": not JSON: "));
		if (i == 2)
			assert_non_null(strstr(e.text, "in.json, line 2: "));
	}
}

static void a_missing_file_is_the_systems_error(void **state)
{
	struct xl_err e = { 0 };
	json_t *json;

	assert_int_equal(xl_json_load_file("/nonexistent.json", &json, &e), -ENOENT);
	e = (struct xl_err){ 0 };
	assert_int_equal(xl_json_load_file("/", &json, &e), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_that_are_too_long_come_as_text),
		cmocka_unit_test(each_anonymous_member_is_kept),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_line),
		cmocka_unit_test(a_missing_file_is_the_systems_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
