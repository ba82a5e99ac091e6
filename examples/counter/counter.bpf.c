/* Counts packets and bytes by protocol, and passes everything on.
 *
 * The counters are a per-CPU array: each CPU has its own copy of every row, so counting needs no
 * atomic instruction and no cache line travels between CPUs. Whoever reads adds the copies up.
 */
#include "../common/parse.h"

/* The rows. A number, once given, keeps its meaning: tools outside read by it. */
enum kind {
	KIND_OTHER_L3, /* neither IP nor ARP */
	KIND_ARP,
	KIND_IPV4_TCP,
	KIND_IPV4_UDP,
	KIND_IPV4_ICMP,
	KIND_IPV4_OTHER,
	KIND_IPV6_TCP,
	KIND_IPV6_UDP,
	KIND_IPV6_ICMP,
	KIND_IPV6_OTHER,
	KIND_MALFORMED, /* cut or contradictory headers */
	N_KINDS,
};

struct counts {
	__u64 packets;
	__u64 bytes; /* of the whole frame */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, N_KINDS);
	__type(key, __u32);
	__type(value, struct counts);
} counters SEC(".maps");

static __always_inline enum kind kind_of_ip(const struct packet *p)
{
	bool v4 = p->version == 4;

	switch (p->proto) {
	case IPPROTO_TCP:
		return v4 ? KIND_IPV4_TCP : KIND_IPV6_TCP;
	case IPPROTO_UDP:
		return v4 ? KIND_IPV4_UDP : KIND_IPV6_UDP;
	case IPPROTO_ICMP:
		return v4 ? KIND_IPV4_ICMP : KIND_IPV6_OTHER;
	case IPPROTO_ICMPV6:
		return v4 ? KIND_IPV4_OTHER : KIND_IPV6_ICMP;
	}
	return v4 ? KIND_IPV4_OTHER : KIND_IPV6_OTHER;
}

static __always_inline enum kind kind_of(struct xdp_md *ctx, struct packet *p)
{
	switch (parse_packet(ctx, p)) {
	case PARSE_OK:
		return kind_of_ip(p);
	case PARSE_NOT_IP:
		return p->ethertype == ETH_P_ARP ? KIND_ARP : KIND_OTHER_L3;
	case PARSE_TOO_DEEP:
		return p->version == 6 ? KIND_IPV6_OTHER : KIND_OTHER_L3;
	default:
		return KIND_MALFORMED;
	}
}

SEC("xdp")
int counter(struct xdp_md *ctx)
{
	struct packet p = {};
	__u32 kind = kind_of(ctx, &p);
	struct counts *counts = bpf_map_lookup_elem(&counters, &kind);

	/* An array has every row, but the verifier does not know that our number is below N_KINDS. */
	if (counts) {
		counts->packets++;
		counts->bytes += frame_len(&p);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
