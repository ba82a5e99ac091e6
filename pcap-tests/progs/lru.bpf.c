/* More flows than an LRU map has room for: which ones it forgets is nobody's contract. For
 * diff_kernel_report_test.py. */
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} flows SEC(".maps");

ARRAY(results, struct record, 1);

SEC("xdp")
int lru(struct xdp_md *ctx)
{
	__u64 h = packet_hash(ctx);
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);

	if (r)
		record(r, bpf_map_update_elem(&flows, &h, &h, BPF_ANY));
	return XDP_PASS;
}
