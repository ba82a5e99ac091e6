/* From the first byte of a frame to its transport header, for XDP programs.
 *
 * The idea: a read from the packet is allowed only after the program has compared its end with
 * data_end; the verifier follows these comparisons, and at run time they keep short packets from
 * being read past their end. So each header is one step: compare, then use. What IP says of its
 * own length is checked too, because a sender may lie about it.
 *
 * parse_packet() handles up to two VLAN tags, IPv4 with options, and IPv6 with extension headers.
 * Sources: RFC 791, RFC 8200, RFC 4302 (AH), IEEE 802.1Q.
 */
#ifndef EXAMPLES_COMMON_PARSE_H
#define EXAMPLES_COMMON_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* linux/ has no header for these that can be included beside the ones above. */
struct vlan_tag {
	__be16 tci;
	__be16 ethertype; /* of what follows */
};

struct ipv6_ext {
	__u8 nexthdr;
	__u8 len; /* in units that depend on the header */
};

struct ipv6_frag {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset; /* upper 13 bits: offset in 8 bytes; lowest: more fragments */
	__be32 id;
};

#define MAX_VLANS	     2 /* 802.1ad: a service tag and a customer tag */
#define MAX_IPV6_EXTS	     6 /* chosen: RFC 8200 names six that may come before the transport header */

#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff /* in 8 bytes */

enum parse_result {
	PARSE_OK,
	PARSE_NOT_IP,	/* ARP, LLC, MPLS…: l3 and what follows is not set */
	PARSE_BAD_L2,	/* ends within the Ethernet header or a VLAN tag */
	PARSE_BAD_L3,	/* the IP header is cut, or contradicts itself or the frame's length */
	PARSE_TOO_DEEP, /* more tags or extension headers than we follow */
};

struct packet {
	void *data; /* the Ethernet header */
	void *end;
	void *l3;	 /* struct iphdr or ipv6hdr, by version */
	void *l4;	 /* the transport header; not yet compared with end */
	__u32 l3_len;	 /* IP packet in bytes, by its own account; never beyond end */
	__u32 l4_len;	 /* likewise, from l4 on */
	__u16 ethertype; /* behind the VLAN tags */
	__u16 frag;	 /* place in the datagram in bytes, | FRAG_MORE; 0: not a fragment */
	__u8 n_vlans;
	__u8 version; /* 4 or 6 */
	__u8 proto;   /* of the transport header: IPPROTO_… */
};

/* packet.frag has the form of IPv6's field. */
#define FRAG_MORE   0x0001
#define FRAG_OFFSET 0xfff8
#define FRAG_MASK   (FRAG_OFFSET | FRAG_MORE)

static __always_inline bool is_fragment(const struct packet *p)
{
	return p->frag != 0;
}

/* Only the first fragment has the transport header; in the others the middle of the payload lies
 * where it would be. */
static __always_inline bool is_later_fragment(const struct packet *p)
{
	return p->frag & FRAG_OFFSET;
}

/* The transport header's part that programs ask for. */
struct ports {
	__u16 src, dst; /* host order, as people write them */
	__u8 tcp_flags; /* TCP_FIN… */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

static __always_inline enum parse_result parse_l2(struct packet *p)
{
	struct ethhdr *eth = p->data;
	void *next = eth + 1;
	__be16 ethertype;

	if (next > p->end)
		return PARSE_BAD_L2;
	ethertype = eth->h_proto;
	for (int i = 0; i <= MAX_VLANS; i++) {
		struct vlan_tag *tag = next;

		if (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD))
			break;
		if (i == MAX_VLANS)
			return PARSE_TOO_DEEP;
		if ((void *)(tag + 1) > p->end)
			return PARSE_BAD_L2;
		ethertype = tag->ethertype;
		next = tag + 1;
		p->n_vlans = i + 1;
	}
	p->ethertype = bpf_ntohs(ethertype);
	p->l3 = next;
	return PARSE_OK;
}

static __always_inline enum parse_result parse_ipv4(struct packet *p)
{
	struct iphdr *ip = p->l3;
	__u32 header_len;
	__u16 frag;

	if ((void *)(ip + 1) > p->end)
		return PARSE_BAD_L3;
	header_len = ip->ihl * 4;
	p->l3_len = bpf_ntohs(ip->tot_len);
	/* The frame may be longer than the packet (Ethernet pads to 60 bytes), never shorter. */
	if (ip->version != 4 || header_len < sizeof(*ip) || p->l3_len < header_len ||
	    p->l3 + p->l3_len > p->end)
		return PARSE_BAD_L3;

	frag = bpf_ntohs(ip->frag_off);
	p->frag = (frag & IPV4_FRAGMENT_OFFSET) << 3;
	if (frag & IPV4_MORE_FRAGMENTS)
		p->frag |= FRAG_MORE;
	p->version = 4;
	p->proto = ip->protocol;
	p->l4 = p->l3 + header_len;
	p->l4_len = p->l3_len - header_len;
	return PARSE_OK;
}

/* The extension headers that may come before a transport header. Each has 8 bytes and as many more
 * units as its length field says. A table keeps the walk below free of branches, of which the
 * verifier would follow every combination over all rounds. */
#define EXT_UNIT 0x0c /* mask: bytes per unit; tells the verifier that there are no more than 12 */
#define EXT	 0x01 /* to tell those without units from what is no extension header */

static const __u8 ipv6_exts[256] = {
	[IPPROTO_HOPOPTS] = EXT | 8, [IPPROTO_ROUTING] = EXT | 8, [IPPROTO_DSTOPTS] = EXT | 8,
	[IPPROTO_AH] = EXT | 4,	     [IPPROTO_FRAGMENT] = EXT,
};

static __always_inline enum parse_result parse_ipv6(struct packet *p)
{
	struct ipv6hdr *ip = p->l3;
	void *next = ip + 1;
	__u8 proto;

	if (next > p->end)
		return PARSE_BAD_L3;
	p->l3_len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (ip->version != 6 || p->l3 + p->l3_len > p->end)
		return PARSE_BAD_L3;
	p->version = 6;
	proto = ip->nexthdr;

	for (int i = 0; i < MAX_IPV6_EXTS; i++) {
		struct ipv6_ext *ext = next;

		/* Behind a later fragment's header lies payload, whatever nexthdr says. */
		if (!ipv6_exts[proto] || is_later_fragment(p))
			break;
		if (next + sizeof(struct ipv6_frag) > p->end)
			return PARSE_BAD_L3;
		if (proto == IPPROTO_FRAGMENT)
			p->frag = bpf_ntohs(((struct ipv6_frag *)ext)->offset) & FRAG_MASK;
		next += sizeof(struct ipv6_frag) + ext->len * (ipv6_exts[proto] & EXT_UNIT);
		proto = ext->nexthdr;
	}
	if (ipv6_exts[proto] && !is_later_fragment(p))
		return PARSE_TOO_DEEP;
	if (next - p->l3 > p->l3_len)
		return PARSE_BAD_L3;
	p->proto = proto;
	p->l4 = next;
	p->l4_len = p->l3_len - (next - p->l3);
	return PARSE_OK;
}

/* Fills @p, which the caller has zeroed, from the frame of @ctx. */
static __always_inline enum parse_result parse_packet(struct xdp_md *ctx, struct packet *p)
{
	enum parse_result result;

	/* The context's fields have 32 bits, but the kernel gives whole pointers: hence the casts. */
	p->data = (void *)(long)ctx->data;
	p->end = (void *)(long)ctx->data_end;
	result = parse_l2(p);
	if (result != PARSE_OK)
		return result;
	if (p->ethertype == ETH_P_IP)
		return parse_ipv4(p);
	if (p->ethertype == ETH_P_IPV6)
		return parse_ipv6(p);
	return PARSE_NOT_IP;
}

/* Reads the ports of a TCP or UDP packet that is no later fragment. False: the header is cut or
 * contradicts itself. */
static __always_inline bool parse_ports(const struct packet *p, struct ports *out)
{
	if (p->proto == IPPROTO_TCP) {
		struct tcphdr *tcp = p->l4;

		if (p->l4_len < sizeof(*tcp) || (void *)(tcp + 1) > p->end)
			return false;
		/* A first fragment must hold all options too, or they escape whoever looks. */
		if (tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > p->l4_len)
			return false;
		out->src = bpf_ntohs(tcp->source);
		out->dst = bpf_ntohs(tcp->dest);
		out->tcp_flags = ((__u8 *)tcp)[13];
		return true;
	}
	if (p->proto == IPPROTO_UDP) {
		struct udphdr *udp = p->l4;
		__u32 len;

		if (p->l4_len < sizeof(*udp) || (void *)(udp + 1) > p->end)
			return false;
		/* A first fragment's UDP length is that of the whole datagram. */
		len = bpf_ntohs(udp->len);
		if (len < sizeof(*udp) || (len > p->l4_len && !is_fragment(p)))
			return false;
		out->src = bpf_ntohs(udp->source);
		out->dst = bpf_ntohs(udp->dest);
		out->tcp_flags = 0;
		return true;
	}
	return false;
}

static __always_inline __u32 frame_len(const struct packet *p)
{
	return p->end - p->data;
}

#endif
