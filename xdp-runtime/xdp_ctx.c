/* hot */
/* struct xdp_md over a frame; see xdp_ctx.h.
 *
 * A program moves three pointers: data_meta <= data <= data_end. The limits are the kernel's: a
 * struct xdp_frame stays free at the start of the buffer, an Ethernet header stays in the packet,
 * and metadata is a multiple of four bytes, at most what skb_shared_info.meta_len can hold.
 *
 * Source: __is_valid_xdp_access(), bpf_xdp_adjust_{head,meta,tail}(), bpf_xdp_frags_*_tail(),
 * bpf_xdp_pull_data(), net/core/filter.c; xdp_metalen_invalid(), include/net/xdp.h.
 */
#include "xdp-runtime/xdp_ctx.h"

#include <errno.h>
#include <string.h>

#define META_LEN_MAX 255 /* u8 skb_shared_info.meta_len */

bool xl_xdp_ctx_valid(uint32_t off, uint32_t size, enum bpf_attach_type expected_attach_type)
{
	if (off == offsetof(struct xdp_md, egress_ifindex) &&
	    expected_attach_type != BPF_XDP_DEVMAP)
		return false;
	return off < sizeof(struct xdp_md) && size == sizeof(uint32_t) && off % size == 0;
}

int xl_xdp_adjust_head(struct xl_frame *f, int32_t delta)
{
	const ptrdiff_t meta_len = f->data - f->data_meta;
	const ptrdiff_t room = f->data - f->hard_start - XL_HEADROOM_RESERVED - meta_len;

	if (delta < -room || delta > f->data_end - f->data - (ptrdiff_t)XL_ETH_HLEN)
		return -EINVAL;
	if (meta_len)
		memmove(f->data_meta + delta, f->data_meta, (size_t)meta_len);
	f->data_meta += delta;
	f->data += delta;
	return 0;
}

int xl_xdp_adjust_meta(struct xl_frame *f, int32_t delta)
{
	const ptrdiff_t room = f->data_meta - f->hard_start - XL_HEADROOM_RESERVED;
	const ptrdiff_t meta_len = f->data - f->data_meta;

	if (delta < -room || delta > meta_len)
		return -EINVAL;
	if ((meta_len - delta) % 4 || meta_len - delta > META_LEN_MAX)
		return -EACCES;
	f->data_meta += delta;
	return 0;
}

/* Takes @n bytes off the end of a frame with fragments; empty fragments go. The linear part
 * gives way only once no fragment is left. */
static int shrink_frags(struct xl_frame *f, uint32_t n)
{
	if (n + XL_ETH_HLEN > xl_frame_len(f))
		return -EINVAL;
	while (f->n_frags && n) {
		struct xl_frag *last = &f->frags[f->n_frags - 1];

		if (n < last->len) {
			last->len -= n;
			return 0;
		}
		n -= last->len;
		f->n_frags--;
	}
	if (!f->n_frags)
		f->data_end -= n;
	return 0;
}

static int grow_last_frag(struct xl_frame *f, uint32_t n)
{
	struct xl_frag *last = &f->frags[f->n_frags - 1];

	if (n > last->size - last->len)
		return -EINVAL;
	memset(last->addr + last->len, 0, n);
	last->len += n;
	return 0;
}

int xl_xdp_adjust_tail(struct xl_frame *f, int32_t delta)
{
	if (f->n_frags && delta == INT32_MIN)
		return 0; /* its negation overflows in the kernel, which then takes nothing off */
	if (f->n_frags)
		return delta < 0 ? shrink_frags(f, (uint32_t)-delta)
				 : grow_last_frag(f, (uint32_t)delta);
	if (delta > f->hard_end - f->data_end ||
	    delta < (ptrdiff_t)XL_ETH_HLEN - (f->data_end - f->data))
		return -EINVAL;
	if (delta > 0)
		memset(f->data_end, 0, (size_t)delta);
	f->data_end += delta;
	return 0;
}

/* Takes @n bytes off the first fragment, and the fragment away when nothing is left of it. */
static void take_from_front(struct xl_frame *f, uint32_t n)
{
	struct xl_frag *first = &f->frags[0];

	first->addr += n;
	first->len -= n;
	first->size -= n;
	if (!first->len)
		memmove(first, first + 1, --f->n_frags * sizeof(*first));
}

int xl_xdp_pull_data(struct xl_frame *f, uint32_t len)
{
	const uint32_t linear = xl_frame_linear_len(f);
	const ptrdiff_t headroom = f->data_meta - f->hard_start - XL_HEADROOM_RESERVED;
	const ptrdiff_t tailroom = f->hard_end - f->data_end;
	ptrdiff_t rest, shift;

	if (len <= linear)
		return 0;
	rest = (ptrdiff_t)len - linear;
	if (len > xl_frame_len(f) || rest > headroom + tailroom)
		return -EINVAL;
	shift = rest - tailroom;
	if (shift > 0) {
		memmove(f->data_meta - shift, f->data_meta, (size_t)(f->data_end - f->data_meta));
		f->data_meta -= shift;
		f->data -= shift;
		f->data_end -= shift;
	}
	while (f->n_frags && rest > 0) {
		const uint32_t n = rest < f->frags[0].len ? (uint32_t)rest : f->frags[0].len;

		memcpy(f->data_end, f->frags[0].addr, n);
		f->data_end += n;
		rest -= n;
		take_from_front(f, n);
	}
	return 0;
}
