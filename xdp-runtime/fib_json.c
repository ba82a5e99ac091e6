/* Loads a forwarding table from what `ip -j` prints.
 *
 * An entry tells by its fields what it is: "ifname" makes a link (with its addresses, if it has
 * "addr_info"), "state" a neighbour, "dst" alone a route. Several dumps may follow each other in
 * one file. An address brings the routes of the local table that the kernel makes for it, so that
 * a dump of the main table is enough.
 *
 * Source: iproute2's ip/iproute.c, ip/ipneigh.c, ip/ipaddress.c; fib_add_ifaddr(),
 * net/ipv4/fib_frontend.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/fib_table.h"

struct reader {
	struct xl_fib *fib;
	struct xl_err *e;
	const char *path;
	unsigned int document; /* of the file, from 1 */
	const char *part;      /* "routes", …; "" in a plain array */
	size_t index;	       /* of the entry in that */
};

struct number_name {
	const char *name;
	uint32_t number;
};

static const struct number_name types[] = {
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
static const struct number_name tables[] = {
	{ "unspec", RT_TABLE_UNSPEC },
	{ "default", RT_TABLE_DEFAULT },
	{ "main", RT_TABLE_MAIN },
	{ "local", RT_TABLE_LOCAL },
	{ NULL, 0 },
};
static const struct number_name scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE },	  { "link", RT_SCOPE_LINK },
	{ "host", RT_SCOPE_HOST },	 { "nowhere", RT_SCOPE_NOWHERE }, { NULL, 0 },
};
static const struct number_name prefs[] = {
	{ "low", 1 }, { "medium", 2 }, { "high", 3 }, { NULL, 0 }
};

/* Says what is wrong with a field of the current entry, as jq would name it. */
__attribute__((format(printf, 3, 4))) static int bad(struct reader *r, const char *field,
						     const char *fmt, ...)
{
	char why[256], document[32] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (r->document > 1)
		snprintf(document, sizeof(document), "document %u: ", r->document);
	return xl_err_set(r->e, -EINVAL, "%s: %s%s[%zu]%s%s: %s", r->path, document, r->part,
			  r->index, field ? "." : "", field ? field : "", why);
}

static int no_memory(struct reader *r)
{
	return xl_err_set(r->e, -ENOMEM, "%s: out of memory", r->path);
}

/* Fields. An absent one leaves *@out as it is. */

static int get_string(struct reader *r, const json_t *obj, const char *field, const char **out)
{
	const json_t *v = json_object_get(obj, field);

	if (!v)
		return 0;
	if (!json_is_string(v))
		return bad(r, field, "not a string");
	*out = json_string_value(v);
	return 0;
}

static int get_u32(struct reader *r, const json_t *obj, const char *field, uint32_t max,
		   uint32_t *out)
{
	const json_t *v = json_object_get(obj, field);

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return bad(r, field, "not a number from 0 to %u", max);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

/* A name of @names, or a number as `ip -N` prints it. */
static int get_name(struct reader *r, const json_t *obj, const char *field,
		    const struct number_name *names, uint32_t max, uint32_t *out)
{
	const char *text = NULL;
	char *end;
	unsigned long number;
	int err = get_string(r, obj, field, &text);

	if (err || !text)
		return err;
	for (; names && names->name; names++)
		if (!strcmp(names->name, text)) {
			*out = names->number;
			return 0;
		}
	errno = 0;
	number = strtoul(text, &end, 0);
	if (end == text || *end || errno || *text == '-' || number > max)
		return bad(r, field, "\"%s\" is not known here; `ip -N -j` prints the number",
			   text);
	*out = (uint32_t)number;
	return 0;
}

static bool has_word(const json_t *obj, const char *field, const char *word)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(obj, field), i,
			   v) if (json_is_string(v) &&
				  !strcmp(json_string_value(v), word)) return true;
	return false;
}

/* Returns the family, 0 if @text is no address. */
static uint8_t parse_ip(const char *text, struct xl_fib_ip *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->b) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, out->b) == 1 ? AF_INET6 : 0;
}

/* *@out_family stays 0 when there is no such field. */
static int get_ip(struct reader *r, const json_t *obj, const char *field, struct xl_fib_ip *out,
		  uint8_t *out_family)
{
	const char *text = NULL;
	int err = get_string(r, obj, field, &text);

	*out_family = 0;
	if (err || !text)
		return err;
	*out_family = parse_ip(text, out);
	return *out_family ? 0 : bad(r, field, "\"%s\" is not an IP address", text);
}

static int get_mac(struct reader *r, const json_t *obj, const char *field, uint8_t out[6])
{
	const char *text = NULL;
	int err = get_string(r, obj, field, &text), used = 0;
	unsigned int b[6];

	if (err || !text)
		return err;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &used) != 6 ||
	    text[used])
		return bad(r, field, "\"%s\" is not an Ethernet address", text);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	return 0;
}

static int get_link(struct reader *r, const json_t *obj, const char *field, uint32_t *out)
{
	const char *name = NULL;
	int err = get_string(r, obj, field, &name);

	if (err || !name)
		return err;
	if (!*name || strlen(name) >= XL_FIB_NAME_SIZE)
		return bad(r, field, "\"%s\" cannot be the name of a link", name);
	*out = xl_fib_link_at(r->fib, name);
	return *out == XL_FIB_NO_LINK ? no_memory(r) : 0;
}

/* Routes. */

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

static int get_prefix(struct reader *r, const json_t *obj, struct xl_fib_route *route)
{
	const char *text = NULL, *slash;
	char ip[INET6_ADDRSTRLEN];
	char *end;
	unsigned long plen, max;
	int err = get_string(r, obj, "dst", &text);

	if (err)
		return err;
	if (!text)
		return bad(r, "dst", "is missing");
	if (!strcmp(text, "default")) {
		route->family = guess_family(obj);
		return 0;
	}
	slash = strchrnul(text, '/');
	if ((size_t)(slash - text) < sizeof(ip)) {
		memcpy(ip, text, (size_t)(slash - text));
		ip[slash - text] = 0;
		route->family = parse_ip(ip, &route->dst);
	}
	max = plen = route->family == AF_INET ? 32 : 128;
	if (*slash) {
		plen = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end)
			plen = max + 1;
	}
	if (!route->family || plen > max)
		return bad(r, "dst", "\"%s\" is not a prefix", text);
	route->plen = (uint8_t)plen;
	xl_fib_mask(&route->dst, route->plen);
	return 0;
}

/* "gateway", or "via" for one of the other family. */
static int get_gateway(struct reader *r, const json_t *obj, struct xl_fib_nexthop *hop)
{
	const json_t *via = json_object_get(obj, "via");

	if (via && !json_is_object(via))
		return bad(r, "via", "not an object");
	if (via)
		return get_ip(r, via, "host", &hop->gw, &hop->gw_family);
	return get_ip(r, obj, "gateway", &hop->gw, &hop->gw_family);
}

/* One next hop: the route itself, or an element of "nexthops". */
static int read_nexthop(struct reader *r, const json_t *obj)
{
	uint32_t link = XL_FIB_NO_LINK, weight = 1;
	struct xl_fib_nexthop *hop;
	int err = get_link(r, obj, "dev", &link);

	if (err)
		return err;
	if (link == XL_FIB_NO_LINK)
		return bad(r, "dev", "is missing");
	err = get_u32(r, obj, "weight", 65536, &weight);
	if (err)
		return err;
	hop = xl_fib_add_nexthop(r->fib);
	if (!hop)
		return no_memory(r);
	hop->link = link;
	hop->weight = weight;
	hop->dead = has_word(obj, "flags", "dead");
	hop->lwt = json_object_get(obj, "encap") != NULL;
	return get_gateway(r, obj, hop);
}

static bool leads_nowhere(uint8_t type)
{
	return type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT ||
	       type == RTN_THROW;
}

static int read_nexthops(struct reader *r, const json_t *obj, const struct xl_fib_route *route)
{
	const json_t *hops = json_object_get(obj, "nexthops"), *hop;
	struct xl_fib_nexthop *nowhere;
	size_t i;
	int err;

	if (!hops && leads_nowhere(route->type)) {
		nowhere = xl_fib_add_nexthop(r->fib);
		if (!nowhere)
			return no_memory(r);
		nowhere->link = XL_FIB_LO;
		return 0;
	}
	if (!hops)
		return read_nexthop(r, obj);
	if (!json_is_array(hops) || !json_array_size(hops))
		return bad(r, "nexthops", "not a list of next hops");
	json_array_foreach(hops, i, hop)
	{
		if (!json_is_object(hop))
			return bad(r, "nexthops", "not a list of objects");
		err = read_nexthop(r, hop);
		if (err)
			return err;
	}
	return 0;
}

/* What is not looked up here would be answered wrongly: better said. */
static int refuse_unsupported(struct reader *r, const json_t *obj)
{
	const char *encap = NULL;
	int err = get_string(r, obj, "encap", &encap);

	if (err)
		return err;
	if (encap && (!strcmp(encap, "ip") || !strcmp(encap, "ip6")))
		return bad(r, "encap",
			   "`ip` prints \"dst\" twice for such a route, so its "
			   "destination is lost; take it out");
	if (json_object_get(obj, "from"))
		return bad(r, "from", "routes by source address are not supported");
	return 0;
}

static int read_route(struct reader *r, const json_t *obj)
{
	uint32_t type = RTN_UNICAST, table = RT_TABLE_MAIN, scope = RT_SCOPE_UNIVERSE, pref = 2;
	uint32_t tos = 0, metric = 0;
	struct xl_fib_route *route;
	uint8_t src_family;
	int err = refuse_unsupported(r, obj);

	if (!err)
		err = get_name(r, obj, "type", types, RTN_MAX, &type);
	if (!err)
		err = get_name(r, obj, "table", tables, UINT32_MAX, &table);
	if (!err)
		err = get_name(r, obj, "scope", scopes, UINT8_MAX, &scope);
	if (!err)
		err = get_name(r, obj, "tos", NULL, UINT8_MAX, &tos);
	if (!err)
		err = get_name(r, obj, "pref", prefs, 3, &pref);
	if (!err)
		err = get_u32(r, obj, "metric", UINT32_MAX, &metric);
	if (err)
		return err;
	route = xl_fib_add_route(r->fib);
	if (!route)
		return no_memory(r);
	route->type = (uint8_t)type;
	route->table = table;
	route->scope = (uint8_t)scope;
	route->tos = (uint8_t)tos;
	route->pref = (uint8_t)pref;
	route->metric = metric;
	err = get_prefix(r, obj, route);
	if (!err)
		err = get_ip(r, obj, "prefsrc", &route->prefsrc, &src_family);
	if (err)
		return err;
	route->has_prefsrc = src_family == route->family;
	if (!r->fib->forwarding_said)
		r->fib->forwarding = true;
	return read_nexthops(r, obj, route);
}

/* Neighbours. */

static int read_neigh(struct reader *r, const json_t *obj)
{
	static const char *const valid[] = { "PERMANENT", "NOARP", "REACHABLE",
					     "PROBE",	  "STALE", "DELAY" };
	struct xl_fib_neigh *neigh;
	uint32_t link = XL_FIB_NO_LINK;
	int err = get_link(r, obj, "dev", &link);

	if (err)
		return err;
	if (link == XL_FIB_NO_LINK)
		return bad(r, "dev", "is missing");
	neigh = xl_fib_add_neigh(r->fib);
	if (!neigh)
		return no_memory(r);
	neigh->link = link;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		neigh->valid |= has_word(obj, "state", valid[i]);
	err = get_ip(r, obj, "dst", &neigh->ip, &neigh->family);
	if (err)
		return err;
	if (!neigh->family)
		return bad(r, "dst", "is missing");
	return get_mac(r, obj, "lladdr", neigh->mac);
}

/* Links and their addresses. */

/* A route of the local table, as the kernel makes it for an address. */
static int add_local(struct reader *r, const struct xl_fib_addr *addr, uint8_t type, uint8_t plen)
{
	struct xl_fib_route *route = xl_fib_add_route(r->fib);
	struct xl_fib_nexthop *hop;

	if (!route)
		return no_memory(r);
	hop = xl_fib_add_nexthop(r->fib);
	if (!hop)
		return no_memory(r);
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

static int add_locals4(struct reader *r, const struct xl_fib_addr *addr,
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
static int add_locals6(struct reader *r, const struct xl_fib_addr *addr)
{
	struct xl_fib_addr first = *addr;
	int err = add_local(r, addr, RTN_LOCAL, 128);

	if (err || addr->plen >= 127)
		return err;
	xl_fib_mask(&first.ip, first.plen);
	return add_local(r, &first, RTN_ANYCAST, 128);
}

static int read_addr(struct reader *r, const json_t *obj, uint32_t link)
{
	uint32_t plen = 0, scope = RT_SCOPE_UNIVERSE;
	struct xl_fib_addr *row, addr = { .link = link }, broadcast = { .link = link };
	int err = get_ip(r, obj, "local", &addr.ip, &addr.family);

	if (!err && !addr.family)
		return 0; /* MPLS and the like have other families */
	if (!err)
		err = get_ip(r, obj, "broadcast", &broadcast.ip, &broadcast.family);
	if (!err)
		err = get_u32(r, obj, "prefixlen", addr.family == AF_INET ? 32 : 128, &plen);
	if (!err)
		err = get_name(r, obj, "scope", scopes, UINT8_MAX, &scope);
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
		return no_memory(r);
	addr.seq = row->seq;
	*row = addr;
	return addr.family == AF_INET ? add_locals4(r, &addr, &broadcast) : add_locals6(r, &addr);
}

static int read_link(struct reader *r, const json_t *obj)
{
	const json_t *addrs = json_object_get(obj, "addr_info"), *addr;
	uint32_t place = XL_FIB_NO_LINK, ifindex = 0;
	struct xl_fib_link *link;
	const char *kind = "ether";
	size_t i;
	int err = get_link(r, obj, "ifname", &place);

	if (!err)
		err = get_u32(r, obj, "ifindex", INT32_MAX, &ifindex);
	if (!err)
		err = get_string(r, obj, "link_type", &kind);
	if (err)
		return err;
	link = &r->fib->links.row[place];
	if (ifindex) {
		link->ifindex = ifindex;
		link->implied = false;
	}
	if (json_object_get(obj, "flags"))
		link->no_arp_key =
			has_word(obj, "flags", "LOOPBACK") || has_word(obj, "flags", "POINTOPOINT");
	err = get_u32(r, obj, "mtu", UINT32_MAX, &link->mtu);
	if (!err && !strcmp(kind, "ether"))
		err = get_mac(r, obj, "address", link->mac);
	if (err)
		return err;
	if (addrs && !json_is_array(addrs))
		return bad(r, "addr_info", "not a list");
	json_array_foreach(addrs, i, addr)
	{
		err = read_addr(r, addr, place);
		if (err)
			return err;
	}
	return 0;
}

/* Files. */

static int read_entry(struct reader *r, const json_t *obj)
{
	if (!json_is_object(obj))
		return bad(r, NULL, "not an object");
	if (!json_object_size(obj))
		return 0; /* `ip` prints {} for what a filter left out */
	if (json_object_get(obj, "ifname"))
		return read_link(r, obj);
	if (json_object_get(obj, "state"))
		return read_neigh(r, obj);
	if (json_object_get(obj, "dst"))
		return read_route(r, obj);
	return bad(r, NULL,
		   "neither a route (\"dst\") nor a neighbour (\"state\") nor a link "
		   "(\"ifname\")");
}

static int read_entries(struct reader *r, const char *part, const json_t *array)
{
	const json_t *entry;
	int err;

	r->part = part;
	json_array_foreach(array, r->index, entry)
	{
		err = read_entry(r, entry);
		if (err)
			return err;
	}
	return 0;
}

static int read_parts(struct reader *r, const json_t *obj)
{
	static const char *const parts[] = { "links", "routes", "neighbours" };
	const json_t *forwarding = json_object_get(obj, "forwarding"), *part;
	size_t n_known = forwarding != NULL;
	int err;

	if (forwarding && !json_is_boolean(forwarding))
		return xl_err_set(r->e, -EINVAL, "%s: forwarding: neither true nor false", r->path);
	if (forwarding) {
		r->fib->forwarding = json_is_true(forwarding);
		r->fib->forwarding_said = true;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		part = json_object_get(obj, parts[i]);
		if (!part)
			continue;
		n_known++;
		if (!json_is_array(part))
			return xl_err_set(r->e, -EINVAL, "%s: %s: not a list", r->path, parts[i]);
		err = read_entries(r, parts[i], part);
		if (err)
			return err;
	}
	if (n_known != json_object_size(obj))
		return xl_err_set(r->e, -EINVAL,
				  "%s: knows \"links\", \"routes\", \"neighbours\" and "
				  "\"forwarding\", and nothing else",
				  r->path);
	return 0;
}

/* Reads one JSON document; *@out_end is set when there is none left. */
static int read_document(struct reader *r, FILE *f, bool *out_end)
{
	json_error_t error;
	json_t *doc;
	int c, err;

	do
		c = getc(f);
	while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
	*out_end = c == EOF;
	if (*out_end)
		return ferror(f) ? xl_err_set(r->e, -EIO, "%s: cannot be read", r->path) : 0;
	ungetc(c, f);
	doc = json_loadf(f, JSON_DISABLE_EOF_CHECK, &error);
	if (!doc)
		return xl_err_set(r->e, -EINVAL, "%s: document %u, line %d: %s", r->path,
				  r->document, error.line, error.text);
	err = json_is_array(doc) ? read_entries(r, "", doc) : read_parts(r, doc);
	json_decref(doc);
	return err;
}

int xl_fib_load(struct xl_fib *fib, const char *path, struct xl_err *e)
{
	struct reader r = { .fib = fib, .e = e, .path = path };
	FILE *f = fopen(path, "re");
	bool end = false;
	int err = 0;

	if (!f)
		return xl_err_set(e, -errno, "%s: %s", path, strerror(errno));
	while (!err && !end) {
		r.document++;
		err = read_document(&r, f, &end);
	}
	fclose(f);
	if (err)
		return err;
	err = xl_fib_settle(fib);
	if (err == -EEXIST)
		return xl_err_set(e, -EINVAL, "%s: two links have one ifindex", path);
	return err ? no_memory(&r) : 0;
}
