/* Routes as `ip -j route` prints them; see fib_json.h.
 *
 * What the look-up could not answer rightly is refused rather than left out.
 *
 * Source: iproute2's ip/iproute.c.
 */
#include "xdp-runtime/fib/fib_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

static const struct xl_fib_name types[] = {
	{ "unicast", RTN_UNICAST },
	{ "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST },
	{ "anycast", RTN_ANYCAST },
	{ "multicast", RTN_MULTICAST },
	{ "blackhole", RTN_BLACKHOLE },
	{ "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT },
	{ "throw", RTN_THROW },
	{ "nat", RTN_NAT },
	{ "xresolve", RTN_XRESOLVE },
	{ NULL, 0 },
};
static const struct xl_fib_name tables[] = {
	{ "unspec", RT_TABLE_UNSPEC },
	{ "default", RT_TABLE_DEFAULT },
	{ "main", RT_TABLE_MAIN },
	{ "local", RT_TABLE_LOCAL },
	{ NULL, 0 },
};
static const struct xl_fib_name prefs[] = {
	{ "low", 1 }, { "medium", 2 }, { "high", 3 }, { NULL, 0 }
};

/* The family of "default", which both families call so. */
static uint8_t guess_family(const json_t *obj)
{
	const json_t *hop = json_array_get(json_object_get(obj, "nexthops"), 0);
	static const char *const fields[] = { "gateway", "prefsrc" };
	const char *text;

	for (int i = 0; i < 2; i++) {
		text = json_string_value(json_object_get(obj, fields[i]));
		if (!text)
			text = json_string_value(json_object_get(hop, fields[i]));
		if (text)
			return strchr(text, ':') ? AF_INET6 : AF_INET;
	}
	/* `ip` prints a preference for each route of IPv6 and for none of IPv4. */
	return json_object_get(obj, "pref") ? AF_INET6 : AF_INET;
}

static int get_prefix(struct xl_fib_reader *r, const json_t *obj, struct xl_fib_route *route)
{
	const char *text = NULL, *slash;
	char ip[INET6_ADDRSTRLEN];
	char *end;
	unsigned long plen, max;
	int err = xl_fib_json_string(r, obj, "dst", &text);

	if (err)
		return err;
	if (!text)
		return xl_fib_json_bad(r, "dst", "is missing");
	if (!strcmp(text, "default")) {
		route->family = guess_family(obj);
		return 0;
	}
	slash = strchrnul(text, '/');
	if ((size_t)(slash - text) < sizeof(ip)) {
		memcpy(ip, text, (size_t)(slash - text));
		ip[slash - text] = 0;
		route->family = xl_fib_json_parse_ip(ip, &route->dst);
	}
	max = plen = route->family == AF_INET ? 32 : 128;
	if (*slash) {
		plen = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end)
			plen = max + 1;
	}
	if (!route->family || plen > max)
		return xl_fib_json_bad(r, "dst", "\"%s\" is not a prefix", text);
	route->plen = (uint8_t)plen;
	xl_fib_mask(&route->dst, route->plen);
	return 0;
}

/* "gateway", or "via" for one of the other family. */
static int get_gateway(struct xl_fib_reader *r, const json_t *obj, struct xl_fib_nexthop *hop)
{
	const json_t *via = json_object_get(obj, "via");

	if (via && !json_is_object(via))
		return xl_fib_json_bad(r, "via", "not an object");
	if (via)
		return xl_fib_json_ip(r, via, "host", &hop->gw, &hop->gw_family);
	return xl_fib_json_ip(r, obj, "gateway", &hop->gw, &hop->gw_family);
}

/* One next hop: the route itself, or an element of "nexthops". */
static int read_nexthop(struct xl_fib_reader *r, const json_t *obj)
{
	uint32_t link = XL_FIB_NO_LINK, weight = 1;
	struct xl_fib_nexthop *hop;
	int err = xl_fib_json_link(r, obj, "dev", &link);

	if (err)
		return err;
	if (link == XL_FIB_NO_LINK)
		return xl_fib_json_bad(r, "dev", "is missing");
	err = xl_fib_json_u32(r, obj, "weight", 65536, &weight);
	if (err)
		return err;
	hop = xl_fib_add_nexthop(r->fib);
	if (!hop)
		return xl_fib_json_no_memory(r);
	hop->link = link;
	hop->weight = weight;
	hop->dead = xl_fib_json_has_word(obj, "flags", "dead");
	hop->lwt = json_object_get(obj, "encap") != NULL;
	return get_gateway(r, obj, hop);
}

static bool leads_nowhere(uint8_t type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
	       type == RTN_THROW;
}

static int read_nexthops(struct xl_fib_reader *r, const json_t *obj,
			 const struct xl_fib_route *route)
{
	const json_t *hops = json_object_get(obj, "nexthops"), *hop;
	struct xl_fib_nexthop *nowhere;
	size_t i;
	int err;

	if (!hops && leads_nowhere(route->type)) {
		nowhere = xl_fib_add_nexthop(r->fib);
		if (!nowhere)
			return xl_fib_json_no_memory(r);
		nowhere->link = XL_FIB_LO;
		return 0;
	}
	if (!hops)
		return read_nexthop(r, obj);
	if (!json_is_array(hops) || !json_array_size(hops))
		return xl_fib_json_bad(r, "nexthops", "not a list of next hops");
	json_array_foreach(hops, i, hop)
	{
		if (!json_is_object(hop))
			return xl_fib_json_bad(r, "nexthops", "not a list of objects");
		err = read_nexthop(r, hop);
		if (err)
			return err;
	}
	return 0;
}

/* What is not looked up here would be answered wrongly: better said. */
static int refuse_unsupported(struct xl_fib_reader *r, const json_t *obj)
{
	const char *encap = NULL;
	int err = xl_fib_json_string(r, obj, "encap", &encap);

	if (err)
		return err;
	if (encap && (!strcmp(encap, "ip") || !strcmp(encap, "ip6")))
		return xl_fib_json_bad(r, "encap",
				       "`ip` prints \"dst\" twice for such a route, so its "
				       "destination is lost; take it out");
	if (json_object_get(obj, "from"))
		return xl_fib_json_bad(r, "from", "routes by source address are not supported");
	return 0;
}

int xl_fib_json_route(struct xl_fib_reader *r, const json_t *obj)
{
	uint32_t type = RTN_UNICAST, table = RT_TABLE_MAIN, scope = RT_SCOPE_UNIVERSE, pref = 2;
	uint32_t tos = 0, metric = 0;
	struct xl_fib_route *route;
	uint8_t src_family;
	int err = refuse_unsupported(r, obj);

	if (!err)
		err = xl_fib_json_name(r, obj, "type", types, RTN_MAX, &type);
	if (!err)
		err = xl_fib_json_name(r, obj, "table", tables, UINT32_MAX, &table);
	if (!err)
		err = xl_fib_json_name(r, obj, "scope", xl_fib_scopes, UINT8_MAX, &scope);
	if (!err)
		err = xl_fib_json_name(r, obj, "tos", NULL, UINT8_MAX, &tos);
	if (!err)
		err = xl_fib_json_name(r, obj, "pref", prefs, 3, &pref);
	if (!err)
		err = xl_fib_json_u32(r, obj, "metric", UINT32_MAX, &metric);
	if (err)
		return err;
	route = xl_fib_add_route(r->fib);
	if (!route)
		return xl_fib_json_no_memory(r);
	route->type = (uint8_t)type;
	route->table = table;
	route->scope = (uint8_t)scope;
	route->tos = (uint8_t)tos;
	route->pref = (uint8_t)pref;
	route->metric = metric;
	err = get_prefix(r, obj, route);
	/* Of what people write by hand; `ip` always prints it. */
	if (!err && route->family == AF_INET6 && !json_object_get(obj, "metric"))
		route->metric = IP6_RT_PRIO_USER;
	if (!err)
		err = xl_fib_json_ip(r, obj, "prefsrc", &route->prefsrc, &src_family);
	if (err)
		return err;
	route->has_prefsrc = src_family == route->family;
	if (!r->fib->forwarding_said)
		r->fib->forwarding = true;
	return read_nexthops(r, obj, route);
}
