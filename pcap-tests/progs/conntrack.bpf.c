/* Look-ups in a connection table in which there is nothing; all ways to ask for that wrongly. */
#include "prog.h"

struct nf_conn;

struct ct_opts {
	__s32 netns_id, error;
	__u8 l4proto, dir;
	__u16 zone_id;
	__u8 zone_dir, reserved[3];
};

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct ct_opts *opts,
					 __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;

ARRAY(results, struct record, 1);

/* Sizes are constants, or the verifier does not know them. */
#define ASK(tuple_, tuple_size, opts_size)                                         \
	do {                                                                       \
		ct = bpf_xdp_ct_lookup(ctx, tuple_, tuple_size, &opts, opts_size); \
		record(r, ct != NULL);                                             \
		record(r, opts.error);                                             \
		if (ct)                                                            \
			bpf_ct_release(ct);                                        \
	} while (0)

SEC("xdp")
int conntrack(struct xdp_md *ctx)
{
	static const __u8 protocols[] = { 6, 17, 1, 0 };
	__u64 h = packet_hash(ctx);
	struct bpf_sock_tuple tuple = { 0 };
	struct ct_opts opts = { 0 };
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct nf_conn *ct;

	if (!r)
		return XDP_ABORTED;
	packet_bytes(ctx, (__u8 *)&tuple, sizeof(tuple));
	opts.netns_id = (int)(h & 3) - 2;
	opts.l4proto = protocols[h >> 2 & 3];
	opts.dir = h >> 4 & 3;
	opts.zone_id = h >> 6 & 1;
	opts.reserved[1] = (h >> 7 & 7) == 0;
	ASK(&tuple, sizeof(tuple.ipv4), sizeof(opts));
	ASK(&tuple, sizeof(tuple.ipv6), sizeof(opts));
	ASK(&tuple, sizeof(tuple.ipv4), 12);
	ASK(&tuple, 11, sizeof(opts));
	ASK(&tuple, sizeof(tuple.ipv4), 11);
	ASK(NULL, 0, sizeof(opts));
	return XDP_PASS;
}
