/* Maps of maps of before BTF: LAYOUT 24 and 28 give the index of the map that inner maps are like,
 * 40 points to it. With 28 bytes an id of a prog array lies where others have the index. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct old_map {
	__u32 type, key_size, value_size, max_entries, flags;
#if LAYOUT == 40
	struct old_map *inner;
	const char *path;
#else
	__u32 inner_index_or_id;
#if LAYOUT == 28
	__u32 numa_node_or_pinning;
#endif
#endif
};

_Static_assert(sizeof(struct old_map) == LAYOUT, "layout");

#ifdef SECTION_EACH
#define MAP_SECTION(name) SEC("maps/" name)
#else
#define MAP_SECTION(name) SEC("maps")
#endif

struct old_map calls MAP_SECTION("calls") = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 4,
#if LAYOUT != 40
	.inner_index_or_id = 9,
#endif
};

struct old_map held MAP_SECTION("held") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 2,
};

#if LAYOUT == 40
static const char path[] = "/sys/fs/bpf/outer";
#endif

struct old_map outer MAP_SECTION("outer") = {
	.type = BPF_MAP_TYPE_HASH_OF_MAPS,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 4,
#if LAYOUT == 40
	.inner = &held,
	.path = path,
#else
	.inner_index_or_id = 1,
#endif
#if LAYOUT == 28
	.flags = BPF_F_NUMA_NODE,
	.numa_node_or_pinning = 0,
#endif
};

SEC("9/3")
int third(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u32 key = 5, slot = 1;
	__u64 *value;
	void *map;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	bpf_tail_call(ctx, &calls, *data);
	map = bpf_map_lookup_elem(&outer, &key);
	value = map ? bpf_map_lookup_elem(map, &slot) : 0;
	if (!value)
		return XDP_PASS;
	*value += 1;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
