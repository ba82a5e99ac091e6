/* Claim: bpf(2) writes around the special fields of values and reads zeros there, with BPF_F_LOCK and
 * without, as the kernel's does. The same random calls on both sides, on maps whose values have a
 * spin lock, a timer, or neither. */
#include <bpf/btf.h>

#include "xdp-runtime/sysbpf_test_sides.h"

#define N_KEYS	   5
#define VALUE_SIZE 40

static uint64_t random_state;

static uint32_t next_random(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

enum { WITH_NOTHING, WITH_LOCK, WITH_TIMER, N_VALUES };

/* struct { u64 a; [lock; u32 b;] [timer;] u64… } of VALUE_SIZE bytes; returns the value's type. */
static uint32_t types_of(struct btf *btf, int with)
{
	const int u32 = btf__add_int(btf, "u32", 4, 0), u64 = btf__add_int(btf, "u64", 8, 0);
	const int lock = btf__add_struct(btf, "bpf_spin_lock", 4);
	int timer, value;

	assert_int_equal(u32, 1);
	btf__add_field(btf, "val", u32, 0, 0);
	timer = btf__add_struct(btf, "bpf_timer", 16);
	btf__add_field(btf, "first", u64, 0, 0);
	btf__add_field(btf, "second", u64, 64, 0);
	value = btf__add_struct(btf, "value", VALUE_SIZE);
	btf__add_field(btf, "a", u64, 0, 0);
	if (with == WITH_LOCK)
		btf__add_field(btf, "lock", lock, 64, 0);
	else
		btf__add_field(btf, "no_lock", u32, 64, 0);
	btf__add_field(btf, "b", u32, 96, 0);
	if (with == WITH_TIMER)
		btf__add_field(btf, "timer", timer, 128, 0);
	btf__add_field(btf, "last", u64, 256, 0);
	return (uint32_t)value;
}

static int map_with(struct side *side, uint32_t type, uint32_t flags, int with)
{
	struct btf *btf = btf__new_empty();
	union xl_bpf_attr attr;
	uint32_t size, value;
	long btf_fd, fd;

	assert_non_null(btf);
	value = types_of(btf, with);
	memset(&attr, 0, sizeof(attr));
	attr.u.btf = (uintptr_t)btf__raw_data(btf, &size);
	attr.u.btf_size = size;
	btf_fd = side_call(side, BPF_BTF_LOAD, &attr);
	btf__free(btf);
	assert_true(btf_fd >= 0);
	/* The kernel evicts from small LRU maps before they are full. */
	attr = map_attr(type, 4, VALUE_SIZE, type == BPF_MAP_TYPE_LRU_HASH ? 10000 : N_KEYS - 1);
	attr.u.map_flags = flags;
	attr.u.btf_fd = (uint32_t)btf_fd;
	attr.u.btf_key_type_id = 1;
	attr.u.btf_value_type_id = value;
	fd = note(side, "create", side_call(side, BPF_MAP_CREATE, &attr));
	close((int)btf_fd);
	return (int)fd;
}

static uint64_t draw_flags(void)
{
	static const uint64_t flags[] = { BPF_ANY, BPF_NOEXIST, BPF_EXIST, 3, 8 };

	return flags[next_random(6) ? next_random(3) : next_random(5)] |
	       (next_random(2) ? BPF_F_LOCK : 0);
}

static void say_value(struct side *side, const uint8_t *value)
{
	for (int i = 0; i < VALUE_SIZE; i++)
		say(side, "%02x", value[i]);
	say(side, "\n");
}

static void one_step(struct side *side, int fd)
{
	static const int cmds[] = { BPF_MAP_UPDATE_ELEM,
				    BPF_MAP_UPDATE_ELEM,
				    BPF_MAP_LOOKUP_ELEM,
				    BPF_MAP_LOOKUP_ELEM,
				    BPF_MAP_LOOKUP_AND_DELETE_ELEM,
				    BPF_MAP_DELETE_ELEM };
	const int cmd = cmds[next_random(6)];
	const uint32_t key = next_random(N_KEYS + 1);
	uint64_t flags = draw_flags();
	uint8_t value[VALUE_SIZE];
	char what[64];

	if (cmd == BPF_MAP_DELETE_ELEM)
		flags = 0;
	else if (cmd != BPF_MAP_UPDATE_ELEM && next_random(10))
		flags &= BPF_F_LOCK;
	for (int i = 0; i < VALUE_SIZE; i++)
		value[i] = (uint8_t)next_random(256);
	snprintf(what, sizeof(what), "cmd %d key %u flags %llx", cmd, key,
		 (unsigned long long)flags);
	if (note(side, what, elem(side, cmd, fd, &key, value, flags)) == 0)
		say_value(side, value);
}

static void batches(struct side *side, int fd, uint64_t flags)
{
	uint32_t keys[N_KEYS] = { 0, 1, 2 }, count;
	uint8_t values[N_KEYS * VALUE_SIZE];
	union xl_bpf_attr attr;
	char position[64];

	memset(values, 0xa5, sizeof(values));
	memset(&attr, 0, sizeof(attr));
	attr.u.batch.map_fd = (uint32_t)fd;
	attr.u.batch.keys = (uintptr_t)keys;
	attr.u.batch.values = (uintptr_t)values;
	attr.u.batch.count = 1;
	attr.u.batch.elem_flags = flags;
	note(side, "update batch", side_call(side, BPF_MAP_UPDATE_BATCH, &attr));
	attr.u.batch.out_batch = (uintptr_t)position;
	attr.u.batch.count = N_KEYS;
	note(side, "lookup batch", side_call(side, BPF_MAP_LOOKUP_BATCH, &attr));
	count = attr.u.batch.count;
	say(side, "%u in it\n", count);
}

static void scenario(struct side *side)
{
	static const struct {
		uint32_t type, flags;
	} maps[] = {
		{ BPF_MAP_TYPE_ARRAY, 0 },
		{ BPF_MAP_TYPE_HASH, 0 },
		{ BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC },
		{ BPF_MAP_TYPE_LRU_HASH, 0 },
		{ BPF_MAP_TYPE_PERCPU_HASH, 0 },
	};

	random_state = 3;
	for (size_t m = 0; m < sizeof(maps) / sizeof(maps[0]); m++) {
		for (int with = 0; with < N_VALUES; with++) {
			int fd = map_with(side, maps[m].type, maps[m].flags, with);

			if (fd < 0)
				continue;
			/* Values of all CPUs are another test's matter. */
			if (maps[m].type != BPF_MAP_TYPE_PERCPU_HASH)
				for (int i = 0; i < 1000; i++)
					one_step(side, fd);
			batches(side, fd, 0);
			batches(side, fd, BPF_F_LOCK);
			close(fd);
		}
	}
}

static void fields_are_hidden_and_kept_as_in_the_kernel(void **state)
{
	play(scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_hidden_and_kept_as_in_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
