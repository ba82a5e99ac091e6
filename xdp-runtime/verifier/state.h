/* What the verifier knows at one point of one path: registers, stack, frames. Private to it.
 *
 * Source: struct bpf_reg_state, bpf_func_state, bpf_verifier_state in include/linux/bpf_verifier.h.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_STATE_H
#define XL_XDP_RUNTIME_VERIFIER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "xdp-runtime/prog.h"
#include "xdp-runtime/verifier/scalar.h"

struct xl_map;

#define XL_VREGS  11
#define XL_VSLOTS (XL_STACK_SIZE / 8)

enum xl_vkind {
	XL_V_UNINIT,
	XL_V_SCALAR,
	XL_V_CTX,
	XL_V_MAP_PTR,
	XL_V_MAP_VALUE,
	XL_V_STACK,
	XL_V_PKT,
	XL_V_PKT_META,
	XL_V_PKT_END,
	XL_V_KINDS,
};

/* A pointer is its base, plus `off`, plus one of the values of `var`. */
struct xl_vreg {
	uint8_t kind;
	bool maybe_null;
	uint8_t frame;	/* of a stack pointer */
	uint16_t range; /* packet: bytes from base + var that are known to be there */
	int32_t off;
	/* Equal ids: the same value (scalars), the same var part (packet), the same answer to
	 * whether it is NULL. 0: nothing is known to be the same. */
	uint32_t id;
	const struct xl_map *map;
	struct xl_scalar var; /* of a scalar: itself */
};

enum xl_vbyte { XL_B_INVALID, XL_B_MISC, XL_B_ZERO, XL_B_SPILL };

/* 8 bytes of the stack. Bytes from the lowest on that are XL_B_SPILL hold the low end of `spill`. */
struct xl_vslot {
	uint8_t byte[8];
	struct xl_vreg spill;
};

struct xl_vframe {
	struct xl_vreg reg[XL_VREGS];
	uint32_t function;
	uint32_t callsite;	/* of the caller; of no meaning in frame 0 */
	uint32_t n_slots;	/* in use: slot[i] lies at fp - 8 * (i + 1) */
	struct xl_vslot slot[]; /* XL_VSLOTS, or n_slots in a state that is kept */
};

struct xl_vstate {
	uint32_t insn; /* next to be followed */
	uint32_t n_frames;
	struct xl_vframe *frame[XL_CALL_DEPTH_MAX];
	struct xl_vstate *parent; /* the last state kept on the way here */
	struct xl_vstate *next;	  /* in a list of states */
	uint32_t n_paths;	  /* kept: paths from here which have not ended */
	uint32_t hits, misses;	  /* kept: comparisons */
};

/* @n_slots of room. NULL: no memory. */
struct xl_vframe *xl_vframe_new(uint32_t n_slots);
/* A copy, with full frames if @whole, else with those slots only that are in use. NULL: no memory. */
struct xl_vstate *xl_vstate_copy(const struct xl_vstate *from, bool whole);
void xl_vstate_free(struct xl_vstate *s);

static inline struct xl_vframe *xl_vstate_top(struct xl_vstate *s)
{
	return s->frame[s->n_frames - 1];
}

/* Calls @fn for each register and each spilled one of all frames. */
typedef void xl_vreg_fn(struct xl_vreg *reg, void *arg);
void xl_vstate_each(struct xl_vstate *s, xl_vreg_fn *fn, void *arg);

void xl_vreg_unknown(struct xl_vreg *reg);
void xl_vreg_const(struct xl_vreg *reg, uint64_t value);
/* A pointer to the base of @kind. */
void xl_vreg_pointer(struct xl_vreg *reg, enum xl_vkind kind);
/* The kernel's word: "map_value_or_null". */
const char *xl_vreg_name(const struct xl_vreg *reg);

static inline bool xl_vreg_is_pkt(const struct xl_vreg *reg)
{
	return reg->kind == XL_V_PKT || reg->kind == XL_V_PKT_META;
}
static inline bool xl_vreg_is_const(const struct xl_vreg *reg)
{
	return reg->kind == XL_V_SCALAR && xl_scalar_is_const(&reg->var);
}
static inline bool xl_vreg_is_null(const struct xl_vreg *reg)
{
	return xl_vreg_is_const(reg) && !reg->var.bits.value;
}

/* covers.c: whether all that can be at @now can be at @old, too.
 * @exact    nothing more is known in one than in the other
 * @strict   as xl_verify_opts.strict
 * Errors    none; false is always right */
bool xl_vstate_covers(const struct xl_vstate *old, const struct xl_vstate *now, bool exact,
		      bool strict);

#endif
