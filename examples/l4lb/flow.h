/* Which connection a packet belongs to, and which real serves it. */
#ifndef EXAMPLES_L4LB_FLOW_H
#define EXAMPLES_L4LB_FLOW_H

#include "maps.h"

static __always_inline void addresses_of(const struct packet *p, struct flow *out)
{
	out->version = p->version;
	if (p->version == 4) {
		struct iphdr *ip = p->l3;

		__builtin_memcpy(out->src, &ip->saddr, 4);
		__builtin_memcpy(out->dst, &ip->daddr, 4);
	} else {
		struct ipv6hdr *ip = p->l3;

		__builtin_memcpy(out->src, &ip->saddr, 16);
		__builtin_memcpy(out->dst, &ip->daddr, 16);
	}
}

/* Multiply and shift: each bit of the input reaches the upper bits of the product, the shift brings
 * them down for the next round. The constant is 2^32 divided by the golden ratio. */
static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b1;
	return hash ^ hash >> 15;
}

/* The same on every load balancer, so that any of them sends a connection to the same real. */
static __always_inline __u32 flow_hash(const struct flow *flow)
{
	const __u32 *words = (const void *)flow;
	__u32 hash = 0;

	for (unsigned int i = 0; i < sizeof(*flow) / sizeof(*words); i++)
		hash = mix(hash, words[i]);
	return mix(hash, 0);
}

static __always_inline struct vip *vip_of(const struct flow *flow, __u16 port, __u8 proto)
{
	struct vip_key key = { .port = port, .proto = proto, .version = flow->version };

	__builtin_memcpy(key.addr, flow->dst, sizeof(key.addr));
	return bpf_map_lookup_elem(&vips, &key);
}

static __always_inline struct real *real_of(__u32 number)
{
	struct real *real = bpf_map_lookup_elem(&reals, &number);

	return real && real->version ? real : NULL;
}

/* The real that a known connection went to, if it is still there. */
static __always_inline struct real *known_real(const struct flow *flow, __u64 now_ns,
					       __u32 *out_number)
{
	struct conn *conn = bpf_map_lookup_elem(&conns, flow);
	struct real *real;

	if (!conn)
		return NULL;
	/* UDP says neither hello nor goodbye: time tells. */
	if (flow->proto == IPPROTO_UDP) {
		/* Another CPU may have written a time just after ours was read. */
		if (now_ns > conn->seen_ns && now_ns - conn->seen_ns > udp_timeout_ns)
			return NULL;
		conn->seen_ns = now_ns;
	}
	real = real_of(conn->real);
	*out_number = conn->real;
	return real;
}

/* The real that the VIP's ring has for the flow. */
static __always_inline struct real *ring_real(const struct vip *vip, __u32 hash, __u32 *out_number)
{
	__u32 slot = vip->number * RING_SIZE + hash % RING_SIZE;
	__u32 *number = bpf_map_lookup_elem(&ch_ring, &slot);

	if (!number)
		return NULL;
	*out_number = *number;
	return real_of(*number);
}

/* @is_new    the packet opens its connection, so whatever is remembered is about an older one
 * @by_ring   out: the ring chose */
static __always_inline struct real *choose_real(const struct vip *vip, const struct flow *flow,
						__u32 hash, bool is_new, __u32 *out_number,
						bool *out_by_ring)
{
	__u64 now_ns = flow->proto == IPPROTO_UDP ? bpf_ktime_get_ns() : 0;
	struct real *real = is_new ? NULL : known_real(flow, now_ns, out_number);
	struct conn conn = { .seen_ns = now_ns };

	if (real)
		return real;
	real = ring_real(vip, hash, out_number);
	if (!real)
		return NULL;
	*out_by_ring = true;
	conn.real = *out_number;
	/* A failure (the table is being changed on another CPU) costs nothing: until the ring
	 * changes, it gives the same answer again. */
	bpf_map_update_elem(&conns, flow, &conn, BPF_ANY);
	return real;
}

#endif
