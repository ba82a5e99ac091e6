/* `replay --diff kernel`: each packet goes through the real kernel too, and what comes out is
 * compared: verdict, bytes, and in the end the contents of all maps.
 *
 * replay calls xl_diff_before() with a packet as it came in, runs the program itself, and calls
 * xl_diff_after() with what became of it.
 */
#ifndef XL_CLI_DIFF_KERNEL_H
#define XL_CLI_DIFF_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/frame.h"
#include "xdp-runtime/verdict.h"

struct xl_diff;
struct xl_prog;
struct xl_run;
struct xl_runtime;

struct xl_diff_result {
	uint64_t compared;  /* packets */
	uint64_t differing; /* of these */
	uint64_t skipped;   /* not given to the kernel: shorter than 14 bytes, too long … */
	uint64_t first_n;   /* number of the first differing packet, 0 if there is none */
	char first[512];    /* how it differs: one line, "" if there is none */
	bool maps_differ;   /* set by xl_diff_finish() */
	char maps[512];	    /* which map, key and both values: one line */
};

/* Loads @prog with copies of its maps, as they are now, into the kernel.
 * Errors  -EPERM and others of xl_twin_create(), in words in @e */
int xl_diff_open(struct xl_runtime *rt, struct xl_prog *prog, struct xl_diff **out_diff,
		 struct xl_err *e);
/* Runs the kernel's copy on @frame, which is unchanged. Call it right before the own run: @run's
 * clock and random state are what the kernel's copy sees. */
void xl_diff_before(struct xl_diff *diff, const struct xl_run *run, const struct xl_frame *frame);
/* Compares. @n is the packet's number from 1, for the report. */
void xl_diff_after(struct xl_diff *diff, uint64_t n, const struct xl_frame *frame,
		   const struct xl_verdict *verdict);
/* Compares the maps; after the last packet. */
void xl_diff_finish(struct xl_diff *diff);
const struct xl_diff_result *xl_diff_result(const struct xl_diff *diff);
void xl_diff_close(struct xl_diff *diff);

#endif
