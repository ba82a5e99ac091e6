/* Global data of each kind, strings, tables, and global and static functions on it. */
#include "prog.h"

volatile const __u32 limit = 1500;
const char names[4][8] = { "zero", "one", "two", "three" };
static const __u16 table[16] = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987 };
__u64 counted = 100;
static __u64 totals[8];
struct {
	__u8 a;
	__u32 b;
	__u64 c[2];
} mixed = { .a = 7, .b = 9, .c = { 1, 2 } };
__u32 custom[4] SEC(".data.custom") = { 4, 3, 2, 1 };

/* A global function: verified by itself. */
noinline __u64 fold(__u64 x)
{
	return (x ^ x >> 32) * table[x & 15];
}

static noinline __u64 deep(__u64 x, int n)
{
	__u64 local[8];

	for (int i = 0; i < 8; i++)
		local[i] = x >> i;
	return n ? local[x & 7] : fold(x);
}

static noinline __u64 deeper(__u64 x)
{
	return deep(x, x & 1) + deep(~x, 0);
}

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	__u64 h = packet_hash(ctx);

	counted++;
	totals[h & 7] += deeper(h);
	mixed.a += h;
	mixed.c[1] ^= fold(h);
	__sync_fetch_and_add(&custom[h >> 8 & 3], len);
	return len > limit ? XDP_DROP : names[h & 3][1] == 'e' ? XDP_TX : XDP_PASS;
}
