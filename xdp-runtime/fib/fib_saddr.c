/* The source address that the kernel would choose for a packet: BPF_FIB_LOOKUP_SRC.
 *
 * Source: inet_select_addr(), net/ipv4/devinet.c; ipv6_dev_get_saddr(), net/ipv6/addrconf.c,
 * which follows RFC 6724 with the default policy table; temporary addresses are not preferred
 * (use_tempaddr below 2).
 */
#include "xdp-runtime/fib/fib_table.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

/* IPv4. */

/* An address of another link: any that is wider than a link and not wider than the route. */
static bool any_link4(const struct xl_fib *fib, uint8_t scope, struct xl_fib_ip *out)
{
	for (size_t i = 0; i < fib->addrs.n; i++) {
		const struct xl_fib_addr *a = &fib->addrs.row[i];

		if (a->family != AF_INET || a->secondary || a->scope == RT_SCOPE_LINK ||
		    a->scope > scope)
			continue;
		*out = a->ip;
		return true;
	}
	return false;
}

bool xl_fib_saddr4(const struct xl_fib *fib, uint32_t link, const struct xl_fib_ip *gw,
		   uint8_t scope, struct xl_fib_ip *out)
{
	static const struct xl_fib_ip none;
	const bool has_gw = memcmp(gw, &none, sizeof(none)) != 0;
	bool found = false;

	for (size_t i = 0; i < fib->addrs.n; i++) {
		const struct xl_fib_addr *a = &fib->addrs.row[i];

		if (a->link != link || a->family != AF_INET || a->secondary || a->scope > scope)
			continue;
		if (!has_gw || xl_fib_same_prefix(gw, &a->ip, a->plen)) {
			*out = a->ip;
			return true;
		}
		if (!found)
			*out = a->ip;
		found = true;
	}
	return found || any_link4(fib, scope, out);
}

/* IPv6. */

/* RFC 6724's policy table as Linux has it, longest prefix first. */
static const struct {
	uint8_t plen, label;
	struct xl_fib_ip prefix;
} labels[] = {
	{ 128, 0, { .b[15] = 1 } },
	{ 96, 4, { .b[10] = 0xff, .b[11] = 0xff } },
	{ 96, 3, { .b[0] = 0 } },
	{ 32, 6, { .b[0] = 0x20, .b[1] = 0x01 } },
	{ 28, 7, { .b[0] = 0x20, .b[1] = 0x01, .b[3] = 0x10 } },
	{ 16, 2, { .b[0] = 0x20, .b[1] = 0x02 } },
	{ 16, 12, { .b[0] = 0x3f, .b[1] = 0xfe } },
	{ 10, 11, { .b[0] = 0xfe, .b[1] = 0xc0 } },
	{ 7, 5, { .b[0] = 0xfc } },
};
#define N_LABELS      (sizeof(labels) / sizeof(labels[0]))
#define LABEL_DEFAULT 1

#define SCOPE_LINK    2
#define SCOPE_SITE    5
#define SCOPE_GLOBAL  14

static int label_of(const struct xl_fib_ip *ip)
{
	for (size_t i = 0; i < N_LABELS; i++)
		if (xl_fib_same_prefix(ip, &labels[i].prefix, labels[i].plen))
			return labels[i].label;
	return LABEL_DEFAULT;
}

/* Scopes of unicast addresses, in the numbers of RFC 4291. */
static int scope_of(const struct xl_fib_ip *ip)
{
	static const struct xl_fib_ip loopback = { .b[15] = 1 };

	if (!memcmp(ip, &loopback, sizeof(*ip)))
		return SCOPE_LINK;
	if (ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80)
		return SCOPE_LINK;
	if (ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

static int common_bits(const struct xl_fib_ip *a, const struct xl_fib_ip *b)
{
	int n = 0;

	while (n < 128 && xl_fib_same_prefix(a, b, (uint32_t)n + 1))
		n++;
	return n;
}

enum {
	RULE_SAME,
	RULE_SCOPE,
	RULE_PREFERRED,
	RULE_LINK,
	RULE_LABEL,
	RULE_PRIVACY,
	RULE_PREFIX,
	N_RULES
};

/* What @a scores in each rule, most important first; more is better. */
static void score(const struct xl_fib_addr *a, uint32_t link, const struct xl_fib_ip *dst,
		  int out[N_RULES])
{
	const int scope = scope_of(&a->ip), common = common_bits(&a->ip, dst);

	out[RULE_SAME] = !memcmp(&a->ip, dst, sizeof(*dst));
	/* The smallest scope that still reaches; a too small one is worse than any other. */
	out[RULE_SCOPE] = scope >= scope_of(dst) ? -scope : scope - 128;
	out[RULE_PREFERRED] = !a->deprecated;
	out[RULE_LINK] = a->link == link;
	out[RULE_LABEL] = label_of(&a->ip) == label_of(dst);
	out[RULE_PRIVACY] = !a->temporary;
	out[RULE_PREFIX] = common < a->plen ? common : a->plen;
}

/* Whether the later candidate @a beats @best; of equals the first stays. */
static bool beats(const int a[N_RULES], const int best[N_RULES])
{
	for (int i = 0; i < N_RULES; i++)
		if (a[i] != best[i])
			return a[i] > best[i];
	return false;
}

bool xl_fib_saddr6(const struct xl_fib *fib, uint32_t link, const struct xl_fib_ip *dst,
		   struct xl_fib_ip *out)
{
	int best[N_RULES], scores[N_RULES];
	bool found = false;

	for (size_t i = 0; i < fib->addrs.n; i++) {
		const struct xl_fib_addr *a = &fib->addrs.row[i];

		if (a->family != AF_INET6 || a->tentative)
			continue;
		score(a, link, dst, scores);
		if (found && !beats(scores, best))
			continue;
		memcpy(best, scores, sizeof(best));
		*out = a->ip;
		found = true;
	}
	return found;
}
