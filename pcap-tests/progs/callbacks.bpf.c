/* bpf_loop and bpf_for_each_map_elem with their callbacks. */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} percpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

ARRAY(results, struct record, 1);

struct state {
	__u64 sum, stop;
	__u32 n;
};

static int step(__u32 i, void *arg)
{
	struct state *s = arg;

	s->sum = s->sum * 31 + i;
	s->n++;
	return i == s->stop;
}

static int nested(__u32 i, void *arg)
{
	struct state *s = arg;

	bpf_loop(i & 3, step, s, 0);
	return 0;
}

static long visit(void *map, const void *key, void *value, void *arg)
{
	struct state *s = arg;
	__u64 *v = value;

	*v += s->sum & 7;
	s->n++;
	return s->n > s->stop;
}

/* A hash's order is its own affair: only sums are kept. */
static long visit_hash(void *map, const void *key, void *value, void *arg)
{
	struct state *s = arg;

	s->sum += *(const __u32 *)key * *(__u64 *)value;
	s->n++;
	return 0;
}

SEC("xdp")
int callbacks(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 zero = 0, key = h >> 5 & 31;
	struct record *r = bpf_map_lookup_elem(&results, &zero);
	struct state s = { .stop = h & 63 };

	if (!r)
		return XDP_ABORTED;
	record(r, bpf_loop(h >> 8 & 127, step, &s, 0));
	record(r, bpf_loop(9, nested, &s, 0));
	record(r, bpf_loop(1 << 23 | (h & 1 ? 1 << 22 : 1 << 24), step, &s, 1));
	record(r, bpf_loop((1 << 23) + 1, step, &s, 0));
	record(r, s.sum);
	s.n = 0;
	s.stop = h >> 20 & 31;
	record(r, bpf_for_each_map_elem(&numbers, visit, &s, 0));
	record(r, bpf_for_each_map_elem(&percpu, visit, &s, 0));
	record(r, bpf_for_each_map_elem(&numbers, visit, &s, 1));
	s = (struct state){ 0 };
	bpf_map_update_elem(&hash, &key, &h, BPF_ANY);
	record(r, bpf_for_each_map_elem(&hash, visit_hash, &s, 0));
	record(r, s.sum);
	record(r, s.n);
	return XDP_PASS;
}
