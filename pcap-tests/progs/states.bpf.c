/* Security associations that nobody made, what may be done with a connection, and a CPU kept. */
#include "prog.h"

struct nf_conn;
struct nf_conn___init;
struct xfrm_state;

struct ct_opts {
	__s32 netns_id, error;
	__u8 l4proto, dir, reserved[2];
};

struct xfrm_opts {
	__s32 error, netns_id;
	__u32 mark;
	__u32 daddr[4];
	__be32 spi;
	__u8 proto;
	__u16 family;
};

extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern struct xfrm_state *bpf_xdp_get_xfrm_state(struct xdp_md *ctx, struct xfrm_opts *opts,
						 __u32 opts__sz) __ksym;
extern void bpf_xdp_xfrm_state_release(struct xfrm_state *x) __ksym;
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct ct_opts *opts,
					 __u32 opts_size) __ksym;
extern int bpf_ct_change_timeout(struct nf_conn *ct, __u32 timeout) __ksym;
extern int bpf_ct_change_status(struct nf_conn *ct, __u32 status) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;

ARRAY(results, struct record, 1);

#define ASK(size)                                             \
	do {                                                  \
		x = bpf_xdp_get_xfrm_state(ctx, &opts, size); \
		record(r, x != NULL);                         \
		record(r, opts.error);                        \
		opts.error = 0;                               \
		if (x)                                        \
			bpf_xdp_xfrm_state_release(x);        \
	} while (0)

SEC("xdp")
int states(struct xdp_md *ctx)
{
	static const __u8 families[] = { 2, 10, 0, 77 };
	__u64 h = packet_hash(ctx);
	struct xfrm_opts opts = { 0 };
	struct bpf_sock_tuple tuple = { 0 };
	struct ct_opts ct_opts = { .netns_id = -1, .l4proto = 6 };
	__u32 key = 0;
	struct record *r = bpf_map_lookup_elem(&results, &key);
	struct xfrm_state *x;
	struct nf_conn *ct;

	if (!r)
		return XDP_ABORTED;
	bpf_preempt_disable();
	record(r, 1);
	bpf_preempt_enable();
	packet_bytes(ctx, (__u8 *)opts.daddr, sizeof(opts.daddr));
	opts.netns_id = (int)(h & 3) - 2;
	opts.spi = h >> 32;
	opts.proto = h >> 2 & 1 ? 50 : 51;
	opts.family = families[h >> 3 & 3];
	ASK(sizeof(opts));
	ASK(4);
	ASK(3);
	ASK(sizeof(opts) - 1);
	ct = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &ct_opts, sizeof(ct_opts));
	record(r, ct != NULL);
	record(r, ct_opts.error);
	if (ct) {
		record(r, bpf_ct_change_timeout(ct, 1000));
		record(r, bpf_ct_change_status(ct, 8));
		bpf_ct_release(ct);
	}
	return XDP_PASS;
}
