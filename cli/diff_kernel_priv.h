/* What diff_kernel.c gathers and diff_kernel_report.c prints. */
#ifndef XL_CLI_DIFF_KERNEL_PRIV_H
#define XL_CLI_DIFF_KERNEL_PRIV_H

#include "cli/diff_kernel.h"
#include "xdp-runtime/twin/twin.h"

enum xl_diff_skip {
	XL_DIFF_SKIP_SHORT,
	XL_DIFF_SKIP_LONG,
	XL_DIFF_SKIP_REFUSED,
	XL_DIFF_SKIPS, /* not skipped */
};
/* "shorter than 14 bytes" */
const char *xl_diff_skip_reason(enum xl_diff_skip skip);

/* What one side made of a packet. */
struct xl_diff_side {
	uint32_t retval;
	bool faulted; /* ours only: the engine stopped the program */
	uint32_t meta_len, len;
	uint8_t bytes[XL_FRAGMENTED_ROOM]; /* metadata, then the packet */
};

struct xl_diff {
	struct xl_twin *twin;
	struct xl_diff_step *steps;
	uint32_t n_steps;
	const struct xl_object *obj; /* borrowed; NULL */
	struct xl_diff_window window;
	uint32_t interval; /* packets from one comparison of maps to the next */
	struct xl_err err; /* the comparison itself failed */

	/* the packet being compared */
	enum xl_diff_skip skip;
	int refused_err; /* of the last packet that the kernel refused */
	struct xl_diff_side ours, kernel;

	uint64_t last_n; /* number of the last packet */
	uint64_t compared, differing, skipped[XL_DIFF_SKIPS];
	uint64_t first_n; /* first that differs; 0: none */
	uint32_t first_off;
	struct xl_diff_side first_ours, first_kernel;

	uint64_t maps_checked; /* maps are known to be equal up to this packet */
	bool maps_differ;
	struct xl_diff_window maps_window; /* one of these packets made the difference */
	/* Its map may be one of a second replay, which is gone: the name is kept apart. */
	struct xl_twin_map_diff map;
	char map_name[128];
};

#endif
