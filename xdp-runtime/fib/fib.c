/* hot */
/* bpf_fib_lookup() on a forwarding table; see fib.h.
 *
 * The steps are the kernel's, in its order, because programs see where it stopped: a params
 * struct is filled up to the step that failed. Which next hop of a multipath route is taken is a
 * hash of both addresses, as in the kernel, but of a fixed one, so that replays repeat.
 *
 * Source: bpf_ipv4_fib_lookup(), bpf_ipv6_fib_lookup(), net/core/filter.c; fib_table_lookup(),
 * net/ipv4/fib_trie.c; fib_select_multipath(), net/ipv4/fib_semantics.c; rt6_select() and
 * rt6_score_route(), net/ipv6/route.c.
 */
#include "xdp-runtime/fib/fib.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "xdp-runtime/fib/fib_table.h"

#define TOS_MASK	 0x1c /* IPTOS_RT_MASK: what of a type of service routes are chosen by */
#define MTU_MAX_4	 0xffffu
#define MTU_MIN_6	 1280u
#define MTU_MAX_6	 (0xffffu + 40)
#define ETH_ADDRESS_SIZE 6

struct result {
	const struct xl_fib_route *route;
	const struct xl_fib_nexthop *nexthop;
};

struct query {
	const struct xl_fib *fib;
	uint8_t family;
	struct xl_fib_ip src, dst;
	uint32_t ifindex;
	uint32_t oif; /* with BPF_FIB_LOOKUP_OUTPUT: the port that must be left by; else 0 */
	uint8_t tos;
};

/* What a route that leads nowhere answers; 0: it leads somewhere. RTN_THROW is no answer: the
 * search goes on in the next table. */
static const uint8_t refusals[] = {
	[RTN_BLACKHOLE] = BPF_FIB_LKUP_RET_BLACKHOLE,
	[RTN_UNREACHABLE] = BPF_FIB_LKUP_RET_UNREACHABLE,
	[RTN_PROHIBIT] = BPF_FIB_LKUP_RET_PROHIBIT,
};

static int refusal_of(uint8_t type)
{
	return type < sizeof(refusals) ? refusals[type] : 0;
}

static uint32_t ifindex_of(const struct query *q, const struct xl_fib_nexthop *nexthop)
{
	return q->fib->links.row[nexthop->link].ifindex;
}

static const struct xl_fib_nexthop *nexthops_of(const struct query *q, const struct result *res)
{
	return &q->fib->nexthops.row[res->route->first_nexthop];
}

/* FNV-1a over both addresses, folded to the 31 bits that next hops share by weight. */
static uint32_t path_hash(const struct query *q)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(q->src.b); i++)
		h = (h ^ q->src.b[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < sizeof(q->dst.b); i++)
		h = (h ^ q->dst.b[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h >> 33);
}

static const struct xl_fib_nexthop *select_path(const struct query *q, const struct result *res)
{
	const struct xl_fib_nexthop *hop = nexthops_of(q, res);
	uint64_t total = 0, upto = 0;
	const uint64_t hash = path_hash(q);

	for (uint32_t i = 0; i < res->route->n_nexthops; i++)
		total += hop[i].dead ? 0 : hop[i].weight;
	for (uint32_t i = 0; i < res->route->n_nexthops; i++) {
		upto += hop[i].dead ? 0 : hop[i].weight;
		if (hash * total < upto << 31)
			return &hop[i];
	}
	return res->nexthop;
}

/* IPv4. */

/* Whether @route answers @q; for a route that leads somewhere, by which next hop. */
static bool take_route4(const struct query *q, const struct xl_fib_route *route, struct result *res)
{
	const struct xl_fib_nexthop *hop = &q->fib->nexthops.row[route->first_nexthop];

	if (route->tos && route->tos != (q->tos & TOS_MASK))
		return false;
	*res = (struct result){ .route = route };
	if (refusal_of(route->type) || route->type == RTN_THROW)
		return true;
	for (uint32_t i = 0; i < route->n_nexthops; i++) {
		if (hop[i].dead || (q->oif && q->oif != ifindex_of(q, &hop[i])))
			continue;
		res->nexthop = &hop[i];
		return true;
	}
	return false;
}

static bool search_at4(const struct query *q, uint32_t table, uint8_t plen, struct result *res)
{
	uint32_t n;
	const struct xl_fib_route *route =
		xl_fib_routes_at(q->fib, AF_INET, table, plen, &q->dst, &n);

	for (uint32_t i = 0; i < n; i++)
		if (take_route4(q, &route[i], res))
			return true;
	return false;
}

/* The longest prefix that answers. The tables local and main are one trie in the kernel as long
 * as there are no rules, so each of them finds the routes of both. */
static bool search4(const struct query *q, uint32_t table, struct result *res)
{
	const bool merged = table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL;

	for (int plen = 32; plen >= 0; plen--) {
		if (merged && search_at4(q, RT_TABLE_LOCAL, (uint8_t)plen, res))
			return true;
		if (search_at4(q, merged ? RT_TABLE_MAIN : table, (uint8_t)plen, res))
			return true;
	}
	return false;
}

/* IPv6. */

/* Of routes to one prefix, the one with the best score among the lowest metric wins, and the
 * first of equals; where all of that metric are dead, the best of the rest. */
static bool take_best6(const struct query *q, const struct xl_fib_route *route, uint32_t n,
		       struct result *res)
{
	const uint32_t near = q->oif ? q->oif : q->ifindex;
	int best = -1;

	for (uint32_t r = 0; r < n; r++) {
		const struct xl_fib_nexthop *hop = &q->fib->nexthops.row[route[r].first_nexthop];

		if (route[r].metric != route[0].metric && best >= 0)
			break;
		for (uint32_t i = 0; i < route[r].n_nexthops; i++) {
			const int score = route[r].pref << 2 |
					  (near && ifindex_of(q, &hop[i]) != near ? 0 : 2);

			if (hop[i].dead || score <= best)
				continue;
			best = score;
			*res = (struct result){ &route[r], &hop[i] };
		}
	}
	return best >= 0;
}

static bool search6(const struct query *q, uint32_t table, struct result *res)
{
	const struct xl_fib_route *route;
	uint32_t n;

	for (int plen = 128; plen >= 0; plen--) {
		route = xl_fib_routes_at(q->fib, AF_INET6, table, (uint8_t)plen, &q->dst, &n);
		if (n && take_best6(q, route, n, res))
			return true;
	}
	return false;
}

/* Multicast, link-local and loopback addresses are never forwarded. */
static bool is_local_only6(const struct xl_fib_ip *ip)
{
	static const struct xl_fib_ip loopback = { .b[15] = 1 };

	return ip->b[0] == 0xff || (ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80) ||
	       !memcmp(ip, &loopback, sizeof(*ip));
}

/* Both. */

/* The tables to search, in order; RT_TABLE_UNSPEC ends the list. */
static void tables_of(const struct query *q, struct bpf_fib_lookup *params, uint32_t flags,
		      uint32_t out[3])
{
	uint32_t tbid = RT_TABLE_MAIN;

	out[0] = q->family == AF_INET ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
	out[1] = q->family == AF_INET ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
	out[2] = RT_TABLE_UNSPEC;
	if (!(flags & BPF_FIB_LOOKUP_DIRECT))
		return;
	if (flags & BPF_FIB_LOOKUP_TBID) {
		tbid = params->tbid ? params->tbid : RT_TABLE_MAIN;
		params->tbid = 0;
	}
	out[0] = tbid;
	out[1] = RT_TABLE_UNSPEC;
}

/* Finds the route and the next hop. Returns BPF_FIB_LKUP_RET_*. */
static int route_of(const struct query *q, const uint32_t tables[3], struct result *res)
{
	bool found = false;
	int refusal;

	for (int i = 0; !found && tables[i] != RT_TABLE_UNSPEC; i++) {
		found = q->family == AF_INET ? search4(q, tables[i], res)
					     : search6(q, tables[i], res);
		if (found && q->family == AF_INET && res->route->type == RTN_THROW)
			found = false;
	}
	if (!found)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	refusal = refusal_of(res->route->type);
	if (refusal)
		return refusal;
	if (res->route->type != RTN_UNICAST)
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	if (res->route->n_nexthops > 1 && !q->oif)
		res->nexthop = select_path(q, res);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

static uint32_t mtu_of(const struct query *q, const struct xl_fib_nexthop *hop)
{
	const uint32_t mtu = q->fib->links.row[hop->link].mtu;

	if (q->family == AF_INET)
		return mtu < MTU_MAX_4 ? mtu : MTU_MAX_4;
	return mtu < MTU_MIN_6 ? MTU_MIN_6 : mtu > MTU_MAX_6 ? MTU_MAX_6 : mtu;
}

static void set_dst(struct bpf_fib_lookup *params, uint8_t family, const struct xl_fib_ip *ip)
{
	if (family == AF_INET)
		memcpy(&params->ipv4_dst, ip, sizeof(params->ipv4_dst));
	else
		memcpy(params->ipv6_dst, ip, sizeof(params->ipv6_dst));
}

static int set_src(const struct query *q, const struct result *res, struct bpf_fib_lookup *params)
{
	struct xl_fib_ip src = res->route->prefsrc;
	const struct xl_fib_nexthop *hop = res->nexthop;
	static const struct xl_fib_ip none;

	if (q->family == AF_INET) {
		if (!res->route->has_prefsrc &&
		    !xl_fib_saddr4(q->fib, hop->link, hop->gw_family == AF_INET ? &hop->gw : &none,
				   res->route->scope, &src))
			src = none;
		memcpy(&params->ipv4_src, &src, sizeof(params->ipv4_src));
		return BPF_FIB_LKUP_RET_SUCCESS;
	}
	if (!res->route->has_prefsrc && !xl_fib_saddr6(q->fib, hop->link, &q->dst, &src))
		return BPF_FIB_LKUP_RET_NO_SRC_ADDR;
	memcpy(params->ipv6_src, &src, sizeof(params->ipv6_src));
	return BPF_FIB_LKUP_RET_SUCCESS;
}

/* Fills in the Ethernet addresses, if the neighbour is known. */
static int set_macs(const struct query *q, const struct result *res, struct bpf_fib_lookup *params)
{
	const struct xl_fib_link *link = &q->fib->links.row[res->nexthop->link];
	const struct xl_fib_neigh *neigh;
	struct xl_fib_ip ip = { 0 };

	if (params->family == AF_INET6)
		memcpy(&ip, params->ipv6_dst, sizeof(params->ipv6_dst));
	else if (!link->no_arp_key)
		memcpy(&ip, &params->ipv4_dst, sizeof(params->ipv4_dst));
	neigh = xl_fib_neigh_of(q->fib, params->family, res->nexthop->link, &ip);
	if (!neigh || !neigh->valid)
		return BPF_FIB_LKUP_RET_NO_NEIGH;
	memcpy(params->dmac, neigh->mac, ETH_ADDRESS_SIZE);
	memcpy(params->smac, link->mac, ETH_ADDRESS_SIZE);
	return BPF_FIB_LKUP_RET_SUCCESS;
}

static int forward(const struct query *q, const struct result *res, struct bpf_fib_lookup *params,
		   uint32_t flags)
{
	const struct xl_fib_nexthop *hop = res->nexthop;
	const uint32_t mtu = mtu_of(q, hop);
	int ret;

	if (params->tot_len > mtu) {
		params->mtu_result = (uint16_t)mtu;
		return BPF_FIB_LKUP_RET_FRAG_NEEDED;
	}
	if (hop->lwt) /* the kernel has taken its headers off the MTU; a dump does not tell them */
		return BPF_FIB_LKUP_RET_UNSUPP_LWT;
	params->rt_metric = res->route->metric;
	params->ifindex = ifindex_of(q, hop);
	if (hop->gw_family) {
		params->family = hop->gw_family;
		set_dst(params, hop->gw_family, &hop->gw);
	}
	if (flags & BPF_FIB_LOOKUP_SRC) {
		ret = set_src(q, res, params);
		if (ret)
			return ret;
	}
	if (!(flags & BPF_FIB_LOOKUP_SKIP_NEIGH)) {
		ret = set_macs(q, res, params);
		if (ret)
			return ret;
	}
	params->h_vlan_TCI = 0;
	params->h_vlan_proto = 0;
	params->mtu_result = (uint16_t)mtu;
	return BPF_FIB_LKUP_RET_SUCCESS;
}

static int make_query(const struct xl_fib *fib, const struct bpf_fib_lookup *params, uint32_t flags,
		      struct query *q)
{
	*q = (struct query){ .fib = fib, .family = params->family, .ifindex = params->ifindex };
	if (flags & BPF_FIB_LOOKUP_OUTPUT)
		q->oif = params->ifindex;
	if (params->family == AF_INET) {
		memcpy(&q->src, &params->ipv4_src, sizeof(params->ipv4_src));
		memcpy(&q->dst, &params->ipv4_dst, sizeof(params->ipv4_dst));
		q->tos = params->tos;
		return 0;
	}
	if (params->family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(&q->src, params->ipv6_src, sizeof(params->ipv6_src));
	memcpy(&q->dst, params->ipv6_dst, sizeof(params->ipv6_dst));
	if (is_local_only6(&q->src) || is_local_only6(&q->dst))
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	return 0;
}

int xl_fib_lookup(const struct xl_fib *fib, struct bpf_fib_lookup *params, uint32_t flags)
{
	struct query q;
	struct result res = { 0 };
	uint32_t tables[3];
	int ret = make_query(fib, params, flags, &q);

	if (ret)
		return ret;
	if (!fib->is_empty && !xl_fib_link_by_ifindex(fib, params->ifindex))
		return -ENODEV;
	if (!fib->forwarding)
		return BPF_FIB_LKUP_RET_FWD_DISABLED;
	tables_of(&q, params, flags, tables);
	ret = route_of(&q, tables, &res);
	return ret ? ret : forward(&q, &res, params, flags);
}
