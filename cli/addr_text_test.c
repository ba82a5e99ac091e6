/* Claims about addresses as text. */
#include "cli/addr_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void addresses_come_out_in_network_order(void **state)
{
	uint8_t out[16];

	assert_true(xl_addr_parse("10.0.0.1", out, 4));
	assert_memory_equal(out, "\x0a\0\0\x01", 4);
	assert_true(xl_addr_parse("aA:bb:cc:0d:e:ff", out, 6));
	assert_memory_equal(out, "\xaa\xbb\xcc\x0d\x0e\xff", 6);
	assert_true(xl_addr_parse("2001:db8::1", out, 16));
	assert_memory_equal(out, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
}

static void what_is_no_address_of_the_size_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {
		{ "10.0.0.1", 16 },
		{ "10.0.0.1", 8 },
		{ "10.0.0", 4 },
		{ "10.0.0.256", 4 },
		{ "10.0.0.1 ", 4 },
		{ "", 4 },
		{ "aa:bb:cc:dd:ee", 6 },
		{ "aa:bb:cc:dd:ee:ff:0", 6 },
		{ "aa:bb:cc:dd:ee:fg", 6 },
		{ "aa:bb:cc:dd:ee:", 6 },
		{ " a:bb:cc:dd:ee:ff", 6 },
		{ "2001:db8::1", 4 },
		{ "::1%lo", 16 },
	};
	uint8_t out[16] = { 7 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(xl_addr_parse(rows[i].text, out, rows[i].size));
	assert_int_equal(out[0], 7);
}

static void a_prefix_is_a_key_of_a_trie(void **state)
{
	uint8_t out[20];

	assert_true(xl_addr_parse_prefix("10.1.0.0/16", out, 8));
	assert_memory_equal(out, "\x10\0\0\0\x0a\x01\0\0", 8);
	assert_true(xl_addr_parse_prefix("2001:db8::/32", out, 20));
	assert_memory_equal(out, "\x20\0\0\0\x20\x01\x0d\xb8", 8);
	assert_false(xl_addr_parse_prefix("10.1.0.0/33", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0/", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0/-1", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0/8x", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0/99999999999999999999", out, 8));
	assert_false(xl_addr_parse_prefix("10.1.0.0/8", out, 4));
	assert_false(xl_addr_parse_prefix("10.1.0.0/8", out, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_out_in_network_order),
		cmocka_unit_test(what_is_no_address_of_the_size_is_refused),
		cmocka_unit_test(a_prefix_is_a_key_of_a_trie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
