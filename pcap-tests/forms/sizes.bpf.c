/* Maps of sizes that a control program is to set, or that no kernel takes as they are. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 0);
	__type(key, __u32);
	__type(value, __u64);
} sizeless SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 1 << 20);
	__uint(key_size, 4);
	__uint(value_size, 8);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 0);
	__uint(value_size, 0);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(key_size, 8);
	__uint(value_size, 8);
} prefixes SEC(".maps");

SEC("xdp")
int use(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	struct {
		__u32 bits, address;
	} key = { 32, 0 };
	__u32 slot;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	bpf_perf_event_output(ctx, &events, 0, &key, sizeof(key));
	if (bpf_map_lookup_elem(&prefixes, &key))
		return XDP_ABORTED;
	slot = *data * 16;
	if (*data == 255)
		return bpf_redirect_map(&cpus, 1 << 19, XDP_TX);
	return bpf_map_lookup_elem(&sizeless, &slot) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
