/* Compiled without -g: no BTF at all. */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))

int knob = 3;
unsigned char bytes[11] = { 1 };

SEC("xdp_by_section")
int by_section(struct xdp_md *ctx)
{
	return knob > 2 ? XDP_PASS : bytes[ctx->rx_queue_index & 7];
}

char _license[] SEC("license") = "GPL";
