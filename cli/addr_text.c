/* Addresses from text; see addr_text.h. */
#include "cli/addr_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC_LEN 6

static bool parse_mac(const char *text, uint8_t *out)
{
	uint8_t mac[MAC_LEN];
	int end = -1;

	if (strspn(text, "0123456789abcdefABCDEF:") != strlen(text))
		return false;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &end) != MAC_LEN ||
	    end < 0 || text[end])
		return false;
	memcpy(out, mac, MAC_LEN);
	return true;
}

bool xl_addr_parse(const char *text, void *out, size_t size)
{
	uint8_t addr[sizeof(struct in6_addr)];
	int family;

	if (size == MAC_LEN)
		return parse_mac(text, out);
	if (size != sizeof(struct in_addr) && size != sizeof(struct in6_addr))
		return false;
	family = size == sizeof(struct in_addr) ? AF_INET : AF_INET6;
	if (inet_pton(family, text, addr) != 1)
		return false;
	memcpy(out, addr, size);
	return true;
}

bool xl_addr_parse_prefix(const char *text, void *out, size_t size)
{
	const char *slash = strchr(text, '/');
	char addr_text[INET6_ADDRSTRLEN];
	uint8_t addr[sizeof(struct in6_addr)];
	uint32_t len;
	char *end;

	if (!slash || size <= sizeof(len) || (size_t)(slash - text) >= sizeof(addr_text) ||
	    slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(addr_text, text, (size_t)(slash - text));
	addr_text[slash - text] = 0;
	if (!xl_addr_parse(addr_text, addr, size - sizeof(len)))
		return false;
	len = (uint32_t)strtoul(slash + 1, &end, 10);
	if (*end || len > (size - sizeof(len)) * 8)
		return false;
	memcpy(out, &len, sizeof(len));
	memcpy((uint8_t *)out + sizeof(len), addr, size - sizeof(len));
	return true;
}
