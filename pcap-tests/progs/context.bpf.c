/* The fields of xdp_md, and room before and behind the packet. */
#include "prog.h"

struct seen {
	__u32 len, meta_len, ifindex, queue;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct seen);
} lengths SEC(".maps");

SEC("xdp")
int context(struct xdp_md *ctx)
{
	__u32 len = ctx->data_end - ctx->data;
	struct seen s = { .len = len,
			  .meta_len = ctx->data - ctx->data_meta,
			  .ifindex = ctx->ingress_ifindex,
			  .queue = ctx->rx_queue_index };

	bpf_map_update_elem(&lengths, &len, &s, BPF_ANY);
	return len % 5;
}
