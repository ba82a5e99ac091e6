/* hot */
/* The verifier's facts, tested while programs run: each register against its fact before each
 * instruction, the way of each jump, each constant key. What is wrong is the verifier's fault, and
 * whoever compiled by it would have made a program that does something else.
 *
 * A run that is watched (xl_run.check) is far slower; one that is not pays nothing: the loop asks
 * only where it has to look up anyway, when no instruction is left.
 */
#ifndef XL_XDP_RUNTIME_INTERP_FACT_CHECK_H
#define XL_XDP_RUNTIME_INTERP_FACT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_insn;
struct xl_interp;

struct xl_fact_check {
	uint64_t n_facts;      /* tested so far */
	uint64_t n_wrong;      /* of them */
	char first_wrong[256]; /* in words; "" while there is none */

	const struct bpf_insn *before; /* the instruction that ran last, NULL: none */
};

/* Tests what is known of the instruction that is about to run; nothing, where the program has no
 * facts. @r: r0 .. r10. */
void xl_interp_check_facts(struct xl_interp *it, const struct bpf_insn *insn, const uint64_t *r);

#endif
