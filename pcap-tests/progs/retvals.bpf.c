/* Return values that are no verdict. */
#include "prog.h"

SEC("xdp")
int retvals(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);

	return h & 1 ? (int)(h >> 8 & 7) : h & 2 ? -(int)(h >> 8 & 255) : (int)(h >> 16);
}
