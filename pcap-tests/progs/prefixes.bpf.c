/* LPM tries that the program itself fills, asks and empties. */
#include "prog.h"

struct key4 {
	__u32 bits;
	__u8 addr[4];
};
struct key11 {
	__u32 bits;
	__u8 addr[11];
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key4);
	__type(value, __u64);
} trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key11);
	__type(value, __u32);
} odd SEC(".maps");

ARRAY(results, struct record, 2);

/* Few addresses with all lengths, and one too long. */
static __always_inline void drive4(struct record *r, __u64 h)
{
	struct key4 k = { .bits = h >> 3 & 63, .addr = { h >> 9 & 129, h >> 17 & 3, 0, h >> 25 } };
	__u64 v = h, *found;

	if (k.bits > 33)
		k.bits = 32;
	if ((h & 7) == 0)
		record(r, bpf_map_delete_elem(&trie, &k));
	else if ((h & 7) < 4)
		record(r, bpf_map_update_elem(&trie, &k, &v, h >> 33 & 3));
	found = bpf_map_lookup_elem(&trie, &k);
	record(r, found ? *found : 404);
}

static __always_inline void drive11(struct record *r, __u64 h)
{
	struct key11 k = { .bits = h >> 3 & 127 };
	__u32 v = h, *found;

	if (k.bits > 89)
		k.bits = 88;
	for (int i = 0; i < 11; i++)
		k.addr[i] = h >> (8 + i) & 0x81;
	if ((h & 7) == 0)
		record(r, bpf_map_delete_elem(&odd, &k));
	else if ((h & 7) < 4)
		record(r, bpf_map_update_elem(&odd, &k, &v, BPF_ANY));
	found = bpf_map_lookup_elem(&odd, &k);
	record(r, found ? *found : 404);
}

SEC("xdp")
int prefixes(struct xdp_md *ctx)
{
	__u32 zero = 0, one = 1;
	struct record *r4 = bpf_map_lookup_elem(&results, &zero);
	struct record *r11 = bpf_map_lookup_elem(&results, &one);
	__u64 h = packet_hash(ctx);

	for (int i = 0; i < 8 && r4 && r11; i++) {
		drive4(r4, h);
		drive11(r11, h);
		h = h * 6364136223846793005ULL + 1442695040888963407ULL;
		h ^= h >> 29;
	}
	return XDP_PASS;
}
