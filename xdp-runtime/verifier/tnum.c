/* Tracked numbers. Addition compares the smallest and the largest sum: a bit is unknown where
 * the two carries can differ.
 *
 * Source: kernel/bpf/tnum.c for the semantics.
 */
#include "xdp-runtime/verifier/tnum.h"

static uint64_t low_mask(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* All ones from the top set bit down. */
static uint64_t fill_down(uint64_t x)
{
	return x ? UINT64_MAX >> __builtin_clzll(x) : 0;
}

struct xl_tnum xl_tnum_range(uint64_t min, uint64_t max)
{
	const uint64_t mask = fill_down(min ^ max);

	return (struct xl_tnum){ .value = min & ~mask, .mask = mask };
}

struct xl_tnum xl_tnum_add(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t least = a.value + b.value;
	const uint64_t most = least + a.mask + b.mask;
	const uint64_t mask = (least ^ most) | a.mask | b.mask;

	return (struct xl_tnum){ .value = least & ~mask, .mask = mask };
}

struct xl_tnum xl_tnum_sub(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t diff = a.value - b.value;
	const uint64_t mask = ((diff + a.mask) ^ (diff - b.mask)) | a.mask | b.mask;

	return (struct xl_tnum){ .value = diff & ~mask, .mask = mask };
}

struct xl_tnum xl_tnum_and(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t ones = a.value & b.value;
	const uint64_t maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct xl_tnum){ .value = ones, .mask = maybe & ~ones };
}

struct xl_tnum xl_tnum_or(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t ones = a.value | b.value;

	return (struct xl_tnum){ .value = ones, .mask = (a.mask | b.mask) & ~ones };
}

struct xl_tnum xl_tnum_xor(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t mask = a.mask | b.mask;

	return (struct xl_tnum){ .value = (a.value ^ b.value) & ~mask, .mask = mask };
}

/* Whether @a has fewer unknown digits than @b, or any other order that is the same both ways. */
static bool is_better_multiplier(struct xl_tnum a, struct xl_tnum b)
{
	const int unknown_a = __builtin_popcountll(a.mask);
	const int unknown_b = __builtin_popcountll(b.mask);

	if (unknown_a != unknown_b)
		return unknown_a < unknown_b;
	return a.mask != b.mask ? a.mask < b.mask : a.value < b.value;
}

/* By hand, one digit after the other: a known one adds the other factor, an unknown one may or
 * may not. */
struct xl_tnum xl_tnum_mul(struct xl_tnum a, struct xl_tnum b)
{
	struct xl_tnum sum = xl_tnum_const(0);

	if (xl_tnum_is_const(a) && xl_tnum_is_const(b))
		return xl_tnum_const(a.value * b.value);
	if (is_better_multiplier(b, a)) {
		const struct xl_tnum t = a;

		a = b;
		b = t;
	}
	for (; a.value | a.mask; a = xl_tnum_rsh(a, 1), b = xl_tnum_lsh(b, 1)) {
		if (a.value & 1)
			sum = xl_tnum_add(sum, b);
		else if (a.mask & 1)
			sum = xl_tnum_join(sum, xl_tnum_add(sum, b));
	}
	return sum;
}

struct xl_tnum xl_tnum_lsh(struct xl_tnum a, unsigned n)
{
	return (struct xl_tnum){ .value = a.value << n, .mask = a.mask << n };
}

struct xl_tnum xl_tnum_rsh(struct xl_tnum a, unsigned n)
{
	return (struct xl_tnum){ .value = a.value >> n, .mask = a.mask >> n };
}

struct xl_tnum xl_tnum_arsh(struct xl_tnum a, unsigned n)
{
	return (struct xl_tnum){ .value = (uint64_t)((int64_t)a.value >> n),
				 .mask = (uint64_t)((int64_t)a.mask >> n) };
}

struct xl_tnum xl_tnum_low(struct xl_tnum a, unsigned bits)
{
	return (struct xl_tnum){ .value = a.value & low_mask(bits),
				 .mask = a.mask & low_mask(bits) };
}

struct xl_tnum xl_tnum_sign_extend(struct xl_tnum a, unsigned bits)
{
	return xl_tnum_arsh(xl_tnum_lsh(a, 64 - bits), 64 - bits);
}

struct xl_tnum xl_tnum_join(struct xl_tnum a, struct xl_tnum b)
{
	const uint64_t mask = a.mask | b.mask | (a.value ^ b.value);

	return (struct xl_tnum){ .value = a.value & ~mask, .mask = mask };
}

bool xl_tnum_meet(struct xl_tnum a, struct xl_tnum b, struct xl_tnum *out)
{
	const uint64_t mask = a.mask & b.mask;

	if ((a.value ^ b.value) & ~(a.mask | b.mask))
		return false;
	*out = (struct xl_tnum){ .value = a.value | b.value, .mask = mask };
	return true;
}

/* Where @min asks for more than the known bits give, at the top bit that differs, all below is
 * free and becomes least; where the known bits give more, the same. Where they give less, the
 * lowest unknown 0 of @min above must become 1. */
bool xl_tnum_at_least(struct xl_tnum t, uint64_t min, uint64_t *out)
{
	uint64_t best = t.value | (min & t.mask), differ = best ^ min, below, up;

	if (!differ) {
		*out = min;
		return true;
	}
	/* @best agrees with @min above the first bit that differs. */
	below = fill_down(differ);
	if (best > min) {
		*out = (best & ~(below >> 1)) | (t.value & (below >> 1));
		return true;
	}
	up = t.mask & ~min & ~below;
	if (!up)
		return false;
	up &= -up;
	*out = (best & ~(up - 1)) | up | (t.value & (up - 1));
	return true;
}

/* Mirrored: the complement of a tnum's members is a tnum. */
bool xl_tnum_at_most(struct xl_tnum t, uint64_t max, uint64_t *out)
{
	const struct xl_tnum mirror = { .value = ~(t.value | t.mask), .mask = t.mask };

	if (!xl_tnum_at_least(mirror, ~max, out))
		return false;
	*out = ~*out;
	return true;
}
