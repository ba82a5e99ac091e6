/* What the programs of this folder share. */
#ifndef CASE_H
#define CASE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

/* Byte @i of the packet, or 255 behind its end. */
static __always_inline __u8 packet_byte(const struct xdp_md *ctx, int i)
{
	const __u8 *data = (const __u8 *)(long)ctx->data;
	const __u8 *end = (const __u8 *)(long)ctx->data_end;

	return data + i + 1 > end ? 255 : data[i];
}

#endif
