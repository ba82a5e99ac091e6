/* Words: intervals of known sign with a tnum; see scalar_word.h for the picture.
 *
 * Each step only drops numbers that one part rules out, so any order is sound; the loops run
 * until nothing changes. The kernel reaches for the same with fixed sequences of deductions
 * (__reg_deduce_bounds() in kernel/bpf/verifier.c), each of which is a special case of fitting
 * spans to a tnum, or of fitting a span to the spans of its low half.
 */
#include "xdp-runtime/verifier/scalar_word.h"

#include <string.h>

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void span_join(struct xl_span *s, uint64_t lo, uint64_t hi)
{
	s->lo = min_u64(s->lo, lo);
	s->hi = max_u64(s->hi, hi);
}

static void span_meet(struct xl_span *s, uint64_t lo, uint64_t hi)
{
	s->lo = max_u64(s->lo, lo);
	s->hi = min_u64(s->hi, hi);
	if (xl_span_is_empty(s))
		*s = XL_SPAN_EMPTY;
}

void xl_word_unknown(struct xl_word *w, unsigned bits)
{
	w->bits = bits;
	w->tnum = xl_tnum_low(XL_TNUM_UNKNOWN, bits);
	w->span[0] = (struct xl_span){ .lo = 0, .hi = xl_top_bit(bits) - 1 };
	w->span[1] = (struct xl_span){ .lo = xl_top_bit(bits), .hi = xl_low_mask(bits) };
}

void xl_word_empty(struct xl_word *w, unsigned bits)
{
	w->bits = bits;
	w->tnum = xl_tnum_const(0);
	w->span[0] = w->span[1] = XL_SPAN_EMPTY;
}

bool xl_word_is_empty(const struct xl_word *w)
{
	return xl_span_is_empty(&w->span[0]) && xl_span_is_empty(&w->span[1]);
}

uint64_t xl_word_umin(const struct xl_word *w)
{
	return w->span[xl_span_is_empty(&w->span[0])].lo;
}

uint64_t xl_word_umax(const struct xl_word *w)
{
	return w->span[!xl_span_is_empty(&w->span[1])].hi;
}

int64_t xl_word_smin(const struct xl_word *w)
{
	return xl_signed(w->span[!xl_span_is_empty(&w->span[1])].lo, w->bits);
}

int64_t xl_word_smax(const struct xl_word *w)
{
	return xl_signed(w->span[xl_span_is_empty(&w->span[0])].hi, w->bits);
}

/* The part of the plain interval @lo..@hi, which @t may narrow, that belongs to span @i. */
static bool add_to_span(struct xl_word *w, int i, uint64_t lo, uint64_t hi, struct xl_tnum t)
{
	const uint64_t top = xl_top_bit(w->bits);
	struct xl_span s = { .lo = lo, .hi = hi };

	span_meet(&s, i ? top : 0, i ? xl_low_mask(w->bits) : top - 1);
	if (xl_span_is_empty(&s) || !xl_tnum_at_least(t, s.lo, &s.lo) ||
	    !xl_tnum_at_most(t, s.hi, &s.hi) || xl_span_is_empty(&s))
		return false;
	span_join(&w->span[i], s.lo, s.hi);
	return true;
}

void xl_word_add(struct xl_word *w, uint64_t lo, uint64_t hi, struct xl_tnum t)
{
	const bool was_empty = xl_word_is_empty(w);
	bool added = false;

	for (int i = 0; i < 2; i++) {
		if (lo <= hi) {
			added |= add_to_span(w, i, lo, hi, t);
		} else {
			added |= add_to_span(w, i, 0, hi, t);
			added |= add_to_span(w, i, lo, xl_low_mask(w->bits), t);
		}
	}
	if (added)
		w->tnum = was_empty ? t : xl_tnum_join(w->tnum, t);
}

void xl_word_join(struct xl_word *w, const struct xl_word *other)
{
	if (xl_word_is_empty(other))
		return;
	if (xl_word_is_empty(w)) {
		*w = *other;
		return;
	}
	w->tnum = xl_tnum_join(w->tnum, other->tnum);
	for (int i = 0; i < 2; i++)
		span_join(&w->span[i], other->span[i].lo, other->span[i].hi);
}

void xl_word_meet(struct xl_word *w, const struct xl_word *other)
{
	if (!xl_tnum_meet(w->tnum, other->tnum, &w->tnum)) {
		xl_word_empty(w, w->bits);
		return;
	}
	for (int i = 0; i < 2; i++)
		span_meet(&w->span[i], other->span[i].lo, other->span[i].hi);
}

void xl_word_clamp(struct xl_word *w, uint64_t lo, uint64_t hi)
{
	for (int i = 0; i < 2; i++)
		span_meet(&w->span[i], lo, hi);
}

void xl_word_clamp_signed(struct xl_word *w, int64_t lo, int64_t hi)
{
	const uint64_t mask = xl_low_mask(w->bits);

	if (hi < 0)
		w->span[0] = XL_SPAN_EMPTY;
	else
		span_meet(&w->span[0], lo < 0 ? 0 : (uint64_t)lo, (uint64_t)hi);
	if (lo >= 0)
		w->span[1] = XL_SPAN_EMPTY;
	else
		span_meet(&w->span[1], (uint64_t)lo & mask, hi < 0 ? (uint64_t)hi & mask : mask);
}

void xl_word_low(const struct xl_word *w, unsigned bits, struct xl_word *out)
{
	const uint64_t mask = xl_low_mask(bits);
	const struct xl_tnum t = xl_tnum_low(w->tnum, bits);

	xl_word_empty(out, bits);
	for (int i = 0; i < 2; i++) {
		const struct xl_span *s = &w->span[i];

		if (xl_span_is_empty(s))
			continue;
		if (s->hi - s->lo >= mask)
			xl_word_add(out, 0, mask, t);
		else
			xl_word_add(out, s->lo & mask, s->hi & mask, t);
	}
}

void xl_word_zero_extend(const struct xl_word *w, struct xl_word *out)
{
	if (w->bits == XL_SCALAR_WIDTH) {
		*out = *w;
		return;
	}
	xl_word_empty(out, XL_SCALAR_WIDTH);
	if (xl_word_is_empty(w))
		return;
	out->tnum = w->tnum;
	out->span[0] = (struct xl_span){ .lo = xl_word_umin(w), .hi = xl_word_umax(w) };
}

void xl_word_sign_extend(const struct xl_word *w, unsigned bits, struct xl_word *out)
{
	const uint64_t mask = xl_low_mask(bits), above = mask & ~xl_low_mask(w->bits);
	const struct xl_word in = *w;

	out->bits = bits;
	out->tnum = xl_tnum_low(xl_tnum_sign_extend(in.tnum, in.bits), bits);
	out->span[0] = in.span[0];
	out->span[1] = in.span[1];
	if (!xl_span_is_empty(&in.span[1])) {
		out->span[1].lo |= above;
		out->span[1].hi |= above;
	}
}

bool xl_word_sync(struct xl_word *w)
{
	for (;;) {
		struct xl_word fit;

		xl_word_empty(&fit, w->bits);
		for (int i = 0; i < 2; i++) {
			struct xl_span *s = &w->span[i];

			if (xl_span_is_empty(s))
				continue;
			if (!xl_tnum_at_least(w->tnum, s->lo, &s->lo) ||
			    !xl_tnum_at_most(w->tnum, s->hi, &s->hi) || xl_span_is_empty(s)) {
				*s = XL_SPAN_EMPTY;
				continue;
			}
			xl_word_add(&fit, s->lo, s->hi, xl_tnum_range(s->lo, s->hi));
		}
		if (xl_word_is_empty(&fit) || !xl_tnum_meet(w->tnum, fit.tnum, &fit.tnum))
			return false;
		if (fit.tnum.mask == w->tnum.mask)
			return true;
		w->tnum = fit.tnum;
	}
}

/* The smallest value >= *@v whose low half is in @half; false when there is none. */
static bool raise_to_half(const struct xl_word *half, uint64_t *v)
{
	const uint64_t mask = xl_low_mask(half->bits), low = *v & mask;
	const uint64_t high = *v & ~mask, next = high + mask + 1;

	for (int i = 0; i < 2; i++) {
		const struct xl_span *s = &half->span[i];

		if (!xl_span_is_empty(s) && low <= s->hi) {
			*v = high | max_u64(low, s->lo);
			return true;
		}
	}
	*v = next | xl_word_umin(half);
	return next > high && next <= xl_low_mask(XL_SCALAR_WIDTH);
}

/* The largest value <= *@v whose low half is in @half; false when there is none. */
static bool lower_to_half(const struct xl_word *half, uint64_t *v)
{
	const uint64_t mask = xl_low_mask(half->bits), low = *v & mask, high = *v & ~mask;

	for (int i = 1; i >= 0; i--) {
		const struct xl_span *s = &half->span[i];

		if (!xl_span_is_empty(s) && low >= s->lo) {
			*v = high | min_u64(low, s->hi);
			return true;
		}
	}
	*v = (high - mask - 1) | xl_word_umax(half);
	return high != 0;
}

static bool fit_full_to_half(struct xl_words *w)
{
	const uint64_t above = xl_low_mask(XL_SCALAR_WIDTH) & ~xl_low_mask(XL_SCALAR_HALF);
	const struct xl_tnum t = { .value = w->half.tnum.value, .mask = w->half.tnum.mask | above };

	if (!xl_tnum_meet(w->full.tnum, t, &w->full.tnum))
		return false;
	for (int i = 0; i < 2; i++) {
		struct xl_span *s = &w->full.span[i];

		if (xl_span_is_empty(s))
			continue;
		if (!raise_to_half(&w->half, &s->lo) || !lower_to_half(&w->half, &s->hi) ||
		    xl_span_is_empty(s))
			*s = XL_SPAN_EMPTY;
	}
	return true;
}

static bool same_word(const struct xl_word *a, const struct xl_word *b)
{
	return a->tnum.mask == b->tnum.mask && a->tnum.value == b->tnum.value &&
	       !memcmp(a->span, b->span, sizeof(a->span));
}

/* Each round but the last narrows a word; most values take two. */
static bool fit(struct xl_words *w)
{
	struct xl_word low, before;

	do {
		if (!xl_word_sync(&w->full))
			return false;
		before = w->full;
		xl_word_low(&w->full, XL_SCALAR_HALF, &low);
		xl_word_meet(&w->half, &low);
		if (!xl_word_sync(&w->half) || !fit_full_to_half(w))
			return false;
	} while (!same_word(&w->full, &before));
	return true;
}

static void word_of(struct xl_word *w, unsigned bits, struct xl_tnum t)
{
	xl_word_unknown(w, bits);
	w->tnum = xl_tnum_low(t, bits);
}

void xl_words_of(const struct xl_scalar *s, struct xl_words *out)
{
	word_of(&out->full, XL_SCALAR_WIDTH, s->bits);
	xl_word_clamp(&out->full, s->umin, s->umax);
	xl_word_clamp_signed(&out->full, s->smin, s->smax);
	word_of(&out->half, XL_SCALAR_HALF, s->bits);
	xl_word_clamp(&out->half, s->u32_min, s->u32_max);
	xl_word_clamp_signed(&out->half, s->s32_min, s->s32_max);
}

bool xl_words_store(struct xl_words *w, struct xl_scalar *s)
{
	if (!fit(w))
		return false;
	s->bits = w->full.tnum;
	s->umin = xl_word_umin(&w->full);
	s->umax = xl_word_umax(&w->full);
	s->smin = xl_word_smin(&w->full);
	s->smax = xl_word_smax(&w->full);
	s->u32_min = (uint32_t)xl_word_umin(&w->half);
	s->u32_max = (uint32_t)xl_word_umax(&w->half);
	s->s32_min = (int32_t)xl_word_smin(&w->half);
	s->s32_max = (int32_t)xl_word_smax(&w->half);
	return true;
}
