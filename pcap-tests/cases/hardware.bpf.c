/* Keeps what the port's hardware tells of each packet. */
#include "case.h"

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp) __ksym;
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash, __u32 *type) __ksym;
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *proto,
					__u16 *tci) __ksym __weak;
extern int bpf_nobody_serves_this(struct xdp_md *ctx) __ksym __weak;

struct told {
	__u64 time;
	__u32 hash, type;
	__u16 tci, proto;
	int time_ret, hash_ret, vlan_ret;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct told);
} told SEC(".maps");
static __u32 n;

SEC("xdp")
int hardware(struct xdp_md *ctx)
{
	struct told t = { 0 };
	__u32 key = n++;

	t.time_ret = bpf_xdp_metadata_rx_timestamp(ctx, &t.time);
	t.hash_ret = bpf_xdp_metadata_rx_hash(ctx, &t.hash, &t.type);
	t.vlan_ret = -1;
	if (bpf_xdp_metadata_rx_vlan_tag)
		t.vlan_ret = bpf_xdp_metadata_rx_vlan_tag(ctx, &t.proto, &t.tci);
	bpf_map_update_elem(&told, &key, &t, BPF_ANY);
	return XDP_PASS;
}

/* Asks before it calls. */
SEC("xdp")
int asks(struct xdp_md *ctx)
{
	return bpf_nobody_serves_this ? bpf_nobody_serves_this(ctx) : XDP_TX;
}

SEC("xdp")
int does_not_ask(struct xdp_md *ctx)
{
	return bpf_nobody_serves_this(ctx);
}
