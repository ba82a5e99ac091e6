/* What a port's hardware tells of a packet; see rx_info.h. */
#include "cli/rx_info.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>

#define RSS_TYPE_L4 0x8u /* the kernel's XDP_RSS_L4: over ports too */

/* A number up to @max, and what ends it. */
static bool number(const char **text, uint64_t max, uint64_t *out)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*out = strtoull(*text, &end, 0);
	*text = end;
	return !errno && *out <= max;
}

/* "A" or "A,B"; *b stays as it is if it is not there. */
static bool pair(const char *text, uint64_t max_a, uint64_t *a, uint64_t max_b, uint64_t *b)
{
	if (!number(&text, max_a, a))
		return false;
	return !*text || (*text++ == ',' && number(&text, max_b, b) && !*text);
}

int xl_rx_info_set_hash(struct xl_rx_info *rx, const char *text, struct xl_err *e)
{
	uint64_t hash, type = RSS_TYPE_L4;

	if (!pair(text, UINT32_MAX, &hash, UINT32_MAX, &type))
		return xl_err_set(e, -EINVAL, "--rx-hash takes HASH[,TYPE], not '%s'", text);
	rx->has_hash = true;
	rx->hash = (uint32_t)hash;
	rx->hash_type = (uint32_t)type;
	return 0;
}

int xl_rx_info_set_vlan(struct xl_rx_info *rx, const char *text, struct xl_err *e)
{
	uint64_t tci, proto = ETH_P_8021Q;

	if (!pair(text, UINT16_MAX, &tci, UINT16_MAX, &proto))
		return xl_err_set(e, -EINVAL, "--rx-vlan takes TCI[,PROTO], not '%s'", text);
	rx->has_vlan = true;
	rx->vlan_tci = (uint16_t)tci;
	rx->vlan_proto = htons((uint16_t)proto);
	return 0;
}
