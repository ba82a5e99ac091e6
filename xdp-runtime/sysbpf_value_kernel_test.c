/* Map values that hold fds, and batches, of a runtime against the kernel's. */
#include "xdp-runtime/sysbpf_test_sides.h"

#define BAD_ADDR UINT64_C(0x10) /* nothing is mapped there */

/* Values that hold fds. */

static void obj_values_scenario(struct side *side)
{
	const uint64_t flags[] = { 0, BPF_NOEXIST, BPF_EXIST, 3 };
	int xdp = new_prog(side, 0, 0), frags = new_prog(side, 0, BPF_F_XDP_HAS_FRAGS);
	int dev = new_prog(side, BPF_XDP_DEVMAP, 0), cpu = new_prog(side, BPF_XDP_CPUMAP, 0);
	int progs = new_map(side, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2);
	int inner = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	int other = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 8, 1), outer[2];
	const int fds[] = { -1, 0, 4711, xdp, frags, dev, cpu, progs, inner, other };
	const uint32_t keys[] = { 0, 1, 2 };
	union xl_bpf_attr attr;
	uint32_t id;
	char what[64];

	attr = map_attr(BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 2);
	attr.u.inner_map_fd = (uint32_t)inner;
	outer[0] = (int)side_call(side, BPF_MAP_CREATE, &attr);
	attr.u.map_type = BPF_MAP_TYPE_HASH_OF_MAPS;
	outer[1] = (int)side_call(side, BPF_MAP_CREATE, &attr);
	const int maps[] = { progs, outer[0], outer[1] };

	for (size_t m = 0; m < 3; m++) {
		for (size_t f = 0; f < 4; f++) {
			for (size_t k = 0; k < 3; k++) {
				for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
					snprintf(what, sizeof(what),
						 "map %zu flags %zu key %zu fd %zu", m, f, k, i);
					note(side, what,
					     elem(side, BPF_MAP_UPDATE_ELEM, maps[m], &keys[k],
						  &fds[i], flags[f]));
					id = 0;
					note(side, "lookup",
					     elem(side, BPF_MAP_LOOKUP_ELEM, maps[m], &keys[k], &id,
						  0));
					say(side, "%s\n", id ? "an id" : "none");
				}
				note(side, "delete",
				     elem(side, BPF_MAP_DELETE_ELEM, maps[m], &keys[k], NULL, 0));
			}
		}
	}
	for (size_t i = 3; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	close(outer[0]);
	close(outer[1]);
}

static void fds_in_values_become_objects_alike(void **state)
{
	play(obj_values_scenario);
}

static void redirect_values_scenario(struct side *side)
{
	int xdp = new_prog(side, 0, 0), dev = new_prog(side, BPF_XDP_DEVMAP, 0);
	int cpu = new_prog(side, BPF_XDP_CPUMAP, 0), dev_frags;
	const uint32_t types[] = { BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH,
				   BPF_MAP_TYPE_CPUMAP };
	const uint32_t firsts[] = { 0, 1 /* lo, and a qsize */, 20000 };
	const uint64_t flags[] = { 0, BPF_NOEXIST, BPF_EXIST, 3 };
	uint32_t keys[] = { 0, 1, 9 }, value[2];
	char what[64];
	int map;

	dev_frags = new_prog(side, BPF_XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS);
	const int fds[] = { 0, -1, 4711, xdp, dev, cpu, dev_frags };

	for (size_t t = 0; t < 3; t++) {
		map = new_map(side, types[t], 4, 8, types[t] == BPF_MAP_TYPE_CPUMAP ? 2 : 4);
		for (size_t n = 0; n < 3 * 3 * 4 * 7; n++) {
			const size_t first = n % 3, k = n / 3 % 3, f = n / 9 % 4, fd = n / 36;

			/* No such device, in all likelihood, in the kernel; here any number is
			 * a port. The kernel's CPUs are ours. */
			if (firsts[first] == 20000 && types[t] != BPF_MAP_TYPE_CPUMAP)
				continue;
			value[0] = firsts[first];
			value[1] = (uint32_t)fds[fd];
			snprintf(what, sizeof(what), "type %u first %u key %u flags %zu fd %zu",
				 types[t], value[0], keys[k], f, fd);
			note(side, what,
			     elem(side, BPF_MAP_UPDATE_ELEM, map, &keys[k], value, flags[f]));
			memset(value, 0, sizeof(value));
			note(side, "lookup",
			     elem(side, BPF_MAP_LOOKUP_ELEM, map, &keys[k], value, 0));
			say(side, "first %u, %s\n", value[0], value[1] ? "prog" : "none");
		}
		close(map);
	}
	close(xdp);
	close(dev);
	close(cpu);
	close(dev_frags);
}

static void redirect_maps_take_programs_alike(void **state)
{
	play(redirect_values_scenario);
}

/* Batches. */

static long batch(struct side *side, int cmd, int fd, void *in, void *out, void *keys, void *values,
		  uint32_t *count, uint64_t elem_flags, uint64_t flags)
{
	union xl_bpf_attr attr;
	long ret;

	memset(&attr, 0, sizeof(attr));
	attr.u.batch.in_batch = (uintptr_t)in;
	attr.u.batch.out_batch = (uintptr_t)out;
	attr.u.batch.keys = (uintptr_t)keys;
	attr.u.batch.values = (uintptr_t)values;
	attr.u.batch.count = *count;
	attr.u.batch.map_fd = (uint32_t)fd;
	attr.u.batch.elem_flags = elem_flags;
	attr.u.batch.flags = flags;
	ret = side_call(side, cmd, &attr);
	*count = attr.u.batch.count;
	return ret;
}

static void noted_batch(struct side *side, const char *what, int cmd, int fd, void *in, void *out,
			void *keys, void *values, uint32_t count, uint64_t elem_flags,
			uint64_t flags)
{
	note(side, what, batch(side, cmd, fd, in, out, keys, values, &count, elem_flags, flags));
	say(side, "count %u\n", count);
}

static void batch_errors_scenario(struct side *side)
{
	const uint32_t types[] = { BPF_MAP_TYPE_ARRAY,	  BPF_MAP_TYPE_PERCPU_ARRAY,
				   BPF_MAP_TYPE_HASH,	  BPF_MAP_TYPE_PERCPU_HASH,
				   BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
				   BPF_MAP_TYPE_LPM_TRIE, BPF_MAP_TYPE_PROG_ARRAY,
				   BPF_MAP_TYPE_DEVMAP,	  BPF_MAP_TYPE_CPUMAP,
				   BPF_MAP_TYPE_QUEUE };
	static uint64_t keys[64], values[4096], pos[8];
	void *bad = (void *)BAD_ADDR;
	uint32_t key_size;

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		int fd;

		key_size = types[t] == BPF_MAP_TYPE_LPM_TRIE ? 8
			   : types[t] == BPF_MAP_TYPE_QUEUE  ? 0
							     : 4;
		if (types[t] == BPF_MAP_TYPE_LPM_TRIE) {
			union xl_bpf_attr attr = map_attr(types[t], key_size, 4, 8);

			attr.u.map_flags = BPF_F_NO_PREALLOC;
			fd = (int)side_call(side, BPF_MAP_CREATE, &attr);
		} else {
			fd = new_map(side, types[t], key_size, 4, 8);
		}
		say(side, "type %u\n", types[t]);
		for (int cmd = BPF_MAP_LOOKUP_BATCH; cmd <= BPF_MAP_DELETE_BATCH; cmd++) {
			say(side, "cmd %d\n", cmd);
			memset(keys, 0, sizeof(keys));
			noted_batch(side, "none", cmd, fd, NULL, pos, keys, values, 0, 0, 0);
			noted_batch(side, "one", cmd, fd, NULL, pos, keys, values, 1, 0, 0);
			noted_batch(side, "elem flag", cmd, fd, NULL, pos, keys, values, 1, 1, 0);
			noted_batch(side, "lock", cmd, fd, NULL, pos, keys, values, 1, 4, 0);
			noted_batch(side, "flag", cmd, fd, NULL, pos, keys, values, 1, 0, 1);
			noted_batch(side, "bad in", cmd, fd, bad, pos, keys, values, 1, 0, 0);
			noted_batch(side, "bad out", cmd, fd, NULL, bad, keys, values, 1, 0, 0);
			noted_batch(side, "bad keys", cmd, fd, NULL, pos, bad, values, 1, 0, 0);
			noted_batch(side, "bad values", cmd, fd, NULL, pos, keys, bad, 1, 0, 0);
		}
		close(fd);
	}
}

static void batches_fail_alike(void **state)
{
	play(batch_errors_scenario);
}

static int by_u32(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What all batches together give is the same, whatever the order. */
static void batch_walk_scenario(struct side *side)
{
	const uint32_t types[] = { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH };
	enum { N = 100, STEP = 30 };
	uint32_t keys[N], values[N], got[N + STEP], count, n, n_calls;
	uint64_t pos;
	long ret;

	for (size_t t = 0; t < 3; t++) {
		int fd =
			new_map(side, types[t], 4, 4, types[t] == BPF_MAP_TYPE_LRU_HASH ? 1000 : N);

		for (uint32_t i = 0; i < N; i++) {
			keys[i] = i;
			values[i] = i * i;
		}
		noted_batch(side, "update", BPF_MAP_UPDATE_BATCH, fd, NULL, NULL, keys, values, N,
			    0, 0);
		for (int round = 0; round < 2; round++) {
			const int cmd =
				round ? BPF_MAP_LOOKUP_AND_DELETE_BATCH : BPF_MAP_LOOKUP_BATCH;

			n = n_calls = 0;
			do {
				count = STEP;
				ret = batch(side, cmd, fd, n_calls ? &pos : NULL, &pos, got + n,
					    values + n, &count, 0, 0);
				if (!ret || ret == -ENOENT)
					n += count;
				n_calls++;
			} while (!ret && n <= N - STEP + STEP && n_calls < 100 && n < N);
			note(side, "last", ret < 0 && ret != -ENOENT ? ret : 0);
			qsort(got, n, sizeof(got[0]), by_u32);
			say(side, "type %u: %u elements:", types[t], n);
			for (uint32_t i = 0; i < n; i++)
				say(side, " %u", got[i]);
			say(side, "\n");
		}
		close(fd);
	}
}

static void batches_give_every_element_once(void **state)
{
	play(batch_walk_scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fds_in_values_become_objects_alike),
		cmocka_unit_test(redirect_maps_take_programs_alike),
		cmocka_unit_test(batches_fail_alike),
		cmocka_unit_test(batches_give_every_element_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
