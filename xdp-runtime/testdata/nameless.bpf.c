/* A function whose argument has no name: the kernel does not take such BTF, but loads the object
 * without it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counter SEC(".maps");

SEC("xdp")
int drops(void *)
{
	__u64 *n = bpf_map_lookup_elem(&counter, &(__u32){ 0 });

	return n ? XDP_DROP : XDP_ABORTED;
}
