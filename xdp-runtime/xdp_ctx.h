/* hot */
/* struct xdp_md over a frame: what a load from the context means.
 *
 * In bytecode the context has 32-bit fields; data, data_end and data_meta are nevertheless whole
 * pointers, because the kernel rewrites those loads. We do the same: an engine turns a 4-byte load
 * at one of these offsets into xl_xdp_ctx_read(), which gives 64 bits.
 *
 * Source: xdp_is_valid_access() and xdp_convert_ctx_access(), net/core/filter.c.
 */
#ifndef XL_XDP_RUNTIME_XDP_CTX_H
#define XL_XDP_RUNTIME_XDP_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/uapi.h"

/* Whether a program with @expected_attach_type may load @size bytes at @off. */
bool xl_xdp_ctx_valid(uint32_t off, uint32_t size, enum bpf_attach_type expected_attach_type);

/* Value of the field at @off, for which xl_xdp_ctx_valid() holds. */
static inline uint64_t xl_xdp_ctx_read(const struct xl_frame *f, uint32_t off)
{
	switch (off) {
	case offsetof(struct xdp_md, data):
		return (uintptr_t)f->data;
	case offsetof(struct xdp_md, data_end):
		return (uintptr_t)f->data_end;
	case offsetof(struct xdp_md, data_meta):
		return (uintptr_t)f->data_meta;
	case offsetof(struct xdp_md, ingress_ifindex):
		return f->ifindex;
	case offsetof(struct xdp_md, rx_queue_index):
		return f->rx_queue;
	case offsetof(struct xdp_md, egress_ifindex):
		return f->egress_ifindex;
	}
	return 0;
}

/* bpf_xdp_adjust_head/meta/tail on a frame. Errors: -EINVAL, -EACCES, as the kernel's. */
int xl_xdp_adjust_head(struct xl_frame *f, int32_t delta);
int xl_xdp_adjust_meta(struct xl_frame *f, int32_t delta);
int xl_xdp_adjust_tail(struct xl_frame *f, int32_t delta);

/* bpf_xdp_pull_data(): makes the first @len bytes linear, out of fragments. Takes room behind the
 * packet, then in front of it. Errors: -EINVAL. */
int xl_xdp_pull_data(struct xl_frame *f, uint32_t len);

#endif
