/* Records of the packet's own length, by dynptr, and a user ring buffer to which nobody writes. */
#include "prog.h"

extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 size) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} small SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

ARRAY(results, struct record, 1);

static __always_inline void keep(struct record *r, struct xdp_md *ctx, void *ring, __u32 len,
				 __u64 h)
{
	struct bpf_dynptr packet, rec, tail;
	__u8 head[8] = { 0 }, *p;

	record(r, bpf_dynptr_from_xdp(ctx, 0, &packet));
	record(r, bpf_ringbuf_reserve_dynptr(ring, len, h >> 16 & 31 ? 0 : 2, &rec));
	record(r, bpf_dynptr_size(&rec));
	record(r, bpf_dynptr_copy(&rec, h >> 24 & 3, &packet, h >> 26 & 7, len > 9 ? len - 9 : 0));
	record(r, bpf_dynptr_write(&rec, h >> 32 & 127, &h, sizeof(h), 0));
	record(r, bpf_dynptr_read(head, sizeof(head), &rec, h >> 40 & 63, 0));
	record(r, head[0] | head[7] << 8);
	record(r, bpf_dynptr_clone(&rec, &tail));
	record(r, bpf_dynptr_adjust(&tail, 4, len));
	p = bpf_dynptr_data(&tail, 0, 16);
	record(r, !!p);
	if (p)
		p[15] ^= 0x55;
	if (h >> 8 & 3)
		bpf_ringbuf_submit_dynptr(&rec, 0);
	else
		bpf_ringbuf_discard_dynptr(&rec, BPF_RB_NO_WAKEUP);
}

static long command(struct bpf_dynptr *sample, void *ctx)
{
	return bpf_dynptr_data(sample, 0, 1) ? 1 : 0;
}

SEC("xdp")
int records(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0, len = bpf_xdp_get_buff_len(ctx);
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	keep(r, ctx, &small, len, h);
	keep(r, ctx, &large, h >> 50 & 15 ? len : h >> 30, h >> 5);
	record(r, bpf_user_ringbuf_drain(&commands, command, NULL, h >> 12 & 3));
	record(r, bpf_user_ringbuf_drain(&commands, command, NULL, 1 << (h >> 14 & 7)));
	return XDP_PASS;
}
