/* The verifier: whether a loaded program is safe to run.
 *
 * Follows every path with abstract values, as the kernel does with CAP_BPF and CAP_PERFMON, and
 * errs to refusal. What is not modelled yet has a verdict of its own; it is never an acceptance.
 * BPF_PROG_LOAD asks it: prog_verify.c.
 *
 *   verify.c   this file's function: functions of the program, one after the other
 *   explore.c  paths: what is pending, what was seen, when a path ends
 *   covers.c   whether a state seen before covers another
 *   live.c     which registers are still read
 *   alu.c      arithmetic; branch.c: jumps; mem.c, stack.c: loads and stores
 *   facts.c    what was learnt of each instruction, for compilers: facts.h
 *   args.c     what helpers are given; call.c: helpers and functions; map_calls.c: maps of helpers
 *
 * Source: kernel/bpf/verifier.c, v6.18: rules, words and errno.
 * Thread: any; the program must not change meanwhile.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_VERIFY_H
#define XL_XDP_RUNTIME_VERIFIER_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "xdp-runtime/prog.h"
#include "xdp-runtime/verifier/facts.h"
#include "xdp-runtime/vlog.h"

#define XL_VERIFY_LIMIT 1000000u /* BPF_COMPLEXITY_LIMIT_INSNS */

enum xl_verdict_of_verifier {
	XL_VERIFY_ACCEPTED,
	XL_VERIFY_REFUSED,
	XL_VERIFY_UNSUPPORTED, /* the program has what the verifier does not model */
};

struct xl_verify_opts {
	uint64_t insn_limit; /* instructions followed at most; 0: no limit */
	struct xl_vlog *log; /* level 2: each instruction that is followed; may be NULL */
	bool facts;	     /* collect them */
	bool strict;	     /* for untrusted programs: refuse also what only tells secrets, that is
			      * addresses and what was on the stack before, as without CAP_PERFMON */
	bool go_on;	     /* follow a path beyond what is not proven, to find what is wrong */
};

struct xl_verify_result {
	enum xl_verdict_of_verifier verdict;
	int err;       /* -errno of a refusal, else 0 */
	uint32_t insn; /* where */
	/* Of a refusal: nothing else is wrong but that an access may be out of bounds, or that it may
	 * not end: run-time checks would see to it. */
	bool unproven;
	char msg[512]; /* the lines of a refusal, the last without newline; "" when accepted */
	uint64_t n_insns_processed;
	uint32_t n_states, n_states_peak;
	struct xl_facts *facts; /* asked for, and accepted: the caller's to free; else NULL */
};

/* @prog     loaded and not refused before
 * Errors    -ENOMEM; a refusal is no error */
int xl_verify(const struct xl_prog *prog, const struct xl_verify_opts *opts,
	      struct xl_verify_result *out);

#endif
