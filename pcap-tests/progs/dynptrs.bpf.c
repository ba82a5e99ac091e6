/* Dynptrs of the packet: helpers and kernel functions. */
#include "prog.h"

extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 off, void *buffer,
			      __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 off, void *buffer,
				   __u32 size) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *ptr) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *ptr) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym __weak;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;

ARRAY(results, struct record, 1);

static __always_inline void properties(struct record *r, const struct bpf_dynptr *d)
{
	record(r, bpf_dynptr_is_null(d));
	record(r, bpf_dynptr_is_rdonly(d));
	record(r, bpf_dynptr_size(d));
}

static __always_inline void slices(struct record *r, const struct bpf_dynptr *d, __u32 off)
{
	__u8 buffer[8], *p;

	p = bpf_dynptr_slice(d, off, buffer, sizeof(buffer));
	record(r, p ? p[0] | p[7] << 8 : -1);
	p = bpf_dynptr_slice(d, off, NULL, 4);
	record(r, p ? p[3] : -1);
	p = bpf_dynptr_slice_rdwr(d, off + 2, buffer, sizeof(buffer));
	if (p)
		p[1] ^= 0x5a;
}

static __always_inline void bytes(struct record *r, const struct bpf_dynptr *d, __u32 off)
{
	__u8 buffer[12] = { 0 };

	record(r, bpf_dynptr_read(buffer, sizeof(buffer), d, off, 0));
	record(r, *(__u64 *)buffer);
	record(r, bpf_dynptr_read(buffer, 2, d, off, 1));
	record(r, bpf_dynptr_write(d, off + 1, buffer, 3, 0));
	record(r, bpf_dynptr_write(d, off, buffer, 3, 1));
	record(r, bpf_dynptr_data(d, 0, 4) != NULL);
}

SEC("xdp")
int dynptrs(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0, len = bpf_xdp_get_buff_len(ctx), off = h % (len + 4);
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct bpf_dynptr d, part, none;

	if (!r)
		return XDP_ABORTED;
	record(r, bpf_dynptr_from_xdp(ctx, 1, &none));
	properties(r, &none);
	slices(r, &none, 0);
	bytes(r, &none, 0);
	record(r, bpf_dynptr_adjust(&none, 0, 0));
	record(r, bpf_dynptr_from_xdp(ctx, 0, &d));
	properties(r, &d);
	slices(r, &d, off);
	bytes(r, &d, off);
	record(r, bpf_dynptr_clone(&d, &part));
	record(r, bpf_dynptr_adjust(&part, h >> 32 & 31, h >> 40 & 127));
	properties(r, &part);
	slices(r, &part, h >> 48 & 31);
	bytes(r, &part, h >> 52 & 63);
	record(r, !!bpf_dynptr_size);
	/* A packet that shrinks leaves the dynptr as long as it was. */
	if (h & 1 && !bpf_xdp_adjust_tail(ctx, -(int)(len / 4))) {
		properties(r, &d);
		bytes(r, &d, off);
	}
	return XDP_PASS;
}
