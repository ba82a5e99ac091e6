/* Types of map keys and values: which a map can have, against the kernel's word. */
#include <bpf/btf.h>

#include "xdp-runtime/sysbpf_test_sides.h"

/* Types of 4 to 24 bytes, plain and special. */
static struct btf *some_types(void)
{
	struct btf *btf = btf__new_empty();
	int u32, u8, lock, timer, bytes;

	assert_non_null(btf);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	u8 = btf__add_int(btf, "unsigned char", 1, 0);
	btf__add_ptr(btf, u32);
	bytes = btf__add_array(btf, u32, u8, 4);
	btf__add_struct(btf, "lpm_key", 8);
	btf__add_field(btf, "prefixlen", u32, 0, 0);
	btf__add_field(btf, "data", bytes, 32, 0);
	btf__add_typedef(btf, "u32_t", u32);
	btf__add_const(btf, 8);
	btf__add_enum(btf, "which", 4);
	btf__add_enum_value(btf, "THIS", 0);
	btf__add_fwd(btf, "later", BTF_FWD_STRUCT);
	btf__add_var(btf, "x", BTF_VAR_GLOBAL_ALLOCATED, u32);
	btf__add_datasec(btf, ".data", 4);
	btf__add_datasec_var_info(btf, 12, 0, 4);
	btf__add_func_proto(btf, u32);
	btf__add_func(btf, "f", BTF_FUNC_STATIC, 14);
	lock = btf__add_struct(btf, "bpf_spin_lock", 4);
	btf__add_field(btf, "val", u32, 0, 0);
	timer = btf__add_struct(btf, "bpf_timer", 16);
	btf__add_field(btf, "a", 3, 0, 0);
	btf__add_field(btf, "b", 3, 64, 0);
	btf__add_struct(btf, "locked", 8);
	btf__add_field(btf, "lock", lock, 0, 0);
	btf__add_field(btf, "n", u32, 32, 0);
	btf__add_struct(btf, "timed", 24);
	btf__add_field(btf, "timer", timer, 0, 0);
	btf__add_field(btf, "n", u32, 128, 0);
	btf__add_union(btf, "either", 8);
	btf__add_field(btf, "n", u32, 0, 0);
	btf__add_field(btf, "l", 3, 0, 0);
	return btf;
}
#define N_TYPES 20 /* void aside */

static const struct {
	uint32_t type, key_size, max_entries, flags;
	bool slow; /* to go, in the kernel: only a few are tried */
} maps[] = {
	{ BPF_MAP_TYPE_ARRAY, 4, 1, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 2, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 1, BPF_F_RDONLY_PROG },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 1, 0 },
	{ BPF_MAP_TYPE_HASH, 4, 2, 0 },
	{ BPF_MAP_TYPE_HASH, 8, 2, 0 },
	{ BPF_MAP_TYPE_PERCPU_HASH, 4, 2, 0 },
	{ BPF_MAP_TYPE_LRU_HASH, 4, 2, 0 },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 2, 0 },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 2, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_PROG_ARRAY, 4, 2, 0 },
	{ BPF_MAP_TYPE_DEVMAP, 4, 2, 0, true },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 4, 2, 0, true },
	{ BPF_MAP_TYPE_CPUMAP, 4, 2, 0, true },
	{ BPF_MAP_TYPE_XSKMAP, 4, 2, 0, true },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 2, 0 },
	{ BPF_MAP_TYPE_QUEUE, 0, 2, 0 },
	{ BPF_MAP_TYPE_STACK, 0, 2, 0 },
};

static long load_types(struct side *side)
{
	struct btf *btf = some_types();
	union xl_bpf_attr attr;
	uint32_t size;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.u.btf = (uintptr_t)btf__raw_data(btf, &size);
	attr.u.btf_size = size;
	fd = side_call(side, BPF_BTF_LOAD, &attr);
	btf__free(btf);
	assert_true(fd >= 0);
	return fd;
}

/* What the types of a map's values change for those who use it. */
static void use(struct side *side, int fd)
{
	uint8_t key[16] = { 0 }, value[64] = { 0 };
	union xl_bpf_attr attr;

	note(side, "update", elem(side, BPF_MAP_UPDATE_ELEM, fd, key, value, BPF_F_LOCK));
	note(side, "lookup", elem(side, BPF_MAP_LOOKUP_ELEM, fd, key, value, BPF_F_LOCK));
	memset(&attr, 0, sizeof(attr));
	attr.u.map_fd = (uint32_t)fd;
	note(side, "freeze", side_call(side, BPF_MAP_FREEZE, &attr));
}

static void try_types(struct side *side, uint32_t btf, size_t m, uint32_t value_size, uint32_t key,
		      uint32_t value)
{
	union xl_bpf_attr attr =
		map_attr(maps[m].type, maps[m].key_size, value_size, maps[m].max_entries);
	char what[96];
	long fd;

	attr.u.map_flags = maps[m].flags;
	attr.u.btf_fd = btf;
	attr.u.btf_key_type_id = key;
	attr.u.btf_value_type_id = value;
	snprintf(what, sizeof(what), "map %zu value size %u types %u %u", m, value_size, key,
		 value);
	fd = note(side, what, side_call(side, BPF_MAP_CREATE, &attr));
	if (fd < 0)
		return;
	use(side, (int)fd);
	close((int)fd);
}

static void scenario(struct side *side)
{
	const uint32_t value_sizes[] = { 4, 8, 24 };
	const uint32_t btf = (uint32_t)load_types(side);

	for (size_t m = 0; m < sizeof(maps) / sizeof(maps[0]); m++) {
		if (maps[m].slow) {
			try_types(side, btf, m, 4, 0, 1);
			try_types(side, btf, m, 4, 1, 1);
			try_types(side, btf, m, 4, 1, N_TYPES + 1);
			continue;
		}
		for (uint32_t key = 0; key < N_TYPES + 2; key++)
			try_types(side, btf, m, 4, key, 1);
		for (uint32_t v = 0; v < 3; v++)
			for (uint32_t value = 0; value < N_TYPES + 2; value++)
				try_types(side, btf, m, value_sizes[v],
					  maps[m].key_size == 8 ? 7
					  : maps[m].key_size	? 1
								: 0,
					  value);
		/* Without a type for the key: global data. */
		for (uint32_t value = 0; value < N_TYPES + 2; value++)
			try_types(side, btf, m, 4, 0, value);
	}
	close((int)btf);
}

static void maps_have_the_types_that_the_kernel_allows(void **state)
{
	play(scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_have_the_types_that_the_kernel_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
