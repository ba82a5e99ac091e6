/* Scalars: making, comparing, joining; and what changes their width.
 *
 * Source: semantics of sign-extending loads and byte swaps: RFC 9669 4.2, 5.2.
 */
#include "xdp-runtime/verifier/scalar_word.h"

#define WIDTH_MASK (UINT64_MAX >> (64 - XL_SCALAR_WIDTH))
#define HALF_MASK  (UINT64_MAX >> (64 - XL_SCALAR_HALF))

void xl_scalar_unknown(struct xl_scalar *s)
{
	*s = (struct xl_scalar){ .bits.mask = WIDTH_MASK,
				 .umax = WIDTH_MASK,
				 .smin = -(int64_t)(WIDTH_MASK >> 1) - 1,
				 .smax = (int64_t)(WIDTH_MASK >> 1),
				 .u32_max = (uint32_t)HALF_MASK,
				 .s32_min = (int32_t)(-(int64_t)(HALF_MASK >> 1) - 1),
				 .s32_max = (int32_t)(HALF_MASK >> 1) };
}

void xl_scalar_const(struct xl_scalar *s, uint64_t value)
{
	const int64_t whole = xl_signed(value, XL_SCALAR_WIDTH);
	const int32_t half = (int32_t)xl_signed(value, XL_SCALAR_HALF);
	const uint32_t low = (uint32_t)(value & HALF_MASK);

	value &= WIDTH_MASK;
	*s = (struct xl_scalar){ .bits.value = value,
				 .umin = value,
				 .umax = value,
				 .smin = whole,
				 .smax = whole,
				 .u32_min = low,
				 .u32_max = low,
				 .s32_min = half,
				 .s32_max = half };
}

bool xl_scalar_sync(struct xl_scalar *s)
{
	struct xl_words w;

	xl_words_of(s, &w);
	return xl_words_store(&w, s);
}

bool xl_scalar_contains(const struct xl_scalar *s, uint64_t value)
{
	const int64_t whole = xl_signed(value, XL_SCALAR_WIDTH);
	const int64_t half = xl_signed(value, XL_SCALAR_HALF);
	const uint64_t low = value & HALF_MASK;

	return xl_tnum_contains(s->bits, value) && value >= s->umin && value <= s->umax &&
	       whole >= s->smin && whole <= s->smax && low >= s->u32_min && low <= s->u32_max &&
	       half >= s->s32_min && half <= s->s32_max;
}

bool xl_scalar_within(const struct xl_scalar *a, const struct xl_scalar *b)
{
	return xl_tnum_within(a->bits, b->bits) && a->umin >= b->umin && a->umax <= b->umax &&
	       a->smin >= b->smin && a->smax <= b->smax && a->u32_min >= b->u32_min &&
	       a->u32_max <= b->u32_max && a->s32_min >= b->s32_min && a->s32_max <= b->s32_max;
}

void xl_scalar_join(struct xl_scalar *dst, const struct xl_scalar *src)
{
	struct xl_words a, b;

	if (xl_scalar_within(src, dst))
		return;
	xl_words_of(dst, &a);
	xl_words_of(src, &b);
	xl_word_join(&a.full, &b.full);
	xl_word_join(&a.half, &b.half);
	/* With a member on one side at least there is one now. */
	(void)xl_words_store(&a, dst);
}

/* The next of a few sizes in bits: a byte, two, half a word without and with its top bit, and so
 * on up to @bits. Chosen: the types of C. */
static uint64_t jump_up(uint64_t max, unsigned bits)
{
	static const unsigned steps[] = {
		XL_SCALAR_WIDTH / 8, XL_SCALAR_WIDTH / 4, XL_SCALAR_HALF - 1,
		XL_SCALAR_HALF,	     XL_SCALAR_WIDTH - 1,
	};

	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i] && steps[i] < bits && max <= xl_low_mask(steps[i]))
			return xl_low_mask(steps[i]);
	return xl_low_mask(bits);
}

static int64_t jump_up_signed(int64_t max, unsigned bits)
{
	return max < 0 ? -1 : (int64_t)jump_up((uint64_t)max, bits - 1);
}

static int64_t jump_down_signed(int64_t min, unsigned bits)
{
	return min >= 0 ? 0 : -(int64_t)jump_up(~(uint64_t)min, bits - 1) - 1;
}

/* Bits once unknown make all below them unknown. */
static struct xl_tnum widen_bits(struct xl_tnum old, struct xl_tnum new)
{
	const struct xl_tnum t = xl_tnum_join(old, new);

	return t.mask == old.mask ? old : xl_tnum_join(t, xl_tnum_range(0, t.mask));
}

void xl_scalar_widen(struct xl_scalar *dst, const struct xl_scalar *src)
{
	dst->bits = widen_bits(dst->bits, src->bits);
	if (src->umin < dst->umin)
		dst->umin = 0;
	if (src->umax > dst->umax)
		dst->umax = jump_up(src->umax, XL_SCALAR_WIDTH);
	if (src->smin < dst->smin)
		dst->smin = jump_down_signed(src->smin, XL_SCALAR_WIDTH);
	if (src->smax > dst->smax)
		dst->smax = jump_up_signed(src->smax, XL_SCALAR_WIDTH);
	if (src->u32_min < dst->u32_min)
		dst->u32_min = 0;
	if (src->u32_max > dst->u32_max)
		dst->u32_max = (uint32_t)jump_up(src->u32_max, XL_SCALAR_HALF);
	if (src->s32_min < dst->s32_min)
		dst->s32_min = (int32_t)jump_down_signed(src->s32_min, XL_SCALAR_HALF);
	if (src->s32_max > dst->s32_max)
		dst->s32_max = (int32_t)jump_up_signed(src->s32_max, XL_SCALAR_HALF);
}

void xl_scalar_truncate(struct xl_scalar *s, unsigned bytes)
{
	const unsigned bits = bytes * XL_SCALAR_WIDTH / 8;
	struct xl_words w;
	struct xl_word low;

	if (bits >= XL_SCALAR_WIDTH)
		return;
	xl_words_of(s, &w);
	xl_word_low(&w.half, bits, &low);
	xl_word_zero_extend(&low, &w.full);
	if (bits == XL_SCALAR_HALF)
		w.half = low;
	else
		xl_word_unknown(&w.half, XL_SCALAR_HALF);
	(void)xl_words_store(&w, s);
}

void xl_scalar_sign_extend(struct xl_scalar *s, unsigned bytes)
{
	const unsigned bits = bytes * XL_SCALAR_WIDTH / 8;
	struct xl_words w;
	struct xl_word low;

	if (bits >= XL_SCALAR_WIDTH)
		return;
	xl_words_of(s, &w);
	xl_word_low(&w.half, bits, &low);
	xl_word_sign_extend(&low, XL_SCALAR_WIDTH, &w.full);
	xl_word_sign_extend(&low, XL_SCALAR_HALF, &w.half);
	(void)xl_words_store(&w, s);
}

/* The low @bits with their bytes in the opposite order. */
static uint64_t reverse_bytes(uint64_t value, unsigned bits)
{
	const unsigned byte = XL_SCALAR_WIDTH / 8;
	uint64_t out = 0;

	for (unsigned i = 0; i < bits; i += byte, value >>= byte)
		out = (out << byte) | (value & xl_low_mask(byte));
	return out;
}

void xl_scalar_swap(uint8_t code, unsigned width, struct xl_scalar *dst)
{
	const bool to_big = BPF_SRC(code) == BPF_TO_BE;
	const bool host_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	const unsigned bits = width * XL_SCALAR_WIDTH / 64;
	struct xl_tnum t = dst->bits;

	if (BPF_CLASS(code) == BPF_ALU && to_big == host_is_big) {
		xl_scalar_truncate(dst, width / 8);
		return;
	}
	t.value = reverse_bytes(t.value, bits);
	t.mask = reverse_bytes(t.mask, bits);
	xl_scalar_unknown(dst);
	dst->bits = t;
	(void)xl_scalar_sync(dst);
}
