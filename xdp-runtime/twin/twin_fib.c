/* The forwarding table of the runtime, made in the kernel twin's network namespace, so that
 * bpf_fib_lookup() and bpf_check_mtu() have the same to look at on both sides.
 *
 * Rows go in one by one: links (as veth pairs), addresses, routes, neighbours. Gateways are
 * declared on-link and addresses bring no routes of their own (but for those of the kernel's local
 * table), so that the kernel takes any table, also one of which only a part was dumped.
 *
 * Source: rtnetlink(7); inet_rtm_newroute() in net/ipv4/fib_frontend.c, net/ipv6/route.c.
 */
#include "xdp-runtime/twin/twin_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xdp-runtime/fib/fib_table.h"
#include "xdp-runtime/twin/twin_nl.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

static size_t ip_size(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* Forwarding is switched for all links, also where there is no table: a new namespace may have
 * taken it over from the host. */
static int set_forwarding(bool on)
{
	static const char *const paths[] = { "/proc/sys/net/ipv4/conf/all/forwarding",
					     "/proc/sys/net/ipv6/conf/all/forwarding" };
	int err = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1)
			err = -errno;
		if (fd >= 0)
			close(fd);
	}
	return err;
}

static int add_link(const struct xl_fib_link *link)
{
	const struct ifinfomsg msg = { .ifi_index = (int)link->ifindex,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	static const uint8_t no_mac[6];
	struct xl_twin_nl req;
	int err = 0;

	if (link->ifindex != XL_FIB_LO_IFINDEX)
		err = xl_twin_net_veth(link->ifindex, link->name);
	if (err)
		return err;
	xl_twin_nl_begin(&req, RTM_SETLINK, 0, &msg, sizeof(msg));
	if (link->ifindex != XL_FIB_LO_IFINDEX && memcmp(link->mac, no_mac, sizeof(no_mac)))
		xl_twin_nl_add(&req, IFLA_ADDRESS, link->mac, sizeof(link->mac));
	if (link->mtu)
		xl_twin_nl_add_u32(&req, IFLA_MTU, link->mtu);
	return xl_twin_nl_send(&req);
}

static int add_addr(const struct xl_fib *fib, const struct xl_fib_addr *addr)
{
	const struct ifaddrmsg msg = { .ifa_family = addr->family,
				       .ifa_prefixlen = addr->plen,
				       .ifa_scope = addr->scope,
				       .ifa_index = fib->links.row[addr->link].ifindex };
	const struct ifa_cacheinfo deprecated = { .ifa_prefered = 0, .ifa_valid = UINT32_MAX };
	struct xl_twin_nl req;

	xl_twin_nl_begin(&req, RTM_NEWADDR, NLM_F_CREATE, &msg, sizeof(msg));
	xl_twin_nl_add(&req, IFA_LOCAL, &addr->ip, ip_size(addr->family));
	xl_twin_nl_add(&req, IFA_ADDRESS, &addr->ip, ip_size(addr->family));
	xl_twin_nl_add_u32(&req, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	if (addr->deprecated)
		xl_twin_nl_add(&req, IFA_CACHEINFO, &deprecated, sizeof(deprecated));
	return xl_twin_nl_send(&req);
}

static void add_gateway(struct xl_twin_nl *req, const struct xl_fib_route *route,
			const struct xl_fib_nexthop *nh)
{
	struct {
		uint16_t family;
		uint8_t ip[16];
	} via = { .family = nh->gw_family };

	if (!nh->gw_family)
		return;
	memcpy(via.ip, nh->gw.b, sizeof(via.ip));
	if (nh->gw_family == route->family)
		xl_twin_nl_add(req, RTA_GATEWAY, nh->gw.b, ip_size(route->family));
	else
		xl_twin_nl_add(req, RTA_VIA, &via, sizeof(via.family) + ip_size(nh->gw_family));
}

static void add_nexthops(struct xl_twin_nl *req, const struct xl_fib *fib,
			 const struct xl_fib_route *route)
{
	const struct xl_fib_nexthop *nh = &fib->nexthops.row[route->first_nexthop];
	struct rtattr *all = xl_twin_nl_nest(req, RTA_MULTIPATH);

	for (uint32_t i = 0; i < route->n_nexthops; i++, nh++) {
		const struct rtnexthop head = {
			.rtnh_len = sizeof(head),
			.rtnh_flags = nh->gw_family ? RTNH_F_ONLINK : 0,
			.rtnh_hops = (uint8_t)(nh->weight ? nh->weight - 1 : 0),
			.rtnh_ifindex = (int)fib->links.row[nh->link].ifindex,
		};
		struct rtnexthop *out = xl_twin_nl_append(req, &head, sizeof(head));

		add_gateway(req, route, nh);
		if (out && req->nlh.nlmsg_len)
			out->rtnh_len = (uint16_t)(req->bytes + req->nlh.nlmsg_len - (char *)out);
	}
	xl_twin_nl_end(req, all);
}

/* Rows that the table derived from addresses say nothing of it. */
static uint8_t scope_of(const struct xl_fib_route *route)
{
	if (route->family == AF_INET && !route->scope && route->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (route->family == AF_INET && !route->scope && route->type == RTN_BROADCAST)
		return RT_SCOPE_LINK;
	return route->scope;
}

/* The table has such routes lead to lo, the kernel wants to hear of no link. */
static bool leads_nowhere(const struct xl_fib_route *route)
{
	return route->type == RTN_BLACKHOLE || route->type == RTN_UNREACHABLE ||
	       route->type == RTN_PROHIBIT || route->type == RTN_THROW;
}

static int add_route(const struct xl_fib *fib, const struct xl_fib_route *route, bool prefsrc)
{
	const struct xl_fib_nexthop *nh = &fib->nexthops.row[route->first_nexthop];
	const bool one = route->n_nexthops == 1 && !leads_nowhere(route);
	const struct rtmsg msg = {
		.rtm_family = route->family,
		.rtm_dst_len = route->plen,
		.rtm_tos = route->tos,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = scope_of(route),
		.rtm_type = route->type,
		.rtm_flags = one && nh->gw_family ? RTNH_F_ONLINK : 0,
	};
	/* RFC 4191 codes medium as 0, high as 1, low as 3. */
	static const uint8_t pref_code[] = { 0, 3, 0, 1 };
	struct xl_twin_nl req;

	xl_twin_nl_begin(&req, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &msg, sizeof(msg));
	xl_twin_nl_add(&req, RTA_DST, &route->dst, ip_size(route->family));
	xl_twin_nl_add_u32(&req, RTA_TABLE, route->table);
	if (route->metric)
		xl_twin_nl_add_u32(&req, RTA_PRIORITY, route->metric);
	if (route->family == AF_INET6 && route->pref < sizeof(pref_code))
		xl_twin_nl_add(&req, RTA_PREF, &pref_code[route->pref], 1);
	if (prefsrc)
		xl_twin_nl_add(&req, RTA_PREFSRC, &route->prefsrc, ip_size(route->family));
	if (one) {
		xl_twin_nl_add_u32(&req, RTA_OIF, fib->links.row[nh->link].ifindex);
		add_gateway(&req, route, nh);
	} else if (!leads_nowhere(route)) {
		add_nexthops(&req, fib, route);
	}
	return xl_twin_nl_send(&req);
}

/* A source address must be the host's own; a dump of routes alone does not have it. */
static int add_route_somehow(const struct xl_fib *fib, const struct xl_fib_route *route)
{
	int err = route->has_prefsrc ? add_route(fib, route, true) : -EINVAL;

	return err == -EINVAL ? add_route(fib, route, false) : err;
}

static int add_neigh(const struct xl_fib *fib, const struct xl_fib_neigh *neigh)
{
	const struct ndmsg msg = { .ndm_family = neigh->family,
				   .ndm_ifindex = (int)fib->links.row[neigh->link].ifindex,
				   .ndm_state = NUD_PERMANENT };
	struct xl_twin_nl req;

	if (!neigh->valid)
		return 0;
	xl_twin_nl_begin(&req, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &msg, sizeof(msg));
	xl_twin_nl_add(&req, NDA_DST, &neigh->ip, ip_size(neigh->family));
	xl_twin_nl_add(&req, NDA_LLADDR, neigh->mac, sizeof(neigh->mac));
	return xl_twin_nl_send(&req);
}

/* Counts a row that the kernel does not take; what is there already is as good. */
static void count(int err, uint32_t *n_refused)
{
	*n_refused += err && err != -EEXIST;
}

static bool asks_for_routes(const struct xl_twin *twin)
{
	for (uint32_t p = 0; p < twin->progs.n; p++) {
		const struct xl_prog *prog = twin->progs.at[p].prog;

		for (uint32_t i = 0; i < prog->n_insns; i++)
			if (prog->insns_loaded[i].code == (BPF_JMP | BPF_CALL) &&
			    !prog->insns_loaded[i].src_reg &&
			    (prog->insns_loaded[i].imm == BPF_FUNC_fib_lookup ||
			     prog->insns_loaded[i].imm == BPF_FUNC_check_mtu))
				return true;
	}
	return false;
}

void xl_twin_copy_fib(struct xl_twin *twin)
{
	const struct xl_fib *fib = twin->rt->fib;
	uint32_t refused[4] = { 0 };

	if (twin->net.home_fd < 0 && !asks_for_routes(twin))
		return;
	if (twin->net.home_fd < 0) {
		xl_twin_add_note(twin, "the kernel's routes are the host's: making a network "
				       "namespace needs CAP_SYS_ADMIN");
		return;
	}
	if (fib->is_empty && asks_for_routes(twin))
		xl_twin_add_note(twin, "without a forwarding table, ports that only the program "
				       "names exist here and not in the kernel");
	xl_twin_net_enter(&twin->net);
	if (set_forwarding(fib->forwarding) && fib->forwarding)
		xl_twin_add_note(twin, "forwarding cannot be switched on in the kernel's copy");
	for (size_t i = 0; i < fib->links.n && !fib->is_empty; i++)
		count(add_link(&fib->links.row[i]), &refused[0]);
	for (size_t i = 0; i < fib->addrs.n; i++)
		count(add_addr(fib, &fib->addrs.row[i]), &refused[1]);
	for (size_t i = 0; i < fib->routes.n; i++)
		count(add_route_somehow(fib, &fib->routes.row[i]), &refused[2]);
	for (size_t i = 0; i < fib->neighs.n; i++)
		count(add_neigh(fib, &fib->neighs.row[i]), &refused[3]);
	xl_twin_net_leave(&twin->net);
	if (refused[0] || refused[1] || refused[2] || refused[3])
		xl_twin_add_note(twin,
				 "the kernel does not take %u links, %u addresses, %u routes, %u "
				 "neighbours of the forwarding table",
				 refused[0], refused[1], refused[2], refused[3]);
}
