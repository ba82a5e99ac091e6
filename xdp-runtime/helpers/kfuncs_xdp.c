/* hot */
/* Kernel functions on what is known of a packet beside its bytes: what the port's hardware tells,
 * and what the kernel's tables hold, which is nothing here.
 *
 * Source: net/core/xdp.c (answers of a driver without support);
 * net/netfilter/nf_flow_table_bpf.c, net/xfrm/xfrm_state_bpf.c, v6.18.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "base/frame.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/xdp_ctx.h"

static const struct xl_rx_info nothing_known;

static const struct xl_rx_info *rx_info(void)
{
	const struct xl_rx_info *rx = xl_run->frame->rx;

	return rx ? rx : &nothing_known;
}

uint64_t xl_kfunc_xdp_metadata_rx_timestamp(uint64_t ctx, uint64_t time_ns, uint64_t r3,
					    uint64_t r4, uint64_t r5)
{
	if (!rx_info()->has_time)
		return (uint32_t)-EOPNOTSUPP;
	memcpy((void *)(uintptr_t)time_ns, &xl_run->frame->time_ns, sizeof(uint64_t));
	return 0;
}

uint64_t xl_kfunc_xdp_metadata_rx_hash(uint64_t ctx, uint64_t hash, uint64_t type, uint64_t r4,
				       uint64_t r5)
{
	const struct xl_rx_info *rx = rx_info();

	if (!rx->has_hash)
		return (uint32_t)-EOPNOTSUPP;
	memcpy((void *)(uintptr_t)hash, &rx->hash, sizeof(rx->hash));
	memcpy((void *)(uintptr_t)type, &rx->hash_type, sizeof(rx->hash_type));
	return 0;
}

uint64_t xl_kfunc_xdp_metadata_rx_vlan_tag(uint64_t ctx, uint64_t proto, uint64_t tci, uint64_t r4,
					   uint64_t r5)
{
	const struct xl_rx_info *rx = rx_info();

	if (!rx->has_vlan)
		return (uint32_t)-EOPNOTSUPP;
	memcpy((void *)(uintptr_t)proto, &rx->vlan_proto, sizeof(rx->vlan_proto));
	memcpy((void *)(uintptr_t)tci, &rx->vlan_tci, sizeof(rx->vlan_tci));
	return 0;
}

static uint64_t set_error(uint64_t at, int err)
{
	memcpy((void *)(uintptr_t)at, &err, sizeof(err));
	return 0;
}

/* Both begin with the error: struct bpf_flowtable_opts. */
uint64_t xl_kfunc_xdp_flow_lookup(uint64_t ctx, uint64_t tuple, uint64_t opts, uint64_t opts_size,
				  uint64_t r5)
{
	if (opts_size != sizeof(int32_t))
		return opts_size > sizeof(int32_t) ? set_error(opts, -EINVAL) : 0;
	return set_error(opts, -ENOENT);
}

/* struct bpf_xfrm_state_opts */
struct xfrm_opts {
	int32_t error, netns_id;
	uint32_t mark, daddr[4], spi;
	uint8_t proto;
	uint16_t family;
};
_Static_assert(sizeof(struct xfrm_opts) == 36, "BPF_XFRM_STATE_OPTS_SZ");

/* What the kernel says in a network namespace that is alone and has no state.
 * Source: bpf_xdp_get_xfrm_state() in net/xfrm/xfrm_state_bpf.c */
static int xfrm_error(uint64_t opts, uint64_t size)
{
	struct xfrm_opts o;

	if (size != sizeof(o))
		return -EINVAL;
	memcpy(&o, (const void *)(uintptr_t)opts, sizeof(o));
	if (o.netns_id < BPF_F_CURRENT_NETNS)
		return -EINVAL;
	return o.netns_id >= 0 ? -ENONET : -ENOENT;
}

uint64_t xl_kfunc_xdp_get_xfrm_state(uint64_t ctx, uint64_t opts, uint64_t opts_size, uint64_t r4,
				     uint64_t r5)
{
	return opts_size < sizeof(int32_t) ? 0 : set_error(opts, xfrm_error(opts, opts_size));
}

uint64_t xl_kfunc_xdp_pull_data(uint64_t ctx, uint64_t len, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)xl_xdp_pull_data(xl_run->frame, (uint32_t)len);
}

uint64_t xl_kfunc_nothing(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return 0;
}
