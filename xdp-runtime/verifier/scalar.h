/* What is known of a number in a register: its bits, and its range read as u64, s64, u32 and s32.
 *
 * A scalar stands for the 64-bit values that lie in all five parts (the u32 and s32 ranges speak
 * of the low half). Every operation is sound: what the instruction computes from members of its
 * operands is a member of its result. A product without members says that this path is never
 * taken; functions that can find that out return false and leave the scalar unspecified.
 *
 * All arguments but xl_scalar_sync()'s must have a member. Results of all functions but
 * xl_scalar_widen() are synced.
 *
 * The code is generic in the width: the tests build it for 4 to 8 bits instead of 64, where all
 * can be enumerated.
 *
 * Source: semantics of instructions: RFC 9669; the parts: struct bpf_reg_state and
 * reg_bounds_sync() in kernel/bpf/verifier.c. An empty product as a dead branch is ours.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_SCALAR_H
#define XL_XDP_RUNTIME_VERIFIER_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uapi.h"
#include "xdp-runtime/verifier/tnum.h"

struct xl_scalar {
	struct xl_tnum bits;
	uint64_t umin, umax;
	int64_t smin, smax;
	uint32_t u32_min, u32_max; /* of the low half */
	int32_t s32_min, s32_max;
};

void xl_scalar_unknown(struct xl_scalar *s);
void xl_scalar_const(struct xl_scalar *s, uint64_t value);

static inline bool xl_scalar_is_const(const struct xl_scalar *s)
{
	return xl_tnum_is_const(s->bits);
}

/* Makes each part as narrow as the others allow. Call it after writing parts by hand. Returns
 * false when nothing is left. */
bool xl_scalar_sync(struct xl_scalar *s);

bool xl_scalar_contains(const struct xl_scalar *s, uint64_t value);

/* Whether each part of @a lies inside that of @b: then each member does. */
bool xl_scalar_within(const struct xl_scalar *a, const struct xl_scalar *b);

/* @dst becomes a scalar with the members of both. */
void xl_scalar_join(struct xl_scalar *dst, const struct xl_scalar *src);

/* The same, for fixpoints: a bound that moved jumps ahead, so that chains are short (below 300).
 * The result is not synced: that could take the jump back. */
void xl_scalar_widen(struct xl_scalar *dst, const struct xl_scalar *src);

/* @dst = @dst op @src, or op @src for moves.
 *
 * @op       BPF_ADD .. BPF_ARSH, BPF_MOV, BPF_NEG (which does not read @src: may be NULL)
 * @off      1: signed BPF_DIV and BPF_MOD; 8, 16, 32: BPF_MOV extends the sign of so many bits
 * @is64     false: on the low halves, and zeros above
 */
void xl_scalar_alu(uint8_t op, int16_t off, bool is64, struct xl_scalar *dst,
		   const struct xl_scalar *src);

/* Byte swaps. @code is the instruction's: BPF_ALU | BPF_END | BPF_TO_LE or BPF_TO_BE, or
 * BPF_ALU64 | BPF_END; @width its immediate: 16, 32, 64. */
void xl_scalar_swap(uint8_t code, unsigned width, struct xl_scalar *dst);

/* What a load of @bytes (1, 2, 4, 8) makes of a stored value: zeros or its sign above. */
void xl_scalar_truncate(struct xl_scalar *s, unsigned bytes);
void xl_scalar_sign_extend(struct xl_scalar *s, unsigned bytes);

/* Whether the jump @op (BPF_JEQ .. BPF_JSLE, BPF_JSET) is always (1) or never (0) taken, or
 * either (-1). */
int xl_scalar_decided(uint8_t op, bool is64, const struct xl_scalar *a, const struct xl_scalar *b);

/* What is known of both sides after the jump was or was not @taken. @a and @b are two scalars.
 * Returns false when that cannot be. */
bool xl_scalar_refine(uint8_t op, bool is64, bool taken, struct xl_scalar *a, struct xl_scalar *b);

#endif
