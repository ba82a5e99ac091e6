/* bpf_xdp_load_bytes, _store_bytes, _adjust_tail and _adjust_head around the seams of a packet in
 * fragments: the first part ends after 3520 bytes, each fragment after 4096 more. */
#include "prog.h"

#define LINEAR 3520
#define PAGE   4096

ARRAY(results, struct record, 1);

static __always_inline void probe(struct xdp_md *ctx, struct record *r, __u64 h)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	__u8 buf[64] = { 0 };

	record(r, len);
	record(r, ctx->data_end - ctx->data);
	for (int i = 0; i < 6; i++) {
		__u32 at = LINEAR + (h >> i & 15) * PAGE - (h >> i * 7 & 63);
		__u32 off = h >> i * 5 & 1 ? at : len - (h >> i * 3 & 127);
		__u32 n = 1 + (h >> i * 9 & 63);

		record(r, bpf_xdp_load_bytes(ctx, off, buf, n));
		record(r, *(__u64 *)buf ^ *(__u64 *)(buf + 56));
		buf[i]++;
		record(r, bpf_xdp_store_bytes(ctx, off + i, buf, n));
	}
}

static __always_inline int run(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	probe(ctx, r, h);
	record(r, bpf_xdp_adjust_head(ctx, (int)(h & 255) - 216));
	record(r, bpf_xdp_adjust_tail(ctx, (int)(h >> 8 & 8191) - 6000));
	probe(ctx, r, h >> 3);
	record(r, bpf_xdp_adjust_tail(ctx, (int)(h >> 20 & 8191)));
	record(r, bpf_xdp_adjust_tail(ctx, -(int)(h >> 30 & (h & 1 ? 0xffff : 0xfff))));
	probe(ctx, r, h >> 5);
	return h & 1 ? XDP_TX : XDP_PASS;
}

SEC("xdp.frags")
int fragments(struct xdp_md *ctx)
{
	return run(ctx);
}

/* The kernel's test run gives fragments to this one too. */
SEC("xdp")
int unaware(struct xdp_md *ctx)
{
	return run(ctx);
}

/* How much it sees without a helper. */
SEC("xdp")
int sees(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}
