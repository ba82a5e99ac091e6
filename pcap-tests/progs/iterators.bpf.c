/* Open-coded iterators over bits, and sections without interrupts. */
#include "prog.h"

struct bpf_iter_bits {
	__u64 opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *unsafe_ptr__ign,
			     __u32 nr_words) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
extern void bpf_local_irq_save(unsigned long *flags__irq_flag) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags__irq_flag) __ksym;

ARRAY(results, struct record, 1);
ARRAY(words, __u64[512], 1);

static __always_inline void bits(struct record *r, const __u64 *from, __u32 n)
{
	struct bpf_iter_bits it;
	int *bit;

	record(r, bpf_iter_bits_new(&it, from, n));
	while ((bit = bpf_iter_bits_next(&it)))
		record(r, *bit);
	record(r, !bpf_iter_bits_next(&it));
	bpf_iter_bits_destroy(&it);
}

SEC("xdp")
int iterators(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), one = h & h >> 7;
	unsigned long flags;
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	__u64 *w = bpf_map_lookup_elem(&words, &key);

	if (!r || !w)
		return XDP_ABORTED;
	w[0] = w[2] = 0;
	w[1] = one;
	w[h & 511] ^= h & 0x8000000000000001;
	bits(r, &one, 1);
	bits(r, w, h >> 9 & 7);
	bits(r, w, 511);
	bits(r, w, 512);
	bits(r, NULL, 1);
	bits(r, (void *)-4096, 1);
	bits(r, (void *)-4096, 2);
	bpf_local_irq_save(&flags);
	record(r, h);
	bpf_local_irq_restore(&flags);
	return XDP_PASS;
}
