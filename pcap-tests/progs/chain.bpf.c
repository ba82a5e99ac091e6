/* Three programs for one packet, in the order of their priorities: first, second, third. What one
 * does to the packet and its metadata, the next one finds. */
#include "prog.h"

ARRAY(results, struct record, 3);

/* libxdp reads it from the types: lengths of arrays that nobody has. */
#define RUN_CONFIG(prog, priority_, goes_on_with) \
	struct {                                  \
		int (*priority)[priority_];       \
		int (*goes_on_with)[1];           \
	} _##prog SEC(".xdp_run_config") = {}

RUN_CONFIG(third, 30, XDP_PASS);
RUN_CONFIG(first, 10, XDP_TX);
RUN_CONFIG(second, 20, XDP_DROP);

static __always_inline struct record *result(__u32 key)
{
	return bpf_map_lookup_elem(&results, &key);
}

SEC("xdp")
int first(struct xdp_md *ctx)
{
	struct record *r = result(0);
	__u32 *meta, *data;

	if (!r)
		return XDP_ABORTED;
	record(r, bpf_get_prandom_u32());
	record(r, bpf_xdp_adjust_meta(ctx, -8));
	meta = (void *)(long)ctx->data_meta;
	data = (void *)(long)ctx->data;
	if (meta + 2 <= data) {
		meta[0] = packet_hash(ctx);
		meta[1] = 2;
	}
	return r->mix & 3 ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int second(struct xdp_md *ctx)
{
	struct record *r = result(1);
	__u32 *meta, *data;

	if (!r)
		return XDP_ABORTED;
	meta = (void *)(long)ctx->data_meta;
	data = (void *)(long)ctx->data;
	record(r, ctx->data - ctx->data_meta);
	if (meta + 2 <= data)
		record(r, meta[0]);
	record(r, bpf_get_prandom_u32());
	record(r, bpf_xdp_adjust_head(ctx, -16));
	record(r, bpf_xdp_adjust_tail(ctx, 5));
	return r->mix & 3 ? XDP_DROP : XDP_REDIRECT;
}

SEC("xdp")
int third(struct xdp_md *ctx)
{
	struct record *r = result(2);

	if (!r)
		return XDP_ABORTED;
	record(r, packet_hash(ctx));
	record(r, bpf_get_prandom_u32());
	return r->mix & 3;
}
