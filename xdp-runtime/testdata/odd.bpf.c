/* What no loader expects: static entry points, only tc, a map without a size. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifdef ONLY_TC
SEC("tc")
int shaper(struct __sk_buff *skb)
{
	return skb->len > 100;
}
#else
SEC("xdp_static")
static __attribute__((used)) int hidden(struct xdp_md *ctx)
{
	return XDP_DROP;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 0); /* for a control program to set */
	__type(key, __u32);
	__type(value, __u64);
} sizeless SEC(".maps");

SEC("?xdp")
int optional(struct xdp_md *ctx)
{
	return bpf_map_lookup_elem(&sizeless, &(__u32){ 0 }) ? XDP_PASS : XDP_DROP;
}
#endif

char _license[] SEC("license") = "GPL";
