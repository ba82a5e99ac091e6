/* Registers, frames and states as values; see state.h. */
#include "xdp-runtime/verifier/state.h"

#include <stdlib.h>
#include <string.h>

struct xl_vframe *xl_vframe_new(uint32_t n_slots)
{
	return calloc(1, sizeof(struct xl_vframe) + n_slots * sizeof(struct xl_vslot));
}

static struct xl_vframe *frame_copy(const struct xl_vframe *from, bool whole)
{
	struct xl_vframe *to = xl_vframe_new(whole ? XL_VSLOTS : from->n_slots);

	if (to)
		memcpy(to, from, sizeof(*to) + from->n_slots * sizeof(struct xl_vslot));
	return to;
}

struct xl_vstate *xl_vstate_copy(const struct xl_vstate *from, bool whole)
{
	struct xl_vstate *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	to->insn = from->insn;
	to->parent = from->parent;
	for (; to->n_frames < from->n_frames; to->n_frames++) {
		to->frame[to->n_frames] = frame_copy(from->frame[to->n_frames], whole);
		if (!to->frame[to->n_frames]) {
			xl_vstate_free(to);
			return NULL;
		}
	}
	return to;
}

void xl_vstate_free(struct xl_vstate *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_frames; i++)
		free(s->frame[i]);
	free(s);
}

void xl_vstate_each(struct xl_vstate *s, xl_vreg_fn *fn, void *arg)
{
	for (uint32_t f = 0; f < s->n_frames; f++) {
		struct xl_vframe *frame = s->frame[f];

		for (uint32_t i = 0; i < XL_VREGS; i++)
			fn(&frame->reg[i], arg);
		for (uint32_t i = 0; i < frame->n_slots; i++)
			if (frame->slot[i].byte[0] == XL_B_SPILL)
				fn(&frame->slot[i].spill, arg);
	}
}

void xl_vreg_unknown(struct xl_vreg *reg)
{
	*reg = (struct xl_vreg){ .kind = XL_V_SCALAR };
	xl_scalar_unknown(&reg->var);
}

void xl_vreg_const(struct xl_vreg *reg, uint64_t value)
{
	*reg = (struct xl_vreg){ .kind = XL_V_SCALAR };
	xl_scalar_const(&reg->var, value);
}

void xl_vreg_pointer(struct xl_vreg *reg, enum xl_vkind kind)
{
	*reg = (struct xl_vreg){ .kind = (uint8_t)kind };
	xl_scalar_const(&reg->var, 0);
}

const char *xl_vreg_name(const struct xl_vreg *reg)
{
	static const char *const names[XL_V_KINDS] = {
		[XL_V_UNINIT] = "?",
		[XL_V_SCALAR] = "scalar",
		[XL_V_CTX] = "ctx",
		[XL_V_MAP_PTR] = "map_ptr",
		[XL_V_MAP_VALUE] = "map_value",
		[XL_V_STACK] = "fp",
		[XL_V_PKT] = "pkt",
		[XL_V_PKT_META] = "pkt_meta",
		[XL_V_PKT_END] = "pkt_end",
	};

	if (reg->maybe_null)
		return reg->kind == XL_V_MAP_PTR ? "map_ptr_or_null" : "map_value_or_null";
	return names[reg->kind];
}
