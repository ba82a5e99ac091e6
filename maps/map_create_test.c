/* Claim: BPF_MAP_CREATE succeeds and fails as the kernel's does, errno by errno.
 *
 * A matrix of attributes, right and wrong, goes to both. What would take much memory in the kernel
 * is asked of ours only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "maps/map.h"

#define KERNEL_BYTES_MAX (UINT64_C(24) << 20) /* chosen: one map of the kernel's */
#define MANY		 (1U << 27)

static const enum bpf_map_type types[] = {
	BPF_MAP_TYPE_UNSPEC,
	BPF_MAP_TYPE_HASH,
	BPF_MAP_TYPE_ARRAY,
	BPF_MAP_TYPE_PROG_ARRAY,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY,
	BPF_MAP_TYPE_PERCPU_HASH,
	BPF_MAP_TYPE_PERCPU_ARRAY,
	BPF_MAP_TYPE_LRU_HASH,
	BPF_MAP_TYPE_LRU_PERCPU_HASH,
	BPF_MAP_TYPE_LPM_TRIE,
	BPF_MAP_TYPE_ARRAY_OF_MAPS,
	BPF_MAP_TYPE_HASH_OF_MAPS,
	BPF_MAP_TYPE_DEVMAP,
	BPF_MAP_TYPE_DEVMAP_HASH,
	BPF_MAP_TYPE_CPUMAP,
	BPF_MAP_TYPE_XSKMAP,
	BPF_MAP_TYPE_SOCKMAP,
	BPF_MAP_TYPE_SOCKHASH,
	BPF_MAP_TYPE_QUEUE,
	BPF_MAP_TYPE_STACK,
	BPF_MAP_TYPE_BLOOM_FILTER,
	BPF_MAP_TYPE_RINGBUF,
	BPF_MAP_TYPE_USER_RINGBUF,
	(enum bpf_map_type)200,
};
static const uint32_t key_sizes[] = { 0, 1, 4, 5, 8, 16, 260, 261, 4194303, UINT32_MAX };
static const uint32_t value_sizes[] = {
	0,	 1,	  4,	      5,	  8,	      9,       32760,
	32761,	 32768,	  32769,      4194024,	  4194025,    4194251, 4194252,
	4194304, 4194305, 0x7fffffff, 0x80000000, UINT32_MAX,
};
static const uint32_t entry_counts[] = {
	0,     1,	 3,    256,	 257,	   1023,	   4096,
	12288, 1U << 20, MANY, MANY + 1, 1U << 31, (1U << 31) + 1, UINT32_MAX
};
static const uint32_t flag_sets[] = {
	0,
	BPF_F_NO_PREALLOC,
	BPF_F_NO_COMMON_LRU,
	BPF_F_NUMA_NODE,
	BPF_F_RDONLY,
	BPF_F_WRONLY,
	BPF_F_STACK_BUILD_ID,
	BPF_F_ZERO_SEED,
	BPF_F_RDONLY_PROG,
	BPF_F_WRONLY_PROG,
	BPF_F_CLONE,
	BPF_F_MMAPABLE,
	BPF_F_PRESERVE_ELEMS,
	BPF_F_INNER_MAP,
	1U << 13,
	1U << 14,
	1U << 15,
	1U << 16,
	1U << 17,
	1U << 18,
	1U << 19,
	1U << 20,
	1U << 31,
	BPF_F_RDONLY | BPF_F_WRONLY,
	BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
	BPF_F_RDONLY | BPF_F_RDONLY_PROG,
	BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU,
	BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE,
	BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG,
	BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED,
	BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE,
	BPF_F_MMAPABLE | BPF_F_RDONLY_PROG,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct inner {
	struct xl_map *ours;
	int kernel;
};

static struct xl_map_env env = { .seed = 3 };

/* Whether the kernel can be asked without a fortune in memory, should it say yes. */
static bool is_cheap(const union bpf_attr *attr)
{
	const uint64_t entry = (uint64_t)attr->key_size + attr->value_size + 128;

	return entry * attr->max_entries * env.n_cpus <= KERNEL_BYTES_MAX;
}

/* Compares one creation; @inner may be NULL. Returns what ours says. */
static long create_both(union bpf_attr attr, const struct inner *inner)
{
	struct xl_map *map = NULL;
	struct xl_err e = { 0 };
	struct bpf_map_info info = { 0 };
	union bpf_attr info_attr;
	long ours, kernel;

	attr.inner_map_fd = inner ? (uint32_t)inner->kernel : 0x7ffffff0;
	ours = xl_map_create(&attr, &env, inner ? inner->ours : NULL, &map, &e);
	if (!ours && !is_cheap(&attr)) {
		xl_map_put(map);
		return 0;
	}
	if (ours == -ENOMEM && !is_cheap(&attr))
		return ours;
	kernel = xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (ours != (kernel < 0 ? kernel : 0))
		fail_msg("%s, key_size %u, value_size %u, max_entries %u, flags 0x%x: ours %ld "
			 "(%s), kernel %ld",
			 xl_map_type_name(attr.map_type), attr.key_size, attr.value_size,
			 attr.max_entries, attr.map_flags, ours, e.text, kernel);
	if (ours) {
		assert_true(e.err == ours && e.text[0]);
		return ours;
	}
	memset(&info_attr, 0, sizeof(info_attr));
	info_attr.info.bpf_fd = (uint32_t)kernel;
	info_attr.info.info_len = sizeof(info);
	info_attr.info.info = (uintptr_t)&info;
	assert_int_equal(xl_kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &info_attr, sizeof(info_attr)), 0);
	assert_int_equal(map->max_entries, info.max_entries);
	assert_int_equal(map->flags, info.map_flags);
	assert_string_equal(map->name, info.name);
	close((int)kernel);
	xl_map_put(map);
	return 0;
}

static union bpf_attr attr_of(enum bpf_map_type type, uint32_t key_size, uint32_t value_size,
			      uint32_t max_entries, uint32_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	attr.map_flags = flags;
	return attr;
}

static struct inner inner_of(union bpf_attr attr)
{
	struct inner inner;

	assert_int_equal(xl_map_create(&attr, &env, NULL, &inner.ours, NULL), 0);
	inner.kernel = (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	assert_true(inner.kernel >= 0);
	return inner;
}

static void inner_close(struct inner *inner)
{
	xl_map_put(inner->ours);
	close(inner->kernel);
}

static void sizes_are_judged_as_by_the_kernel(void **state)
{
	struct inner inner = inner_of(attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0));

	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t k = 0; k < COUNT(key_sizes); k++)
			for (size_t v = 0; v < COUNT(value_sizes); v++)
				for (size_t n = 0; n < COUNT(entry_counts); n++)
					for (size_t f = 0; f < 2; f++)
						create_both(attr_of(types[t], key_sizes[k],
								    value_sizes[v], entry_counts[n],
								    flag_sets[f]),
							    &inner);
	inner_close(&inner);
}

static void flags_are_judged_as_by_the_kernel(void **state)
{
	static const uint32_t sizes[][2] = { { 4, 4 }, { 4, 8 }, { 8, 4 }, { 0, 4 } };
	struct inner inner = inner_of(attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0));

	for (size_t t = 0; t < COUNT(types); t++)
		for (size_t s = 0; s < COUNT(sizes); s++)
			for (size_t f = 0; f < COUNT(flag_sets); f++)
				create_both(attr_of(types[t], sizes[s][0], sizes[s][1], 3,
						    flag_sets[f]),
					    &inner);
	inner_close(&inner);
}

static void fields_beside_the_sizes_are_judged_as_by_the_kernel(void **state)
{
	static const uint32_t nodes[] = { 0, 1, 5, 1U << 20, UINT32_MAX, UINT32_MAX - 1 };
	static const char *const names[] = { "plain",	 "With_1.dot",	    "bad name",
					     "bad-name", "exactly15chars_", "sixteen_chars_16",
					     "\x80" };
	static const uint64_t extras[] = { 1, 15, 16, UINT64_C(1) << 32 };
	union bpf_attr attr;

	for (size_t t = 0; t < COUNT(types); t++) {
		for (size_t i = 0; i < COUNT(nodes); i++) {
			attr = attr_of(types[t], 4, 4, 1, BPF_F_NUMA_NODE);
			attr.numa_node = nodes[i];
			create_both(attr, NULL);
			attr.map_flags |= BPF_F_NO_PREALLOC;
			create_both(attr, NULL);
		}
		for (size_t i = 0; i < COUNT(names); i++) {
			attr = attr_of(types[t], 4, 4, 1, 0);
			memcpy(attr.map_name, names[i], strlen(names[i]));
			create_both(attr, NULL);
		}
		for (size_t i = 0; i < COUNT(extras); i++) {
			attr = attr_of(types[t], 4, 4, 1, 0);
			attr.map_extra = extras[i];
			create_both(attr, NULL);
			attr.key_size = 0;
			create_both(attr, NULL);
		}
		attr = attr_of(types[t], 4, 4, 1, 0);
		attr.map_ifindex = 0x7fffffff;
		create_both(attr, NULL);
	}
}

static bool is_ring(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF;
}

static bool is_keyless(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_QUEUE || type == BPF_MAP_TYPE_STACK ||
	       type == BPF_MAP_TYPE_BLOOM_FILTER || is_ring(type);
}

static void inner_maps_are_judged_as_by_the_kernel(void **state)
{
	static const enum bpf_map_type outers[] = { BPF_MAP_TYPE_ARRAY_OF_MAPS,
						    BPF_MAP_TYPE_HASH_OF_MAPS };
	const struct inner bad = { .ours = NULL, .kernel = 0x7ffffff0 };

	for (size_t o = 0; o < COUNT(outers); o++) {
		const union bpf_attr outer = attr_of(outers[o], 4, 4, 2, 0);

		assert_int_equal(create_both(outer, &bad), -EBADF);
		for (size_t t = 0; t < COUNT(types); t++) {
			uint32_t lpm = types[t] == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0;
			uint32_t key = is_keyless(types[t]) ? 0 : lpm ? 8 : 4;
			const struct xl_map_ops *ops = xl_map_ops_of(types[t]);
			struct inner inner;

			if (!ops || ops->value_kind == XL_VALUE_MAP_FD)
				continue;
			inner = inner_of(is_ring(types[t]) ? attr_of(types[t], 0, 0, 4096, 0)
							   : attr_of(types[t], key, 4, 2, lpm));
			create_both(outer, &inner);
			inner_close(&inner);
		}
	}
}

/* Stores a new map of shape @j in outer maps that were made for shape @i. */
static void put_into_both(const struct inner *outer, union bpf_attr shape, size_t i, size_t j)
{
	struct inner inner = inner_of(shape);
	long kernel, ours;
	uint32_t key = 0;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)outer->kernel;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&inner.kernel;
	kernel = xl_kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
	xl_map_get(inner.ours);
	ours = xl_map_sys_update(outer->ours, &key, NULL, &inner.ours->obj, 0);
	if (ours)
		xl_map_put(inner.ours);
	if (ours != kernel)
		fail_msg("shape %zu for %zu: ours %ld, kernel %ld", j, i, ours, kernel);
	inner_close(&inner);
}

static void inner_maps_are_exchanged_as_in_the_kernel(void **state)
{
	const union bpf_attr shapes[] = {
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 8, 2, 0),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 2, BPF_F_INNER_MAP),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 3, BPF_F_INNER_MAP),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 2, BPF_F_MMAPABLE),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 2, BPF_F_RDONLY_PROG),
		attr_of(BPF_MAP_TYPE_ARRAY, 4, 4, 2, BPF_F_RDONLY),
		attr_of(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_HASH, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_HASH, 4, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_HASH, 8, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_HASH, 4, 4, 2, BPF_F_NO_PREALLOC),
		attr_of(BPF_MAP_TYPE_LRU_HASH, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_LRU_HASH, 4, 4, 4, 0),
		attr_of(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 2, BPF_F_NO_PREALLOC),
		attr_of(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 9, BPF_F_NO_PREALLOC),
		attr_of(BPF_MAP_TYPE_XSKMAP, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_XSKMAP, 4, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_DEVMAP, 4, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_DEVMAP, 4, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0),
		attr_of(BPF_MAP_TYPE_QUEUE, 0, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0),
		attr_of(BPF_MAP_TYPE_RINGBUF, 0, 0, 8192, 0),
		attr_of(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 3, 0),
		attr_of(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 300, 0),
	};

	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct inner meta = inner_of(shapes[i]), outer;
		union bpf_attr attr = attr_of(BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 1, 0);

		attr.inner_map_fd = (uint32_t)meta.kernel;
		assert_int_equal(xl_map_create(&attr, &env, meta.ours, &outer.ours, NULL), 0);
		outer.kernel = (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
		assert_true(outer.kernel >= 0);
		inner_close(&meta); /* the shape outlives the map that lent it */
		for (size_t j = 0; j < COUNT(shapes); j++)
			put_into_both(&outer, shapes[j], i, j);
		inner_close(&outer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_judged_as_by_the_kernel),
		cmocka_unit_test(flags_are_judged_as_by_the_kernel),
		cmocka_unit_test(fields_beside_the_sizes_are_judged_as_by_the_kernel),
		cmocka_unit_test(inner_maps_are_judged_as_by_the_kernel),
		cmocka_unit_test(inner_maps_are_exchanged_as_in_the_kernel),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs the kernel's bpf(2), which is not usable here\n");
		return 77;
	}
	env.n_cpus = xl_percpu_n_possible();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
