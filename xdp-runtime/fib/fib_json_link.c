/* Links, their addresses and neighbours as `ip -j` prints them; see fib_json.h.
 *
 * An address brings the routes of the local table that the kernel makes for it.
 *
 * Source: iproute2's ip/ipneigh.c, ip/ipaddress.c; fib_add_ifaddr(), net/ipv4/fib_frontend.c;
 * ipv6_add_addr() and addrconf_join_anycast(), net/ipv6/addrconf.c.
 */
#include "xdp-runtime/fib/fib_json.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

/* Neighbours. */

int xl_fib_json_neigh(struct xl_fib_reader *r, const json_t *obj)
{
	static const char *const valid[] = { "PERMANENT", "NOARP", "REACHABLE",
					     "PROBE",	  "STALE", "DELAY" };
	struct xl_fib_neigh *neigh;
	uint32_t link = XL_FIB_NO_LINK;
	int err = xl_fib_json_link(r, obj, "dev", &link);

	if (err)
		return err;
	if (link == XL_FIB_NO_LINK)
		return xl_fib_json_bad(r, "dev", "is missing");
	neigh = xl_fib_add_neigh(r->fib);
	if (!neigh)
		return xl_fib_json_no_memory(r);
	neigh->link = link;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		neigh->valid |= xl_fib_json_has_word(obj, "state", valid[i]);
	err = xl_fib_json_ip(r, obj, "dst", &neigh->ip, &neigh->family);
	if (err)
		return err;
	if (!neigh->family)
		return xl_fib_json_bad(r, "dst", "is missing");
	return xl_fib_json_mac(r, obj, "lladdr", neigh->mac);
}

/* Links and their addresses. */

/* A route of the local table, as the kernel makes it for an address. */
static int add_local(struct xl_fib_reader *r, const struct xl_fib_addr *addr, uint8_t type,
		     uint8_t plen)
{
	struct xl_fib_route *route = xl_fib_add_route(r->fib);
	struct xl_fib_nexthop *hop;

	if (!route)
		return xl_fib_json_no_memory(r);
	hop = xl_fib_add_nexthop(r->fib);
	if (!hop)
		return xl_fib_json_no_memory(r);
	route->family = addr->family;
	route->type = type;
	route->table = RT_TABLE_LOCAL;
	route->pref = 2;
	route->plen = plen;
	route->dst = addr->ip;
	xl_fib_mask(&route->dst, plen);
	hop->link = addr->link;
	hop->weight = 1;
	return 0;
}

/* The last address of the prefix of @addr. */
static void fill_host_bits4(struct xl_fib_addr *addr)
{
	for (uint32_t bit = addr->plen; bit < 32; bit++)
		addr->ip.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static int add_locals4(struct xl_fib_reader *r, const struct xl_fib_addr *addr,
		       const struct xl_fib_addr *broadcast)
{
	struct xl_fib_addr last = *addr;
	int err = add_local(r, addr, RTN_LOCAL, 32);

	if (!err && broadcast->family)
		err = add_local(r, broadcast, RTN_BROADCAST, 32);
	if (err || addr->secondary)
		return err;
	if (r->fib->links.row[addr->link].no_arp_key && addr->link == XL_FIB_LO)
		err = add_local(r, addr, RTN_LOCAL, addr->plen);
	if (err || addr->plen >= 31)
		return err;
	fill_host_bits4(&last);
	return add_local(r, &last, RTN_BROADCAST, 32);
}

/* The address itself, and the anycast address that each router of the prefix has. */
static int add_locals6(struct xl_fib_reader *r, const struct xl_fib_addr *addr)
{
	struct xl_fib_addr first = *addr;
	int err = add_local(r, addr, RTN_LOCAL, 128);

	if (err || addr->plen >= 127)
		return err;
	xl_fib_mask(&first.ip, first.plen);
	return add_local(r, &first, RTN_ANYCAST, 128);
}

int xl_fib_json_loopback(struct xl_fib_reader *r)
{
	static const struct xl_fib_addr none = { 0 };
	struct xl_fib_addr addr = { .family = AF_INET, .plen = 8, .link = XL_FIB_LO };
	int err;

	memcpy(addr.ip.b, (const uint8_t[4]){ 127, 0, 0, 1 }, 4);
	err = add_locals4(r, &addr, &none);
	if (err)
		return err;
	addr = (struct xl_fib_addr){ .family = AF_INET6, .plen = 128, .link = XL_FIB_LO };
	addr.ip.b[15] = 1;
	return add_locals6(r, &addr);
}

static int read_addr(struct xl_fib_reader *r, const json_t *obj, uint32_t link)
{
	uint32_t plen = 0, scope = RT_SCOPE_UNIVERSE;
	struct xl_fib_addr *row, addr = { .link = link }, broadcast = { .link = link };
	int err = xl_fib_json_ip(r, obj, "local", &addr.ip, &addr.family);

	if (!err && !addr.family)
		return 0; /* MPLS and the like have other families */
	if (!err)
		err = xl_fib_json_ip(r, obj, "broadcast", &broadcast.ip, &broadcast.family);
	if (!err)
		err = xl_fib_json_u32(r, obj, "prefixlen", addr.family == AF_INET ? 32 : 128,
				      &plen);
	if (!err)
		err = xl_fib_json_name(r, obj, "scope", xl_fib_scopes, UINT8_MAX, &scope);
	if (err)
		return err;
	addr.plen = (uint8_t)plen;
	addr.scope = (uint8_t)scope;
	/* One bit of the kernel's has two names: secondary in IPv4, temporary in IPv6. */
	addr.secondary = json_is_true(json_object_get(obj, "secondary"));
	addr.temporary = json_is_true(json_object_get(obj, "temporary"));
	addr.deprecated = json_is_true(json_object_get(obj, "deprecated"));
	addr.tentative = json_is_true(json_object_get(obj, "tentative"));
	row = xl_fib_add_addr(r->fib);
	if (!row)
		return xl_fib_json_no_memory(r);
	addr.seq = row->seq;
	*row = addr;
	return addr.family == AF_INET ? add_locals4(r, &addr, &broadcast) : add_locals6(r, &addr);
}

int xl_fib_json_add_link(struct xl_fib_reader *r, const json_t *obj)
{
	const json_t *addrs = json_object_get(obj, "addr_info"), *addr;
	uint32_t place = XL_FIB_NO_LINK, ifindex = 0;
	struct xl_fib_link *link;
	const char *kind = "ether";
	size_t i;
	int err = xl_fib_json_link(r, obj, "ifname", &place);

	if (!err)
		err = xl_fib_json_u32(r, obj, "ifindex", INT32_MAX, &ifindex);
	if (!err)
		err = xl_fib_json_string(r, obj, "link_type", &kind);
	if (err)
		return err;
	link = &r->fib->links.row[place];
	if (ifindex) {
		link->ifindex = ifindex;
		link->implied = false;
	}
	if (json_object_get(obj, "flags"))
		link->no_arp_key = xl_fib_json_has_word(obj, "flags", "LOOPBACK") ||
				   xl_fib_json_has_word(obj, "flags", "POINTOPOINT");
	err = xl_fib_json_u32(r, obj, "mtu", UINT32_MAX, &link->mtu);
	if (!err && !strcmp(kind, "ether"))
		err = xl_fib_json_mac(r, obj, "address", link->mac);
	if (err)
		return err;
	if (addrs && !json_is_array(addrs))
		return xl_fib_json_bad(r, "addr_info", "not a list");
	json_array_foreach(addrs, i, addr)
	{
		err = read_addr(r, addr, place);
		if (err)
			return err;
	}
	return 0;
}
