/* An entry per first byte that dies a millisecond after it was last seen, and a clock that ticks. */
#include "case.h"

struct flow {
	__u64 packets;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u8);
	__type(value, struct flow);
} flows SEC(".maps");

struct tick {
	__u64 n, last_ns;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct tick);
} ticks SEC(".maps");

static int die(void *map, __u8 *key, struct flow *f)
{
	bpf_printk("flow %d dies with %llu at %llu", *key, f->packets, bpf_ktime_get_ns());
	bpf_map_delete_elem(map, key);
	return 0;
}

static int tick(void *map, __u32 *key, struct tick *t)
{
	t->n++;
	t->last_ns = bpf_ktime_get_ns();
	bpf_timer_start(&t->timer, 10000000, 0);
	return 0;
}

SEC("xdp")
int timers(struct xdp_md *ctx)
{
	__u8 key = packet_byte(ctx, 0);
	struct flow fresh = {}, *f;
	__u32 one = 1;
	struct tick *t = bpf_map_lookup_elem(&ticks, &one);

	if (t && !bpf_timer_init(&t->timer, &ticks, 1 /* CLOCK_MONOTONIC */)) {
		bpf_timer_set_callback(&t->timer, tick);
		bpf_timer_start(&t->timer, 10000000, 0);
	}
	f = bpf_map_lookup_elem(&flows, &key);
	if (!f) {
		bpf_map_update_elem(&flows, &key, &fresh, BPF_NOEXIST);
		f = bpf_map_lookup_elem(&flows, &key);
		if (!f)
			return XDP_ABORTED;
		bpf_timer_init(&f->timer, &flows, 1);
		bpf_timer_set_callback(&f->timer, die);
	}
	f->packets++;
	bpf_timer_start(&f->timer, 1000000, 0);
	return f->packets == 1 ? XDP_PASS : XDP_DROP;
}
