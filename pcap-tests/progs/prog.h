/* What the programs of this folder share.
 *
 * Each drives one part of the runtime with numbers taken from the packet, so that many packets are
 * many different calls, and keeps what came back in maps; diff_kernel_test.py demands that the
 * kernel's copy kept the same. They are no examples of good programs.
 */
#ifndef PROG_H
#define PROG_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define noinline __attribute__((noinline))

char _license[] SEC("license") = "GPL";

/* What calls returned: a mix of all results, and how many there were. */
struct record {
	__u64 mix, n, last;
};

static __always_inline void record(struct record *r, __u64 value)
{
	/* FNV-1a's prime: each result moves all bits above it. */
	r->mix = (r->mix ^ value) * 1099511628211ULL;
	r->last = value;
	r->n++;
}

/* Copies the first @size bytes of the packet, or of a short one the first 14; the rest is zero.
 * @size is a constant. (Byte by byte, each end would be a path for the verifier.) */
static __always_inline void packet_bytes(struct xdp_md *ctx, __u8 *out, int size)
{
	__builtin_memset(out, 0, size);
	if (bpf_xdp_load_bytes(ctx, 0, out, size))
		bpf_xdp_load_bytes(ctx, 0, out, 14);
}

/* A number that depends on the whole packet's beginning and on its length. */
static __always_inline __u64 packet_hash(struct xdp_md *ctx)
{
	__u8 bytes[64];
	__u64 h = 14695981039346656037ULL ^ bpf_xdp_get_buff_len(ctx);

	packet_bytes(ctx, bytes, sizeof(bytes));
	for (int i = 0; i < (int)sizeof(bytes); i++)
		h = (h ^ bytes[i]) * 1099511628211ULL;
	return h ^ h >> 29;
}

#define ARRAY(name_, value_, n_)                  \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, n_);          \
		__type(key, __u32);               \
		__type(value, value_);            \
	} name_ SEC(".maps")

#endif
