/* What the verifier learnt of a program that it accepted, for whoever compiles it.
 *
 * Facts are invariants: each holds in every run of the program, on every packet, however the
 * instruction was reached: in all calls of a function, all rounds of a loop, all invocations of a
 * callback. facts.c says why; `--check-facts` of replay and exec tests it while packets run.
 *
 * What is not known is XL_FACT_UNKNOWN or the widest range, never a guess: a fact may be missing,
 * but not wrong. Registers that nobody reads any more have none. A *number* may well be the bits
 * of an address, where a program has made it one.
 *
 * Facts belong to prog->insns as they were verified, with the maps that prog->maps are; they say
 * nothing of another load of the same object.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_FACTS_H
#define XL_XDP_RUNTIME_VERIFIER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "xdp-runtime/verifier/scalar.h"

struct xl_map;

enum xl_fact_kind {
	XL_FACT_UNKNOWN,   /* of several kinds, of none that is listed here, or not looked at */
	XL_FACT_SCALAR,	   /* a number */
	XL_FACT_CTX,	   /* struct xdp_md, as programs see it */
	XL_FACT_MAP,	   /* a map itself: an argument for helpers */
	XL_FACT_MAP_VALUE, /* a value in a map */
	XL_FACT_STACK,	   /* the top of a function's stack: its r10 */
	XL_FACT_PKT,	   /* xdp_md.data */
	XL_FACT_PKT_META,  /* xdp_md.data_meta */
	XL_FACT_PKT_END,   /* xdp_md.data_end */
	XL_FACT_KINDS,
};
/* "ctx", "map_value" … */
const char *xl_fact_kind_name(enum xl_fact_kind kind);

#define XL_FACT_REGS	  11
#define XL_FACT_ANY_FRAME UINT8_MAX

/* A register: a base of `kind`, plus `value` bytes. */
struct xl_fact {
	uint8_t kind;	 /* enum xl_fact_kind */
	bool maybe_null; /* what is said here, or NULL; false: never NULL */
	uint8_t frame;	 /* stack: whose; 0 this function's, 1 its caller's; XL_FACT_ANY_FRAME */
	bool is_inner;	 /* `map` is the template: which inner map it is, is not known */
	uint16_t room; /* packet: bytes from here on that are in it; metadata: before the packet */
	const struct xl_map *map; /* of a map or a value: which; NULL: more than one */
	struct xl_scalar value;	  /* number: its value; pointer: how far from its base */
};

enum { XL_FACT_FALLS = 1, XL_FACT_JUMPS = 2 };

struct xl_fact_insn {
	bool reached;  /* false: never; and nothing else is said */
	uint8_t ways;  /* conditional jump: XL_FACT_FALLS and XL_FACT_JUMPS, as far as it can */
	uint8_t base;  /* load, store, atomic: kind of its address; CTX always or never */
	bool has_key;  /* helper call: the key that it is given is always `key` */
	int16_t field; /* load from the context: offset in struct xdp_md; else -1 */
	uint64_t key;  /* its bytes as the stack has them, and zeros */
	struct xl_fact reg[XL_FACT_REGS]; /* before the instruction */
};

struct xl_fact_function {
	uint32_t start, n_insns;
	uint32_t stack_size; /* bytes below r10 that anybody may touch */
	bool is_global;	     /* its arguments may be anything that its type allows */
	bool changes_packet; /* it, or what it calls: packet pointers are void after a call */
	bool tail_calls;
};

struct xl_facts {
	uint32_t n_insns, n_functions;
	struct xl_fact_function *function; /* as prog->subprog_start has them */
	struct xl_fact_insn insn[];	   /* second halves of 16-byte loads are not reached */
};

void xl_facts_free(struct xl_facts *facts);

#endif
