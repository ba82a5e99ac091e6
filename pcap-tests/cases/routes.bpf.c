/* Forwards by the routing table, as xdp_fwd does, and keeps what it was told. */
#include "case.h"

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>

#define AF_INET 2

struct answer {
	__s32 ret;
	__u32 ifindex, gateway, mtu;
	__u32 link_mtu; /* of the port that it came in by */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32); /* last byte of the destination */
	__type(value, struct answer);
} answers SEC(".maps");

SEC("xdp")
int routes(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bpf_fib_lookup params = { .family = AF_INET, .ifindex = ctx->ingress_ifindex };
	struct answer a = { 0 };
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	__u32 key;

	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	params.ipv4_src = ip->saddr;
	params.ipv4_dst = ip->daddr;
	params.tot_len = bpf_ntohs(ip->tot_len);
	key = bpf_ntohl(ip->daddr) & 255;
	a.ret = bpf_fib_lookup(ctx, &params, sizeof(params), 0);
	a.ifindex = params.ifindex;
	a.gateway = bpf_ntohl(params.ipv4_dst);
	a.mtu = params.mtu_result;
	bpf_check_mtu(ctx, 0, &a.link_mtu, 0, 0);
	bpf_map_update_elem(&answers, &key, &a, BPF_ANY);
	if (a.ret != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	__builtin_memcpy(eth->h_dest, params.dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, params.smac, ETH_ALEN);
	return bpf_redirect(params.ifindex, 0);
}
