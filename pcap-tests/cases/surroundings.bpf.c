/* Keeps what a program can learn about its surroundings. */
#include "case.h"

const volatile __u32 wanted = 7;
const volatile char label[8] = "none";
__u64 total;

struct seen {
	__u64 ktime;
	__u32 cpu, ifindex, queue, random;
	__u32 wanted;
	char label[8];
	__u32 len;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct seen);
} seen SEC(".maps");

SEC("xdp")
int surroundings(struct xdp_md *ctx)
{
	const __u64 n = total++;
	struct seen s = {
		.ktime = bpf_ktime_get_ns(),
		.cpu = bpf_get_smp_processor_id(),
		.ifindex = ctx->ingress_ifindex,
		.queue = ctx->rx_queue_index,
		.random = bpf_get_prandom_u32(),
		.wanted = wanted,
		.len = ctx->data_end - ctx->data,
	};

	for (int i = 0; i < (int)sizeof(s.label); i++)
		s.label[i] = label[i];
	bpf_map_update_elem(&seen, &n, &s, BPF_ANY);
	bpf_printk("packet %llu of %u bytes", n, s.len);
	return XDP_PASS;
}
