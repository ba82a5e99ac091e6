/* Which helpers take which maps.
 *
 * Source: check_map_func_compatibility(), record_func_map() in kernel/bpf/verifier.c, v6.18.
 */
#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/verifier/env.h"

#define TYPE(t)	  (1ull << BPF_MAP_TYPE_##t)
#define CALLS_MAX 5

/* Types that these helpers take and no others. */
static const struct {
	int32_t func;
	uint64_t types;
} takes[] = {
	{ BPF_FUNC_tail_call, TYPE(PROG_ARRAY) },
	{ BPF_FUNC_perf_event_output, TYPE(PERF_EVENT_ARRAY) },
	{ BPF_FUNC_redirect_map, TYPE(DEVMAP) | TYPE(DEVMAP_HASH) | TYPE(CPUMAP) | TYPE(XSKMAP) },
	{ BPF_FUNC_map_push_elem, TYPE(QUEUE) | TYPE(STACK) | TYPE(BLOOM_FILTER) },
	{ BPF_FUNC_map_peek_elem, TYPE(QUEUE) | TYPE(STACK) | TYPE(BLOOM_FILTER) },
	{ BPF_FUNC_map_pop_elem, TYPE(QUEUE) | TYPE(STACK) },
	{ BPF_FUNC_map_lookup_percpu_elem,
	  TYPE(PERCPU_ARRAY) | TYPE(PERCPU_HASH) | TYPE(LRU_PERCPU_HASH) },
	{ BPF_FUNC_ringbuf_output, TYPE(RINGBUF) },
	{ BPF_FUNC_ringbuf_query, TYPE(RINGBUF) },
	{ BPF_FUNC_ringbuf_reserve, TYPE(RINGBUF) },
	{ BPF_FUNC_ringbuf_reserve_dynptr, TYPE(RINGBUF) },
};

/* Helpers that these types are for, and no others (0: any that takes plain maps). */
static const int32_t made_for[][CALLS_MAX] = {
	[BPF_MAP_TYPE_PROG_ARRAY] = { BPF_FUNC_tail_call },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { BPF_FUNC_perf_event_output },
	[BPF_MAP_TYPE_DEVMAP] = { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem },
	[BPF_MAP_TYPE_CPUMAP] = { BPF_FUNC_redirect_map },
	[BPF_MAP_TYPE_XSKMAP] = { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { BPF_FUNC_map_lookup_elem },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { BPF_FUNC_map_lookup_elem },
	[BPF_MAP_TYPE_QUEUE] = { BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem,
				 BPF_FUNC_map_peek_elem },
	[BPF_MAP_TYPE_STACK] = { BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem,
				 BPF_FUNC_map_peek_elem },
	[BPF_MAP_TYPE_BLOOM_FILTER] = { BPF_FUNC_map_push_elem, BPF_FUNC_map_peek_elem },
	[BPF_MAP_TYPE_RINGBUF] = { BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_query,
				   BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_reserve_dynptr },
};

/* Types whose rules are written here: those above, and plain ones. */
#define PLAIN                                                                                 \
	(TYPE(HASH) | TYPE(ARRAY) | TYPE(PERCPU_HASH) | TYPE(PERCPU_ARRAY) | TYPE(LRU_HASH) | \
	 TYPE(LRU_PERCPU_HASH) | TYPE(LPM_TRIE))

static bool is_made_for(enum bpf_map_type type, int32_t func)
{
	for (uint32_t i = 0; i < CALLS_MAX; i++)
		if (made_for[type][i] == func)
			return true;
	return false;
}

static bool is_special(enum bpf_map_type type)
{
	return type < sizeof(made_for) / sizeof(made_for[0]) && made_for[type][0];
}

static bool fits(const struct xl_vcall *call)
{
	if (is_special(call->map->type) && !is_made_for(call->map->type, call->id))
		return false;
	for (uint32_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (takes[i].func == call->id)
			return takes[i].types >> call->map->type & 1;
	return true;
}

static bool changes_map(int32_t func)
{
	return func == BPF_FUNC_map_update_elem || func == BPF_FUNC_map_delete_elem ||
	       func == BPF_FUNC_map_push_elem || func == BPF_FUNC_map_pop_elem;
}

int xl_v_map_fits(struct xl_venv *v, const struct xl_vcall *call)
{
	const struct xl_map *map = call->map;

	if (!is_special(map->type) && !(map->type < 64 && PLAIN >> map->type & 1))
		return xl_v_unsupported(v, "maps of type %s", xl_map_type_name(map->type));
	if (!fits(call))
		return xl_v_refuse(v, -EINVAL, "cannot pass map_type %d into func %s#%d\n",
				   (int)map->type, call->helper->name, call->id);
	if (call->id == BPF_FUNC_map_lookup_elem && map->type == BPF_MAP_TYPE_XSKMAP)
		return xl_v_unsupported(v, "sockets out of an xskmap");
	if (map->rdonly_prog && changes_map(call->id))
		return xl_v_refuse(v, -EACCES, "write into map forbidden\n");
	return 0;
}
