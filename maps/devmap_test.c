/* Claims about the maps that are redirected to: what a redirect finds, and what a program sees. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "maps/map.h"

static struct xl_map *create(enum bpf_map_type type, uint32_t value_size)
{
	const struct xl_map_env env = { .n_cpus = 4, .seed = 1 };
	union bpf_attr attr;
	struct xl_map *map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = 4;
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	return map;
}

static int set(struct xl_map *map, uint32_t key, uint32_t number)
{
	const uint32_t value[2] = { number, 0 };

	return xl_map_sys_update(map, &key, value, NULL, BPF_ANY);
}

static void a_devmap_entry_names_a_port_to_redirect_and_programs_alike(void **state)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH };

	for (int i = 0; i < 2; i++) {
		struct xl_map *map = create(types[i], 4);
		const struct xl_map_ops *ops = map->ops;
		uint32_t ifindex = 0, key = 2;

		assert_int_equal(set(map, 2, 77), 0);
		assert_true(ops->redirect_target(map, 2, &ifindex));
		assert_int_equal(ifindex, 77);
		assert_int_equal(*(uint32_t *)xl_map_lookup(map, &key), 77);
		assert_false(ops->redirect_target(map, 1, &ifindex));
		assert_false(ops->redirect_target(map, 400, &ifindex));
		assert_int_equal(xl_map_update(map, &key, &key, BPF_ANY), -EOPNOTSUPP);
		assert_int_equal(xl_map_delete(map, &key), -EOPNOTSUPP);
		assert_true(map->rdonly_prog);
		xl_map_put(map);
	}
}

static void a_program_in_a_devmap_is_held_until_it_is_replaced(void **state)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH,
						   BPF_MAP_TYPE_CPUMAP };

	for (int i = 0; i < 3; i++) {
		struct xl_map *map = create(types[i], 8);
		const uint32_t key = 1, value[2] = { 5, 3 };
		uint32_t out[2];
		struct xl_obj prog;

		xl_obj_init(&prog, XL_OBJ_PROG, NULL);
		prog.id = 321;
		xl_obj_get(&prog);
		assert_int_equal(xl_map_sys_update(map, &key, value, &prog, BPF_ANY), 0);
		assert_int_equal(xl_map_sys_lookup(map, &key, out, 0), 0);
		assert_int_equal(out[0], 5);
		assert_int_equal(out[1], 321);
		assert_int_equal(set(map, 1, 6), 0);
		assert_int_equal(xl_map_sys_lookup(map, &key, out, 0), 0);
		assert_int_equal(out[0], 6);
		assert_int_equal(out[1], 0);
		assert_int_equal(prog.refs, 2); /* a frame may be on its way to it */
		xl_map_put(map);
		assert_int_equal(prog.refs, 1);
	}
}

static void a_cpumap_takes_possible_cpus_and_shows_programs_nothing(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_CPUMAP, 4);
	uint32_t unused, key = 3;

	assert_int_equal(set(map, 3, 192), 0);
	assert_true(map->ops->redirect_target(map, 3, &unused));
	assert_false(map->ops->redirect_target(map, 2, &unused));
	assert_null(xl_map_lookup(map, &key));
	assert_int_equal(set(map, 3, 0), 0);
	assert_false(map->ops->redirect_target(map, 3, &unused));
	xl_map_put(map);
}

static void an_xskmap_entry_reads_as_its_queue_and_an_empty_one_is_null(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_XSKMAP, 4);
	const struct bpf_xdp_sock *sock;
	struct xl_region region;
	uint32_t unused, key = 2;

	assert_null(xl_map_lookup(map, &key));
	assert_int_equal(set(map, 2, 10), 0);
	sock = xl_map_lookup(map, &key);
	assert_int_equal(sock->queue_id, 2);
	assert_int_equal(xl_map_regions(map, &region), 1);
	assert_int_equal(((uintptr_t)sock - region.base) % region.stride, 0);
	assert_int_equal(region.value_size, sizeof(*sock));
	assert_true(map->ops->redirect_target(map, 2, &unused));
	assert_int_equal(xl_map_sys_delete(map, &key), 0);
	assert_false(map->ops->redirect_target(map, 2, &unused));
	assert_null(xl_map_lookup(map, &key));
	xl_map_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_devmap_entry_names_a_port_to_redirect_and_programs_alike),
		cmocka_unit_test(a_program_in_a_devmap_is_held_until_it_is_replaced),
		cmocka_unit_test(a_cpumap_takes_possible_cpus_and_shows_programs_nothing),
		cmocka_unit_test(an_xskmap_entry_reads_as_its_queue_and_an_empty_one_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
