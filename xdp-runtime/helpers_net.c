/* hot */
/* Helpers on checksums, routes and MTUs.
 *
 * Source: bpf_csum_diff(), bpf_xdp_fib_lookup(), bpf_xdp_check_mtu(), net/core/filter.c.
 */
#include "xdp-runtime/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "xdp-runtime/run.h"

static uint32_t csum_add(uint32_t a, uint32_t b)
{
	a += b;
	return a + (a < b);
}

/* One's complement sum of @len bytes at @p in 32-bit words, the last one filled up with zeroes;
 * csum_partial(). */
static uint32_t csum_bytes(uint64_t p, uint32_t len, uint32_t sum)
{
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)p;
	uint32_t word;

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = csum_add(sum, word);
	}
	if (len) {
		word = 0;
		memcpy(&word, bytes, len);
		sum = csum_add(sum, word);
	}
	return sum;
}

/* Before 6.13 the result was a sum of 32 bits, and lengths had to be multiples of four. */
static uint32_t csum_fold_16(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

uint64_t xl_helper_csum_diff(uint64_t from, uint64_t r2, uint64_t to, uint64_t r4, uint64_t r5)
{
	const uint32_t from_size = (uint32_t)r2, to_size = (uint32_t)r4;
	uint32_t sum = (uint32_t)r5;

	if (from_size && to_size)
		sum = csum_add(csum_bytes(to, to_size, sum), ~csum_bytes(from, from_size, 0));
	else if (to_size)
		sum = csum_bytes(to, to_size, sum);
	else if (from_size)
		sum = ~csum_bytes(from, from_size, ~sum);
	return csum_fold_16(sum);
}
