/* Maps that are shared by name; one in a foreign loader's dialect. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef ENTRIES
#define ENTRIES 8
#endif

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16); /* the same 16 as below, and not to be lost with it */
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, 16);
} cilium_like SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_NONE);
} own SEC(".maps");

SEC("xdp")
int prog(struct xdp_md *ctx)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&shared, &key) || bpf_map_lookup_elem(&cilium_like, &key) ||
			       bpf_map_lookup_elem(&own, &key)
		       ? XDP_PASS
		       : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
