/* Puts a packet into a tunnel to a real, and answers pings.
 *
 * The real unpacks it, finds its own copy of the VIP as destination, and answers the client
 * directly: only one direction passes the load balancer. IPv4 or IPv6 outside goes by the real's
 * address, whatever is inside: IPIP, IP6IP6 and the two mixed ones.
 * Sources: RFC 2003 (IP in IP), RFC 2473 (in IPv6), RFC 6040 (ECN), RFC 6438 (flow label).
 */
#ifndef EXAMPLES_L4LB_ENCAP_H
#define EXAMPLES_L4LB_ENCAP_H

#include "checksum.h"
#include "maps.h"

#define TUNNEL_TTL 64

/* What the outer header needs from the inner one, read before the packet moves. */
struct inner {
	__u16 len;  /* IP packet in bytes */
	__u8 proto; /* IPPROTO_IPIP or IPPROTO_IPV6: what lies inside */
	__u8 tos;
};

/* Forwarding takes one hop of the packet's life (RFC 2003, 3.1): otherwise two load balancers that
 * send to each other do so for ever. False: no hop is left. */
static __always_inline bool take_hop(struct packet *p)
{
	if (p->version == 4) {
		struct iphdr *ip = p->l3;
		__u16 before, after;

		if (ip->ttl <= 1)
			return false;
		/* TTL is the upper byte of a word, as the checksum counts. */
		before = bpf_htons(ip->ttl << 8 | ip->protocol);
		ip->ttl--;
		after = bpf_htons(ip->ttl << 8 | ip->protocol);
		ip->check = checksum_replace(ip->check, before, after);
	} else {
		struct ipv6hdr *ip = p->l3;

		if (ip->hop_limit <= 1)
			return false;
		ip->hop_limit--;
	}
	return true;
}

static __always_inline void inner_of(const struct packet *p, struct inner *out)
{
	out->len = p->l3_len;
	if (p->version == 4) {
		struct iphdr *ip = p->l3;

		out->proto = IPPROTO_IPIP;
		out->tos = ip->tos;
	} else {
		struct ipv6hdr *ip = p->l3;

		out->proto = IPPROTO_IPV6;
		out->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	}
}

static __always_inline void write_eth(struct ethhdr *eth, const struct control *ctl, __u16 proto)
{
	__builtin_memcpy(eth->h_dest, ctl->next_hop, ETH_ALEN);
	__builtin_memcpy(eth->h_source, ctl->mac, ETH_ALEN);
	eth->h_proto = bpf_htons(proto);
}

static __always_inline int encap_v4(struct xdp_md *ctx, const struct inner *in,
				    const struct real *real, const struct control *ctl,
				    struct totals *t)
{
	struct ethhdr *eth;
	struct iphdr *ip;
	void *end;

	if (in->len + sizeof(*ip) > mtu_bytes) {
		t->dropped_too_big++;
		return XDP_DROP;
	}
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*ip))) {
		t->dropped_headroom++;
		return XDP_DROP;
	}
	/* The packet has moved: all pointers into it are to be taken and compared anew. */
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;

	write_eth(eth, ctl, ETH_P_IP);
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = in->tos;
	ip->tot_len = bpf_htons(in->len + sizeof(*ip));
	ip->id = 0; /* means nothing to a packet that is never fragmented (RFC 6864) */
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = TUNNEL_TTL;
	ip->protocol = in->proto;
	ip->check = 0;
	__builtin_memcpy(&ip->saddr, ctl->source_v4, 4);
	__builtin_memcpy(&ip->daddr, real->addr, 4);
	ip->check = ipv4_checksum(ip);
	t->sent_v4++;
	return XDP_TX;
}

/* @hash goes into the flow label: routers on the way spread flows by it. */
static __always_inline int encap_v6(struct xdp_md *ctx, const struct inner *in,
				    const struct real *real, const struct control *ctl,
				    struct totals *t, __u32 hash)
{
	struct ethhdr *eth;
	struct ipv6hdr *ip;
	void *end;

	if (in->len + sizeof(*ip) > mtu_bytes) {
		t->dropped_too_big++;
		return XDP_DROP;
	}
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*ip))) {
		t->dropped_headroom++;
		return XDP_DROP;
	}
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > end)
		return XDP_ABORTED;

	write_eth(eth, ctl, ETH_P_IPV6);
	ip->version = 6;
	ip->priority = in->tos >> 4;
	ip->flow_lbl[0] = in->tos << 4 | (hash >> 16 & 0x0f);
	ip->flow_lbl[1] = hash >> 8;
	ip->flow_lbl[2] = hash;
	ip->payload_len = bpf_htons(in->len);
	ip->nexthdr = in->proto;
	ip->hop_limit = TUNNEL_TTL;
	__builtin_memcpy(&ip->saddr, ctl->source_v6, 16);
	__builtin_memcpy(&ip->daddr, real->addr, 16);
	t->sent_v6++;
	return XDP_TX;
}

#endif
