/* Look-ups, updates with each flag, and deletes on every kind of table, with few keys, so that they
 * exist, are missing, and fill the map in turn. */
#include "prog.h"

struct value {
	__u64 count;
	__u32 words[3];
};

#define TABLE(name_, type_, n_, flags_)      \
	struct {                             \
		__uint(type, type_);         \
		__uint(max_entries, n_);     \
		__uint(map_flags, flags_);   \
		__type(key, __u32);          \
		__type(value, struct value); \
	} name_ SEC(".maps")

TABLE(hash, BPF_MAP_TYPE_HASH, 24, 0);
TABLE(hash_lazy, BPF_MAP_TYPE_HASH, 24, BPF_F_NO_PREALLOC);
TABLE(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 24, 0);
TABLE(percpu_hash_lazy, BPF_MAP_TYPE_PERCPU_HASH, 24, BPF_F_NO_PREALLOC);
TABLE(array, BPF_MAP_TYPE_ARRAY, 24, 0);
TABLE(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 24, 0);
TABLE(lru, BPF_MAP_TYPE_LRU_HASH, 4096, 0);
TABLE(lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 4096, 0);
ARRAY(results, struct record, 8);

static __always_inline void drive(void *map, __u32 which, __u64 h)
{
	struct record *r = bpf_map_lookup_elem(&results, &which);
	struct value v = { .count = h, .words = { h >> 8, which, h >> 16 } };
	struct value *found;
	__u32 key = h % 32;

	if (!r)
		return;
	switch (h >> 20 & 3) {
	case 0:
		record(r, bpf_map_update_elem(map, &key, &v, h >> 24 & 3));
		break;
	case 1:
		record(r, bpf_map_delete_elem(map, &key));
		break;
	default:
		found = bpf_map_lookup_elem(map, &key);
		record(r, found ? found->count ^ found->words[2] : 404);
		if (found) {
			found->count += h;
			__sync_fetch_and_add(&found->words[0], 3);
		} else {
			record(r, bpf_map_update_elem(map, &key, &v, BPF_NOEXIST));
		}
	}
	if (!(h >> 40 & 15))
		record(r, bpf_map_update_elem(map, &key, &v, h >> 44 & 0xff));
}

SEC("xdp")
int tables(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);

	/* Several rounds for each packet: a real capture would do it with one. */
	for (int i = 0; i < 4; i++) {
		drive(&hash, 0, h);
		drive(&hash_lazy, 1, h * 3);
		drive(&percpu_hash, 2, h * 5);
		drive(&percpu_hash_lazy, 3, h * 7);
		drive(&array, 4, h * 9);
		drive(&percpu_array, 5, h * 11);
		drive(&lru, 6, h * 13);
		drive(&lru_percpu, 7, h * 15);
		h = h * 6364136223846793005ULL + 1442695040888963407ULL;
		h ^= h >> 31;
	}
	return XDP_PASS;
}
