/* Claims about hashes that the model does not state: pointers, walks, and which entry an LRU map
 * gives up. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/percpu.h"
#include "maps/map.h"

static struct xl_map *create(enum bpf_map_type type, uint32_t max_entries, uint32_t flags,
			     uint64_t seed)
{
	const struct xl_map_env env = { .n_cpus = 2, .seed = seed };
	union bpf_attr attr;
	struct xl_map *map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = max_entries;
	attr.map_flags = flags;
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	return map;
}

static int put(struct xl_map *map, uint32_t key, uint64_t value)
{
	return xl_map_update(map, &key, &value, BPF_ANY);
}

static uint64_t *get(struct xl_map *map, uint32_t key)
{
	return xl_map_lookup(map, &key);
}

/* Whether @key is there, without that counting as a use. */
static bool has(struct xl_map *map, uint32_t key)
{
	uint64_t values[2];

	return !xl_map_sys_lookup(map, &key, values, 0);
}

static void a_program_keeps_the_value_it_looked_up_when_it_is_replaced(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_HASH, 1, 0, 1);
	uint64_t *old;

	assert_int_equal(put(map, 7, 100), 0);
	old = get(map, 7);
	assert_int_equal(put(map, 7, 200), 0);
	assert_int_equal(*old, 100);
	assert_int_equal(*get(map, 7), 200);
	assert_int_equal(xl_map_delete(map, &(uint32_t){ 7 }), 0);
	assert_int_equal(put(map, 8, 300), 0);
	assert_int_equal(*old, 100);
	xl_map_put(map);
}

static void a_full_map_replaces_but_does_not_insert(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_HASH, 3, 0, 1);

	for (uint32_t round = 0; round < 1000; round++)
		for (uint32_t key = 0; key < 4; key++)
			assert_int_equal(put(map, key, round), key < 3 ? 0 : -E2BIG);
	xl_map_put(map);
}

static void a_walk_that_deletes_as_it_goes_empties_the_map(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_HASH, 100, 0, 1);
	uint32_t key, n = 0;

	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(put(map, i, i), 0);
	while (!xl_map_next_key(map, n ? &key : NULL, &key)) {
		assert_int_equal(xl_map_sys_delete(map, &key), 0);
		assert_true(++n <= 100);
	}
	assert_int_equal(n, 100);
	xl_map_put(map);
}

static void a_walk_that_updates_as_it_goes_ends(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_HASH, 100, BPF_F_NO_PREALLOC, 1);
	uint32_t key, next, n = 0;

	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(put(map, i, i), 0);
	while (!xl_map_next_key(map, n ? &key : NULL, &next)) {
		key = next;
		assert_int_equal(put(map, key, 1000 + n), 0);
		assert_true(++n <= 50);
	}
	assert_int_equal(n, 50);
	xl_map_put(map);
}

static void a_walk_by_position_sees_what_a_walk_by_key_sees(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_HASH, 100, 0, 1);
	uint32_t by_key, by_position, at = 0, n = 0;

	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(put(map, i, i), 0);
	for (uint32_t i = 0; i < 60; i += 3)
		assert_int_equal(xl_map_delete(map, &i), 0);
	while (!xl_map_next_key(map, n ? &by_key : NULL, &by_key)) {
		assert_int_equal(map->ops->next_at(map, &at, &by_position), 0);
		assert_int_equal(by_key, by_position);
		n++;
	}
	assert_int_equal(n, 40);
	assert_int_equal(map->ops->next_at(map, &at, &by_position), -ENOENT);
	xl_map_put(map);
}

static void two_maps_with_one_history_are_walked_alike_whatever_the_seed(void **state)
{
	struct xl_map *a = create(BPF_MAP_TYPE_HASH, 50, 0, 1);
	struct xl_map *b = create(BPF_MAP_TYPE_HASH, 50, 0, 2);
	uint32_t key_a, key_b, n = 0;

	for (uint32_t i = 0; i < 50; i++) {
		put(a, i * 977, i);
		put(b, i * 977, i);
	}
	while (!xl_map_next_key(a, n ? &key_a : NULL, &key_a)) {
		assert_int_equal(xl_map_next_key(b, n ? &key_b : NULL, &key_b), 0);
		assert_int_equal(key_a, key_b);
		n++;
	}
	assert_int_equal(n, 50);
	xl_map_put(a);
	xl_map_put(b);
}

static void lru_evicts_oldest_unreferenced(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_LRU_HASH, 4, 0, 1);

	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(put(map, i, i), 0);
	assert_non_null(get(map, 0)); /* used */
	assert_true(has(map, 1));     /* looked at by control: no use */
	assert_int_equal(put(map, 4, 4), 0);
	assert_false(has(map, 1));
	assert_true(has(map, 0));
	assert_int_equal(put(map, 2, 22), 0); /* an update is a use */
	assert_int_equal(put(map, 5, 5), 0);
	assert_false(has(map, 3));
	assert_true(has(map, 2));
	xl_map_put(map);
}

static void lru_keeps_a_hot_entry_through_a_flood(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_LRU_HASH, 100, 0, 1);

	assert_int_equal(put(map, 1, 1), 0);
	for (uint32_t i = 1000; i < 100000; i++) {
		assert_int_equal(put(map, i, i), 0);
		if (i % 50 == 0)
			assert_non_null(get(map, 1));
	}
	assert_true(has(map, 1));
	xl_map_put(map);
}

static void without_a_common_lru_a_cpu_evicts_only_its_own(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_LRU_HASH, 7, BPF_F_NO_COMMON_LRU, 1);

	assert_int_equal(map->max_entries, 8); /* the same for each of two CPUs */
	xl_cpu = 1;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(put(map, i, i), 0);
	xl_cpu = 0;
	for (uint32_t i = 100; i < 200; i++)
		assert_int_equal(put(map, i, i), 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(has(map, i));
	assert_true(has(map, 199));
	assert_false(has(map, 195));
	xl_map_put(map);
}

static void a_new_percpu_entry_is_zero_for_other_cpus(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_PERCPU_HASH, 2, 0, 1);
	uint32_t key = 1;
	uint64_t values[2] = { 5, 6 };

	for (int i = 0; i < 200; i++) { /* slots come round again */
		assert_int_equal(xl_map_sys_update(map, &key, values, NULL, 0), 0);
		assert_int_equal(xl_map_sys_delete(map, &key), 0);
	}
	xl_cpu = 1;
	assert_int_equal(put(map, key, 9), 0);
	xl_cpu = 0;
	assert_int_equal(*get(map, key), 0);
	assert_int_equal(*(uint64_t *)map->ops->lookup_percpu(map, &key, 1), 9);
	assert_null(map->ops->lookup_percpu(map, &key, 2));
	xl_map_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_keeps_the_value_it_looked_up_when_it_is_replaced),
		cmocka_unit_test(a_full_map_replaces_but_does_not_insert),
		cmocka_unit_test(a_walk_that_deletes_as_it_goes_empties_the_map),
		cmocka_unit_test(a_walk_that_updates_as_it_goes_ends),
		cmocka_unit_test(a_walk_by_position_sees_what_a_walk_by_key_sees),
		cmocka_unit_test(two_maps_with_one_history_are_walked_alike_whatever_the_seed),
		cmocka_unit_test(lru_evicts_oldest_unreferenced),
		cmocka_unit_test(lru_keeps_a_hot_entry_through_a_flood),
		cmocka_unit_test(without_a_common_lru_a_cpu_evicts_only_its_own),
		cmocka_unit_test(a_new_percpu_entry_is_zero_for_other_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
