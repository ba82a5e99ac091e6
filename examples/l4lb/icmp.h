/* ICMP to a VIP: pings are answered here, errors go where the connection went.
 *
 * An ICMP error ("packet too big", "unreachable") comes from a router on the way and quotes the
 * start of the packet that it is about. That packet was sent by a real in the VIP's name, so its
 * source is the VIP and its destination the client: turned around, it is the connection's flow.
 * Without this, path MTU discovery fails behind a load balancer. Source: RFC 792, RFC 4443.
 */
#ifndef EXAMPLES_L4LB_ICMP_H
#define EXAMPLES_L4LB_ICMP_H

#include "checksum.h"
#include "flow.h"

#define ICMP_UNREACH	   3
#define ICMP_ECHO_REQUEST  8
#define ICMP_ECHO_ANSWER   0
#define ICMP_EXCEEDED	   11
#define ICMP_BAD_PARAMETER 12

#define ICMPV6_FIRST_QUERY 128 /* below are errors */
#define ICMPV6_ECHO_ASK	   128
#define ICMPV6_ECHO_ANSWER 129

struct icmp_head {
	__u8 type;
	__u8 code;
	__u16 check;
	__u32 rest;
};

/* The first bytes of TCP and UDP, all that a quote is sure to have. */
struct quoted_ports {
	__be16 src, dst;
};

static __always_inline bool is_icmp(const struct packet *p)
{
	return p->proto == (p->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __always_inline struct icmp_head *icmp_of(const struct packet *p)
{
	struct icmp_head *icmp = p->l4;

	return p->l4_len < sizeof(*icmp) || (void *)(icmp + 1) > p->end ? NULL : icmp;
}

static __always_inline bool is_ping(const struct packet *p, const struct icmp_head *icmp)
{
	return icmp->type == (p->version == 4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_ASK);
}

static __always_inline bool is_icmp_error(const struct packet *p, const struct icmp_head *icmp)
{
	if (p->version == 6)
		return icmp->type < ICMPV6_FIRST_QUERY;
	return icmp->type == ICMP_UNREACH || icmp->type == ICMP_EXCEEDED ||
	       icmp->type == ICMP_BAD_PARAMETER;
}

/* Turns an echo request into its reply, in place. */
static __always_inline void answer_ping(struct packet *p, struct icmp_head *icmp)
{
	struct ethhdr *eth = p->data;
	__u8 mac[ETH_ALEN];
	__u16 before = bpf_htons(icmp->type << 8 | icmp->code), after;

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);

	/* Swapping addresses leaves their sum, and so all checksums, as it was. */
	if (p->version == 4) {
		struct iphdr *ip = p->l3;
		__be32 addr = ip->saddr;
		__u16 ttl_before = bpf_htons(ip->ttl << 8 | ip->protocol);

		ip->saddr = ip->daddr;
		ip->daddr = addr;
		ip->ttl = 64; /* the reply's own way begins here */
		ip->check = checksum_replace(ip->check, ttl_before,
					     bpf_htons(ip->ttl << 8 | ip->protocol));
		icmp->type = ICMP_ECHO_ANSWER;
	} else {
		struct ipv6hdr *ip = p->l3;
		struct in6_addr addr = ip->saddr;

		ip->saddr = ip->daddr;
		ip->daddr = addr;
		ip->hop_limit = 64;
		icmp->type = ICMPV6_ECHO_ANSWER;
	}
	after = bpf_htons(icmp->type << 8 | icmp->code);
	icmp->check = checksum_replace(icmp->check, before, after);
}

/* Reads the quoted packet's addresses and protocol, turned around, into @out; returns where its
 * transport header is, or NULL. */
static __always_inline void *quoted_addresses(const struct packet *p, struct icmp_head *icmp,
					      struct flow *out)
{
	void *quote = icmp + 1;

	if (p->version == 4) {
		struct iphdr *ip = quote;

		if ((void *)(ip + 1) > p->end || ip->version != 4 || ip->ihl < 5)
			return NULL;
		if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
			return NULL;
		__builtin_memcpy(out->src, &ip->daddr, 4);
		__builtin_memcpy(out->dst, &ip->saddr, 4);
		out->proto = ip->protocol;
		return quote + ip->ihl * 4;
	} else {
		struct ipv6hdr *ip = quote;

		if ((void *)(ip + 1) > p->end || ip->version != 6)
			return NULL;
		__builtin_memcpy(out->src, &ip->daddr, 16);
		__builtin_memcpy(out->dst, &ip->saddr, 16);
		out->proto = ip->nexthdr;
		return ip + 1;
	}
}

/* The flow that an ICMP error is about. False: the quote is cut, or about something else. */
static __always_inline bool quoted_flow(const struct packet *p, struct icmp_head *icmp,
					struct flow *out)
{
	struct quoted_ports *ports = quoted_addresses(p, icmp, out);

	if (!ports || (out->proto != IPPROTO_TCP && out->proto != IPPROTO_UDP))
		return false;
	if ((void *)(ports + 1) > p->end)
		return false;
	out->version = p->version;
	out->sport = bpf_ntohs(ports->dst);
	out->dport = bpf_ntohs(ports->src);
	return true;
}

#endif
