/* 7.5 GB of maps, of which a packet touches a page each. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(name, of_type, size, n)       \
	struct {                          \
		__uint(type, of_type);    \
		__uint(max_entries, n);   \
		__type(key, __u32);       \
		__uint(value_size, size); \
	} name SEC(".maps")

MAP(flat, BPF_MAP_TYPE_ARRAY, 1024, 4 << 20);	     /* 4.3 GB */
MAP(table, BPF_MAP_TYPE_HASH, 1024, 1 << 20);	     /* 1.1 GB */
MAP(recent, BPF_MAP_TYPE_LRU_HASH, 1024, 1 << 20);   /* 1.1 GB */
MAP(each, BPF_MAP_TYPE_PERCPU_ARRAY, 1024, 1 << 19); /* 0.5 GB for each CPU */

#define TOUCH(map)                                                     \
	value = bpf_map_lookup_elem(&map, &key);                       \
	if (!value && bpf_map_update_elem(&map, &key, block, BPF_ANY)) \
		return XDP_ABORTED;

static char block[1024];

SEC("xdp")
int touch(struct xdp_md *ctx)
{
	__u32 key = 0x4321;
	void *value;

	TOUCH(flat);
	TOUCH(table);
	TOUCH(recent);
	TOUCH(each);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
