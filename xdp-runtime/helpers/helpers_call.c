/* Helpers that call back into the program.
 *
 * The engine lends xl_run.call; when the callback dies, run->fault says so and the helper comes
 * back at once, so that the engine can stop the program.
 *
 * Source: bpf_loop(), bpf_for_each_map_elem(), kernel/bpf/bpf_iter.c; inline_bpf_loop(),
 * kernel/bpf/verifier.c; bpf_for_each_{array,hash}_elem(), kernel/bpf.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/run.h"

#define LOOPS_MAX (UINT64_C(1) << 23) /* BPF_MAX_LOOPS */

/* The kernel inlines this call where the callback is known and the flags are a constant 0, as in
 * nearly all programs. The inlined code counts in 64 bits and sets r0 with a 32-bit move, so too
 * many loops give 0xfffffff9 and not -7: what programs see. */
uint64_t xl_helper_loop(uint64_t n_loops, uint64_t func, uint64_t ctx, uint64_t flags, uint64_t r5)
{
	struct xl_run *run = xl_run;
	uint64_t i = 0, ret;

	if (flags)
		return xl_helper_int(-EINVAL);
	if (n_loops > LOOPS_MAX)
		return (uint32_t)-E2BIG;
	while (i < n_loops) {
		ret = run->call(run, func, i++, ctx, 0, 0, 0);
		if (ret || run->fault.kind)
			break;
	}
	return i;
}

/* Types whose elements the kernel lets a program walk. */
static const bool walkable[] = {
	[BPF_MAP_TYPE_ARRAY] = true,	[BPF_MAP_TYPE_PERCPU_ARRAY] = true,
	[BPF_MAP_TYPE_HASH] = true,	[BPF_MAP_TYPE_PERCPU_HASH] = true,
	[BPF_MAP_TYPE_LRU_HASH] = true, [BPF_MAP_TYPE_LRU_PERCPU_HASH] = true,
};
#define N_WALKABLE (sizeof(walkable) / sizeof(walkable[0]))

/* All keys of @map: a callback may delete and add elements, and each element that was there and
 * still is must be visited once. Returns how many, or -ENOMEM. */
static int64_t collect_keys(struct xl_map *map, uint8_t **out_keys)
{
	size_t n = 0, room = 0;
	uint8_t *keys = NULL, *grown;

	do {
		if (n == room) {
			room = room ? room * 2 : 64;
			grown = reallocarray(keys, room, map->key_size);
			if (!grown) {
				free(keys);
				return -ENOMEM;
			}
			keys = grown;
		}
		if (xl_map_next_key(map, n ? keys + (n - 1) * map->key_size : NULL,
				    keys + n * map->key_size))
			break;
	} while (n++ < map->max_entries);
	*out_keys = keys;
	return (int64_t)n;
}

uint64_t xl_helper_for_each_map_elem(uint64_t r1, uint64_t func, uint64_t ctx, uint64_t flags,
				     uint64_t r5)
{
	struct xl_map *map = (struct xl_map *)(uintptr_t)r1;
	struct xl_run *run = xl_run;
	struct xl_lent lent = { .size = map->key_size, .outer = run->lent };
	uint64_t n_seen = 0, ret;
	uint8_t *keys;
	int64_t n;

	if (flags)
		return xl_helper_int(-EINVAL);
	if (map->type >= N_WALKABLE || !walkable[map->type])
		return xl_helper_int(-EOPNOTSUPP); /* no verifier lets this pass */
	n = collect_keys(map, &keys);
	if (n < 0)
		return xl_helper_int((int)n);
	run->lent = &lent;
	for (int64_t i = 0; i < n; i++) {
		void *value = xl_map_lookup(map, keys + (size_t)i * map->key_size);

		if (!value)
			continue;
		lent.base = keys + (size_t)i * map->key_size;
		n_seen++;
		ret = run->call(run, func, r1, (uintptr_t)lent.base, (uintptr_t)value, ctx, 0);
		if (ret || run->fault.kind)
			break;
	}
	run->lent = lent.outer;
	free(keys);
	return n_seen;
}
