/* bpf_redirect and bpf_redirect_map on each kind of map, with entries and without. */
#include "prog.h"

#define TARGETS(name_, type_, value_size_)       \
	struct {                                 \
		__uint(type, type_);             \
		__uint(max_entries, 16);         \
		__uint(key_size, sizeof(__u32)); \
		__uint(value_size, value_size_); \
	} name_ SEC(".maps")

TARGETS(ports, BPF_MAP_TYPE_DEVMAP, 4);
TARGETS(ports_hash, BPF_MAP_TYPE_DEVMAP_HASH, 8);
TARGETS(cpus, BPF_MAP_TYPE_CPUMAP, 8);
TARGETS(sockets, BPF_MAP_TYPE_XSKMAP, 4);
ARRAY(results, struct record, 1);

SEC("xdp")
int redirects(struct xdp_md *ctx)
{
	__u32 zero = 0, key, flags;
	struct record *r = bpf_map_lookup_elem(&results, &zero);
	__u64 h = packet_hash(ctx);
	struct bpf_devmap_val *port;
	long ret;

	if (!r)
		return XDP_ABORTED;
	key = h >> 8 & 3;
	flags = h >> 16 & 7;
	if (!(h >> 20 & 7))
		flags = h >> 24 & 0x1f;
	port = bpf_map_lookup_elem(&ports_hash, &key);
	if (port)
		record(r, port->ifindex << 1 | !!port->bpf_prog.id);
	switch (h % 6) {
	case 0:
		ret = bpf_redirect_map(&ports, key, flags);
		break;
	case 1:
		ret = bpf_redirect_map(&ports_hash, key, flags);
		break;
	case 2:
		ret = bpf_redirect_map(&cpus, key, flags);
		break;
	case 3:
		ret = bpf_redirect_map(&sockets, key, flags);
		break;
	case 4:
		ret = bpf_redirect(key, flags & 1);
		break;
	default:
		ret = bpf_redirect_map(&ports, 0x100000000ULL + key, flags & 3);
	}
	record(r, ret);
	return ret;
}

/* For entries of the maps: not run here, but their ids are in what the program sees. */
SEC("xdp/devmap")
int egress(struct xdp_md *ctx)
{
	return ctx->egress_ifindex ? XDP_PASS : XDP_DROP;
}

SEC("xdp/cpumap")
int on_cpu(struct xdp_md *ctx)
{
	return XDP_PASS;
}
