/* A layer 4 load balancer: connections to a virtual address (VIP) go to one of several servers
 * (reals), each connection always to the same one.
 *
 * Which one is decided twice over. A table of connections remembers where each went. What it does
 * not know, a consistent hash decides (Maglev, NSDI 2016): the flow's hash picks a slot of the VIP's
 * ring, and the ring was filled so that all reals have an equal share, and that few slots change
 * hands when a real comes or goes. So several load balancers agree without talking to each other.
 * The packet then leaves as it came, in a tunnel to the real (encap.h).
 *
 * What is not for a VIP is passed to the host's own network stack, unchanged.
 */
#include "encap.h"
#include "flow.h"
#include "icmp.h"
#include "maps.h"

static __always_inline int count(__u64 *counter, int action)
{
	(*counter)++;
	return action;
}

static __always_inline void count_traffic(const struct vip *vip, __u32 real, __u32 bytes,
					  bool by_ring)
{
	__u32 number = vip->number;
	struct vip_stats *of_vip = bpf_map_lookup_elem(&vip_stats, &number);
	struct real_stats *of_real = bpf_map_lookup_elem(&real_stats, &real);

	if (of_vip) {
		of_vip->packets++;
		of_vip->bytes += bytes;
		of_vip->by_ring += by_ring;
	}
	if (of_real) {
		of_real->packets++;
		of_real->bytes += bytes;
	}
}

/* Sends the packet to the real that @flow belongs to. For an ICMP error that is not the packet's
 * own flow but the one which it is about. */
static __always_inline int send_on(struct xdp_md *ctx, struct packet *p, const struct vip *vip,
				   const struct flow *flow, bool is_new, struct totals *t)
{
	__u32 zero = 0, number = 0, hash = flow_hash(flow);
	struct control *ctl = bpf_map_lookup_elem(&control, &zero);
	struct inner inner = {};
	struct real *real;
	bool by_ring = false;
	int action;

	if (!ctl)
		return XDP_ABORTED;
	if (!(ctl->next_hop[0] | ctl->next_hop[1] | ctl->next_hop[2] | ctl->next_hop[3] |
	      ctl->next_hop[4] | ctl->next_hop[5]))
		return count(&t->dropped_unconfigured, XDP_DROP);
	real = choose_real(vip, flow, hash, is_new, &number, &by_ring);
	if (!real)
		return count(&t->dropped_no_real, XDP_DROP);
	if (!take_hop(p))
		return count(&t->dropped_ttl, XDP_DROP);
	inner_of(p, &inner);
	if (real->version == 4)
		action = encap_v4(ctx, &inner, real, ctl, t);
	else
		action = encap_v6(ctx, &inner, real, ctl, t, hash);
	if (action == XDP_TX)
		count_traffic(vip, number, inner.len, by_ring);
	return action;
}

static __always_inline int icmp_to_vip(struct xdp_md *ctx, struct packet *p, struct flow *flow,
				       struct totals *t)
{
	struct vip *address = vip_of(flow, 0, 0);
	struct icmp_head *icmp;
	struct flow about = {};
	struct vip *vip;

	if (!address)
		return count(&t->passed_no_vip, XDP_PASS);
	icmp = icmp_of(p);
	if (!icmp)
		return count(&t->dropped_malformed, XDP_DROP);
	if (is_ping(p, icmp) && address->flags & VIP_ANSWER_PING) {
		answer_ping(p, icmp);
		return count(&t->answered_ping, XDP_TX);
	}
	if (is_icmp_error(p, icmp) && quoted_flow(p, icmp, &about)) {
		vip = vip_of(&about, about.dport, about.proto);
		if (vip)
			return send_on(ctx, p, vip, &about, false, t);
	}
	return count(&t->passed_no_vip, XDP_PASS);
}

static __always_inline int balance(struct xdp_md *ctx, struct packet *p, struct flow *flow,
				   struct totals *t)
{
	struct ports ports = {};
	struct vip *vip;

	if (!parse_ports(p, &ports)) {
		if (vip_of(flow, 0, 0))
			return count(&t->dropped_malformed, XDP_DROP);
		return count(&t->passed_malformed, XDP_PASS);
	}
	flow->sport = ports.src;
	flow->dport = ports.dst;
	flow->proto = p->proto;
	vip = vip_of(flow, flow->dport, flow->proto);
	if (!vip)
		return count(&t->passed_no_vip, XDP_PASS);
	return send_on(ctx, p, vip, flow, (ports.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN, t);
}

SEC("xdp")
int l4lb(struct xdp_md *ctx)
{
	struct packet p = {};
	struct flow flow = {};
	__u32 zero = 0;
	struct totals *t = bpf_map_lookup_elem(&totals, &zero);
	enum parse_result result;

	/* An array's row 0 is always there; the verifier wants to be told. */
	if (!t)
		return XDP_ABORTED;
	result = parse_packet(ctx, &p);
	if (result == PARSE_NOT_IP || p.n_vlans)
		return count(&t->passed_not_ip, XDP_PASS);
	if (result != PARSE_OK)
		return count(&t->passed_malformed, XDP_PASS);
	addresses_of(&p, &flow);
	if (is_fragment(&p)) {
		if (vip_of(&flow, 0, 0))
			return count(&t->dropped_fragment, XDP_DROP);
		return count(&t->passed_no_vip, XDP_PASS);
	}
	if (is_icmp(&p))
		return icmp_to_vip(ctx, &p, &flow, t);
	if (p.proto == IPPROTO_TCP || p.proto == IPPROTO_UDP)
		return balance(ctx, &p, &flow, t);
	return count(&t->passed_no_vip, XDP_PASS);
}

/* For libxdp and whoever chains programs: behind a filter, and what is not for a VIP goes on. */
struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
} _l4lb SEC(".xdp_run_config");

char LICENSE[] SEC("license") = "Dual MIT/GPL";
