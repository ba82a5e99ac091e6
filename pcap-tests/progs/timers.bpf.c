/* Timers that are started, moved and cancelled, and never expire: what the calls return. */
#include "prog.h"

#define HOUR_NS 3600000000000ULL

enum { ENOMEM = 12 };

struct flow {
	__u64 packets;
	struct bpf_timer timer;
	__u64 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

ARRAY(slots, struct flow, 4);
ARRAY(results, struct record, 1);

static int expired(void *map, __u32 *key, struct flow *f)
{
	f->packets = ~0ULL;
	return 0;
}

/* Kernel 6.18 allocates a timer without waiting for a lock: now and then that fails for no reason of
 * the program's, and the next try works. */
#define INIT(timer_, map_, flags_)                                  \
	({                                                          \
		long rc_ = -ENOMEM;                                 \
		for (int i_ = 0; i_ < 3000 && rc_ == -ENOMEM; i_++) \
			rc_ = bpf_timer_init(timer_, map_, flags_); \
		rc_;                                                \
	})

#define DRIVE(map_, f_, h_)                                                                       \
	do {                                                                                      \
		(f_)->packets++;                                                                  \
		if ((h_)&1)                                                                       \
			record(r, INIT(&(f_)->timer, &map_, (h_) >> 1 & 31));                     \
		if ((h_) >> 6 & 1)                                                                \
			record(r, bpf_timer_set_callback(&(f_)->timer, expired));                 \
		if ((h_) >> 7 & 1)                                                                \
			record(r, bpf_timer_start(&(f_)->timer, HOUR_NS, (h_) >> 8 & 7 ? 0 : 8)); \
		if ((h_) >> 11 & 1)                                                               \
			record(r, bpf_timer_cancel(&(f_)->timer));                                \
	} while (0)

SEC("xdp")
int timers(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = h >> 32 & 7, slot = h >> 40 & 3, zero = 0;
	struct record *r = bpf_map_lookup_elem(&results, &zero);
	struct flow fresh = { .last = h }, *f;

	if (!r)
		return XDP_ABORTED;
	if (!(h >> 44 & 3))
		record(r, bpf_map_update_elem(&flows, &key, &fresh, BPF_ANY));
	if (!(h >> 46 & 7))
		record(r, bpf_map_delete_elem(&flows, &key));
	if (!(h >> 49 & 15))
		record(r, bpf_map_update_elem(&slots, &slot, &fresh, BPF_ANY));
	f = bpf_map_lookup_elem(&flows, &key);
	if (f)
		DRIVE(flows, f, h);
	f = bpf_map_lookup_elem(&slots, &slot);
	if (f)
		DRIVE(slots, f, h >> 12);
	return XDP_PASS;
}
