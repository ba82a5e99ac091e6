/* Every atomic instruction, on 32 and 64 bits, in a map's value and on the stack. */
#include "prog.h"

struct cell {
	__u64 d[7];
	__u32 w[7];
};
ARRAY(cells, struct cell, 1);
ARRAY(results, struct record, 1);

#define DRIVE(cell_, d_, w_)                                                              \
	do {                                                                              \
		struct cell *c_ = (cell_);                                                \
		__sync_fetch_and_add(&c_->d[0], d_);                                      \
		__sync_fetch_and_add(&c_->w[0], w_);                                      \
		record(r, __sync_fetch_and_add(&c_->d[1], d_));                           \
		record(r, __sync_fetch_and_or(&c_->d[2], d_));                            \
		record(r, __sync_fetch_and_and(&c_->d[2], ~(__u64)(w_)));                 \
		record(r, __sync_fetch_and_xor(&c_->d[3], d_));                           \
		record(r, __sync_lock_test_and_set(&c_->d[4], d_));                       \
		record(r, __sync_val_compare_and_swap(&c_->d[5], (__u64)(w_)&1, (d_)&1)); \
		record(r, __sync_fetch_and_add(&c_->w[1], w_));                           \
		record(r, __sync_fetch_and_or(&c_->w[2], w_));                            \
		record(r, __sync_fetch_and_and(&c_->w[2], ~(__u32)(d_)));                 \
		record(r, __sync_fetch_and_xor(&c_->w[3], w_));                           \
		record(r, __sync_lock_test_and_set(&c_->w[4], w_));                       \
		record(r, __sync_val_compare_and_swap(&c_->w[5], (__u32)(d_)&1, (w_)&1)); \
	} while (0)

SEC("xdp")
int atomics(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0, w = h >> 32;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct cell *shared = bpf_map_lookup_elem(&cells, &key);
	struct cell own = { .d = { h, 1, h, 3, h, 0, 0 }, .w = { w, w, w, w, w, w, w } };

	if (!r || !shared)
		return XDP_ABORTED;
	DRIVE(shared, h, w);
	DRIVE(&own, h, w);
	for (int i = 0; i < 7; i++)
		record(r, own.d[i] ^ own.w[i]);
	return XDP_PASS;
}
