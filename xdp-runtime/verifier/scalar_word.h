/* The working form of a scalar: one word for the whole value, one for its low half.
 *
 * A word splits a range by its top bit into two spans that are plain intervals both as unsigned
 * and as signed numbers. The four ends say exactly what the unsigned and the signed bounds
 * together say: whatever the operation, it works on intervals of known sign and asks nowhere
 * which reading is meant.
 *
 *	unsigned   0 ------ 7f..f 80..0 ------ ff..f
 *	           [ span 0 ]         [ span 1 ]
 *	signed     0 ------ max   min   ------ -1
 */
#ifndef XL_XDP_RUNTIME_VERIFIER_SCALAR_WORD_H
#define XL_XDP_RUNTIME_VERIFIER_SCALAR_WORD_H

#include "xdp-runtime/verifier/scalar.h"

/* Tests build small models with 4 or 8; a power of two, since shift counts are masked. */
#ifndef XL_SCALAR_WIDTH
#define XL_SCALAR_WIDTH 64
#endif
#define XL_SCALAR_HALF (XL_SCALAR_WIDTH / 2)

struct xl_span {
	uint64_t lo, hi; /* lo > hi: empty */
};

#define XL_SPAN_EMPTY ((struct xl_span){ .lo = UINT64_MAX, .hi = 0 })

struct xl_word {
	unsigned bits; /* its width; all below have zeros above */
	struct xl_tnum tnum;
	struct xl_span span[2];
};

struct xl_words {
	struct xl_word full, half;
};

static inline uint64_t xl_low_mask(unsigned bits)
{
	return UINT64_MAX >> (64 - bits);
}

static inline uint64_t xl_top_bit(unsigned bits)
{
	return UINT64_C(1) << (bits - 1);
}

static inline int64_t xl_signed(uint64_t value, unsigned bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static inline bool xl_span_is_empty(const struct xl_span *s)
{
	return s->lo > s->hi;
}

void xl_word_unknown(struct xl_word *w, unsigned bits);
void xl_word_empty(struct xl_word *w, unsigned bits);
bool xl_word_is_empty(const struct xl_word *w);

/* The bounds of a word that is not empty. */
uint64_t xl_word_umin(const struct xl_word *w);
uint64_t xl_word_umax(const struct xl_word *w);
int64_t xl_word_smin(const struct xl_word *w);
int64_t xl_word_smax(const struct xl_word *w);

/* Adds the numbers met when counting from @lo up to @hi, maybe around through 0, as far as they
 * are in @t. */
void xl_word_add(struct xl_word *w, uint64_t lo, uint64_t hi, struct xl_tnum t);

void xl_word_join(struct xl_word *w, const struct xl_word *other);
void xl_word_meet(struct xl_word *w, const struct xl_word *other);
/* What lies between @lo and @hi, read as unsigned or signed. */
void xl_word_clamp(struct xl_word *w, uint64_t lo, uint64_t hi);
void xl_word_clamp_signed(struct xl_word *w, int64_t lo, int64_t hi);

/* The low @bits of @w as a word of their own. */
void xl_word_low(const struct xl_word *w, unsigned bits, struct xl_word *out);
/* @w with zeros, or its sign, above, in a full word. */
void xl_word_zero_extend(const struct xl_word *w, struct xl_word *out);
void xl_word_sign_extend(const struct xl_word *w, unsigned bits, struct xl_word *out);

/* Fits spans and tnum to each other. False: empty. */
bool xl_word_sync(struct xl_word *w);

void xl_words_of(const struct xl_scalar *s, struct xl_words *out);
/* Fits the words to each other and writes the scalar. False: empty, @s is not written. */
bool xl_words_store(struct xl_words *w, struct xl_scalar *s);

#endif
