/* Rows of a forwarding table: adding, sorting, finding; see fib_table.h.
 *
 * Routes are sorted by family, table, falling prefix length, prefix, and then by what decides
 * between routes to one prefix. A search goes through the prefix lengths that a table has,
 * longest first, each by bisection.
 *
 * Source of the order: fib_find_alias() and fib_insert_alias(), net/ipv4/fib_trie.c;
 * fib6_add_rt2node(), net/ipv6/ip6_fib.c.
 */
#include "xdp-runtime/fib/fib_table.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define MTU_ETHERNET 1500
#define MTU_LOOPBACK 65536

/* Makes room for one more row of @size bytes and counts it. NULL without memory. */
static void *grow(void **rows, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		const size_t more = *room ? *room * 2 : 8;
		void *grown = reallocarray(*rows, more, size);

		if (!grown)
			return NULL;
		*rows = grown;
		*room = more;
	}
	return memset((char *)*rows + (*n)++ * size, 0, size);
}

#define ADD(array) grow((void **)&(array).row, &(array).n, &(array).room, sizeof(*(array).row))

uint32_t xl_fib_link_at(struct xl_fib *fib, const char *name)
{
	struct xl_fib_link *link;

	for (size_t i = 0; i < fib->links.n; i++)
		if (!strcmp(fib->links.row[i].name, name))
			return (uint32_t)i;
	link = ADD(fib->links);
	if (!link)
		return XL_FIB_NO_LINK;
	strncpy(link->name, name, sizeof(link->name) - 1);
	link->implied = true;
	link->mtu = MTU_ETHERNET;
	return (uint32_t)(fib->links.n - 1);
}

struct xl_fib_addr *xl_fib_add_addr(struct xl_fib *fib)
{
	struct xl_fib_addr *addr = ADD(fib->addrs);

	if (addr)
		addr->seq = (uint32_t)(fib->addrs.n - 1);
	return addr;
}

struct xl_fib_route *xl_fib_add_route(struct xl_fib *fib)
{
	struct xl_fib_route *route = ADD(fib->routes);

	if (route) {
		route->seq = (uint32_t)(fib->routes.n - 1);
		route->first_nexthop = (uint32_t)fib->nexthops.n;
	}
	return route;
}

struct xl_fib_nexthop *xl_fib_add_nexthop(struct xl_fib *fib)
{
	struct xl_fib_nexthop *nexthop = ADD(fib->nexthops);

	if (nexthop)
		fib->routes.row[fib->routes.n - 1].n_nexthops++;
	return nexthop;
}

struct xl_fib_neigh *xl_fib_add_neigh(struct xl_fib *fib)
{
	return ADD(fib->neighs);
}

int xl_fib_create(struct xl_fib **out_fib)
{
	struct xl_fib *fib = calloc(1, sizeof(*fib));
	uint32_t lo;

	if (!fib)
		return -ENOMEM;
	lo = xl_fib_link_at(fib, "lo");
	if (lo != XL_FIB_LO)
		goto err;
	fib->links.row[lo].ifindex = XL_FIB_LO_IFINDEX;
	fib->links.row[lo].implied = false;
	fib->links.row[lo].mtu = MTU_LOOPBACK;
	fib->links.row[lo].no_arp_key = true;
	if (xl_fib_settle(fib))
		goto err;
	fib->is_empty = true;
	*out_fib = fib;
	return 0;
err:
	xl_fib_destroy(fib);
	return -ENOMEM;
}

void xl_fib_destroy(struct xl_fib *fib)
{
	if (!fib)
		return;
	free(fib->links.row);
	free(fib->addrs.row);
	free(fib->routes.row);
	free(fib->nexthops.row);
	free(fib->neighs.row);
	free(fib->groups.row);
	free(fib->by_ifindex.row);
	free(fib);
}

/* Sorting. */

#define BY(x, y)                                   \
	do {                                       \
		if ((x) != (y))                    \
			return (x) < (y) ? -1 : 1; \
	} while (0)

/* Tables whose routes lie in one trie come in the order in which that trie has them: local before
 * main. IPv6 has no types of service, and IPv4 no preferences. */
static int compare_routes(const void *x, const void *y)
{
	const struct xl_fib_route *a = x, *b = y;
	int order;

	BY(a->family, b->family);
	BY(a->table, b->table);
	BY(b->plen, a->plen);
	order = memcmp(&a->dst, &b->dst, sizeof(a->dst));
	if (order)
		return order;
	BY(b->tos, a->tos);
	BY(a->metric, b->metric);
	BY(a->seq, b->seq);
	return 0;
}

static int compare_neighs(const void *x, const void *y)
{
	const struct xl_fib_neigh *a = x, *b = y;

	BY(a->link, b->link);
	BY(a->family, b->family);
	return memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

static int compare_ifindexes(const void *x, const void *y, void *arg)
{
	const struct xl_fib *fib = arg;

	BY(fib->links.row[*(const uint32_t *)x].ifindex,
	   fib->links.row[*(const uint32_t *)y].ifindex);
	return 0;
}

static int compare_addrs(const void *x, const void *y, void *arg)
{
	const struct xl_fib_addr *a = x, *b = y;
	const struct xl_fib *fib = arg;

	BY(fib->links.row[a->link].ifindex, fib->links.row[b->link].ifindex);
	BY(a->seq, b->seq);
	return 0;
}

static int sort_links(struct xl_fib *fib)
{
	const size_t n = fib->links.n;

	fib->by_ifindex.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *place = ADD(fib->by_ifindex);

		if (!place)
			return -ENOMEM;
		*place = i;
	}
	qsort_r(fib->by_ifindex.row, n, sizeof(uint32_t), compare_ifindexes, fib);
	return 0;
}

/* Numbers the links that only other rows name, from 2 on in order of appearance. */
static int number_links(struct xl_fib *fib)
{
	uint32_t next = XL_FIB_LO_IFINDEX + 1;
	int err;

	for (size_t i = 0; i < fib->links.n; i++)
		if (fib->links.row[i].implied)
			fib->links.row[i].ifindex = 0;
	err = sort_links(fib);
	if (err)
		return err;
	for (size_t i = 0; i < fib->links.n; i++) {
		if (!fib->links.row[i].implied)
			continue;
		while (xl_fib_link_by_ifindex(fib, next))
			next++;
		fib->links.row[i].ifindex = next++;
	}
	err = sort_links(fib);
	for (size_t i = 1; i < fib->links.n && !err; i++)
		if (!compare_ifindexes(&fib->by_ifindex.row[i - 1], &fib->by_ifindex.row[i], fib))
			err = -EEXIST;
	return err;
}

static int group_routes(struct xl_fib *fib)
{
	struct xl_fib_group *group = NULL;

	fib->groups.n = 0;
	for (uint32_t i = 0; i < fib->routes.n; i++) {
		const struct xl_fib_route *r = &fib->routes.row[i];

		if (!group || group->family != r->family || group->table != r->table ||
		    group->plen != r->plen) {
			group = ADD(fib->groups);
			if (!group)
				return -ENOMEM;
			group->family = r->family;
			group->table = r->table;
			group->plen = r->plen;
			group->first = i;
		}
		group->n++;
	}
	return 0;
}

int xl_fib_settle(struct xl_fib *fib)
{
	int err = number_links(fib);

	if (err)
		return err;
	if (fib->routes.n)
		qsort(fib->routes.row, fib->routes.n, sizeof(*fib->routes.row), compare_routes);
	if (fib->neighs.n)
		qsort(fib->neighs.row, fib->neighs.n, sizeof(*fib->neighs.row), compare_neighs);
	if (fib->addrs.n)
		qsort_r(fib->addrs.row, fib->addrs.n, sizeof(*fib->addrs.row), compare_addrs, fib);
	fib->is_empty = false;
	return group_routes(fib);
}

/* Finding. */

const struct xl_fib_link *xl_fib_link_by_ifindex(const struct xl_fib *fib, uint32_t ifindex)
{
	size_t low = 0, high = fib->by_ifindex.n;

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const struct xl_fib_link *link = &fib->links.row[fib->by_ifindex.row[mid]];

		if (link->ifindex == ifindex)
			return link;
		if (link->ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool xl_fib_link_mtu(const struct xl_fib *fib, uint32_t ifindex, uint32_t *out_mtu)
{
	const struct xl_fib_link *link = xl_fib_link_by_ifindex(fib, ifindex);

	if (!link && !fib->is_empty)
		return false;
	*out_mtu = link ? link->mtu : MTU_ETHERNET;
	return true;
}

void xl_fib_mask(struct xl_fib_ip *ip, uint32_t plen)
{
	for (uint32_t i = 0; i < sizeof(ip->b); i++, plen -= plen < 8 ? plen : 8)
		if (plen < 8)
			ip->b[i] &= (uint8_t)(0xff00 >> plen);
}

bool xl_fib_same_prefix(const struct xl_fib_ip *a, const struct xl_fib_ip *b, uint32_t plen)
{
	const uint32_t whole = plen / 8, rest = plen % 8;

	return !memcmp(a, b, whole) && (!rest || (a->b[whole] ^ b->b[whole]) >> (8 - rest) == 0);
}

static const struct xl_fib_group *find_group(const struct xl_fib *fib, uint8_t family,
					     uint32_t table, uint8_t plen)
{
	size_t low = 0, high = fib->groups.n;

	while (low < high) {
		const size_t mid = (low + high) / 2;
		const struct xl_fib_group *g = &fib->groups.row[mid];
		const int order = g->family != family ? (g->family < family ? -1 : 1)
				  : g->table != table ? (g->table < table ? -1 : 1)
						      : (int)plen - (int)g->plen;

		if (!order)
			return g;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct xl_fib_route *xl_fib_routes_at(const struct xl_fib *fib, uint8_t family,
					    uint32_t table, uint8_t plen,
					    const struct xl_fib_ip *ip, uint32_t *out_n)
{
	const struct xl_fib_group *group = find_group(fib, family, table, plen);
	struct xl_fib_ip key = *ip;
	uint32_t low, high, end;

	*out_n = 0;
	if (!group)
		return NULL;
	xl_fib_mask(&key, plen);
	low = group->first;
	end = high = group->first + group->n;
	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (memcmp(&fib->routes.row[mid].dst, &key, sizeof(key)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + *out_n < end && !memcmp(&fib->routes.row[low + *out_n].dst, &key, sizeof(key)))
		(*out_n)++;
	return &fib->routes.row[low];
}

const struct xl_fib_neigh *xl_fib_neigh_of(const struct xl_fib *fib, uint8_t family, uint32_t link,
					   const struct xl_fib_ip *ip)
{
	const struct xl_fib_neigh key = { .family = family, .link = link, .ip = *ip };

	if (!fib->neighs.n)
		return NULL;
	return bsearch(&key, fib->neighs.row, fib->neighs.n, sizeof(key), compare_neighs);
}
