/* bpf_csum_diff with both, one and no buffer, all lengths, and seeds. */
#include "prog.h"

ARRAY(results, struct record, 1);

SEC("xdp")
int checksums(struct xdp_md *ctx)
{
	__u8 a[64], b[64];
	__u32 key = 0, n, m;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	__u64 h = packet_hash(ctx);
	__u8 *data, *end;

	if (!r)
		return XDP_ABORTED;
	packet_bytes(ctx, a, sizeof(a));
	for (int i = 0; i < 64; i++)
		b[i] = a[63 - i] ^ h >> (i & 7);
	n = h >> 8 & 60;
	m = h >> 16 & 60;
	record(r, bpf_csum_diff((__be32 *)a, n, (__be32 *)b, m, 0));
	record(r, bpf_csum_diff((__be32 *)a, 64, (__be32 *)b, 64, h));
	record(r, bpf_csum_diff(0, 0, (__be32 *)b, n, h >> 32));
	record(r, bpf_csum_diff((__be32 *)a, m, 0, 0, ~0u));
	record(r, bpf_csum_diff(0, 0, 0, 0, h));
	record(r, bpf_csum_diff((__be32 *)a, h >> 24 & 63, (__be32 *)b, 4, 0));
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + 34 <= end)
		record(r, bpf_csum_diff(0, 0, (__be32 *)(data + 14), 20, 0));
	return XDP_PASS;
}
