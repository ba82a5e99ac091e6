/* A link: one XDP program on one ifindex, for as long as somebody holds the link.
 *
 * To the runtime an ifindex is a number; whoever moves frames asks which program is on it.
 *
 * Source: bpf_xdp_link_attach() and its neighbours in net/core/dev.c, v6.18.
 */
#ifndef XL_XDP_RUNTIME_LINK_H
#define XL_XDP_RUNTIME_LINK_H

#include <stdint.h>

#include "base/obj.h"

struct xl_prog;
struct xl_runtime;

struct xl_link {
	struct xl_obj obj; /* first */
	struct xl_runtime *rt;
	struct xl_prog *prog; /* with a reference */
	uint32_t ifindex;     /* 0: detached */
	uint32_t flags;	      /* XDP_FLAGS_*_MODE */
};

static inline struct xl_link *xl_link_of(struct xl_obj *obj)
{
	return (struct xl_link *)obj;
}

/* The link on @ifindex, NULL if there is none. Borrowed.
 * Thread: control, with rt->lock held. */
struct xl_link *xl_link_on(struct xl_runtime *rt, uint32_t ifindex);

#endif
