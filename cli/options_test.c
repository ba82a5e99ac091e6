/* Claims about options. */
#include "cli/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct opts {
	bool json, verbose;
	const char *pcap;
	struct xl_option_text dump;
	struct xl_option_list maps, operands;
	uint32_t cpu;
	uint64_t limit;
};

static const struct xl_option table[] = {
	{ "json", 'j', XL_OPTION_FLAG, offsetof(struct opts, json), NULL, "JSON" },
	{ "verbose", 'v', XL_OPTION_FLAG, offsetof(struct opts, verbose), NULL, "more\nand more" },
	{ "pcap", 'p', XL_OPTION_TEXT, offsetof(struct opts, pcap), "FILE", "input" },
	{ "dump", 0, XL_OPTION_OPTIONAL, offsetof(struct opts, dump), "FILE", "dump" },
	{ "map", 0, XL_OPTION_LIST, offsetof(struct opts, maps), "NAME=FILE", "load" },
	{ "cpu", 0, XL_OPTION_U32, offsetof(struct opts, cpu), "N", "CPU" },
	{ "limit", 0, XL_OPTION_U64, offsetof(struct opts, limit), "N", "limit" },
	{ NULL },
};
static const struct xl_option_spec spec = {
	.usage = "xdpland test [options]",
	.intro = "Tests.\n",
	.table = table,
	.operands = offsetof(struct opts, operands),
};

static int parse(struct opts *out, struct xl_err *e, ...)
{
	char *argv[16] = { "test" };
	int argc = 1;
	va_list ap;

	va_start(ap, e);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	return xl_options_parse(&spec, argc, argv, out, e);
}

static void each_way_to_write_an_option_is_understood(void **state)
{
	struct opts o = { .cpu = 7 };
	struct xl_err e = { 0 };

	assert_int_equal(parse(&o, &e, "a.o", "-jv", "--pcap=x=y", "--map", "m=1", "--map=n=2",
			       "--dump", "b.o", "--limit", "18446744073709551615", "--", "-j",
			       NULL),
			 0);
	assert_true(o.json && o.verbose);
	assert_string_equal(o.pcap, "x=y");
	assert_true(o.dump.given && !o.dump.text);
	assert_int_equal(o.maps.n, 2);
	assert_string_equal(o.maps.items[1], "n=2");
	assert_int_equal(o.operands.n, 3);
	assert_string_equal(o.operands.items[0], "a.o");
	assert_string_equal(o.operands.items[2], "-j");
	assert_int_equal(o.cpu, 7);
	assert_true(o.limit == UINT64_MAX);
	xl_options_free(&spec, &o);

	o = (struct opts){ 0 };
	assert_int_equal(parse(&o, &e, "-vpfile", "-", "--dump=d", "--cpu=0x10", NULL), 0);
	assert_string_equal(o.pcap, "file");
	assert_string_equal(o.operands.items[0], "-");
	assert_string_equal(o.dump.text, "d");
	assert_int_equal(o.cpu, 16);
	xl_options_free(&spec, &o);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *args[2], *text;
	} rows[] = {
		{ { "--frobnicate=1" }, "no option '--frobnicate'; --help lists them" },
		{ { "-jx" }, "no option '-x'; --help lists them" },
		{ { "--pcap" }, "--pcap wants FILE" },
		{ { "-vp" }, "--pcap wants FILE" },
		{ { "--json=1" }, "--json takes no value" },
		{ { "--cpu", "-1" }, "--cpu takes a number from 0 to 4294967295, not '-1'" },
		{ { "--cpu", "4294967296" },
		  "--cpu takes a number from 0 to 4294967295, not '4294967296'" },
		{ { "--limit", "18446744073709551616" },
		  "--limit takes a number from 0 to 18446744"
		  "073709551615, not '18446744073709551616'" },
		{ { "--limit=" }, "--limit takes a number from 0 to 18446744073709551615, not ''" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opts o = { 0 };
		struct xl_err e = { 0 };

		assert_int_equal(parse(&o, &e, rows[i].args[0], rows[i].args[1], NULL), -EINVAL);
		assert_string_equal(e.text, rows[i].text);
		xl_options_free(&spec, &o);
	}
}

static void help_shows_each_row(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	xl_options_help(&spec, stream);
	fclose(stream);
	assert_non_null(strstr(text, "Usage: xdpland test [options]\n\nTests.\n"));
	assert_non_null(strstr(text, "\n  -j, --json            JSON\n"));
	assert_non_null(strstr(text, "more\n                        and more\n"));
	assert_non_null(strstr(text, "\n  --dump[=FILE]         dump\n"));
	assert_non_null(strstr(text, "\n  --map NAME=FILE       load\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_write_an_option_is_understood),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_shows_each_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
