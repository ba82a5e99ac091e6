/* bpf_xdp_pull_data(), alone and after the packet's ends were moved; long packets come from
 * fragments_test.py. */
#include "prog.h"

extern int bpf_xdp_pull_data(struct xdp_md *ctx, __u32 len) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *ptr, __u32 off, __u32 size, __u8 val) __ksym;

ARRAY(results, struct record, 1);

static __always_inline __u32 linear(struct xdp_md *ctx)
{
	long len = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

	asm volatile("" : "+r"(len)); /* The verifier wants 64 bits subtracted. */
	return len;
}

static __always_inline void look(struct xdp_md *ctx, struct record *r)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;

	record(r, bpf_xdp_get_buff_len(ctx));
	record(r, end - data);
	record(r, data - (__u8 *)(long)ctx->data_meta);
	if (data + 14 <= end)
		record(r, data[0] | data[13] << 8);
}

static __always_inline void fill(struct xdp_md *ctx, struct record *r, __u64 h)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	struct bpf_dynptr d;

	record(r, bpf_dynptr_from_xdp(ctx, 0, &d));
	record(r, bpf_dynptr_memset(&d, h % len, h >> 20 & 1023, h >> 3));
	record(r, bpf_dynptr_memset(&d, len, 0, 1));
	record(r, bpf_dynptr_memset(&d, len + 1, 0, 1));
	record(r, bpf_dynptr_memset(&d, len - 1, 2, 1));
	record(r, bpf_dynptr_from_xdp(ctx, 1, &d));
	record(r, bpf_dynptr_memset(&d, 0, h & 1, 1));
}

static __always_inline int run(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0, len = bpf_xdp_get_buff_len(ctx);
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	if (h & 1)
		record(r, bpf_xdp_adjust_meta(ctx, -(int)(h >> 8 & 15) * 4));
	if (h & 2)
		record(r, bpf_xdp_adjust_head(ctx, (int)(h >> 16 & 511) - 216));
	fill(ctx, r, h);
	record(r, bpf_xdp_pull_data(ctx, 0));
	record(r, bpf_xdp_pull_data(ctx, len + 300));
	record(r, bpf_xdp_pull_data(ctx, linear(ctx) + 1));
	look(ctx, r);
	record(r, bpf_xdp_pull_data(ctx, linear(ctx) + (h >> 24 & 255)));
	look(ctx, r);
	record(r, bpf_xdp_adjust_tail(ctx, -(int)(h >> 32 & 4095)));
	record(r, bpf_xdp_pull_data(ctx, len & -(h >> 5 & 1)));
	look(ctx, r);
	record(r, bpf_xdp_adjust_tail(ctx, (int)(h >> 44 & 4095)));
	record(r, bpf_xdp_pull_data(ctx, 3520 + (h >> 50 & 255)));
	look(ctx, r);
	fill(ctx, r, h >> 11);
	return XDP_PASS;
}

SEC("xdp")
int pull(struct xdp_md *ctx)
{
	return run(ctx);
}

SEC("xdp.frags")
int pull_frags(struct xdp_md *ctx)
{
	return run(ctx);
}
