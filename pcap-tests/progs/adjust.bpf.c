/* bpf_xdp_adjust_head, _tail and _meta in turn, by deltas from -300 to 300 out of the packet; what
 * comes into view is read, and written over. */
#include "prog.h"

ARRAY(results, struct record, 4);

static __always_inline int delta(__u8 a, __u8 b)
{
	int d = (a << 8 | b) % 601 - 300;

	/* Half of them small, where most of the rules are. */
	return a & 1 ? d : (int)((b & 63) - 32);
}

static __always_inline void look(struct xdp_md *ctx, struct record *r)
{
	__u8 *data = (void *)(long)ctx->data, *meta = (void *)(long)ctx->data_meta;
	__u8 *end = (void *)(long)ctx->data_end;

	record(r, bpf_xdp_get_buff_len(ctx));
	record(r, ctx->data - ctx->data_meta);
	if (data + 14 <= end) {
		record(r, data[0] << 8 | data[13]);
		data[0]++;
		data[13] ^= 0x5a;
	}
	if (meta + 4 <= data)
		meta[2] = 0xc3;
}

SEC("xdp")
int adjust(struct xdp_md *ctx)
{
	__u8 b[24];
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	packet_bytes(ctx, b, sizeof(b));
	for (int i = 0; i < 4; i++) {
		record(r, bpf_xdp_adjust_head(ctx, delta(b[i], b[i + 4])));
		look(ctx, r);
		record(r, bpf_xdp_adjust_meta(ctx, delta(b[i + 8], b[i + 3]) & ~(b[i] & 3)));
		look(ctx, r);
		record(r, bpf_xdp_adjust_tail(ctx, delta(b[i + 16], b[i + 5]) * (b[i + 6] % 14)));
		look(ctx, r);
	}
	return r->mix % 5;
}
