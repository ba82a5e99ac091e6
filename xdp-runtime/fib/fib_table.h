/* What a forwarding table holds, and how its parts refer to each other.
 *
 * fib_json.c adds rows while it reads; xl_fib_settle() then numbers the links and sorts, and from
 * there on look-ups (fib.c, fib_saddr.c) only read. Rows name a link by its place in links[],
 * since its ifindex may become known later than its name.
 *
 * Addresses of both families are 16 bytes in network order, an IPv4 one in the first four.
 */
#ifndef XL_XDP_RUNTIME_FIB_TABLE_H
#define XL_XDP_RUNTIME_FIB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-runtime/fib/fib.h"

#define XL_FIB_NO_LINK	  UINT32_MAX
#define XL_FIB_NAME_SIZE  16 /* IFNAMSIZ */
#define XL_FIB_LO	  0  /* place of "lo", which each table has */
#define XL_FIB_LO_IFINDEX 1

struct xl_fib_ip {
	uint8_t b[16];
};

struct xl_fib_link {
	char name[XL_FIB_NAME_SIZE];
	uint32_t ifindex;
	bool implied;	 /* named by others only: ifindex is ours to choose */
	bool no_arp_key; /* loopback or point-to-point: IPv4 neighbours have the key 0.0.0.0 */
	uint32_t mtu;
	uint8_t mac[6];
};

/* An address of a link; sorted as the kernel walks them: by link, then as dumped. */
struct xl_fib_addr {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t plen;
	uint8_t scope; /* RT_SCOPE_*; IPv4 */
	bool secondary, deprecated, tentative, temporary;
	uint32_t link;
	uint32_t seq; /* order of arrival */
	struct xl_fib_ip ip;
};

struct xl_fib_nexthop {
	uint32_t link;
	uint8_t gw_family; /* 0: none */
	bool dead;
	bool lwt; /* encapsulates */
	uint32_t weight;
	struct xl_fib_ip gw;
};

struct xl_fib_route {
	uint8_t family;
	uint8_t plen;
	uint8_t type; /* RTN_* */
	uint8_t tos;
	uint8_t scope; /* RT_SCOPE_* */
	uint8_t pref;  /* RFC 4191 preference: 1 low, 2 medium, 3 high */
	bool has_prefsrc;
	uint32_t table;
	uint32_t metric;
	uint32_t seq; /* order of arrival, which decides between equals */
	uint32_t first_nexthop, n_nexthops;
	struct xl_fib_ip dst, prefsrc;
};

struct xl_fib_neigh {
	uint8_t family;
	bool valid; /* its state is one of NUD_VALID */
	uint32_t link;
	uint8_t mac[6];
	struct xl_fib_ip ip;
};

/* Routes of one family, table and prefix length: route[first .. first + n). */
struct xl_fib_group {
	uint8_t family;
	uint8_t plen;
	uint32_t table;
	uint32_t first, n;
};

#define XL_FIB_ARRAY(type)      \
	struct {                \
		type *row;      \
		size_t n, room; \
	}

struct xl_fib {
	XL_FIB_ARRAY(struct xl_fib_link) links;
	XL_FIB_ARRAY(struct xl_fib_addr) addrs;
	XL_FIB_ARRAY(struct xl_fib_route) routes;
	XL_FIB_ARRAY(struct xl_fib_nexthop) nexthops;
	XL_FIB_ARRAY(struct xl_fib_neigh) neighs;
	XL_FIB_ARRAY(struct xl_fib_group) groups; /* by family, table, falling plen */
	XL_FIB_ARRAY(uint32_t) by_ifindex;	  /* places in links, by ifindex */
	bool is_empty;				  /* nothing was loaded yet */
	bool forwarding, forwarding_said;
};

/* Adding. Return a place, or NULL / XL_FIB_NO_LINK without memory. What is added is zero. */
uint32_t xl_fib_link_at(struct xl_fib *fib, const char *name);
struct xl_fib_addr *xl_fib_add_addr(struct xl_fib *fib);
struct xl_fib_route *xl_fib_add_route(struct xl_fib *fib);
/* Belongs to the route that was added last. */
struct xl_fib_nexthop *xl_fib_add_nexthop(struct xl_fib *fib);
struct xl_fib_neigh *xl_fib_add_neigh(struct xl_fib *fib);
/* Makes what was added visible to look-ups. -ENOMEM; -EEXIST two links with one ifindex. */
int xl_fib_settle(struct xl_fib *fib);

/* Reading. */
const struct xl_fib_link *xl_fib_link_by_ifindex(const struct xl_fib *fib, uint32_t ifindex);
/* The routes of @table with @plen leading bits in common with @ip, best first. */
const struct xl_fib_route *xl_fib_routes_at(const struct xl_fib *fib, uint8_t family,
					    uint32_t table, uint8_t plen,
					    const struct xl_fib_ip *ip, uint32_t *out_n);
const struct xl_fib_neigh *xl_fib_neigh_of(const struct xl_fib *fib, uint8_t family, uint32_t link,
					   const struct xl_fib_ip *ip);
bool xl_fib_same_prefix(const struct xl_fib_ip *a, const struct xl_fib_ip *b, uint32_t plen);
/* Clears the bits of @ip after the first @plen. */
void xl_fib_mask(struct xl_fib_ip *ip, uint32_t plen);

/* The source address that the kernel would choose; false: none. fib_saddr.c */
bool xl_fib_saddr4(const struct xl_fib *fib, uint32_t link, const struct xl_fib_ip *gw,
		   uint8_t scope, struct xl_fib_ip *out);
bool xl_fib_saddr6(const struct xl_fib *fib, uint32_t link, const struct xl_fib_ip *dst,
		   struct xl_fib_ip *out);

#endif
