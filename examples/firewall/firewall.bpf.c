/* A stateless packet filter: who may send to which ports, and how fast.
 *
 * Each packet walks down a list of questions, and the first that has an answer decides:
 *   is it whole?  is its source on a list?  does its source send too fast?  is there a rule for its
 *   port?  what is the default?
 * Whatever decides counts the packet under its own name, so the totals add up to what came in.
 * What cannot be judged (cut headers, too many tags) is dropped, not passed: otherwise that would
 * be the way around the rules.
 */
#include "maps.h"

#define NS_PER_S 1000000000ull

/* The smallest offset at which an honest later fragment begins. One at 8 bytes would overwrite the
 * second half of a TCP header that has been judged already (RFC 3128); 24 also keeps UDP whole. */
#define MIN_FRAGMENT_OFFSET 24

/* Neighbour discovery is sent with the greatest hop limit and routers lower it, so that it can only
 * come from the same link (RFC 4861, 7.1). */
#define ND_HOP_LIMIT  255
#define ND_FIRST_TYPE 133 /* router solicitation */
#define ND_LAST_TYPE  137 /* redirect */

static __always_inline int pass(__u64 *counter)
{
	(*counter)++;
	return XDP_PASS;
}

static __always_inline int drop(__u64 *counter)
{
	(*counter)++;
	return XDP_DROP;
}

static __always_inline enum action apply(const struct rule *rule, const struct packet *p)
{
	struct hits *hits;
	__u32 id;

	if (!rule)
		return ACTION_NONE;
	id = rule->id;
	hits = bpf_map_lookup_elem(&rule_hits, &id);
	if (hits) {
		hits->packets++;
		hits->bytes += frame_len(p);
	}
	return rule->action;
}

static __always_inline enum action judge_source(const struct packet *p)
{
	if (p->version == 4) {
		struct prefix_v4 key = { .prefixlen = 32 };
		struct iphdr *ip = p->l3;

		__builtin_memcpy(key.addr, &ip->saddr, sizeof(key.addr));
		return apply(bpf_map_lookup_elem(&src_v4, &key), p);
	} else {
		struct prefix_v6 key = { .prefixlen = 128 };
		struct ipv6hdr *ip = p->l3;

		__builtin_memcpy(key.addr, &ip->saddr, sizeof(key.addr));
		return apply(bpf_map_lookup_elem(&src_v6, &key), p);
	}
}

/* Who is to pay for the packet. An IPv6 host has a whole /64 to pick addresses from, so the /64 is
 * one source. */
static __always_inline void source_of(const struct packet *p, struct source *out)
{
	if (p->version == 4) {
		struct iphdr *ip = p->l3;

		out->addr[10] = 0xff;
		out->addr[11] = 0xff;
		__builtin_memcpy(out->addr + 12, &ip->saddr, 4);
	} else {
		struct ipv6hdr *ip = p->l3;

		__builtin_memcpy(out->addr, &ip->saddr, 8);
	}
}

/* A token bucket, counted in time: credit grows as time passes and each packet spends the time that
 * it is entitled to. Two CPUs that serve one source at the same moment may both spend the same
 * credit; a lock would cost each packet more than these few extra packets do harm. */
static __always_inline bool too_fast(const struct packet *p)
{
	struct source source = {};
	struct bucket *bucket;
	__u64 cost_ns, most_ns, now_ns, credit_ns;

	if (!rate_pps)
		return false;
	cost_ns = NS_PER_S / rate_pps;
	most_ns = cost_ns * rate_burst;
	now_ns = bpf_ktime_get_ns();
	source_of(p, &source);
	bucket = bpf_map_lookup_elem(&buckets, &source);
	if (!bucket) {
		struct bucket fresh = { .time_ns = now_ns };

		fresh.credit_ns = most_ns > cost_ns ? most_ns - cost_ns : 0;
		bpf_map_update_elem(&buckets, &source, &fresh, BPF_ANY);
		return false;
	}
	credit_ns = bucket->credit_ns;
	/* Another CPU may have written a time just after ours was read. */
	if (now_ns > bucket->time_ns) {
		credit_ns += now_ns - bucket->time_ns;
		bucket->time_ns = now_ns;
	}
	if (credit_ns > most_ns)
		credit_ns = most_ns;
	if (credit_ns < cost_ns) {
		bucket->credit_ns = credit_ns;
		return true;
	}
	bucket->credit_ns = credit_ns - cost_ns;
	return false;
}

static __always_inline bool is_neighbour_discovery(const struct packet *p)
{
	struct ipv6hdr *ip = p->l3;
	__u8 *type = p->l4;

	/* Never fragmented (RFC 6980). */
	if (p->version != 6 || p->proto != IPPROTO_ICMPV6 || is_fragment(p) ||
	    ip->hop_limit != ND_HOP_LIMIT)
		return false;
	/* Twice: padding of the frame may lie behind the packet. */
	if (!p->l4_len || (void *)(type + 1) > p->end)
		return false;
	return *type >= ND_FIRST_TYPE && *type <= ND_LAST_TYPE;
}

/* Flags that contradict each other. Scanners send them to tell systems apart by their answers. */
static __always_inline bool impossible_flags(__u8 flags)
{
	flags &= TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
	return flags == 0 || flags == TCP_FIN ||
	       (flags & (TCP_SYN | TCP_FIN)) == (TCP_SYN | TCP_FIN) ||
	       (flags & (TCP_SYN | TCP_RST)) == (TCP_SYN | TCP_RST);
}

static __always_inline enum action judge_port(const struct packet *p, __u16 port)
{
	struct service key = { .port = port, .proto = p->proto };
	struct rule *rule = bpf_map_lookup_elem(&ports, &key);

	if (!rule && port) {
		key.port = 0;
		rule = bpf_map_lookup_elem(&ports, &key);
	}
	return apply(rule, p);
}

static __always_inline int judge_service(const struct packet *p, struct totals *t)
{
	struct ports l4 = {};

	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP) {
		if (!parse_ports(p, &l4))
			return drop(&t->dropped_malformed);
		if (p->proto == IPPROTO_TCP && impossible_flags(l4.tcp_flags))
			return drop(&t->dropped_tcp_flags);
	}
	switch (judge_port(p, l4.dst)) {
	case ACTION_ALLOW:
		return pass(&t->passed_by_port);
	case ACTION_DENY:
		return drop(&t->dropped_by_port);
	default:
		return default_deny ? drop(&t->dropped_by_default) : pass(&t->passed_by_default);
	}
}

static __always_inline int judge_ip(const struct packet *p, struct totals *t)
{
	switch (judge_source(p)) {
	case ACTION_ALLOW:
		return pass(&t->passed_by_source);
	case ACTION_DENY:
		return drop(&t->dropped_by_source);
	default:
		break;
	}
	if (is_neighbour_discovery(p))
		return pass(&t->passed_neighbour);
	if (too_fast(p))
		return drop(&t->dropped_rate);
	if (is_fragment(p)) {
		if (drop_fragments)
			return drop(&t->dropped_fragment);
		/* No port to judge by; and if the first fragment was dropped, nobody can put the
		 * datagram together. */
		if (is_later_fragment(p))
			return (p->frag & FRAG_OFFSET) < MIN_FRAGMENT_OFFSET
				       ? drop(&t->dropped_fragment)
				       : pass(&t->passed_fragment);
	}
	return judge_service(p, t);
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	struct packet p = {};
	__u32 zero = 0;
	struct totals *t = bpf_map_lookup_elem(&totals, &zero);

	/* An array's row 0 is always there; the verifier wants to be told. */
	if (!t)
		return XDP_ABORTED;
	switch (parse_packet(ctx, &p)) {
	case PARSE_OK:
		return judge_ip(&p, t);
	case PARSE_NOT_IP:
		return pass(&t->passed_not_ip);
	case PARSE_TOO_DEEP:
		return drop(&t->dropped_too_deep);
	default:
		return drop(&t->dropped_malformed);
	}
}

/* For libxdp and whoever chains programs: early, and what this one passes goes to the next. */
struct {
	__uint(priority, 10);
	__uint(XDP_PASS, 1);
} _firewall SEC(".xdp_run_config");

char LICENSE[] SEC("license") = "Dual MIT/GPL";
