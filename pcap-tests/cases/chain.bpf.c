/* Programs that leave a trail and return what their byte of the packet says. */
#include "case.h"

#define RUN_CONFIG(prog) _##prog SEC(".xdp_run_config")

struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
	__uint(XDP_DROP, 1);
} RUN_CONFIG(middle);

struct {
	__uint(priority, 10);
	__uint(XDP_PASS, 1);
} RUN_CONFIG(zuerst);

/* A digit for each program that ran on the packet, the last one lowest. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} trail SEC(".maps");

static __always_inline int step(struct xdp_md *ctx, int digit)
{
	__u64 *value = bpf_map_lookup_elem(&trail, &(__u32){ 0 });

	if (value)
		*value = *value * 10 + digit;
	return packet_byte(ctx, digit - 1);
}

SEC("xdp")
int middle(struct xdp_md *ctx)
{
	return step(ctx, 2);
}

SEC("xdp")
int zuerst(struct xdp_md *ctx)
{
	return step(ctx, 1);
}

/* Both without a configuration: priority 50, on XDP_PASS the next one runs. */
SEC("xdp")
int plain_b(struct xdp_md *ctx)
{
	return step(ctx, 4);
}

SEC("xdp")
int plain_a(struct xdp_md *ctx)
{
	return step(ctx, 3);
}
