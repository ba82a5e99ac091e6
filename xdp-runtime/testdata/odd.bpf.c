/* Entry points that no loader expects: static ones, and only tc. */
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

SEC("?xdp")
int optional(struct xdp_md *ctx)
{
	return XDP_PASS;
}
#endif

char _license[] SEC("license") = "GPL";
