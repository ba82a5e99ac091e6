/* Socket look-ups: there are no sockets here, so none is ever found.
 *
 * The kernel says the same, NULL, where it does not like the arguments, so nothing is looked at.
 * What takes a socket can only be reached with one, which no program has.
 *
 * Source: bpf_sk_lookup(), bpf_sk_release(), bpf_tcp_check_syncookie(), net/core/filter.c, v6.18.
 */
#include <errno.h>

#include "xdp-runtime/helpers/helpers_fn.h"

uint64_t xl_helper_sk_lookup_tcp(uint64_t ctx, uint64_t tuple, uint64_t size, uint64_t netns,
				 uint64_t flags)
{
	return 0;
}

uint64_t xl_helper_sk_lookup_udp(uint64_t ctx, uint64_t tuple, uint64_t size, uint64_t netns,
				 uint64_t flags)
{
	return 0;
}

uint64_t xl_helper_skc_lookup_tcp(uint64_t ctx, uint64_t tuple, uint64_t size, uint64_t netns,
				  uint64_t flags)
{
	return 0;
}

uint64_t xl_helper_sk_release(uint64_t sk, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return 0;
}

uint64_t xl_helper_tcp_check_syncookie(uint64_t sk, uint64_t ip, uint64_t ip_size, uint64_t tcp,
				       uint64_t tcp_size)
{
	return xl_helper_int(-EINVAL);
}

uint64_t xl_helper_tcp_gen_syncookie(uint64_t sk, uint64_t ip, uint64_t ip_size, uint64_t tcp,
				     uint64_t tcp_size)
{
	return xl_helper_int(-EINVAL);
}
