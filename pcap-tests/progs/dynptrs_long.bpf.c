/* Dynptrs over the packet and over a map value, with offsets and sizes out of the packet; and
 * open-coded iterators. For packets in fragments too. */
#include "prog.h"

extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 off, void *buf,
			      __u32 buf__szk) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 off, void *buf,
				   __u32 buf__szk) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *ptr) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *ptr) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 size) __ksym;
struct iter {
	__u64 opaque;
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct iter *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct iter *it) __ksym;
extern void bpf_iter_num_destroy(struct iter *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct value {
	__u8 bytes[1024];
};

ARRAY(results, struct record, 1);
ARRAY(values, struct value, 1);

static __always_inline void look(struct bpf_dynptr *d, struct record *r)
{
	record(r, bpf_dynptr_is_null(d));
	record(r, bpf_dynptr_is_rdonly(d));
	record(r, bpf_dynptr_size(d));
}

static __always_inline void use(struct bpf_dynptr *d, struct record *r, __u64 h)
{
	__u32 off = h & 1 ? h >> 3 & 0xffff : h >> 3 & 0x3f, size = bpf_dynptr_size(d);
	__u8 buf[32] = { 0 };
	__u8 *at;

	if (h & 2)
		off = size - (h >> 5 & 0x3f);
	if (h & 4)
		off = 3520 + (h >> 5 & 3) * 4096 - (h >> 7 & 0x3f);
	record(r, bpf_dynptr_read(buf, 1 + (h >> 9 & 31), d, off, h >> 14 & 0x1f ? 0 : 1));
	record(r, *(__u64 *)buf ^ *(__u64 *)(buf + 24));
	buf[3] ^= h;
	record(r, bpf_dynptr_write(d, off + (h >> 20 & 7), buf, 1 + (h >> 9 & 31), 0));
	record(r, bpf_dynptr_write(d, off, buf, 4, 9));
	at = bpf_dynptr_slice(d, off, buf, 32);
	record(r, !!at);
	record(r, at == buf);
	if (at)
		record(r, at[0] ^ at[31] << 8);
	at = bpf_dynptr_slice_rdwr(d, off, buf, 16);
	record(r, !!at);
	if (at) {
		record(r, at[15]);
		at[7]++;
	}
	at = bpf_dynptr_slice(d, off, 0, 8);
	record(r, !!at);
	if (at)
		record(r, at[7]);
	at = bpf_dynptr_data(d, 16, 8);
	record(r, !!at);
	if (at)
		at[3]++;
}

static noinline void count(struct record *r, int start, int end)
{
	struct iter it;
	int *i;

	record(r, bpf_iter_num_new(&it, start, end));
	while ((i = bpf_iter_num_next(&it)))
		record(r, *i);
	record(r, !!bpf_iter_num_next(&it));
	bpf_iter_num_destroy(&it);
}

static __always_inline int run(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	struct bpf_dynptr packet, value, clone;
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!r || !v)
		return XDP_ABORTED;
	record(r, bpf_dynptr_from_xdp(ctx, h % 7 ? 0 : h >> 9, &packet));
	look(&packet, r);
	use(&packet, r, h);
	record(r, bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), h % 5 ? 0 : 1, &value));
	look(&value, r);
	use(&value, r, h >> 7);
	record(r, bpf_dynptr_clone(h & 8 ? &packet : &value, &clone));
	look(&clone, r);
	record(r, bpf_dynptr_adjust(&clone, h >> 10 & 0xff, h >> 20 & 0x1fff));
	record(r, bpf_dynptr_adjust(&clone, 1, (h >> 5 & 0xff) - 1));
	look(&clone, r);
	use(&clone, r, h >> 13);
	record(r,
	       bpf_dynptr_copy(&value, h >> 30 & 0x1ff, &packet, h >> 12 & 0x7f, h >> 19 & 0x1ff));
	/* What overlaps in different fragments is copied in no defined order. */
	record(r, bpf_dynptr_copy(&packet, (h >> 12 & 0x1fff) + 4096 + (h & 63), &packet,
				  h >> 12 & 0x1fff, h >> 19 & 0xfff));
	record(r, bpf_dynptr_copy(&packet, h >> 23 & 0x3f, &value, h >> 17 & 0xff, h >> 3 & 0xff));
	record(r, bpf_dynptr_clone(&clone, &packet));
	bpf_rcu_read_lock();
	count(r, (int)(h & 255) - 128, (int)(h >> 8 & 255) - 128);
	bpf_rcu_read_unlock();
	return XDP_PASS;
}

SEC("xdp.frags")
int dynptrs_long(struct xdp_md *ctx)
{
	return run(ctx);
}

/* The kernel bounds the steps of a loop by its own means. */
SEC("xdp")
int far_iterators(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	static const int ends[] = { -__INT_MAX__ - 1, -8388609, -1,	    0, 1,
				    8388607,	      8388608,	__INT_MAX__ };
	struct iter it;

	if (!r)
		return XDP_ABORTED;
	record(r, bpf_iter_num_new(&it, ends[h & 7], ends[h >> 9 & 7]));
	record(r, !!bpf_iter_num_next(&it));
	record(r, !!bpf_iter_num_next(&it));
	bpf_iter_num_destroy(&it);
	return XDP_PASS;
}
