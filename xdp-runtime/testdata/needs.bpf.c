/* One program that runs, and others each of which wants something that is not there. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_kernel_only(struct xdp_md *ctx) __ksym;
extern int bpf_maybe(struct xdp_md *ctx) __ksym __weak;
extern const void kernel_symbol __ksym;
extern const void maybe_symbol __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} shapeless SEC(".maps");

static __attribute__((noinline)) int deep(struct xdp_md *ctx)
{
	return bpf_kernel_only(ctx);
}

SEC("xdp")
int runs(struct xdp_md *ctx)
{
	return &maybe_symbol ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int wants_kfunc(struct xdp_md *ctx)
{
	return bpf_kernel_only(ctx);
}

SEC("xdp")
int wants_kfunc_below(struct xdp_md *ctx)
{
	return deep(ctx) + 1;
}

SEC("xdp")
int wants_weak_kfunc(struct xdp_md *ctx)
{
	return bpf_maybe(ctx);
}

SEC("xdp")
int wants_ksym(struct xdp_md *ctx)
{
	return (long)&kernel_symbol & 1 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int wants_helper(struct xdp_md *ctx)
{
	char c = 0;

	return bpf_probe_read_user(&c, sizeof(c), NULL) ? XDP_PASS : c;
}

SEC("xdp")
int wants_map(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&storage, &key) ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int wants_shape(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&shapeless, &key) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
