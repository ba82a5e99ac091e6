/* A map of each kind that replay loads and dumps, with values of each kind of type. */
#include <stdbool.h>

#include "case.h"

enum color { RED, GREEN = 5, BLUE = -3 };

struct pair {
	__u16 a;
	__s8 b;
};

struct everything {
	__u8 u8;
	__s8 s8;
	__u16 u16;
	__s16 s16;
	__u32 u32;
	__s32 s32;
	__u64 u64;
	__s64 s64;
	bool flag;
	char c;
	char name[16];
	char raw[4];
	__u8 mac[6];
	enum color color;
	struct pair pairs[2];
	union {
		__u32 v4;
		__u8 v6[16];
	};
	union {
		__u16 x;
		__u16 y;
	} named;
	struct {
		__u16 p;
		__u16 q;
	};
	void *pointer;
	__u32 bits_3 : 3, bits_20 : 20;
	__s32 bits_5 : 5;
	__u64 bits_40 : 40;
	__int128 wide;
	__be32 addr;
	volatile __u32 tail;
	char two[2][4];
};

#define MAP(name_, type_, key_, value_, n_, flags_) \
	struct {                                    \
		__uint(type, type_);                \
		__uint(max_entries, n_);            \
		__uint(map_flags, flags_);          \
		__type(key, key_);                  \
		__type(value, value_);              \
	} name_ SEC(".maps")

struct prefix {
	__u32 len;
	__u8 addr[4];
};

MAP(hash, BPF_MAP_TYPE_HASH, struct pair, struct everything, 4, 0);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, __u32, struct pair, 4, 0);
MAP(array, BPF_MAP_TYPE_ARRAY, __u32, struct pair, 300, 0);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 2, 0);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, __u32, __u32, 4, 0);
MAP(trie, BPF_MAP_TYPE_LPM_TRIE, struct prefix, __u32, 4, BPF_F_NO_PREALLOC);
MAP(progs, BPF_MAP_TYPE_PROG_ARRAY, __u32, __u32, 4, 0);
MAP(ports, BPF_MAP_TYPE_DEVMAP, __u32, __u32, 4, 0);
MAP(port_hash, BPF_MAP_TYPE_DEVMAP_HASH, __u32, struct bpf_devmap_val, 4, 0);
MAP(cpus, BPF_MAP_TYPE_CPUMAP, __u32, struct bpf_cpumap_val, 2, 0);
MAP(sockets, BPF_MAP_TYPE_XSKMAP, __u32, __u32, 2, 0);

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &inner_a } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
} untyped SEC(".maps");

int counter = 7;
static volatile char greeting[8] = "hey";
__u64 sum;
const volatile int constant = 3;

SEC("xdp/devmap")
int on_port(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int target(struct xdp_md *ctx)
{
	return XDP_DROP;
}

static __always_inline void fill(struct everything *v)
{
	v->u8 = 200;
	v->s8 = -5;
	v->u16 = 60000;
	v->s16 = -60;
	v->u32 = 4000000000u;
	v->s32 = -7;
	v->u64 = ~0ULL;
	v->s64 = -9;
	v->flag = true;
	v->c = 'x';
	__builtin_memcpy(v->name, "hello", 6);
	v->name[9] = 3; /* behind the end of the text */
	__builtin_memcpy(v->raw, "abcd", 4);
	v->mac[0] = 2;
	v->mac[5] = 255;
	v->color = GREEN;
	v->pairs[1].a = 3;
	v->pairs[1].b = -1;
	v->v4 = 0x0100000a;
	v->named.x = 3;
	v->p = 8;
	v->q = 9;
	v->bits_3 = 5;
	v->bits_20 = 70000;
	v->bits_5 = -2;
	v->bits_40 = 1ULL << 39;
	v->wide = (__int128)5 << 64 | 6;
	v->addr = 0x0100000a;
	v->tail = 4;
	v->two[0][0] = 'z';
}

SEC("xdp")
int kinds(struct xdp_md *ctx)
{
	const struct pair key = { 1, -2 }, pair = { 7, 8 };
	const struct prefix prefix = { 24, { 10, 0, 0, 0 } };
	const __u32 one = 1;
	struct everything v;
	__u64 *n;

	__builtin_memset(&v, 0, sizeof(v));
	fill(&v);
	bpf_map_update_elem(&hash, &key, &v, BPF_ANY);
	bpf_map_update_elem(&percpu_hash, &one, &pair, BPF_ANY);
	bpf_map_update_elem(&array, &one, &pair, BPF_ANY);
	bpf_map_update_elem(&trie, &prefix, &one, BPF_ANY);
	bpf_map_update_elem(&lru, &one, &one, BPF_ANY);
	n = bpf_map_lookup_elem(&percpu_array, &one);
	if (n)
		*n = 99;
	bpf_map_lookup_elem(&untyped, &one);
	bpf_map_lookup_elem(&outer, &one);
	bpf_redirect_map(&ports, 0, 0);
	bpf_redirect_map(&port_hash, 0, 0);
	bpf_redirect_map(&cpus, 0, 0);
	bpf_redirect_map(&sockets, 0, 0);
	counter++;
	sum += constant + greeting[0];
	bpf_tail_call(ctx, &progs, 3);
	return XDP_PASS;
}
