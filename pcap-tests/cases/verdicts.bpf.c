/* Does what the packet's first byte says: one verdict or redirect each. With MISTAKES, two more do
 * what no verifier allows. */
#include "case.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

static __always_inline int encapsulate(struct xdp_md *ctx)
{
	__u8 *data, *end;

	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_DROP;
	data = (__u8 *)(long)ctx->data;
	end = (__u8 *)(long)ctx->data_end;
	if (data + 20 > end)
		return XDP_DROP;
	for (int i = 0; i < 20; i++)
		data[i] = 0xee;
	return XDP_TX;
}

#ifdef MISTAKES
static __always_inline int read_far_outside(struct xdp_md *ctx)
{
	return ((volatile __u8 *)(long)ctx->data)[5000];
}

static __always_inline int loop_forever(void)
{
	for (;;)
		asm volatile("" ::: "memory");
	return XDP_DROP;
}
#endif

SEC("xdp")
int verdicts(struct xdp_md *ctx)
{
	const __u8 slot = packet_byte(ctx, 1);

	switch (packet_byte(ctx, 0)) {
	case 0:
		return XDP_ABORTED;
	case 1:
		return XDP_DROP;
	case 2:
		return XDP_PASS;
	case 3:
		return XDP_TX;
	case 4:
		return bpf_redirect(slot, 0);
	case 5:
		return bpf_redirect_map(&ports, slot, 0);
	case 6:
		return bpf_redirect_map(&cpus, slot, 0);
	case 7:
		return bpf_redirect_map(&sockets, slot, XDP_PASS);
	case 8:
		return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
	case 9:
		return 77;
	case 10:
		return XDP_REDIRECT;
	case 11:
		return encapsulate(ctx);
#ifdef MISTAKES
	case 12:
		return read_far_outside(ctx);
	case 13:
		return loop_forever();
#endif
	}
	return XDP_PASS;
}
