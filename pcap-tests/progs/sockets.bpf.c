/* Look-ups of sockets where there are none. */
#include "prog.h"

ARRAY(results, struct record, 1);

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} by_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} by_key SEC(".maps");

#define ASK(helper, size)                                     \
	do {                                                  \
		sk = helper(ctx, &tuple, size, netns, flags); \
		record(r, sk != NULL);                        \
		if (sk)                                       \
			bpf_sk_release(sk);                   \
	} while (0)

SEC("xdp")
int sockets(struct xdp_md *ctx)
{
	static const __u64 namespaces[] = { (__u64)BPF_F_CURRENT_NETNS, -2, 0, 1ull << 32 };
	__u64 h = packet_hash(ctx), netns = namespaces[h & 3], flags = (h >> 2 & 3) == 0;
	struct bpf_sock_tuple tuple = { 0 };
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct bpf_sock *sk;

	if (!r)
		return XDP_ABORTED;
	packet_bytes(ctx, (__u8 *)&tuple, sizeof(tuple));
	ASK(bpf_sk_lookup_tcp, sizeof(tuple.ipv4));
	ASK(bpf_sk_lookup_tcp, sizeof(tuple.ipv6));
	ASK(bpf_sk_lookup_udp, sizeof(tuple.ipv4));
	ASK(bpf_sk_lookup_udp, 11);
	ASK(bpf_skc_lookup_tcp, sizeof(tuple.ipv6));
	sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (sk) {
		record(r, bpf_tcp_check_syncookie(sk, &tuple, 20, (void *)&tuple, 20));
		record(r, bpf_tcp_gen_syncookie(sk, &tuple, 20, (void *)&tuple, 20));
		bpf_sk_release(sk);
	}
	key = h & 3;
	record(r, bpf_map_delete_elem(&by_index, &key));
	record(r, bpf_map_delete_elem(&by_key, &key));
	sk = bpf_map_lookup_elem(&by_index, &key);
	record(r, sk != NULL);
	if (sk)
		bpf_sk_release(sk);
	return XDP_PASS;
}
