/* Time, random numbers and the CPU, which the comparison presents to both sides; called from the
 * program, from a function and from a callback. */
#include "prog.h"

struct seen {
	__u64 mono, boot, coarse, tai, jiffies;
	__u32 random[4], cpu, node;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct seen);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

static noinline __u64 random_twice(void)
{
	return (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
}

static int draw(__u32 i, void *arg)
{
	__u32 *sum = arg;

	*sum = *sum * 33 + bpf_get_prandom_u32() + (__u32)bpf_ktime_get_ns();
	return 0;
}

SEC("xdp")
int clocks(struct xdp_md *ctx)
{
	struct seen s = { .mono = bpf_ktime_get_ns(),
			  .boot = bpf_ktime_get_boot_ns(),
			  .coarse = bpf_ktime_get_coarse_ns(),
			  .tai = bpf_ktime_get_tai_ns(),
			  .jiffies = bpf_jiffies64() };
	__u64 h = packet_hash(ctx), *n, two = random_twice();
	__u32 zero = 0;

	s.random[0] = two;
	s.random[1] = two >> 32;
	s.random[2] = bpf_get_prandom_u32();
	bpf_loop(h & 7, draw, &s.random[3], 0);
	s.cpu = bpf_get_smp_processor_id();
	s.node = bpf_get_numa_node_id();
	bpf_map_update_elem(&seen, &h, &s, BPF_ANY);
	n = bpf_map_lookup_elem(&runs, &zero);
	if (n)
		*n += s.random[2] & 1;
	return s.random[0] % 5;
}
