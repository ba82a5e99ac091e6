/* Tracked numbers: which bits of a value are known, and what they are.
 *
 * A tnum stands for all x with (x & ~mask) == value; a bit is never set in both. Each operation
 * here contains all results of its operands' members: add, sub, the bitwise ones and the shifts
 * are the best there is, mul is not.
 *
 * Source: the idea and the names are kernel/bpf/tnum.c's; Vishwanathan et al., "Sound, Precise,
 * and Fast Abstract Interpretation with Tristate Numbers" (CGO 2022) proves addition and
 * subtraction optimal.
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_TNUM_H
#define XL_XDP_RUNTIME_VERIFIER_TNUM_H

#include <stdbool.h>
#include <stdint.h>

struct xl_tnum {
	uint64_t value; /* the bits known to be 1 */
	uint64_t mask;	/* the bits not known */
};

#define XL_TNUM_UNKNOWN ((struct xl_tnum){ .value = 0, .mask = UINT64_MAX })

static inline struct xl_tnum xl_tnum_const(uint64_t value)
{
	return (struct xl_tnum){ .value = value };
}

static inline bool xl_tnum_is_const(struct xl_tnum t)
{
	return !t.mask;
}

static inline bool xl_tnum_contains(struct xl_tnum t, uint64_t value)
{
	return (value & ~t.mask) == t.value;
}

/* Whether each member of @a is one of @b. */
static inline bool xl_tnum_within(struct xl_tnum a, struct xl_tnum b)
{
	return !(a.mask & ~b.mask) && (a.value & ~b.mask) == b.value;
}

/* The smallest tnum with all of @min..@max. */
struct xl_tnum xl_tnum_range(uint64_t min, uint64_t max);

struct xl_tnum xl_tnum_add(struct xl_tnum a, struct xl_tnum b);
struct xl_tnum xl_tnum_sub(struct xl_tnum a, struct xl_tnum b);
struct xl_tnum xl_tnum_mul(struct xl_tnum a, struct xl_tnum b);
struct xl_tnum xl_tnum_and(struct xl_tnum a, struct xl_tnum b);
struct xl_tnum xl_tnum_or(struct xl_tnum a, struct xl_tnum b);
struct xl_tnum xl_tnum_xor(struct xl_tnum a, struct xl_tnum b);

/* Shifts by @n < 64; arsh copies bit 63, known or not. */
struct xl_tnum xl_tnum_lsh(struct xl_tnum a, unsigned n);
struct xl_tnum xl_tnum_rsh(struct xl_tnum a, unsigned n);
struct xl_tnum xl_tnum_arsh(struct xl_tnum a, unsigned n);

/* The low @bits (1..64) with zeros, or with copies of their top bit, above. */
struct xl_tnum xl_tnum_low(struct xl_tnum a, unsigned bits);
struct xl_tnum xl_tnum_sign_extend(struct xl_tnum a, unsigned bits);

/* The smallest tnum with the members of both. */
struct xl_tnum xl_tnum_join(struct xl_tnum a, struct xl_tnum b);

/* The members of both. Returns false when there is none: *@out is untouched then. */
bool xl_tnum_meet(struct xl_tnum a, struct xl_tnum b, struct xl_tnum *out);

/* The smallest member >= @min, and the largest <= @max. False when there is none. */
bool xl_tnum_at_least(struct xl_tnum t, uint64_t min, uint64_t *out);
bool xl_tnum_at_most(struct xl_tnum t, uint64_t max, uint64_t *out);

#endif
