/* Two objects that `bpftool gen object` makes one: each half names what the other one has. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifdef HALF_A
extern struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

extern int limit;
int judge(__u32 n);

static volatile int seen;

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u64 *value;
	__u32 slot;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	slot = *data;
	seen++;
	value = bpf_map_lookup_elem(&hits, &slot);
	if (!value)
		return XDP_TX;
	*value += limit;
	return judge(slot);
}
#else
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

int limit = 2;

static volatile int judged;

__attribute__((noinline)) int judge(__u32 n)
{
	judged++;
	return (int)n < limit ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int other(struct xdp_md *ctx)
{
	return judge(3);
}
#endif

char _license[] SEC("license") = "GPL";
