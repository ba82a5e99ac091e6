/* Claims about maps that several threads use at once. Meant for -Db_sanitize=thread, true anywhere.
 *
 * Workers act as programs on different CPUs: they look up, write through the pointers they get,
 * insert and delete; control walks, overwrites and deletes at the same time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "maps/map_test_steps.h"

#define N_WORKERS  3
#define N_ROUNDS   4000
#define N_KEYS	   64
#define VALUE_UNIT UINT64_C(0x0101010101010101) /* every value is a multiple: a torn one is not */

struct load {
	struct xl_map *map;
	uint32_t cpu;
	_Atomic uint32_t *n_bad;
	_Atomic uint32_t *n_failed; /* inserts refused */
};

static void key_for(const struct xl_map *map, uint32_t id, uint8_t key[STEP_KEY_MAX])
{
	uint32_t prefixlen = 32;

	memset(key, 0, STEP_KEY_MAX);
	if (map->type == BPF_MAP_TYPE_LPM_TRIE) {
		memcpy(key, &prefixlen, 4);
		memcpy(key + 4, &id, 4);
	} else {
		memcpy(key, &id, 4);
	}
}

static void use_value(const struct load *load, uint64_t *value, uint32_t round)
{
	if (__atomic_load_n(value, __ATOMIC_RELAXED) % VALUE_UNIT)
		++*load->n_bad;
	__atomic_store_n(value, round % 200 * VALUE_UNIT, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct load *load = arg;
	struct source source = { .state = load->cpu + 1 };
	uint8_t key[STEP_KEY_MAX];

	xl_cpu = load->cpu;
	for (uint32_t round = 0; round < N_ROUNDS; round++) {
		uint64_t fresh = draw(&source, 200) * VALUE_UNIT, *value;

		key_for(load->map, draw(&source, N_KEYS), key);
		value = xl_map_lookup(load->map, key);
		if (value)
			use_value(load, value, round);
		else if (xl_map_update(load->map, key, &fresh, BPF_ANY))
			++*load->n_failed;
		if (round % 7 == 0)
			xl_map_delete(load->map, key);
	}
	return NULL;
}

static uint32_t walk(struct xl_map *map, _Atomic uint32_t *n_bad)
{
	uint8_t key[STEP_KEY_MAX], next[STEP_KEY_MAX];
	uint64_t values[N_WORKERS];
	uint32_t n = 0;

	if (xl_map_next_key(map, NULL, next))
		return 0;
	do {
		memcpy(key, next, sizeof(key));
		memset(values, 0, sizeof(values));
		if (!xl_map_sys_lookup(map, key, values, 0))
			for (uint32_t i = 0; i < N_WORKERS; i++)
				*n_bad += values[i] % VALUE_UNIT != 0;
		n++;
	} while (n < 10 * N_KEYS && !xl_map_next_key(map, key, next));
	return n;
}

static void control(struct xl_map *map, _Atomic uint32_t *n_bad)
{
	const uint64_t values[N_WORKERS] = { VALUE_UNIT, 2 * VALUE_UNIT, 3 * VALUE_UNIT };
	struct source source = { .state = 99 };
	uint8_t key[STEP_KEY_MAX];

	for (uint32_t round = 0; round < N_ROUNDS / 10; round++) {
		key_for(map, draw(&source, N_KEYS), key);
		xl_map_sys_update(map, key, values, NULL, BPF_ANY);
		key_for(map, draw(&source, N_KEYS), key);
		xl_map_sys_delete(map, key);
		walk(map, n_bad);
	}
}

static void run(const struct shape *shape)
{
	const struct xl_map_env env = { .n_cpus = N_WORKERS, .seed = 5 };
	_Atomic uint32_t n_bad = 0, n_failed = 0;
	struct load load[N_WORKERS];
	pthread_t thread[N_WORKERS];
	union bpf_attr attr;
	struct xl_map *map;

	shape_attr(shape, &attr);
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	for (uint32_t i = 0; i < N_WORKERS; i++) {
		load[i] = (struct load){ map, i, &n_bad, &n_failed };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &load[i]), 0);
	}
	control(map, &n_bad);
	for (uint32_t i = 0; i < N_WORKERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(n_bad, 0);
	assert_int_equal(n_failed, 0);
	assert_true(walk(map, &n_bad) <= shape->max_entries);
	xl_map_put(map);
}

static void no_value_is_torn_and_no_entry_lost(void **state)
{
	static const struct shape all[] = {
		{ BPF_MAP_TYPE_ARRAY, 4, 8, N_KEYS, 0, 0 },
		{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, N_KEYS, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 8, N_KEYS, 0, 0 },
		{ BPF_MAP_TYPE_PERCPU_HASH, 4, 8, N_KEYS, 0, 0 },
		{ BPF_MAP_TYPE_LPM_TRIE, 8, 8, N_KEYS, BPF_F_NO_PREALLOC, 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		run(&all[i]);
}

static void an_lru_map_takes_every_insert(void **state)
{
	static const struct shape all[] = {
		{ BPF_MAP_TYPE_LRU_HASH, 4, 8, N_KEYS / 4, 0, 0 },
		{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, N_KEYS / 4, 0, 0 },
		{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 15, BPF_F_NO_COMMON_LRU, 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		run(&all[i]);
}

/* A queue: what goes in comes out, once. */

struct queue_load {
	struct xl_map *map;
	_Atomic uint64_t *sum;
	bool pushes;
};

static void *work_queue(void *arg)
{
	struct queue_load *load = arg;
	uint64_t value;

	for (uint64_t i = 1; i <= N_ROUNDS; i++) {
		value = i;
		if (load->pushes && !load->map->ops->push(load->map, &value, BPF_ANY))
			*load->sum += i;
		else if (!load->pushes && !load->map->ops->pop(load->map, &value))
			*load->sum -= value;
	}
	return NULL;
}

static void a_queue_gives_back_each_value_once(void **state)
{
	const struct xl_map_env env = { .n_cpus = 1 };
	const struct shape shape = { BPF_MAP_TYPE_QUEUE, 0, 8, 100, 0, 0 };
	_Atomic uint64_t sum = 0;
	struct queue_load load[2];
	pthread_t thread[2];
	union bpf_attr attr;
	struct xl_map *map;
	uint64_t value;

	shape_attr(&shape, &attr);
	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		load[i] = (struct queue_load){ map, &sum, i == 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, work_queue, &load[i]), 0);
	}
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	while (!map->ops->pop(map, &value))
		sum -= value;
	assert_int_equal(sum, 0);
	xl_map_put(map);
}

/* Maps of maps: an inner map that is replaced stays usable for who has it. */

static struct xl_map *inner_map(const struct xl_map_env *env, uint32_t id)
{
	union bpf_attr attr;
	struct xl_map *map;
	const uint32_t key = 0;
	uint64_t value = id * VALUE_UNIT;

	shape_attr(&inner_shape, &attr);
	assert_int_equal(xl_map_create(&attr, env, NULL, &map, NULL), 0);
	map->obj.id = id;
	assert_int_equal(xl_map_update(map, &key, &value, BPF_ANY), 0);
	return map;
}

static void *work_outer(void *arg)
{
	struct load *load = arg;
	const uint32_t key = 0;

	for (uint32_t round = 0; round < N_ROUNDS; round++) {
		struct xl_map *inner = xl_map_lookup(load->map, &key);
		const uint64_t *value = inner ? xl_map_lookup(inner, &key) : NULL;

		if (value && __atomic_load_n(value, __ATOMIC_RELAXED) % VALUE_UNIT)
			++*load->n_bad;
	}
	return NULL;
}

static void a_replaced_inner_map_stays_usable(void **state)
{
	static const enum bpf_map_type outers[] = { BPF_MAP_TYPE_ARRAY_OF_MAPS,
						    BPF_MAP_TYPE_HASH_OF_MAPS };
	const struct xl_map_env env = { .n_cpus = 1, .seed = 1 };

	for (int o = 0; o < 2; o++) {
		const struct shape shape = { outers[o], 4, 4, 2, 0, 0 };
		struct xl_map *outer, *inner = inner_map(&env, 1);
		_Atomic uint32_t n_bad = 0;
		struct load load;
		pthread_t thread;
		union bpf_attr attr;
		const uint32_t key = 0;

		shape_attr(&shape, &attr);
		assert_int_equal(xl_map_create(&attr, &env, inner, &outer, NULL), 0);
		load = (struct load){ .map = outer, .n_bad = &n_bad };
		assert_int_equal(pthread_create(&thread, NULL, work_outer, &load), 0);
		assert_int_equal(xl_map_sys_update(outer, &key, NULL, &inner->obj, 0), 0);
		for (uint32_t id = 2; id < 100; id++) {
			inner = inner_map(&env, id);
			assert_int_equal(xl_map_sys_update(outer, &key, NULL, &inner->obj, 0), 0);
			if (id % 10 == 0)
				assert_int_equal(xl_map_sys_delete(outer, &key), 0);
		}
		pthread_join(thread, NULL);
		assert_int_equal(n_bad, 0);
		xl_map_put(outer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_is_torn_and_no_entry_lost),
		cmocka_unit_test(an_lru_map_takes_every_insert),
		cmocka_unit_test(a_queue_gives_back_each_value_once),
		cmocka_unit_test(a_replaced_inner_map_stays_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
