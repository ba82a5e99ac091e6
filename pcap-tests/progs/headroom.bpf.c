/* The very limits of head, tail and metadata: steps towards them until the first refusal. */
#include "prog.h"

ARRAY(results, struct record, 1);

SEC("xdp")
int headroom(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	__u64 h = packet_hash(ctx);
	int i;

	if (!r)
		return XDP_ABORTED;
	for (i = 0; i < 80; i++) {
		long ret = h & 1 ? bpf_xdp_adjust_meta(ctx, -4) : bpf_xdp_adjust_head(ctx, -3);

		if (ret) {
			record(r, ret);
			break;
		}
	}
	record(r, i);
	for (i = 0; i < 120; i++) {
		long ret = bpf_xdp_adjust_tail(ctx, h & 2 ? 64 : -32);

		if (ret) {
			record(r, ret);
			break;
		}
	}
	record(r, i);
	record(r, bpf_xdp_adjust_head(ctx, h >> 8 & 255));
	record(r, bpf_xdp_get_buff_len(ctx));
	return h % 4;
}
