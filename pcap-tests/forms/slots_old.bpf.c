/* iproute2: section "2/5" puts a program into slot 5 of the prog array with id 2; a map with id 7
 * goes into slot inner_index of the maps whose inner_id is 7. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct old_map {
	__u32 type, key_size, value_size, max_entries, flags, id, pinning, inner_id, inner_index;
};

struct old_map other SEC("maps") = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 8,
	.id = 3,
};

struct old_map calls SEC("maps") = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 8,
	.id = 2,
};

struct old_map inner SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 1,
	.id = 7,
	.inner_index = 3,
};

struct old_map outer SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
	.key_size = 4,
	.value_size = 4,
	.max_entries = 4,
	.pinning = 2,
	.inner_id = 7,
};

struct ____btf_map_inner {
	__u32 key;
	__u64 value;
} ____btf_map_inner SEC(".maps.inner") __attribute__((used)) = {};

SEC("2/5")
int five(struct xdp_md *ctx)
{
	__u32 slot = 3, key = 0;
	void *map = bpf_map_lookup_elem(&outer, &slot);
	__u64 *value = map ? bpf_map_lookup_elem(map, &key) : 0;

	if (!value)
		return XDP_ABORTED;
	*value += 1;
	return XDP_TX;
}

SEC("2/0x6")
int six(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	bpf_tail_call(ctx, &other, *data);
	bpf_tail_call(ctx, &calls, *data);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
