/* hot */
/* Helpers on maps. Types that do not serve an operation answer -EOPNOTSUPP or NULL: the kernel's
 * verifier would have refused the program, so nobody depends on which errno it is.
 *
 * Source: kernel/bpf/helpers.c; bpf_xdp_event_output(), net/core/filter.c;
 * __bpf_perf_event_output(), kernel/trace/bpf_trace.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>

#include "base/percpu.h"
#include "maps/map.h"
#include "xdp-runtime/run.h"

static struct xl_map *map_arg(uint64_t r)
{
	return (struct xl_map *)(uintptr_t)r;
}

static void *mem_arg(uint64_t r)
{
	return (void *)(uintptr_t)r;
}

uint64_t xl_helper_map_lookup_elem(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	return (uintptr_t)xl_map_lookup(map_arg(map), mem_arg(key));
}

uint64_t xl_helper_map_update_elem(uint64_t map, uint64_t key, uint64_t value, uint64_t flags,
				   uint64_t r5)
{
	return xl_helper_int(xl_map_update(map_arg(map), mem_arg(key), mem_arg(value), flags));
}

uint64_t xl_helper_map_delete_elem(uint64_t map, uint64_t key, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	return xl_helper_int(xl_map_delete(map_arg(map), mem_arg(key)));
}

uint64_t xl_helper_map_push_elem(uint64_t r1, uint64_t value, uint64_t flags, uint64_t r4,
				 uint64_t r5)
{
	struct xl_map *map = map_arg(r1);

	if (!map->ops->push)
		return xl_helper_int(-EOPNOTSUPP);
	return xl_helper_int(map->ops->push(map, mem_arg(value), flags));
}

uint64_t xl_helper_map_pop_elem(uint64_t r1, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct xl_map *map = map_arg(r1);

	if (!map->ops->pop)
		return xl_helper_int(-EOPNOTSUPP);
	return xl_helper_int(map->ops->pop(map, mem_arg(value)));
}

uint64_t xl_helper_map_peek_elem(uint64_t r1, uint64_t value, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct xl_map *map = map_arg(r1);

	if (!map->ops->peek)
		return xl_helper_int(-EOPNOTSUPP);
	return xl_helper_int(map->ops->peek(map, mem_arg(value)));
}

uint64_t xl_helper_map_lookup_percpu_elem(uint64_t r1, uint64_t key, uint64_t r3, uint64_t r4,
					  uint64_t r5)
{
	struct xl_map *map = map_arg(r1);
	const uint32_t cpu = (uint32_t)r3;

	if (!map->ops->lookup_percpu || cpu >= map->n_cpus)
		return 0;
	return (uintptr_t)map->ops->lookup_percpu(map, mem_arg(key), cpu);
}

/* r3 is the index into the map (BPF_F_CURRENT_CPU: this CPU's) and, in bits 32..51, how many
 * bytes of the packet follow the data. */
uint64_t xl_helper_perf_event_output(uint64_t ctx, uint64_t r2, uint64_t flags, uint64_t data,
				     uint64_t size)
{
	const struct xl_run *run = xl_run;
	const struct xl_run_sinks *sinks = &run->sinks;
	const uint64_t packet_len = (flags & BPF_F_CTXLEN_MASK) >> 32;
	uint64_t index = flags & BPF_F_INDEX_MASK;
	struct xl_map *map = map_arg(r2);

	if (flags & ~(uint64_t)(BPF_F_CTXLEN_MASK | BPF_F_INDEX_MASK))
		return xl_helper_int(-EINVAL);
	if (packet_len > xl_frame_len(run->frame))
		return xl_helper_int(-EFAULT);
	if (index == BPF_F_CURRENT_CPU)
		index = xl_cpu;
	if (index >= map->max_entries)
		return xl_helper_int(-E2BIG);
	if (!sinks->perf_event)
		return xl_helper_int(-ENOENT);
	return xl_helper_int(sinks->perf_event(sinks->arg, map, (uint32_t)index, mem_arg(data),
					       (uint32_t)size, run->frame, (uint32_t)packet_len));
}
