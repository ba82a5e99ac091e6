/* An object as people ship them: XDP beside tc and tracing programs, global data of all kinds,
 * subprograms, and a map that only the other programs want. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

enum mode { MODE_OFF, MODE_ON = 7, MODE_LOW = -3 };
enum big { BIG_ONE = 0x100000000ULL };

struct limits {
	__u16 rate[4];
	struct {
		char tag[8];
		__u8 low : 3, high : 5;
	};
	enum mode mode;
};

const volatile __u32 threshold = 10;
const volatile char label[16] = "none";
const volatile struct limits limits = { .rate = { 1, 2, 3, 4 } };
static volatile const __s8 tiny = -1;
volatile __u64 counter = 5;
volatile __s64 offset64;
volatile _Bool enabled;
volatile enum big big;
volatile enum mode mode;
void *volatile pointer;
volatile __u32 table[3];
const volatile __u32 apart SEC(".rodata.apart") = 4;
volatile __u32 own SEC(".data.own") = 6;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} storage SEC(".maps");

struct {
	__uint(priority, 7);
	__uint(XDP_DROP, 1);
	__uint(XDP_PASS, 0);
} XDP_RUN_CONFIG(first);

static __attribute__((noinline)) int count(__u32 key)
{
	__u64 *value = bpf_map_lookup_elem(&hits, &key);

	if (value)
		*value += threshold;
	return key;
}

__attribute__((noinline)) int global_count(__u32 key)
{
	return count(key & 3) + 1;
}

SEC("xdp")
int first(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	counter += apart + own + tiny + offset64 + big + mode + limits.mode + label[0];
	if (enabled && pointer)
		table[1]++;
	return global_count(limits.rate[1]) > 100 ? XDP_DROP : XDP_PASS;
}

SEC("prog") /* known by its prototype */
int second(struct xdp_md *ctx)
{
	return count(ctx->rx_queue_index & 1) ? XDP_TX : XDP_DROP;
}

SEC("xdp.frags")
int fragmented(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp/devmap")
int at_egress(struct xdp_md *ctx)
{
	return ctx->egress_ifindex == 3 ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int shaper(struct __sk_buff *skb)
{
	return count(skb->len & 3) ? TC_ACT_OK : TC_ACT_SHOT;
}

SEC("kprobe/do_nothing")
int probe(void *ctx)
{
	return threshold;
}

SEC("sockops")
int per_socket(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;

	return sk && bpf_sk_storage_get(&storage, sk, 0, 0) ? 1 : 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
