/* The stack: 512 bytes per function, in slots of 8, with the registers that were spilled there.
 *
 * As for the kernel's privileged programs, bytes that nobody wrote may be read: they are unknown;
 * not so in strict mode.
 * Source: check_stack_read_fixed_off(), check_stack_write_fixed_off(), check_stack_range_*() in
 * kernel/bpf/verifier.c, v6.18.
 */
#include <string.h>

#include "xdp-runtime/verifier/env.h"

/* Bytes of the frame that may be meant: fp + min .. fp + max. */
struct span {
	struct xl_vframe *frame;
	int64_t min, max;
	bool is_fixed;
};

static int find(struct xl_venv *v, uint32_t r, int64_t off, int64_t size, const char *what,
		struct span *out)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);
	struct xl_vfunction *function;

	out->frame = v->now->frame[reg->frame];
	out->is_fixed = xl_scalar_is_const(&reg->var);
	if (!out->is_fixed && (reg->var.smax >= XL_V_MAX_OFF || reg->var.smin <= -XL_V_MAX_OFF))
		return xl_v_unproven(v, -EACCES, "invalid unbounded variable-offset%s stack R%u\n",
				     what, r);
	out->min = reg->off + off + reg->var.smin;
	out->max = reg->off + off + reg->var.smax + size;
	if (out->min < -XL_STACK_SIZE || out->max > 0 || (size && out->min >= 0)) {
		if (out->is_fixed)
			return xl_v_unproven(v, -EACCES, "invalid%s stack R%u off=%lld size=%lld\n",
					     what, r, (long long)out->min, (long long)size);
		return xl_v_unproven(v, -EACCES,
				     "invalid variable-offset%s stack R%u off=%lld size=%lld\n",
				     what, r, (long long)(reg->off + off), (long long)size);
	}
	function = &v->function[out->frame->function];
	if (function->stack_size < (uint64_t)-out->min)
		function->stack_size = (uint32_t)-out->min;
	while (out->frame->n_slots < (uint64_t)(-out->min + 7) / 8)
		memset(&out->frame->slot[out->frame->n_slots++], 0, sizeof(struct xl_vslot));
	return 0;
}

/* Byte fp + @at. */
static struct xl_vslot *slot_of(const struct span *span, int64_t at)
{
	return &span->frame->slot[(-at - 1) / 8];
}
static uint32_t byte_of(int64_t at)
{
	return (uint32_t)(at + XL_STACK_SIZE) % 8;
}

static void forget_spill(struct xl_vslot *slot)
{
	for (uint32_t i = 0; i < 8; i++)
		if (slot->byte[i] == XL_B_SPILL)
			slot->byte[i] = XL_B_MISC;
}

static void set_bytes(const struct span *span, int64_t from, int64_t to, enum xl_vbyte kind)
{
	for (int64_t at = from; at < to; at++) {
		forget_spill(slot_of(span, at));
		slot_of(span, at)->byte[byte_of(at)] = (uint8_t)kind;
	}
}

static uint32_t spill_size(const struct xl_vslot *slot)
{
	uint32_t n = 0;

	while (n < 8 && slot->byte[n] == XL_B_SPILL)
		n++;
	return n;
}

/* Whether @size bytes hold the number whole: it is then the same one, there and here. */
static bool fits(const struct xl_vreg *reg, uint32_t size)
{
	return size == 8 || reg->var.umax < UINT64_C(1) << 8 * size;
}

static bool all_zero(const struct span *span)
{
	for (int64_t at = span->min; at < span->max; at++) {
		const struct xl_vslot *slot = slot_of(span, at);
		const uint8_t kind = slot->byte[byte_of(at)];

		if (kind != XL_B_ZERO && !(kind == XL_B_SPILL && xl_vreg_is_null(&slot->spill)))
			return false;
	}
	return true;
}

static int check_aligned(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);
	const int64_t fixed = (int64_t)reg->off + off + (int64_t)reg->var.bits.value;

	if (!(fixed % size) && !(reg->var.bits.mask % size))
		return 0;
	return xl_v_refuse(v, -EACCES, "misaligned stack access off 0+%d+%d size %u\n", reg->off,
			   off, size);
}

/* -- strict mode: what was on the stack before, and addresses, are secret ---------------------- */

static bool is_pointer_spill(const struct xl_vslot *slot)
{
	return slot->byte[7] == XL_B_SPILL && slot->spill.kind != XL_V_SCALAR;
}

/* Whether byte @at was written, and with a number if @number. */
static bool is_written(const struct span *span, int64_t at, bool number)
{
	const struct xl_vslot *slot = slot_of(span, at);
	const uint8_t kind = slot->byte[byte_of(at)];

	return kind != XL_B_INVALID &&
	       !(number && kind == XL_B_SPILL && slot->spill.kind != XL_V_SCALAR);
}

/* @number: the bytes become a number, whoever reads them. */
static int check_read(struct xl_venv *v, uint32_t r, const struct span *span, int64_t size,
		      bool by_helper)
{
	const bool number = by_helper || !span->is_fixed;

	if (!v->opts->strict)
		return 0;
	for (int64_t at = span->min; at < span->max; at++) {
		const long long nth = (long long)(at - span->min);

		if (is_written(span, at, number))
			continue;
		if (!span->is_fixed)
			return xl_v_refuse(v, -EACCES,
					   "invalid read from stack R%u var_off %lld+%lld "
					   "size %lld\n",
					   r, (long long)span->min, nth, (long long)size);
		if (by_helper)
			return xl_v_refuse(v, -EACCES,
					   "invalid read from stack R%u off %lld+%lld size %lld\n",
					   r, (long long)span->min, nth, (long long)size);
		return xl_v_refuse(v, -EACCES, "invalid read from stack off %lld+%lld size %lld\n",
				   (long long)span->min, nth, (long long)size);
	}
	return 0;
}

/* A pointer goes as a whole; and what may or may not be written must have been, before. */
static int check_write(struct xl_venv *v, const struct span *span, bool whole_slot)
{
	if (!v->opts->strict)
		return 0;
	for (int64_t at = span->min; at < span->max; at++) {
		const uint8_t kind = slot_of(span, at)->byte[byte_of(at)];

		if (!span->is_fixed && kind != XL_B_MISC && kind != XL_B_ZERO)
			return xl_v_refuse(v, -EINVAL,
					   "spilled ptr in range of var-offset stack write; "
					   "insn %u, ptr off: %lld\n",
					   v->now->insn, (long long)at);
		if (span->is_fixed && !whole_slot && is_pointer_spill(slot_of(span, at)))
			return xl_v_refuse(v, -EACCES,
					   "attempt to corrupt spilled pointer on stack\n");
	}
	return 0;
}

int xl_v_stack_load(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size, bool sign,
		    struct xl_vreg *out)
{
	const struct xl_vslot *slot;
	const uint32_t n_slots = v->now->frame[xl_v_reg(v, r)->frame]->n_slots;
	struct span span;
	uint32_t spilled;
	int err = check_aligned(v, r, off, size);

	if (!err)
		err = find(v, r, off, size, " read from", &span);
	if (!err && v->opts->strict && span.is_fixed && span.min < -8 * (int64_t)n_slots)
		return xl_v_refuse(v, -EACCES, "invalid read from stack R%u off=%lld size=%u\n", r,
				   (long long)span.min, size);
	if (!err)
		err = check_read(v, r, &span, size, false);
	if (err)
		return err;
	xl_vreg_unknown(out);
	if (all_zero(&span)) {
		xl_vreg_const(out, 0);
	} else if (span.is_fixed) {
		slot = slot_of(&span, span.min);
		spilled = spill_size(slot);
		if (spilled && slot->spill.kind != XL_V_SCALAR && size != 8)
			return xl_v_refuse(v, -EACCES, "invalid size of register fill\n");
		if (spilled >= size && byte_of(span.min) == 0)
			*out = slot->spill;
	}
	if (out->kind != XL_V_SCALAR || size == 8)
		return 0;
	if (sign || !fits(out, size))
		out->id = 0;
	if (sign)
		xl_scalar_sign_extend(&out->var, size);
	else
		xl_scalar_truncate(&out->var, size);
	return 0;
}

int xl_v_stack_store(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size,
		     const struct xl_vreg *value)
{
	struct xl_vslot *slot;
	struct span span;
	int err = check_aligned(v, r, off, size);

	if (!err)
		err = find(v, r, off, size, " write to", &span);
	if (!err)
		err = check_write(v, &span, size == 8);
	if (err)
		return err;
	if (!span.is_fixed) {
		set_bytes(&span, span.min, span.max, XL_B_MISC);
		return 0;
	}
	if (value->kind != XL_V_SCALAR && size != 8)
		return xl_v_refuse(v, -EACCES, "invalid size of register spill\n");
	if (value->kind == XL_V_STACK && span.frame != xl_v_frame(v))
		return xl_v_refuse(v, -EINVAL,
				   "cannot spill pointers to stack into stack frame of the "
				   "caller\n");
	if (byte_of(span.min)) {
		set_bytes(&span, span.min, span.max,
			  xl_vreg_is_null(value) ? XL_B_ZERO : XL_B_MISC);
		return 0;
	}
	set_bytes(&span, span.min, span.max, XL_B_SPILL);
	/* set_bytes() took each for an end of what was spilled before. */
	slot = slot_of(&span, span.min);
	memset(slot->byte, XL_B_SPILL, size);
	slot->spill = *value;
	if (size < 8 && !fits(value, size))
		slot->spill.id = 0;
	if (size < 8)
		xl_scalar_truncate(&slot->spill.var, size);
	return 0;
}

int xl_v_stack_range(struct xl_venv *v, uint32_t r, int64_t size, bool write)
{
	struct span span;
	int err = find(v, r, 0, size, write ? " write to" : " read from", &span);

	if (!err)
		err = write ? check_write(v, &span, false) : check_read(v, r, &span, size, true);
	if (!err && write)
		set_bytes(&span, span.min, span.max, XL_B_MISC);
	return err;
}

static bool is_zero(const struct xl_vslot *slot, uint32_t from, uint32_t size)
{
	for (uint32_t i = from; i < from + size; i++)
		if (slot->byte[i] != XL_B_ZERO)
			return false;
	return size;
}

bool xl_v_stack_const(struct xl_venv *v, uint32_t r, uint32_t size, uint64_t *out)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);
	const struct span span = { .frame = v->now->frame[reg->frame] };
	const int64_t at = (int64_t)reg->off + (int64_t)reg->var.bits.value;
	const struct xl_vslot *slot;

	if (!xl_scalar_is_const(&reg->var) || at >= 0 || at < -XL_STACK_SIZE ||
	    (uint64_t)(-at - 1) / 8 >= span.frame->n_slots || byte_of(at) + size > 8)
		return false;
	slot = slot_of(&span, at);
	if (is_zero(slot, byte_of(at), size)) {
		*out = 0;
		return true;
	}
	if (byte_of(at) || spill_size(slot) != size || !xl_vreg_is_const(&slot->spill))
		return false;
	*out = slot->spill.var.bits.value;
	return true;
}
