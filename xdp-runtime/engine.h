/* An engine makes a program run: the interpreter, or native code.
 *
 * The runtime declares this; interp.c and jit/ implement it. A program is prepared once, at
 * BPF_PROG_LOAD, and then run a burst at a time by any number of threads.
 */
#ifndef XL_XDP_RUNTIME_ENGINE_H
#define XL_XDP_RUNTIME_ENGINE_H

#include "base/err.h"
#include "base/frame.h"
#include "xdp-runtime/verdict.h"

struct xl_prog;
struct xl_run;
struct xl_lent;

struct xl_engine {
	const char *name; /* as `--engine` takes it */
	/* Makes prog->engine_priv. Errors: -errno with @e set. NULL: nothing to prepare. */
	int (*prepare)(struct xl_prog *prog, struct xl_err *e);
	void (*release)(struct xl_prog *prog);
	/* Runs @prog on each frame of @burst, in order, writing out[i]. frame->data and friends are
	 * changed in place. @run is this thread's; it becomes xl_run for the time of the call.
	 * Never fails: a program that must be stopped yields XDP_ABORTED with `faulted` set, and
	 * run->fault says why (for the last such frame). */
	void (*run)(struct xl_run *run, struct xl_prog *prog, struct xl_burst *burst,
		    struct xl_verdict *out);
	/* Calls the function of @prog at @func (as bpf_timer_set_callback() was given it) for no
	 * packet: @frame is empty, but has the time. @lent: memory that it may read, too.
	 * run->fault tells if it was stopped. */
	void (*call)(struct xl_run *run, struct xl_prog *prog, uint64_t func,
		     const uint64_t args[5], const struct xl_lent *lent, struct xl_frame *frame);
};

/* The reference: checks every access. xdp-runtime/interp/interp.c */
extern const struct xl_engine xl_interp;

#endif
