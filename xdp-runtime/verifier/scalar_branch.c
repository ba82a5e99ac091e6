/* What a jump tells of its two sides.
 *
 * Each operator is a row: how the sides are narrowed where it holds, and which operator holds
 * where it does not. A jump is decided when narrowing leaves nothing on one of its ways.
 *
 * Source: semantics: RFC 9669 4.3. Counterparts in kernel/bpf/verifier.c: regs_refine_cond_op(),
 * is_scalar_branch_taken().
 */
#include "xdp-runtime/verifier/scalar_word.h"

#include <stddef.h>

/* The negation of BPF_JSET, which has no opcode. */
#define NO_JSET 0xf0

typedef void (*narrow_fn)(struct xl_word *a, struct xl_word *b);

static void equal(struct xl_word *a, struct xl_word *b)
{
	xl_word_meet(a, b);
	*b = *a;
}

static void exclude(struct xl_word *w, uint64_t value)
{
	for (int i = 0; i < 2; i++) {
		struct xl_span *s = &w->span[i];

		if (xl_span_is_empty(s) || value < s->lo || value > s->hi)
			continue;
		if (s->lo == s->hi)
			*s = XL_SPAN_EMPTY;
		else if (s->lo == value)
			s->lo++;
		else if (s->hi == value)
			s->hi--;
	}
}

static void unequal(struct xl_word *a, struct xl_word *b)
{
	if (xl_tnum_is_const(b->tnum))
		exclude(a, b->tnum.value);
	else if (xl_tnum_is_const(a->tnum))
		exclude(b, a->tnum.value);
}

static void below(struct xl_word *a, struct xl_word *b)
{
	const uint64_t least = xl_word_umin(a), most = xl_word_umax(b);

	if (most == 0 || least == xl_low_mask(a->bits)) {
		xl_word_empty(a, a->bits);
		return;
	}
	xl_word_clamp(a, 0, most - 1);
	xl_word_clamp(b, least + 1, xl_low_mask(b->bits));
}

static void at_most(struct xl_word *a, struct xl_word *b)
{
	const uint64_t least = xl_word_umin(a), most = xl_word_umax(b);

	xl_word_clamp(a, 0, most);
	xl_word_clamp(b, least, xl_low_mask(b->bits));
}

static void signed_below(struct xl_word *a, struct xl_word *b)
{
	const int64_t bottom = xl_signed(xl_top_bit(a->bits), a->bits), top = ~bottom;
	const int64_t least = xl_word_smin(a), most = xl_word_smax(b);

	if (most == bottom || least == top) {
		xl_word_empty(a, a->bits);
		return;
	}
	xl_word_clamp_signed(a, bottom, most - 1);
	xl_word_clamp_signed(b, least + 1, top);
}

static void signed_at_most(struct xl_word *a, struct xl_word *b)
{
	const int64_t bottom = xl_signed(xl_top_bit(a->bits), a->bits), top = ~bottom;
	const int64_t least = xl_word_smin(a), most = xl_word_smax(b);

	xl_word_clamp_signed(a, bottom, most);
	xl_word_clamp_signed(b, least, top);
}

static uint64_t possible(const struct xl_word *w)
{
	return w->tnum.value | w->tnum.mask;
}

/* A common bit: both are at least the lowest one that can be, and have it if it is alone. */
static void common_bit(struct xl_word *a, struct xl_word *b)
{
	const uint64_t common = possible(a) & possible(b), lowest = common & -common;
	struct xl_word with;

	if (!common) {
		xl_word_empty(a, a->bits);
		return;
	}
	xl_word_clamp(a, lowest, xl_low_mask(a->bits));
	xl_word_clamp(b, lowest, xl_low_mask(b->bits));
	if (common != lowest)
		return;
	xl_word_unknown(&with, a->bits);
	with.tnum.value = lowest;
	with.tnum.mask &= ~lowest;
	xl_word_meet(a, &with);
	xl_word_meet(b, &with);
}

/* No common bit: what one has for certain the other has not. */
static void no_common_bit(struct xl_word *a, struct xl_word *b)
{
	struct xl_word without;
	const struct xl_word before = *a;

	xl_word_unknown(&without, a->bits);
	without.tnum.mask &= ~b->tnum.value;
	xl_word_meet(a, &without);
	xl_word_unknown(&without, b->bits);
	without.tnum.mask &= ~before.tnum.value;
	xl_word_meet(b, &without);
}

struct row {
	narrow_fn fn;
	bool swapped; /* fn takes the sides in the other order */
	uint8_t negation;
	bool also_half; /* of 64-bit values the low halves stand in the same relation */
};

static const struct row rows[] = {
	[BPF_JEQ >> 4] = { .fn = equal, .negation = BPF_JNE, .also_half = true },
	[BPF_JNE >> 4] = { .fn = unequal, .negation = BPF_JEQ },
	[BPF_JLT >> 4] = { .fn = below, .negation = BPF_JGE },
	[BPF_JLE >> 4] = { .fn = at_most, .negation = BPF_JGT },
	[BPF_JGT >> 4] = { .fn = below, .swapped = true, .negation = BPF_JLE },
	[BPF_JGE >> 4] = { .fn = at_most, .swapped = true, .negation = BPF_JLT },
	[BPF_JSLT >> 4] = { .fn = signed_below, .negation = BPF_JSGE },
	[BPF_JSLE >> 4] = { .fn = signed_at_most, .negation = BPF_JSGT },
	[BPF_JSGT >> 4] = { .fn = signed_below, .swapped = true, .negation = BPF_JSLE },
	[BPF_JSGE >> 4] = { .fn = signed_at_most, .swapped = true, .negation = BPF_JSLT },
	[BPF_JSET >> 4] = { .fn = common_bit, .negation = NO_JSET },
	[NO_JSET >> 4] = { .fn = no_common_bit, .negation = BPF_JSET, .also_half = true },
};

static void narrow(const struct row *row, struct xl_word *a, struct xl_word *b)
{
	if (xl_word_is_empty(a) || xl_word_is_empty(b))
		return;
	if (row->swapped)
		row->fn(b, a);
	else
		row->fn(a, b);
}

/* Narrowing one side can, through its tnum, give the other a nearer bound. */
static bool narrow_words(const struct row *row, bool is64, struct xl_words *a, struct xl_words *b)
{
	if (!is64) {
		narrow(row, &a->half, &b->half);
		return xl_word_sync(&a->half) && xl_word_sync(&b->half);
	}
	narrow(row, &a->full, &b->full);
	if (row->also_half)
		narrow(row, &a->half, &b->half);
	return xl_word_sync(&a->full) && xl_word_sync(&b->full) && xl_word_sync(&a->half) &&
	       xl_word_sync(&b->half);
}

static bool possible_after(uint8_t op, bool is64, const struct xl_words *a,
			   const struct xl_words *b)
{
	struct xl_words x = *a, y = *b;

	return narrow_words(&rows[op >> 4], is64, &x, &y);
}

int xl_scalar_decided(uint8_t op, bool is64, const struct xl_scalar *a, const struct xl_scalar *b)
{
	struct xl_words x, y;

	xl_words_of(a, &x);
	xl_words_of(b, &y);
	if (!possible_after(op, is64, &x, &y))
		return 0;
	return possible_after(rows[op >> 4].negation, is64, &x, &y) ? -1 : 1;
}

bool xl_scalar_refine(uint8_t op, bool is64, bool taken, struct xl_scalar *a, struct xl_scalar *b)
{
	const struct row *row = &rows[(taken ? op : rows[op >> 4].negation) >> 4];
	struct xl_words x, y;

	xl_words_of(a, &x);
	xl_words_of(b, &y);
	return narrow_words(row, is64, &x, &y) && narrow_words(row, is64, &x, &y) &&
	       xl_words_store(&x, a) && xl_words_store(&y, b);
}
