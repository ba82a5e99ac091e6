/* Values with spin locks: in hashes, arrays and global data. */
#include "prog.h"

struct flow {
	__u64 packets;
	struct bpf_spin_lock lock;
	__u32 last;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

ARRAY(slots, struct flow, 4);
ARRAY(results, struct record, 1);

static __u64 guarded SEC(".data.guarded") = 5;
static struct bpf_spin_lock guard SEC(".data.guarded");

static __always_inline void touch(struct flow *f, __u64 h)
{
	bpf_spin_lock(&f->lock);
	f->packets++;
	f->last = (__u32)h;
	f->bytes += h & 0xffff;
	bpf_spin_unlock(&f->lock);
}

SEC("xdp")
int locks(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), flags[] = { 0, BPF_NOEXIST, BPF_EXIST, 3 };
	__u32 key = h & 63, slot = h >> 6 & 7, zero = 0;
	struct record *r = bpf_map_lookup_elem(&results, &zero);
	struct flow f = { .packets = 1, .last = 7, .bytes = h >> 12 }, *found;

	if (!r)
		return XDP_ABORTED;
	found = bpf_map_lookup_elem(&flows, &key);
	if (found)
		touch(found, h);
	record(r, bpf_map_update_elem(&flows, &key, &f,
				      flags[h >> 10 & 3] | (h >> 13 & 1 ? BPF_F_LOCK : 0)));
	record(r, bpf_map_update_elem(&slots, &slot, &f,
				      flags[h >> 16 & 3] | (h >> 18 & 1 ? BPF_F_LOCK : 0)));
	found = bpf_map_lookup_elem(&slots, &slot);
	if (found)
		touch(found, h >> 3);
	if (!(h >> 20 & 7))
		record(r, bpf_map_delete_elem(&flows, &key));
	bpf_spin_lock(&guard);
	guarded = guarded * 31 + key;
	bpf_spin_unlock(&guard);
	return XDP_PASS;
}
