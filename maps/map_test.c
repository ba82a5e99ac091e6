/* Claims about creation, names and the life of maps. Contents are map_model_test's subject. */
#include "maps/map.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static const struct xl_map_env env = { .n_cpus = 2, .seed = 1 };

static struct xl_map *create(enum bpf_map_type type, uint32_t value_size, uint32_t max_entries)
{
	struct xl_map *map;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	return map;
}

static void types_are_known_by_name_kernel_name_and_number(void **state)
{
	assert_int_equal(xl_map_type_of_name("percpu_hash"), BPF_MAP_TYPE_PERCPU_HASH);
	assert_int_equal(xl_map_type_of_name("BPF_MAP_TYPE_PERCPU_HASH"), BPF_MAP_TYPE_PERCPU_HASH);
	assert_int_equal(xl_map_type_of_name("5"), BPF_MAP_TYPE_PERCPU_HASH);
	assert_int_equal(xl_map_type_of_name("percpu"), -1);
	assert_int_equal(xl_map_type_of_name("5x"), -1);
	assert_int_equal(xl_map_type_of_name("99999999999999999999"), -1);
	assert_int_equal(xl_map_type_of_name(""), -1);
	assert_string_equal(xl_map_type_name(BPF_MAP_TYPE_RINGBUF), "ringbuf");
	assert_string_equal(xl_map_type_name((enum bpf_map_type)77), "?");
	for (int type = 0; type < 34; type++)
		assert_int_equal(xl_map_type_of_name(xl_map_type_name((enum bpf_map_type)type)),
				 type);
}

static void a_map_of_gigabytes_takes_no_memory_until_used(void **state)
{
	static const enum bpf_map_type types[] = {
		BPF_MAP_TYPE_ARRAY,    BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_HASH,
		BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct xl_map *map = create(types[i], 1024, 4000000);
		uint32_t key = 3999999;
		char value[2 * 1024] = { 1 };
		struct stat st;

		assert_true(map->mem.size > (size_t)4000000000);
		assert_int_equal(xl_map_sys_update(map, &key, value, NULL, 0), 0);
		assert_int_equal(fstat(map->mem.fd, &st), 0);
		assert_true(st.st_blocks * 512 <= 4 << 20);
		xl_map_put(map);
	}
}

static void a_bad_attribute_is_named_in_words(void **state)
{
	struct xl_err e = { 0 };
	struct xl_map *map;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 8;
	attr.value_size = 4;
	attr.max_entries = 1;
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, &e), -EINVAL);
	assert_string_equal(e.text, "key_size of an array is 4, not 8");
}

static void count_release(struct xl_obj *obj)
{
	/* An object that only counts: its id says how often it was released. */
	obj->id++;
}

static void a_prog_array_keeps_a_replaced_program_until_its_own_end(void **state)
{
	struct xl_map *map = create(BPF_MAP_TYPE_PROG_ARRAY, 4, 4);
	struct xl_obj old, new;
	uint32_t key = 1, id;

	xl_obj_init(&old, XL_OBJ_PROG, count_release);
	xl_obj_init(&new, XL_OBJ_PROG, count_release);
	assert_int_equal(xl_map_sys_update(map, &key, NULL, NULL, 0), -EBADF);
	assert_int_equal(xl_map_sys_update(map, &key, NULL, &old, 0), 0);
	assert_ptr_equal(xl_prog_array_at(map, key), &old);
	new.id = 100;
	assert_int_equal(xl_map_sys_update(map, &key, NULL, &new, 0), 0);
	assert_int_equal(old.id, 0);
	assert_int_equal(xl_map_sys_lookup(map, &key, &id, 0), 0);
	assert_int_equal(id, 100);
	assert_null(xl_prog_array_at(map, 4));
	xl_map_release_uref(map);
	assert_null(xl_prog_array_at(map, key));
	xl_map_put(map);
	assert_int_equal(old.id, 1);
	assert_int_equal(new.id, 101);
}

static void put_now(void *arg, struct xl_obj *obj)
{
	++*(int *)arg;
	xl_obj_put(obj);
}

static void a_runtime_may_give_back_replaced_programs_itself(void **state)
{
	int n_put = 0;
	const struct xl_map_env own = { .n_cpus = 1, .defer_put = put_now, .defer_arg = &n_put };
	union bpf_attr attr;
	struct xl_map *map;
	struct xl_obj prog;
	uint32_t key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_PROG_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	assert_int_equal(xl_map_create(&attr, &own, NULL, &map, NULL), 0);
	xl_obj_init(&prog, XL_OBJ_PROG, count_release);
	assert_int_equal(xl_map_sys_update(map, &key, NULL, &prog, 0), 0);
	assert_int_equal(xl_map_sys_delete(map, &key), 0);
	assert_int_equal(n_put, 1);
	assert_int_equal(prog.id, 1);
	xl_map_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_known_by_name_kernel_name_and_number),
		cmocka_unit_test(a_map_of_gigabytes_takes_no_memory_until_used),
		cmocka_unit_test(a_bad_attribute_is_named_in_words),
		cmocka_unit_test(a_prog_array_keeps_a_replaced_program_until_its_own_end),
		cmocka_unit_test(a_runtime_may_give_back_replaced_programs_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
