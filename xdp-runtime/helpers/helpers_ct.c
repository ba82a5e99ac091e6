/* Look-ups in the connection table: there is none, so no connection is ever found.
 *
 * The arguments are judged as the kernel judges them, so a program sees the same errors.
 *
 * Source: __bpf_nf_ct_lookup(), bpf_nf_ct_tuple_parse(), net/netfilter/nf_conntrack_bpf.c, v6.18.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "xdp-runtime/helpers/helpers_fn.h"

/* As programs fill it in: struct bpf_ct_opts. */
struct ct_opts {
	int32_t netns_id;
	int32_t error;
	uint8_t l4proto;
	uint8_t dir;
	uint16_t zone_id;
	uint8_t zone_dir;
	uint8_t reserved[3];
};

#define OPTS_SIZE_OLD	12u /* up to 6.10: without zone_dir; reserved instead of zone_id */
#define CURRENT_NETNS	(-1)
#define TUPLE_SIZE(fam) sizeof(((struct bpf_sock_tuple *)NULL)->fam)

static int judge(const struct ct_opts *o, uint32_t opts_size, bool has_tuple, uint32_t tuple_size)
{
	if (!has_tuple || (opts_size != sizeof(*o) && opts_size != OPTS_SIZE_OLD))
		return -EINVAL;
	if (opts_size == OPTS_SIZE_OLD ? o->zone_id != 0
				       : o->reserved[0] || o->reserved[1] || o->reserved[2])
		return -EINVAL;
	if (o->l4proto != IPPROTO_TCP && o->l4proto != IPPROTO_UDP)
		return -EPROTO;
	if (o->netns_id < CURRENT_NETNS)
		return -EINVAL;
	if (tuple_size != TUPLE_SIZE(ipv4) && tuple_size != TUPLE_SIZE(ipv6))
		return -EAFNOSUPPORT;
	return o->netns_id >= 0 ? -ENONET : -ENOENT;
}

uint64_t xl_kfunc_xdp_ct_lookup(uint64_t ctx, uint64_t tuple, uint64_t tuple_size, uint64_t r4,
				uint64_t r5)
{
	char *opts = (char *)(uintptr_t)r4;
	const uint32_t opts_size = (uint32_t)r5;
	struct ct_opts o = { 0 };

	memcpy(&o, opts, opts_size < sizeof(o) ? opts_size : sizeof(o));
	o.error = judge(&o, opts_size, tuple, (uint32_t)tuple_size);
	if (opts_size >= offsetof(struct ct_opts, error) + sizeof(o.error))
		memcpy(opts + offsetof(struct ct_opts, error), &o.error, sizeof(o.error));
	return 0;
}

/* Nothing was found, so there is nothing to give back. */
uint64_t xl_kfunc_ct_release(uint64_t ct, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return 0;
}
