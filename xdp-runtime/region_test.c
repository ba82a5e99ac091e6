/* Claims about finding the map behind an address. */
#include "xdp-runtime/region.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/epoch.h"
#include "xdp-runtime/runtime.h"

static struct xl_map *new_map(enum bpf_map_type type, uint32_t value_size)
{
	const struct xl_map_env env = { .n_cpus = 2, .seed = 1 };
	union bpf_attr attr;
	struct xl_map *map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = 8;
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	return map;
}

static void values_and_heads_are_found_and_nothing_beside_them(void **state)
{
	struct xl_runtime rt = { 0 };
	struct xl_map *maps[3];
	struct xl_region region;
	const struct xl_region_entry *e;

	assert_null(xl_region_find(&rt, (uintptr_t)&rt));
	for (int i = 0; i < 3; i++) {
		maps[i] = new_map(i == 1 ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, 12);
		assert_int_equal(xl_region_add(&rt, maps[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		const uintptr_t head = (uintptr_t)maps[i];

		assert_ptr_equal(xl_region_map(&rt, head), maps[i]);
		assert_null(xl_region_map(&rt, head + 8));
		assert_true(xl_region_find(&rt, head + sizeof(*maps[i]) - 1)->is_head);
		assert_int_equal(xl_map_regions(maps[i], &region), 1);
		e = xl_region_find(&rt, region.base);
		assert_ptr_equal(e->map, maps[i]);
		assert_false(e->is_head);
		assert_int_equal(e->region.value_size, 12);
		assert_ptr_equal(xl_region_find(&rt, region.base + region.size - 1), e);
		e = xl_region_find(&rt, region.base + region.size);
		assert_true(!e || e->map != maps[i]);
		assert_null(xl_region_map(&rt, region.base));
	}
	assert_int_equal(xl_map_regions(maps[1], &region), 1);
	xl_region_remove(&rt, maps[1]);
	assert_null(xl_region_find(&rt, region.base));
	assert_null(xl_region_map(&rt, (uintptr_t)maps[1]));
	assert_ptr_equal(xl_region_map(&rt, (uintptr_t)maps[2]), maps[2]);
	xl_region_remove(&rt, maps[0]);
	xl_region_remove(&rt, maps[2]);
	assert_null(rt.regions);
	for (int i = 0; i < 3; i++)
		xl_map_put(maps[i]);
}

struct shared {
	struct xl_runtime rt;
	struct xl_epoch epoch;
	struct xl_map *kept;
	_Atomic bool stop;
};

static void *look_up(void *arg)
{
	struct shared *s = arg;
	struct xl_region region;

	xl_map_regions(s->kept, &region);
	xl_epoch_online(&s->epoch, 0);
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		for (int i = 0; i < 16; i++) {
			const struct xl_region_entry *e = xl_region_find(&s->rt, region.base + 8);

			if (!e || e->map != s->kept)
				abort();
		}
		xl_epoch_quiescent(&s->epoch, 0);
	}
	xl_epoch_offline(&s->epoch, 0);
	return NULL;
}

static void searches_go_on_while_maps_come_and_go(void **state)
{
	struct shared *s = aligned_alloc(64, (sizeof(*s) + 63) / 64 * 64);
	pthread_t thread;

	memset(s, 0, sizeof(*s));
	xl_epoch_init(&s->epoch);
	s->rt.epoch = &s->epoch;
	s->kept = new_map(BPF_MAP_TYPE_ARRAY, 8);
	assert_int_equal(xl_region_add(&s->rt, s->kept), 0);
	assert_int_equal(pthread_create(&thread, NULL, look_up, s), 0);
	for (int i = 0; i < 200; i++) {
		struct xl_map *map = new_map(BPF_MAP_TYPE_ARRAY, 8);

		assert_int_equal(xl_region_add(&s->rt, map), 0);
		xl_region_remove(&s->rt, map);
		xl_map_put(map);
	}
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	xl_region_remove(&s->rt, s->kept);
	xl_map_put(s->kept);
	xl_epoch_fini(&s->epoch);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_heads_are_found_and_nothing_beside_them),
		cmocka_unit_test(searches_go_on_while_maps_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
