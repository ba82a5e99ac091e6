/* Claims: a bloom filter finds all that was pushed; with a seed of zero it answers each question
 * as the kernel's does, mistakes included. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"

#define N_VALUES  600
#define VALUE_MAX 40

static uint64_t random_state = 1;

static uint32_t next_random(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33);
}

static void draw_value(uint8_t *out)
{
	for (uint32_t i = 0; i < VALUE_MAX; i++)
		out[i] = (uint8_t)next_random();
}

static union bpf_attr attr_of(uint32_t value_size, uint32_t max_entries, uint64_t n_hashes,
			      uint32_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_BLOOM_FILTER;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	attr.map_extra = n_hashes;
	attr.map_flags = flags;
	return attr;
}

static struct xl_map *new_map(union bpf_attr attr)
{
	const struct xl_map_env env = { .n_cpus = 1, .seed = UINT64_C(0x123456789abcdef) };
	struct xl_map *map;

	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	return map;
}

static void what_was_pushed_is_found(void **state)
{
	static uint8_t values[N_VALUES][VALUE_MAX];

	for (uint32_t size = 1; size <= VALUE_MAX; size++) {
		struct xl_map *map = new_map(attr_of(size, N_VALUES, size % 16, 0));

		for (uint32_t i = 0; i < N_VALUES; i++) {
			draw_value(values[i]);
			assert_int_equal(map->ops->push(map, values[i], BPF_ANY), 0);
		}
		for (uint32_t i = 0; i < N_VALUES; i++) {
			assert_int_equal(map->ops->peek(map, values[i]), 0);
			assert_int_equal(xl_map_sys_lookup(map, NULL, values[i], 0), 0);
		}
		xl_map_put(map);
	}
}

static void what_was_not_pushed_is_hardly_found(void **state)
{
	struct xl_map *map = new_map(attr_of(8, 1000, 5, 0));
	uint8_t value[VALUE_MAX];
	uint32_t n_found = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		draw_value(value);
		assert_int_equal(xl_map_sys_update(map, NULL, value, NULL, BPF_ANY), 0);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		draw_value(value);
		n_found += !map->ops->peek(map, value);
	}
	/* 8192 bits, 5 of them for each of 1000 values: 2 % are expected. */
	assert_in_range(n_found, 50, 500);
	xl_map_put(map);
}

static void huge_filters_cost_address_space_only(void **state)
{
	static const uint32_t entries[] = { 1U << 27, 1U << 30, UINT32_MAX };
	uint8_t value[VALUE_MAX];

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct xl_map *map = new_map(attr_of(4, entries[i], 15, 0));

		assert_int_equal(map->mem.size, (UINT64_C(1) << 32) / 8);
		draw_value(value);
		assert_int_equal(map->ops->peek(map, value), -ENOENT);
		assert_int_equal(map->ops->push(map, value, BPF_ANY), 0);
		assert_int_equal(map->ops->peek(map, value), 0);
		xl_map_put(map);
	}
}

static long kernel_elem(int cmd, int fd, void *value, uint64_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.value = (uintptr_t)value;
	attr.flags = flags;
	return xl_kernel_bpf(cmd, &attr, sizeof(attr));
}

static void compare_with_kernel(uint32_t size, uint32_t max_entries, uint64_t n_hashes)
{
	static const uint64_t flags[] = { 0, 0, 0, 0, BPF_NOEXIST, BPF_EXIST, 3, BPF_F_LOCK, 8 };
	union bpf_attr attr = attr_of(size, max_entries, n_hashes, BPF_F_ZERO_SEED);
	struct xl_map *map = new_map(attr);
	const int fd = (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	uint8_t value[VALUE_MAX], copy[VALUE_MAX];

	assert_true(fd >= 0);
	for (uint32_t i = 0; i < N_VALUES; i++) {
		const uint64_t flag = flags[next_random() % 9];

		draw_value(value);
		memcpy(copy, value, sizeof(value));
		assert_int_equal(xl_map_sys_lookup(map, NULL, value, 0),
				 kernel_elem(BPF_MAP_LOOKUP_ELEM, fd, value, 0));
		assert_memory_equal(value, copy, sizeof(value));
		if (i % 3 == 0)
			assert_int_equal(xl_map_sys_update(map, NULL, value, NULL, flag),
					 kernel_elem(BPF_MAP_UPDATE_ELEM, fd, value, flag));
	}
	close(fd);
	xl_map_put(map);
}

static void answers_are_the_kernels(void **state)
{
	static const uint32_t entries[] = { 1, 10, 45, 46, 100, 200, 5000 };

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs the kernel's bpf(2), which is not usable here\n");
		skip();
	}
	for (uint32_t size = 1; size <= VALUE_MAX; size++)
		for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
			compare_with_kernel(size, entries[i], next_random() % 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_pushed_is_found),
		cmocka_unit_test(what_was_not_pushed_is_hardly_found),
		cmocka_unit_test(huge_filters_cost_address_space_only),
		cmocka_unit_test(answers_are_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
