/* What became of a frame: the program's return value and, for XDP_REDIRECT, where to. */
#ifndef XL_XDP_RUNTIME_VERDICT_H
#define XL_XDP_RUNTIME_VERDICT_H

#include <stdint.h>

#include "base/uapi.h"

enum xl_redirect_kind {
	XL_REDIRECT_NONE,
	XL_REDIRECT_IFINDEX,	/* bpf_redirect(): ifindex */
	XL_REDIRECT_DEVMAP,	/* bpf_redirect_map(): key, and ifindex of the slot */
	XL_REDIRECT_DEVMAP_ALL, /* BPF_F_BROADCAST: every port of the map */
	XL_REDIRECT_CPUMAP,
	XL_REDIRECT_XSKMAP,
};

struct xl_redirect {
	enum xl_redirect_kind kind;
	uint32_t map_id; /* of the map, 0 for bpf_redirect() */
	uint64_t key;
	uint32_t ifindex; /* of the target port where it is known, else 0 */
	uint32_t flags;	  /* BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS */
};

struct xl_verdict {
	uint32_t retval;	     /* r0, untouched; above XDP_REDIRECT it means XDP_ABORTED */
	uint8_t action;		     /* enum xdp_action: what is to be done */
	uint8_t faulted;	     /* the engine stopped the program; see xl_run.fault */
	struct xl_redirect redirect; /* meaningful when action is XDP_REDIRECT */
};

/* "XDP_PASS" …; "XDP_ABORTED" for anything above XDP_REDIRECT, as the kernel acts on it. */
const char *xl_verdict_name(uint32_t action);

#endif
