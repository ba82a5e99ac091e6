/* Maps in maps. */
#include "prog.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} inner0 SEC(".maps"), inner1 SEC(".maps");

struct inner_hash {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} hash0 SEC(".maps"), hash1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} arrays SEC(".maps") = { .values = { [0] = &inner0, [2] = &inner1 } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner_hash);
} hashes SEC(".maps") = { .values = { [1] = &hash0, [3] = &hash1 } };

ARRAY(results, struct record, 1);

SEC("xdp")
int inner_maps(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx), *v;
	__u32 zero = 0, outer = h % 5, key = h >> 8 & 7;
	struct record *r = bpf_map_lookup_elem(&results, &zero);
	void *inner;

	if (!r)
		return XDP_ABORTED;
	inner = bpf_map_lookup_elem(&arrays, &outer);
	if (inner) {
		v = bpf_map_lookup_elem(inner, &key);
		if (v)
			*v += h;
		record(r, !!v);
	}
	inner = bpf_map_lookup_elem(&hashes, &outer);
	if (inner) {
		record(r, bpf_map_update_elem(inner, &key, &h, h >> 16 & 3));
		if (!(h >> 20 & 3))
			record(r, bpf_map_delete_elem(inner, &key));
	}
	return XDP_PASS;
}
