/* Claims about memfd memory. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

static void a_huge_memory_costs_nothing_until_touched(void **state)
{
	struct xl_mem mem;
	struct stat st;

	assert_int_equal(xl_mem_create("big", (size_t)64 << 30, &mem), 0);
	((char *)mem.base)[mem.size - 1] = 1;
	assert_int_equal(fstat(mem.fd, &st), 0);
	assert_true(st.st_blocks * 512 < 1 << 22);
	xl_mem_destroy(&mem);
}

static void another_mapping_of_the_fd_sees_the_same_bytes(void **state)
{
	struct xl_mem mem;
	char *other;

	assert_int_equal(xl_mem_create("shared", 100, &mem), 0);
	other = mmap(NULL, mem.size, PROT_READ, MAP_SHARED, mem.fd, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	strcpy(mem.base, "hello");
	assert_string_equal(other, "hello");
	munmap(other, mem.size);
	xl_mem_destroy(&mem);
	assert_int_equal(mem.fd, -1);
}

static void discarded_pages_read_as_zero(void **state)
{
	struct xl_mem mem;

	assert_int_equal(xl_mem_create("discard", 8192, &mem), 0);
	memset(mem.base, 0xff, 8192);
	xl_mem_discard(&mem, 4096, 4096);
	assert_int_equal(((uint8_t *)mem.base)[4095], 0xff);
	assert_int_equal(((uint8_t *)mem.base)[4096], 0);
	xl_mem_destroy(&mem);
}

static void size_zero_is_only_an_fd_and_absurd_sizes_are_refused(void **state)
{
	struct xl_mem mem;

	assert_int_equal(xl_mem_create("none", 0, &mem), 0);
	assert_null(mem.base);
	assert_true(mem.fd >= 0);
	xl_mem_destroy(&mem);
	assert_true(xl_mem_create("absurd", SIZE_MAX - 5, &mem) < 0);
	assert_true(xl_mem_create("absurd", (size_t)1 << 60, &mem) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_huge_memory_costs_nothing_until_touched),
		cmocka_unit_test(another_mapping_of_the_fd_sees_the_same_bytes),
		cmocka_unit_test(discarded_pages_read_as_zero),
		cmocka_unit_test(size_zero_is_only_an_fd_and_absurd_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
