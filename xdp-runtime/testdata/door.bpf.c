/* Of everything that libbpf has to ask the kernel for: map types with and without BTF, a map of
 * maps that is filled at load, three kinds of global data, functions of both linkages.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct pair {
	__u64 packets, bytes;
};

#define MAP(name, map_type, key_type, value_type, entries) \
	struct {                                           \
		__uint(type, map_type);                    \
		__uint(max_entries, entries);              \
		__type(key, key_type);                     \
		__type(value, value_type);                 \
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, __u32, struct pair, 4);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct pair, 4);
MAP(hash, BPF_MAP_TYPE_HASH, struct pair, __u32, 64);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, __u32, __u64, 64);
MAP(lru_with_a_rather_long_name, BPF_MAP_TYPE_LRU_HASH, __u32, __u64, 64);
MAP(ports, BPF_MAP_TYPE_DEVMAP, __u32, struct bpf_devmap_val, 8);
MAP(cpus, BPF_MAP_TYPE_CPUMAP, __u32, struct bpf_cpumap_val, 2);
MAP(sockets, BPF_MAP_TYPE_XSKMAP, __u32, __u32, 8);

struct prefix {
	__u32 len;
	__u8 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [2] = &inner },
};

int leaf(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *ctx));
} tails SEC(".maps") = {
	.values = { [1] = (void *)&leaf },
};

const volatile __u32 limit = 3;
__u32 level = 1;
__u64 seen;

static __attribute__((noinline)) __u32 weigh(__u32 n)
{
	seen += n;
	return n > limit ? level : n;
}

__attribute__((noinline)) int judge(__u32 n)
{
	return weigh(n) > 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int leaf(struct xdp_md *ctx)
{
	return judge(ctx->data_end - ctx->data);
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	struct pair key = { ctx->rx_queue_index, 1 };
	__u32 index = 0, *id = bpf_map_lookup_elem(&hash, &key);
	struct pair *sum = bpf_map_lookup_elem(&array, &index);

	if (sum && id)
		__sync_fetch_and_add(&sum->packets, *id);
	bpf_map_lookup_elem(&percpu_array, &index);
	bpf_map_lookup_elem(&percpu_hash, &index);
	bpf_map_lookup_elem(&lru_with_a_rather_long_name, &index);
	bpf_map_lookup_elem(&routes, &(struct prefix){ 32, { 10, 0, 0, 1 } });
	void *map = bpf_map_lookup_elem(&outer, &(__u32){ 2 });

	if (map)
		bpf_map_lookup_elem(map, &index);
	bpf_tail_call(ctx, &tails, 1);
	return bpf_redirect_map(&ports, 0, 0) + bpf_redirect_map(&cpus, 0, 0) +
	       bpf_redirect_map(&sockets, 0, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
