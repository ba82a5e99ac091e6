/* Calls a helper that no kernel has. */
#include "case.h"

static long (*const bpf_from_the_future)(void) = (void *)9999;

SEC("xdp")
int no_helper(struct xdp_md *ctx)
{
	return bpf_from_the_future();
}
