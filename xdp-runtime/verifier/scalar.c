/* Scalars: making, joining, comparing. */
#include "xdp-runtime/verifier/scalar.h"

#include <string.h>

void xl_scalar_unknown(struct xl_scalar *s)
{
	*s = (struct xl_scalar){ .bits = XL_TNUM_UNKNOWN,
				 .umax = UINT64_MAX,
				 .smin = INT64_MIN,
				 .smax = INT64_MAX,
				 .u32_max = UINT32_MAX,
				 .s32_min = INT32_MIN,
				 .s32_max = INT32_MAX };
}

void xl_scalar_const(struct xl_scalar *s, uint64_t value)
{
	*s = (struct xl_scalar){ .bits = xl_tnum_const(value),
				 .umin = value,
				 .umax = value,
				 .smin = (int64_t)value,
				 .smax = (int64_t)value,
				 .u32_min = (uint32_t)value,
				 .u32_max = (uint32_t)value,
				 .s32_min = (int32_t)value,
				 .s32_max = (int32_t)value };
}

bool xl_scalar_sync(struct xl_scalar *s)
{
	if (s->umin > s->umax || s->smin > s->smax || s->u32_min > s->u32_max ||
	    s->s32_min > s->s32_max)
		return false;
	if (s->umin == s->umax)
		xl_scalar_const(s, s->umin);
	else if (xl_scalar_is_const(s))
		xl_scalar_const(s, s->bits.value);
	return true;
}

bool xl_scalar_contains(const struct xl_scalar *s, uint64_t value)
{
	return xl_tnum_contains(s->bits, value) && value >= s->umin && value <= s->umax &&
	       (int64_t)value >= s->smin && (int64_t)value <= s->smax &&
	       (uint32_t)value >= s->u32_min && (uint32_t)value <= s->u32_max &&
	       (int32_t)value >= s->s32_min && (int32_t)value <= s->s32_max;
}

bool xl_scalar_within(const struct xl_scalar *a, const struct xl_scalar *b)
{
	return xl_tnum_within(a->bits, b->bits) && a->umin >= b->umin && a->umax <= b->umax &&
	       a->smin >= b->smin && a->smax <= b->smax && a->u32_min >= b->u32_min &&
	       a->u32_max <= b->u32_max && a->s32_min >= b->s32_min && a->s32_max <= b->s32_max;
}

void xl_scalar_join(struct xl_scalar *dst, const struct xl_scalar *src)
{
	if (memcmp(dst, src, sizeof(*dst)) != 0)
		xl_scalar_unknown(dst);
}

void xl_scalar_widen(struct xl_scalar *dst, const struct xl_scalar *src)
{
	xl_scalar_join(dst, src);
}

void xl_scalar_alu(uint8_t op, int16_t off, bool is64, struct xl_scalar *dst,
		   const struct xl_scalar *src)
{
	uint64_t value;

	if (op == BPF_MOV && !off && is64) {
		*dst = *src;
		return;
	}
	if (op == BPF_ADD && xl_scalar_is_const(dst) && xl_scalar_is_const(src)) {
		value = dst->bits.value + src->bits.value;
		xl_scalar_const(dst, is64 ? value : (uint32_t)value);
		return;
	}
	if (op == BPF_MOV && !off && xl_scalar_is_const(src)) {
		xl_scalar_const(dst, (uint32_t)src->bits.value);
		return;
	}
	xl_scalar_unknown(dst);
}

void xl_scalar_swap(uint8_t code, unsigned width, struct xl_scalar *dst)
{
	xl_scalar_unknown(dst);
}

void xl_scalar_truncate(struct xl_scalar *s, unsigned bytes)
{
	if (bytes < 8)
		xl_scalar_unknown(s);
}

void xl_scalar_sign_extend(struct xl_scalar *s, unsigned bytes)
{
	if (bytes < 8)
		xl_scalar_unknown(s);
}

int xl_scalar_decided(uint8_t op, bool is64, const struct xl_scalar *a, const struct xl_scalar *b)
{
	if (is64 && op == BPF_JEQ && xl_scalar_is_const(a) && xl_scalar_is_const(b))
		return a->bits.value == b->bits.value;
	return -1;
}

bool xl_scalar_refine(uint8_t op, bool is64, bool taken, struct xl_scalar *a, struct xl_scalar *b)
{
	const int decided = xl_scalar_decided(op, is64, a, b);

	return decided < 0 || decided == taken;
}
