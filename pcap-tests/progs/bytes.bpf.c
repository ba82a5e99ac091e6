/* bpf_xdp_get_buff_len, _load_bytes and _store_bytes at and beyond both ends. */
#include "prog.h"

ARRAY(results, struct record, 1);

SEC("xdp")
int bytes(struct xdp_md *ctx)
{
	__u32 key = 0, len = bpf_xdp_get_buff_len(ctx);
	struct record *r = bpf_map_lookup_elem(&results, &key);
	__u64 h = packet_hash(ctx);
	__u8 buf[32] = { 0 };

	if (!r)
		return XDP_ABORTED;
	record(r, len);
	for (int i = 0; i < 8; i++) {
		__u32 off = h >> i * 5 & 1 ? len - (h >> i * 7 & 63) : h >> i * 7 & 63;
		__u32 n = 1 + (h >> i * 3 & 31);

		record(r, bpf_xdp_load_bytes(ctx, off, buf, n));
		record(r, *(__u64 *)buf ^ *(__u64 *)(buf + 24));
		buf[i]++;
		record(r, bpf_xdp_store_bytes(ctx, off + i, buf, n));
	}
	record(r, bpf_xdp_load_bytes(ctx, 0xfffffff0, buf, 32));
	return XDP_PASS;
}
