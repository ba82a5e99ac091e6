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

/* One's complement sum of @n_words 32-bit words at @p, which need not be aligned. */
static uint32_t csum_words(const uint8_t *p, uint32_t n_words, uint32_t sum)
{
	uint32_t word;

	for (; n_words; n_words--, p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = csum_add(sum, word);
	}
	return sum;
}

/* The kernel gives back a 16-bit sum since 6.13; before, it was one of 32 bits. */
static uint32_t csum_fold_16(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

uint64_t xl_helper_csum_diff(uint64_t from, uint64_t r2, uint64_t to, uint64_t r4, uint64_t r5)
{
	const uint32_t from_size = (uint32_t)r2, to_size = (uint32_t)r4;
	uint32_t sum = (uint32_t)r5;

	if ((from_size | to_size) % sizeof(uint32_t))
		return xl_helper_int(-EINVAL);
	if (to_size)
		sum = csum_words((const uint8_t *)(uintptr_t)to, to_size / 4, sum);
	if (from_size && to_size)
		sum = csum_add(sum,
			       ~csum_words((const uint8_t *)(uintptr_t)from, from_size / 4, 0));
	else if (from_size)
		sum = ~csum_words((const uint8_t *)(uintptr_t)from, from_size / 4, ~sum);
	return csum_fold_16(sum);
}
