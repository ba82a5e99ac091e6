/* Tells by one packet in sixteen which queue it came from: by its verdict, in its bytes, and in a
 * map that is too large to be compared after each packet. diff_kernel_report_test.py asks for a
 * queue that the kernel cannot show, to have something to report. */
#include "prog.h"

struct cell {
	__u32 hash, queue;
};
ARRAY(large, struct cell, 65536);

SEC("xdp")
int queue(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 h = packet_hash(ctx);
	__u32 key = h & 0xffff;
	struct cell *c = bpf_map_lookup_elem(&large, &key);

	if (!c || data + 14 > end || (h >> 20 & 15) != 3)
		return XDP_PASS;
	c->hash = h;
	c->queue = ctx->rx_queue_index;
	data[5] = 0xe0 + c->queue;
	return c->queue ? XDP_DROP : XDP_TX;
}
