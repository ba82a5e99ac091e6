/* What the compiler makes of arithmetic on numbers from the packet, and instructions which it does
 * not make: division by zero, shifts by too much, byte swaps, sign extensions, 32-bit jumps. */
#include "prog.h"

ARRAY(results, struct record, 4);

#define OP64(op, a, b)                                                     \
	({                                                                 \
		__u64 x_ = (a);                                            \
		asm volatile("%0 " op " %1" : "+r"(x_) : "r"((__u64)(b))); \
		x_;                                                        \
	})
/* w registers: an operand of 32 bits selects them. */
#define OP32(op, a, b)                                                     \
	({                                                                 \
		__u32 x_ = (a);                                            \
		asm volatile("%0 " op " %1" : "+w"(x_) : "w"((__u32)(b))); \
		(__u64) x_;                                                \
	})

static __always_inline void both(struct record *r, __u64 a, __u64 b)
{
	record(r, OP64("+=", a, b));
	record(r, OP64("-=", a, b));
	record(r, OP64("*=", a, b));
	record(r, OP64("/=", a, b));
	record(r, OP64("%%=", a, b));
	record(r, OP64("|=", a, b));
	record(r, OP64("&=", a, b));
	record(r, OP64("^=", a, b));
	record(r, OP32("+=", a, b));
	record(r, OP32("-=", a, b));
	record(r, OP32("*=", a, b));
	record(r, OP32("/=", a, b));
	record(r, OP32("%%=", a, b));
	record(r, OP32("|=", a, b));
	record(r, OP32("&=", a, b));
	record(r, OP32("^=", a, b));
}

/* Bits above the width of a shift count do not count. */
static __always_inline void shifts(struct record *r, __u64 a, __u64 b)
{
	record(r, OP64("<<=", a, b & 63));
	record(r, OP64(">>=", a, b & 63));
	record(r, OP64("s>>=", a, b & 63));
	record(r, OP32("<<=", a, b & 31));
	record(r, OP32(">>=", a, b & 31));
	record(r, OP32("s>>=", a, b & 31));
	record(r, OP64("<<=", a, b));
	record(r, OP64("s>>=", a, b));
	record(r, OP32(">>=", a, b));
}

static noinline __u64 swaps(__u64 x)
{
	__u64 a = x, b = x, c = x, d = x;

	asm volatile("%0 = be16 %0" : "+r"(a));
	asm volatile("%0 = be32 %0" : "+r"(b));
	asm volatile("%0 = be64 %0" : "+r"(c));
	asm volatile("%0 = le32 %0" : "+r"(d));
	return a ^ b * 3 ^ c * 5 ^ d * 7;
}

static noinline int compare(__u64 a, __u64 b)
{
	int n = 0;

	n += (__s64)a < (__s64)b;
	n += ((__s64)a >= (__s64)b) << 1;
	n += (a > b) << 2;
	n += ((__u32)a < (__u32)b) << 3;
	n += ((__s32)a <= (__s32)b) << 4;
	n += !!(a & b) << 5;
	n += !!((__u32)a & 0x80000000u) << 6;
	n += ((__s32)b > -5) << 7;
	return n;
}

SEC("xdp")
int arithmetic(struct xdp_md *ctx)
{
	__u64 a = packet_hash(ctx), b = a * 0x9e3779b97f4a7c15ULL;
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (!r)
		return XDP_ABORTED;
	b >>= a & 63;
	both(r, a, b);
	both(r, a, 0);
	both(r, 1ULL << 63, ~0ULL);
	both(r, a & 0xff, b & 0xff);
	shifts(r, a, b);
	record(r, swaps(a));
	record(r, compare(a, b));
	record(r, compare(b, a));
	record(r, compare(a, a));
	return a % 5;
}
