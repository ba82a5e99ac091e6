/* Tail calls: a program that calls itself until the limit, others by index, empty slots, indexes
 * beyond the end; and out of a function that was called. */
#include "prog.h"

#define N_SLOTS 8

ARRAY(results, struct record, N_SLOTS);

int again(struct xdp_md *ctx);
int drop(struct xdp_md *ctx);
int swap(struct xdp_md *ctx);
int from_function(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, N_SLOTS);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} slots SEC(".maps") = {
	.values = { [0] = (void *)&again,
		    [1] = (void *)&drop,
		    [2] = (void *)&swap,
		    [5] = (void *)&from_function },
};

static __always_inline struct record *result(__u32 key)
{
	return bpf_map_lookup_elem(&results, &key);
}

SEC("xdp")
int again(struct xdp_md *ctx)
{
	struct record *r = result(0);

	if (r)
		record(r, bpf_xdp_get_buff_len(ctx));
	bpf_tail_call(ctx, &slots, 0);
	/* The limit. */
	return XDP_TX;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	struct record *r = result(1);

	if (r)
		record(r, 1);
	return XDP_DROP;
}

SEC("xdp")
int swap(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct record *r = result(2);

	for (int i = 0; i < 6 && data + 12 <= end; i++) {
		__u8 b = data[i];

		data[i] = data[i + 6];
		data[i + 6] = b;
	}
	if (r)
		record(r, 2);
	bpf_tail_call(ctx, &slots, 1);
	return XDP_ABORTED;
}

static noinline int call_slot(struct xdp_md *ctx, __u32 slot)
{
	bpf_tail_call(ctx, &slots, slot);
	return XDP_PASS;
}

SEC("xdp")
int from_function(struct xdp_md *ctx)
{
	struct record *r = result(5);
	/* What the called program returns is what call_slot() returns here. */
	int ret = call_slot(ctx, packet_hash(ctx) >> 8 & 3);

	if (r)
		record(r, ret);
	return ret ^ 3;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	struct record *r;

	bpf_tail_call(ctx, &slots, (__u32)(h & 15));
	r = result(7);
	if (r)
		record(r, h & 15);
	return XDP_PASS;
}
