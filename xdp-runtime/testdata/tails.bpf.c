/* Tail calls through a prog array that the object fills itself, and maps of maps likewise. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

int leaf(struct xdp_md *ctx);
int other_leaf(struct xdp_md *ctx);
int shaper(struct __sk_buff *skb);

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &inner_a, [3] = &inner_b } };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [0] = (void *)&leaf, [2] = (void *)&other_leaf } };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} tc_jumps SEC(".maps") = { .values = { [1] = (void *)&shaper } };

SEC("xdp")
int leaf(struct xdp_md *ctx)
{
	__u32 slot = 1, key = 0;
	void *map = bpf_map_lookup_elem(&outer, &slot);
	__u64 *value = map ? bpf_map_lookup_elem(map, &key) : 0;

	if (value)
		*value += 1;
	return XDP_TX;
}

SEC("xdp")
int other_leaf(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, ctx->rx_queue_index & 3);
	return XDP_PASS;
}

SEC("tc")
int shaper(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &tc_jumps, 1);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
