/* hot */
/* Helpers on the frame and its fate.
 *
 * A redirect helper only notes the target in xl_run; it counts if the program then returns
 * XDP_REDIRECT. The last call wins, also when it misses.
 *
 * Source: net/core/filter.c; __bpf_xdp_redirect_map(), include/linux/filter.h.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>

#include "maps/map.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/xdp_ctx.h"

/* bpf_redirect_map() gives back these bits of its flags when the map has no such entry. */
#define MISS_ACTION_MASK (uint64_t)(XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX)
#define DEVMAP_FLAGS	 (uint64_t)(BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS)

static const struct redirect_type {
	enum xl_redirect_kind kind;
	uint64_t flags; /* allowed beside the action on a miss */
} redirect_types[] = {
	[BPF_MAP_TYPE_DEVMAP] = { XL_REDIRECT_DEVMAP, DEVMAP_FLAGS },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { XL_REDIRECT_DEVMAP, DEVMAP_FLAGS },
	[BPF_MAP_TYPE_CPUMAP] = { XL_REDIRECT_CPUMAP, 0 },
	[BPF_MAP_TYPE_XSKMAP] = { XL_REDIRECT_XSKMAP, 0 },
};
#define N_REDIRECT_TYPES (sizeof(redirect_types) / sizeof(redirect_types[0]))

uint64_t xl_helper_redirect(uint64_t ifindex, uint64_t flags, uint64_t r3, uint64_t r4, uint64_t r5)
{
	if (flags)
		return XDP_ABORTED;
	xl_run->redirect =
		(struct xl_redirect){ .kind = XL_REDIRECT_IFINDEX, .ifindex = (uint32_t)ifindex };
	return XDP_REDIRECT;
}

uint64_t xl_helper_redirect_map(uint64_t r1, uint64_t key, uint64_t flags, uint64_t r4, uint64_t r5)
{
	struct xl_map *map = (struct xl_map *)(uintptr_t)r1;
	struct xl_redirect to = { .map_id = map->obj.id, .key = key };
	const struct redirect_type *type;

	if (map->type >= N_REDIRECT_TYPES || !map->ops->redirect_target)
		return XDP_ABORTED; /* no verifier lets this pass */
	type = &redirect_types[map->type];
	if (flags & ~(MISS_ACTION_MASK | type->flags))
		return XDP_ABORTED;
	to.kind = type->kind;
	if (flags & BPF_F_BROADCAST) {
		to.kind = XL_REDIRECT_DEVMAP_ALL;
		to.flags = (uint32_t)(flags & DEVMAP_FLAGS);
	} else if (!map->ops->redirect_target(map, (uint32_t)key, &to.ifindex)) {
		xl_run->redirect = (struct xl_redirect){ .kind = XL_REDIRECT_NONE };
		return flags & MISS_ACTION_MASK;
	}
	xl_run->redirect = to;
	return XDP_REDIRECT;
}

uint64_t xl_helper_xdp_adjust_head(uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	return xl_helper_int(xl_xdp_adjust_head(xl_run->frame, (int32_t)delta));
}

uint64_t xl_helper_xdp_adjust_meta(uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	return xl_helper_int(xl_xdp_adjust_meta(xl_run->frame, (int32_t)delta));
}

uint64_t xl_helper_xdp_adjust_tail(uint64_t ctx, uint64_t delta, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	return xl_helper_int(xl_xdp_adjust_tail(xl_run->frame, (int32_t)delta));
}

uint64_t xl_helper_xdp_get_buff_len(uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4,
				    uint64_t r5)
{
	return xl_frame_len(xl_run->frame);
}

/* Offsets and lengths above 64 KiB are another error than those beyond the packet:
 * bpf_xdp_pointer() looks at them first. */
static int check_range(uint32_t off, uint32_t len)
{
	return off > 0xffff || len > 0xffff ? -EFAULT : 0;
}

uint64_t xl_helper_xdp_load_bytes(uint64_t ctx, uint64_t off, uint64_t buf, uint64_t len,
				  uint64_t r5)
{
	int err = check_range((uint32_t)off, (uint32_t)len);

	if (!err)
		err = xl_frame_read(xl_run->frame, (uint32_t)off, (void *)(uintptr_t)buf,
				    (uint32_t)len);
	return xl_helper_int(err);
}

uint64_t xl_helper_xdp_store_bytes(uint64_t ctx, uint64_t off, uint64_t buf, uint64_t len,
				   uint64_t r5)
{
	int err = check_range((uint32_t)off, (uint32_t)len);

	if (!err)
		err = xl_frame_write(xl_run->frame, (uint32_t)off, (const void *)(uintptr_t)buf,
				     (uint32_t)len);
	return xl_helper_int(err);
}
