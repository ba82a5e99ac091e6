/* Queues and stacks. */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 5);
	__type(value, __u64);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 5);
	__type(value, __u64);
} stack SEC(".maps");

ARRAY(results, struct record, 1);

#define DRIVE(map_, h_)                                                                         \
	do {                                                                                    \
		v = (h_);                                                                       \
		if ((h_)&1)                                                                     \
			record(r, bpf_map_push_elem(&map_, &v, (h_) >> 4 & 1 ? BPF_EXIST : 0)); \
		if ((h_)&2)                                                                     \
			record(r, bpf_map_pop_elem(&map_, &v));                                 \
		record(r, v);                                                                   \
		record(r, bpf_map_peek_elem(&map_, &v));                                        \
		record(r, v);                                                                   \
		if (!((h_) >> 8 & 7))                                                           \
			record(r, bpf_map_push_elem(&map_, &v, (h_) >> 12 & 7));                \
	} while (0)

SEC("xdp")
int queues(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), v;
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	DRIVE(queue, h);
	DRIVE(stack, h >> 16);
	return XDP_PASS;
}
