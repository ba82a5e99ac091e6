/* hot */
/* Helpers on checksums, routes and MTUs.
 *
 * Source: bpf_csum_diff(), bpf_xdp_fib_lookup(), bpf_xdp_check_mtu(), net/core/filter.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "xdp-runtime/fib/fib.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"

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

#define FIB_LOOKUP_MASK                                                              \
	(BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT | BPF_FIB_LOOKUP_SKIP_NEIGH | \
	 BPF_FIB_LOOKUP_TBID | BPF_FIB_LOOKUP_SRC | BPF_FIB_LOOKUP_MARK)

uint64_t xl_helper_fib_lookup(uint64_t ctx, uint64_t r2, uint64_t size, uint64_t r4, uint64_t r5)
{
	const uint32_t flags = (uint32_t)r4;
	struct bpf_fib_lookup params;
	int ret;

	if ((uint32_t)size < sizeof(params) || flags & ~(uint32_t)FIB_LOOKUP_MASK)
		return xl_helper_int(-EINVAL);
	memcpy(&params, (const void *)(uintptr_t)r2, sizeof(params)); /* may lie unaligned */
	ret = xl_fib_lookup(xl_run->rt->fib, &params, flags);
	memcpy((void *)(uintptr_t)r2, &params, sizeof(params));
	return xl_helper_int(ret);
}

uint64_t xl_helper_check_mtu(uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t len_diff,
			     uint64_t flags)
{
	const struct xl_run *run = xl_run;
	const uint32_t ifindex = r2 & UINT32_MAX ? (uint32_t)r2 : run->frame->ifindex;
	uint32_t mtu, len;
	int32_t packet_len;

	if (flags)
		return xl_helper_int(-EINVAL);
	if (!xl_fib_link_mtu(run->rt->fib, ifindex, &mtu))
		return xl_helper_int(-ENODEV);
	/* In: the length of the packet from its IP header on, 0 for the one at hand. */
	memcpy(&len, (const void *)(uintptr_t)r3, sizeof(len));
	if (len)
		len += XL_ETH_HLEN;
	else
		len = xl_frame_linear_len(run->frame);
	packet_len = (int32_t)(len + (uint32_t)len_diff);
	memcpy((void *)(uintptr_t)r3, &mtu, sizeof(mtu));
	return packet_len > (int32_t)(mtu + XL_ETH_HLEN) ? BPF_MTU_CHK_RET_FRAG_NEEDED
							 : BPF_MTU_CHK_RET_SUCCESS;
}
