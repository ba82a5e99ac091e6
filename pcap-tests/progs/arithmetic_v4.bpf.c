/* Instructions of -mcpu=v4: signed division, loads and moves with sign extension, unconditional
 * byte swaps, long jumps. */
#include "prog.h"

ARRAY(results, struct record, 1);

struct numbers {
	__s8 b;
	__s16 h;
	__s32 w;
	__s64 d;
};
ARRAY(cells, struct numbers, 1);

static __always_inline void divide(struct record *r, __s64 a, __s64 b)
{
	__s64 q = a, m = a;
	__s32 q32 = a, m32 = a;

	asm volatile("%0 s/= %1" : "+r"(q) : "r"(b));
	asm volatile("%0 s%%= %1" : "+r"(m) : "r"(b));
	asm volatile("%0 s/= %1" : "+w"(q32) : "w"((__s32)b));
	asm volatile("%0 s%%= %1" : "+w"(m32) : "w"((__s32)b));
	record(r, q);
	record(r, m);
	record(r, q32);
	record(r, m32);
}

SEC("xdp")
int arithmetic_v4(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), x, y, z;
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct numbers *n = bpf_map_lookup_elem(&cells, &key);

	if (!r || !n)
		return XDP_ABORTED;
	divide(r, h, h >> 32 | 1);
	divide(r, h, (__s8)h);
	divide(r, h, 0);
	divide(r, 1ULL << 63, -1);
	divide(r, 0x80000000, -1);
	*(volatile __s8 *)&n->b = h;
	*(volatile __s16 *)&n->h = h >> 8;
	*(volatile __s32 *)&n->w = h >> 16;
	record(r, *(volatile __s8 *)&n->b);
	record(r, *(volatile __s16 *)&n->h);
	record(r, *(volatile __s32 *)&n->w);
	record(r, (__s64)(__s8)(h >> 3) + (__s16)(h >> 5) + (__s32)(h >> 7));
	asm volatile("%0 = *(s32 *)(%1 + 12)" : "=r"(x) : "r"(ctx)); /* ingress_ifindex */
	record(r, x);
	x = y = z = h;
	asm volatile("%0 = bswap16 %0" : "+r"(x));
	asm volatile("%0 = bswap32 %0" : "+r"(y));
	asm volatile("%0 = bswap64 %0" : "+r"(z));
	record(r, x);
	record(r, y);
	record(r, z);
	x &= 1;
	asm volatile("if %0 == 0 goto +1; gotol +1; %0 += 7; %0 += 1" : "+r"(x));
	record(r, x);
	return h % 4;
}
