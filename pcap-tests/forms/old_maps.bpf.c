/* Map definitions of before BTF, LAYOUT bytes each.
 *
 * A packet's first byte is a slot of `counts`; the verdict says which of the maps answered.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct old_map {
	__u32 type, key_size, value_size, max_entries;
#if LAYOUT == 20
	__u32 flags;
#elif LAYOUT == 24
	__u32 flags, inner_index;
#elif LAYOUT == 28
	__u32 flags, id, pinning;
#elif LAYOUT == 36
	__u32 flags, id, pinning, inner_id, inner_index;
#elif LAYOUT == 40
	__u32 flags;
	void *inner;
	const char *path;
#elif LAYOUT == 280
	__u32 flags, pinning;
	char name_space[256];
#endif
};

_Static_assert(sizeof(struct old_map) == LAYOUT, "layout");

#ifdef STATIC
#define SCOPE static __attribute__((used))
#else
#define SCOPE
#endif

SCOPE struct old_map counts SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 7,
};

SCOPE struct old_map seen SEC("maps") = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = 4,
	.value_size = 2,
	.max_entries = 3,
#if LAYOUT >= 20
	.flags = BPF_F_NO_PREALLOC,
#endif
};

#ifdef MIXED
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u64);
} modern SEC(".maps");
#endif

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u16 one = 1;
	__u64 *value;
	__u32 slot;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	slot = *data;
	value = bpf_map_lookup_elem(&counts, &slot);
#ifdef MIXED
	if (value)
		value = bpf_map_lookup_elem(&modern, &slot);
#endif
	if (!value)
		return bpf_map_update_elem(&seen, &slot, &one, BPF_ANY) ? XDP_DROP : XDP_TX;
	*value += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
