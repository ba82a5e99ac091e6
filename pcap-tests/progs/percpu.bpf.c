/* Other CPUs' slots of per-CPU maps, and events that nobody reads. */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

ARRAY(results, struct record, 1);

SEC("xdp")
int percpu(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), *v;
	__u32 zero = 0, key = h & 7, cpu = h >> 8 & 3;
	struct record *r = bpf_map_lookup_elem(&results, &zero);

	if (!r)
		return XDP_ABORTED;
	if (h & 1)
		bpf_map_update_elem(&hash, &key, &h, BPF_ANY);
	v = bpf_map_lookup_percpu_elem(&array, &key, cpu);
	record(r, v ? *v : 404);
	if (v)
		*v += 1;
	v = bpf_map_lookup_percpu_elem(&hash, &key, cpu);
	record(r, v ? *v : 404);
	if (v)
		*v ^= 5;
	record(r, bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | (__u64)10 << 32, &h, 8));
	record(r, bpf_perf_event_output(ctx, &events, h >> 16 & 0xffff, &h, sizeof(h)));
	record(r, bpf_perf_event_output(ctx, &events, h, &h, sizeof(h)));
	return XDP_PASS;
}
