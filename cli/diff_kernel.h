/* `replay --diff kernel`: each packet goes through the real kernel too, and what comes out is
 * compared: verdict, bytes, metadata, and the contents of all maps.
 *
 * replay calls xl_diff_before() with a packet as it came in, runs the programs itself, and calls
 * xl_diff_after() with what became of it; xl_diff_finish() after the last one.
 *
 * Maps are compared after every packet while that is cheap, else every so many packets and at the
 * end. So a difference in large maps is at first only known to lie in a window of packets. Then
 * xl_diff_window() says which, and replay, if it can read its input twice, does the whole thing
 * once more with a fresh runtime and without output, from the first packet to the window's last;
 * an xl_diff that was opened with that window compares more often in it. That is repeated until
 * it is one packet.
 */
#ifndef XL_CLI_DIFF_KERNEL_H
#define XL_CLI_DIFF_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/frame.h"
#include "xdp-runtime/verdict.h"

struct xl_diff;
struct xl_json;
struct xl_object;
struct xl_prog;
struct xl_run;

/* Programs as replay runs them on a packet, one after the other: the next one runs if the bit of
 * this one's verdict is set in chain_call_actions (libxdp's rule). */
struct xl_diff_step {
	struct xl_prog *prog;
	uint32_t chain_call_actions; /* bit per enum xdp_action; of no use in the last step */
};

struct xl_diff_window {
	uint64_t first, last; /* numbers of packets; first 0: none */
};

/* Loads the programs with copies of their maps, as they are now, into the kernel.
 *
 * @obj     gives maps their full names in the report; may be NULL
 * @window  from xl_diff_window() of a replay before, or NULL
 * Errors   -EPERM without privilege; others of xl_twin_create(), in words in @e
 * Owns     programs and @obj must outlive the diff
 */
int xl_diff_open(const struct xl_diff_step *steps, uint32_t n_steps, const struct xl_object *obj,
		 const struct xl_diff_window *window, struct xl_diff **out_diff, struct xl_err *e);

/* Runs the kernel's copies on @frame, which is as it came in. Call it right before the own run:
 * @run's clock, random state and this thread's xl_cpu are what the kernel's copies see. */
void xl_diff_before(struct xl_diff *diff, struct xl_run *run, struct xl_frame *frame);
/* Compares. @n is the packet's number from 1, @verdict the last program's that ran. */
void xl_diff_after(struct xl_diff *diff, uint64_t n, const struct xl_frame *frame,
		   const struct xl_verdict *verdict);
/* The last comparison of maps; after the last packet. */
void xl_diff_finish(struct xl_diff *diff);

/* Whether another replay would tell more exactly which packet it was; see above. */
bool xl_diff_window(const struct xl_diff *diff, struct xl_diff_window *out);
/* Takes over what the replay with that window found. @second remains to be closed. */
void xl_diff_narrow(struct xl_diff *diff, struct xl_diff *second);

/* Whether anything differs, or could not be asked: the exit code is XL_EXIT_DIFFERS then. */
bool xl_diff_differs(const struct xl_diff *diff);
/* For a person: counts, the first difference in full, what was not compared and why. */
void xl_diff_print(const struct xl_diff *diff, FILE *out);
/* The same as a member "diff" of the object that is open in @j. */
void xl_diff_json(const struct xl_diff *diff, struct xl_json *j);

void xl_diff_close(struct xl_diff *diff);

#endif
