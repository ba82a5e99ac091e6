/* Sections that name no type, several programs in one, and one that is not XDP. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int verdict_of(struct xdp_md *ctx, int otherwise)
{
	return ctx->data_end - ctx->data > 100 ? XDP_ABORTED : otherwise;
}

SEC("prog")
int in_prog(struct xdp_md *ctx)
{
	return verdict_of(ctx, XDP_DROP);
}

SEC("prog")
int also_in_prog(struct xdp_md *ctx)
{
	return verdict_of(ctx, XDP_TX);
}

SEC("from-netdev")
int from_netdev(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("2/16")
int numbered(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp_prog1")
int takes_anything(void *ctx)
{
	return XDP_DROP;
}

SEC("xdp/named")
static __attribute__((used)) int of_aya(struct xdp_md *ctx)
{
	return verdict_of(ctx, XDP_PASS);
}

SEC("shaper")
int not_xdp(struct __sk_buff *skb)
{
	return skb->len > 100;
}

char _license[] SEC("license") = "GPL";
