/* Ring buffers and bloom filters. Nobody reads the rings: they fill up. */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} large SEC(".maps");

/* The same hashes on both sides: so are its mistakes. */
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 64);
	__uint(map_extra, 3);
	__uint(map_flags, BPF_F_ZERO_SEED);
	__type(value, __u32);
} filter SEC(".maps");

ARRAY(results, struct record, 1);

struct sample {
	__u64 hash;
	__u8 bytes[56];
};

static __always_inline void reserve(struct record *r, void *ring, __u64 h)
{
	struct sample *s = bpf_ringbuf_reserve(ring, sizeof(*s), h >> 20 & 15 ? 0 : 1);

	record(r, !!s);
	if (!s)
		return;
	s->hash = h;
	record(r, bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA));
	if (h >> 8 & 3)
		bpf_ringbuf_submit(s, 0);
	else
		bpf_ringbuf_discard(s, BPF_RB_NO_WAKEUP);
}

SEC("xdp")
int rings(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0, value = h >> 32 & 0xff;
	__u8 bytes[64];
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	packet_bytes(ctx, bytes, sizeof(bytes));
	reserve(r, &small, h);
	reserve(r, &large, h >> 4);
	record(r, bpf_ringbuf_output(&small, bytes, h & 63, h >> 6 & 7));
	record(r, bpf_ringbuf_output(&large, bytes, h >> 9 & 63, 0));
	for (int i = 0; i < 6; i++) {
		record(r, bpf_ringbuf_query(&small, i));
		record(r, bpf_ringbuf_query(&large, i));
	}
	if (h >> 16 & 1)
		record(r, bpf_map_push_elem(&filter, &value, h >> 17 & 7 ? 0 : 1));
	value = h >> 40 & 0xff;
	record(r, bpf_map_peek_elem(&filter, &value));
	return XDP_PASS;
}
