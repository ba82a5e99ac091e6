/* Arithmetic on scalars.
 *
 * Each operation is a row with a function that takes one interval of known sign from either side
 * and adds what can come of them to the result; the driver runs it over the at most four pairs.
 * Results are arcs: from lo counting up to hi, around through 0 where they overflow. Where the
 * low half of the result depends on the low halves only, 64-bit instructions run it on these too.
 *
 * Source: semantics: RFC 9669 4.1. The kernel's counterpart is adjust_scalar_min_max_vals() in
 * kernel/bpf/verifier.c, which knows less: there a shift by an unknown count, a division, a
 * product that may overflow make the result unknown.
 */
#include "xdp-runtime/verifier/scalar_word.h"

#include <stddef.h>

struct piece {
	struct xl_span span;
	struct xl_tnum tnum;
};

typedef void (*piece_fn)(const struct piece *a, const struct piece *b, struct xl_word *out);

static struct xl_tnum any(const struct xl_word *out)
{
	return xl_tnum_low(XL_TNUM_UNKNOWN, out->bits);
}

/* Adds the arc whose ends are given modulo the width, and which is @len longer than one number. */
static void add_arc(struct xl_word *out, uint64_t lo, uint64_t hi, unsigned __int128 len,
		    struct xl_tnum t)
{
	const uint64_t mask = xl_low_mask(out->bits);

	if (len >= mask)
		xl_word_add(out, 0, mask, xl_tnum_low(t, out->bits));
	else
		xl_word_add(out, lo & mask, hi & mask, xl_tnum_low(t, out->bits));
}

static void add(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	add_arc(out, a->span.lo + b->span.lo, a->span.hi + b->span.hi,
		(unsigned __int128)(a->span.hi - a->span.lo) + (b->span.hi - b->span.lo),
		xl_tnum_add(a->tnum, b->tnum));
}

static void sub(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	add_arc(out, a->span.lo - b->span.hi, a->span.hi - b->span.lo,
		(unsigned __int128)(a->span.hi - a->span.lo) + (b->span.hi - b->span.lo),
		xl_tnum_sub(a->tnum, b->tnum));
}

/* Read as signed numbers, no product needs more than 127 bits. */
static void mul(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const __int128 a_lo = xl_signed(a->span.lo, out->bits),
		       a_hi = xl_signed(a->span.hi, out->bits);
	const __int128 b_lo = xl_signed(b->span.lo, out->bits),
		       b_hi = xl_signed(b->span.hi, out->bits);
	const __int128 corners[] = { a_lo * b_lo, a_lo * b_hi, a_hi * b_lo, a_hi * b_hi };
	__int128 lo = corners[0], hi = corners[0];

	for (int i = 1; i < 4; i++) {
		lo = corners[i] < lo ? corners[i] : lo;
		hi = corners[i] > hi ? corners[i] : hi;
	}
	add_arc(out, (uint64_t)lo, (uint64_t)hi, (unsigned __int128)hi - (unsigned __int128)lo,
		xl_tnum_mul(a->tnum, b->tnum));
}

/* The bounds of bitwise operations. What they do to the tnum says most. `and` makes nothing
 * larger, `or` nothing smaller, and
 *
 *	x + y == (x & y) + (x | y)	(x ^ y) == (x | y) - (x & y)
 *
 * so that a bound of the one gives a bound of the others. */

typedef __int128 wide; /* holds sums and differences of any two numbers */

static wide least(wide a, wide b)
{
	return a < b ? a : b;
}

static wide most(wide a, wide b)
{
	return a > b ? a : b;
}

/* The bounds of `and` and of `or`. */
struct bitwise {
	wide and_lo, and_hi, or_lo, or_hi;
};

static struct bitwise bound_bitwise(const struct piece *a, const struct piece *b)
{
	const struct xl_tnum both = xl_tnum_and(a->tnum, b->tnum);
	const struct xl_tnum either = xl_tnum_or(a->tnum, b->tnum);
	struct bitwise r = {
		.and_hi = least(least(a->span.hi, b->span.hi), both.value | both.mask),
		.or_lo = most(most(a->span.lo, b->span.lo), either.value),
	};

	r.or_hi = least(either.value | either.mask, (wide)a->span.hi + b->span.hi - both.value);
	r.and_lo = most(both.value, (wide)a->span.lo + b->span.lo - r.or_hi);
	r.or_hi = least(r.or_hi, (wide)a->span.hi + b->span.hi - r.and_lo);
	return r;
}

static void bit_and(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const struct bitwise r = bound_bitwise(a, b);

	xl_word_add(out, (uint64_t)r.and_lo, (uint64_t)r.and_hi, xl_tnum_and(a->tnum, b->tnum));
}

static void bit_or(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const struct bitwise r = bound_bitwise(a, b);

	xl_word_add(out, (uint64_t)r.or_lo, (uint64_t)r.or_hi, xl_tnum_or(a->tnum, b->tnum));
}

static void bit_xor(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const struct bitwise r = bound_bitwise(a, b);
	const wide apart = most((wide)a->span.lo - b->span.hi, (wide)b->span.lo - a->span.hi);

	xl_word_add(out, (uint64_t)most(most(apart, r.or_lo - r.and_hi), 0),
		    (uint64_t)(r.or_hi - r.and_lo), xl_tnum_xor(a->tnum, b->tnum));
}

/* The counts of a shift come as a piece of one sign below the width. */
static bool is_count(const struct piece *b, uint64_t n)
{
	return xl_tnum_contains(b->tnum, n);
}

static void rsh(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	for (uint64_t n = b->span.lo; n <= b->span.hi; n++)
		if (is_count(b, n))
			xl_word_add(out, a->span.lo >> n, a->span.hi >> n,
				    xl_tnum_rsh(a->tnum, (unsigned)n));
}

static void arsh(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const unsigned bits = out->bits;
	const uint64_t mask = xl_low_mask(bits);
	const struct xl_tnum t = xl_tnum_sign_extend(a->tnum, bits);

	for (uint64_t n = b->span.lo; n <= b->span.hi; n++)
		if (is_count(b, n))
			xl_word_add(out, (uint64_t)(xl_signed(a->span.lo, bits) >> n) & mask,
				    (uint64_t)(xl_signed(a->span.hi, bits) >> n) & mask,
				    xl_tnum_low(xl_tnum_arsh(t, (unsigned)n), bits));
}

/* Division of magnitudes; the signed forms put the signs on. By zero: the quotient is 0, the
 * remainder the dividend. */

static struct xl_span magnitude(const struct xl_span *s, unsigned bits, bool *out_negative)
{
	const uint64_t mask = xl_low_mask(bits);

	*out_negative = s->lo >= xl_top_bit(bits);
	if (!*out_negative)
		return *s;
	return (struct xl_span){ .lo = -s->hi & mask, .hi = -s->lo & mask };
}

static void add_negated(struct xl_word *out, bool negative, uint64_t lo, uint64_t hi,
			struct xl_tnum t)
{
	const uint64_t mask = xl_low_mask(out->bits);

	if (negative && hi == 0)
		xl_word_add(out, 0, 0, t);
	else if (negative)
		xl_word_add(out, -hi & mask, -lo & mask, t);
	else
		xl_word_add(out, lo, hi, t);
}

static void divide(const struct xl_span *a, const struct xl_span *b, bool negative,
		   struct xl_tnum t, struct xl_word *out)
{
	if (b->lo == 0)
		xl_word_add(out, 0, 0, xl_tnum_const(0));
	if (b->hi == 0)
		return;
	add_negated(out, negative, a->lo / b->hi, a->hi / (b->lo ? b->lo : 1), t);
}

static void udiv(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	const uint64_t by = b->tnum.value;
	struct xl_tnum t = any(out);

	if (xl_tnum_is_const(b->tnum) && by && !(by & (by - 1)))
		t = xl_tnum_rsh(a->tnum, (unsigned)__builtin_ctzll(by));
	divide(&a->span, &b->span, false, t, out);
}

static void sdiv(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	bool a_negative, b_negative;
	const struct xl_span x = magnitude(&a->span, out->bits, &a_negative);
	const struct xl_span y = magnitude(&b->span, out->bits, &b_negative);

	divide(&x, &y, a_negative != b_negative, any(out), out);
}

static void remain(const struct xl_span *a, const struct xl_span *b, bool negative,
		   struct xl_tnum t, struct xl_word *out)
{
	const uint64_t divisor = b->lo ? b->lo : 1;

	if (b->lo == 0)
		add_negated(out, negative, a->lo, a->hi, t);
	if (b->hi == 0)
		return;
	if (a->hi < divisor)
		add_negated(out, negative, a->lo, a->hi, t);
	else if (b->lo == b->hi && a->lo / b->lo == a->hi / b->lo)
		add_negated(out, negative, a->lo % b->lo, a->hi % b->lo, t);
	else
		add_negated(out, negative, 0, a->hi < b->hi - 1 ? a->hi : b->hi - 1, t);
}

/* What a divisor has as zeros at its end passes from the dividend to the remainder. */
static struct xl_tnum remain_tnum(const struct piece *a, const struct piece *b,
				  const struct xl_word *out)
{
	const uint64_t ones = b->tnum.value | b->tnum.mask;
	const uint64_t kept = ones ? (ones & -ones) - 1 : UINT64_MAX;

	return (struct xl_tnum){ .value = a->tnum.value & kept,
				 .mask = (a->tnum.mask | ~kept) & xl_low_mask(out->bits) };
}

static void umod(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	remain(&a->span, &b->span, false, remain_tnum(a, b, out), out);
}

static void smod(const struct piece *a, const struct piece *b, struct xl_word *out)
{
	bool a_negative, b_negative;
	const struct xl_span x = magnitude(&a->span, out->bits, &a_negative);
	const struct xl_span y = magnitude(&b->span, out->bits, &b_negative);

	remain(&x, &y, a_negative, remain_tnum(a, b, out), out);
}

/* What @w has of one sign; false: nothing. */
static bool piece_of(const struct xl_word *w, int i, struct piece *out)
{
	out->span = w->span[i];
	return !xl_span_is_empty(&out->span) &&
	       xl_tnum_at_least(w->tnum, out->span.lo, &out->span.lo) &&
	       xl_tnum_at_most(w->tnum, out->span.hi, &out->span.hi) &&
	       !xl_span_is_empty(&out->span) &&
	       xl_tnum_meet(w->tnum, xl_tnum_range(out->span.lo, out->span.hi), &out->tnum);
}

static void run(piece_fn fn, struct xl_word *a, const struct xl_word *b)
{
	struct piece x, y;
	struct xl_word out;

	xl_word_empty(&out, a->bits);
	for (int i = 0; i < 2; i++) {
		if (!piece_of(a, i, &x))
			continue;
		for (int j = 0; j < 2; j++)
			if (piece_of(b, j, &y))
				fn(&x, &y, &out);
	}
	*a = out;
}

struct op {
	piece_fn fn, signed_fn;
	bool low_from_low; /* the low half of the result depends on the low halves only */
	bool is_shift;
};

static const struct op ops[] = {
	[BPF_ADD >> 4] = { .fn = add, .low_from_low = true },
	[BPF_SUB >> 4] = { .fn = sub, .low_from_low = true },
	[BPF_MUL >> 4] = { .fn = mul, .low_from_low = true },
	[BPF_DIV >> 4] = { .fn = udiv, .signed_fn = sdiv },
	[BPF_OR >> 4] = { .fn = bit_or, .low_from_low = true },
	[BPF_AND >> 4] = { .fn = bit_and, .low_from_low = true },
	[BPF_LSH >> 4] = { .is_shift = true }, /* shift_left() */
	[BPF_RSH >> 4] = { .fn = rsh, .is_shift = true },
	[BPF_MOD >> 4] = { .fn = umod, .signed_fn = smod },
	[BPF_XOR >> 4] = { .fn = bit_xor, .low_from_low = true },
	[BPF_ARSH >> 4] = { .fn = arsh, .is_shift = true },
};

static void run_words(const struct op *row, piece_fn fn, struct xl_words *a,
		      const struct xl_words *b, bool is64)
{
	if (is64)
		run(fn, &a->full, &b->full);
	if (!is64 || row->low_from_low)
		run(fn, &a->half, &b->half);
	else
		xl_word_unknown(&a->half, XL_SCALAR_HALF);
}

/* The low bits of @w that count for a shift of @bits. */
static void mask_count(struct xl_word *w, unsigned bits)
{
	struct xl_word mask;

	if (xl_span_is_empty(&w->span[1]) && w->span[0].hi < bits)
		return;
	xl_word_empty(&mask, w->bits);
	xl_word_add(&mask, bits - 1, bits - 1, xl_tnum_const(bits - 1));
	run(bit_and, w, &mask);
}

/* Adds @w shifted by @n < out->bits: its low bits, the top one of which becomes the sign. */
static void add_shifted(struct xl_word *out, const struct xl_word *w, unsigned n)
{
	struct xl_word low;

	xl_word_low(w, out->bits - n, &low);
	for (int i = 0; i < 2; i++)
		if (!xl_span_is_empty(&low.span[i]))
			xl_word_add(out, low.span[i].lo << n, low.span[i].hi << n,
				    xl_tnum_lsh(low.tnum, n));
}

/* To the left, where from half the width on only the low half counts: so (x << 32) s>> 32, which
 * compilers emit to extend a sign, keeps all that is known of it. */
static void shift_left(struct xl_words *a, const struct xl_word *count, bool is64)
{
	const uint64_t most = xl_word_umax(count);
	struct xl_words out;

	xl_word_empty(&out.full, XL_SCALAR_WIDTH);
	xl_word_empty(&out.half, XL_SCALAR_HALF);
	for (uint64_t n = xl_word_umin(count); n <= most; n++) {
		if (!xl_tnum_contains(count->tnum, n))
			continue;
		if (is64)
			add_shifted(&out.full, n < XL_SCALAR_HALF ? &a->full : &a->half,
				    (unsigned)n);
		if (n < XL_SCALAR_HALF)
			add_shifted(&out.half, &a->half, (unsigned)n);
		else
			xl_word_add(&out.half, 0, 0, xl_tnum_const(0));
	}
	*a = out;
}

static void move(int16_t off, bool is64, struct xl_scalar *dst, const struct xl_scalar *src)
{
	*dst = *src;
	if (off)
		xl_scalar_sign_extend(dst, (unsigned)off / 8);
	if (!is64)
		xl_scalar_truncate(dst, 4);
}

void xl_scalar_alu(uint8_t op, int16_t off, bool is64, struct xl_scalar *dst,
		   const struct xl_scalar *src)
{
	const struct op *row = &ops[op >> 4];
	struct xl_scalar zero;
	struct xl_words a, b;
	piece_fn fn = row->fn;

	if (op == BPF_MOV) {
		move(off, is64, dst, src);
		return;
	}
	if (op == BPF_NEG) {
		xl_scalar_const(&zero, 0);
		xl_words_of(&zero, &a);
		xl_words_of(dst, &b);
		row = &ops[BPF_SUB >> 4];
		fn = row->fn;
	} else {
		xl_words_of(dst, &a);
		xl_words_of(src, &b);
		if (off == 1 && row->signed_fn)
			fn = row->signed_fn;
		if (row->is_shift) {
			mask_count(&b.full, XL_SCALAR_WIDTH);
			mask_count(&b.half, XL_SCALAR_HALF);
		}
	}
	if (op == BPF_LSH)
		shift_left(&a, is64 ? &b.full : &b.half, is64);
	else
		run_words(row, fn, &a, &b, is64);
	if (!is64)
		xl_word_zero_extend(&a.half, &a.full);
	(void)xl_words_store(&a, dst);
}
