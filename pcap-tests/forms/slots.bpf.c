/* Prog arrays filled by tags on functions, as Cilium does, and by static initialisers; a pin of
 * which only Cilium knows what it means; a map of maps that does not say what it holds. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int by_value(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__uint(pinning, 16);
	__array(values, int(void *));
} calls SEC(".maps") = { .values = { [1] = (void *)&by_value } };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} shapeless SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
} held SEC(".maps");

SEC("xdp/tail")
__attribute__((btf_decl_tag("tail:calls/2"))) int by_tag(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp/tail")
static __attribute__((used, btf_decl_tag("tail:calls/3"))) int by_tag_too(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

SEC("xdp/tail")
int by_value(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	bpf_tail_call(ctx, &calls, *data);
	return XDP_PASS;
}

SEC("xdp")
int reader(struct xdp_md *ctx)
{
	__u32 key = 0;
	void *map = bpf_map_lookup_elem(&shapeless, &key);
	__u64 *value = map ? bpf_map_lookup_elem(map, &key) : 0;

	return value ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
