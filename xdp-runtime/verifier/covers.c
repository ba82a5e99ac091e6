/* Whether a state covers another: then what was found safe from the first is so from the second.
 *
 * Every scalar is compared, also those that the kernel would take for imprecise: what is pruned is
 * really covered, at the price of more states.
 * Source: states_equal(), regsafe(), stacksafe(), check_ids() in kernel/bpf/verifier.c, v6.18.
 */
#include <string.h>

#include "xdp-runtime/verifier/state.h"

#define IDS_MAX 128 /* chosen: more in one pair of states is not worth a comparison */

/* Which id of one state stands for which of the other. */
struct ids {
	uint32_t n;
	struct {
		uint32_t old, now;
	} pair[IDS_MAX];
};

static bool same_id(struct ids *ids, uint32_t old, uint32_t now)
{
	if (!old || !now)
		return !old && !now;
	for (uint32_t i = 0; i < ids->n; i++) {
		if (ids->pair[i].old == old)
			return ids->pair[i].now == now;
		if (ids->pair[i].now == now)
			return false;
	}
	if (ids->n == IDS_MAX)
		return false;
	ids->pair[ids->n].old = old;
	ids->pair[ids->n++].now = now;
	return true;
}

static bool same_scalar(const struct xl_scalar *a, const struct xl_scalar *b)
{
	return xl_scalar_within(a, b) && xl_scalar_within(b, a);
}

static bool reg_covers(const struct xl_vreg *old, const struct xl_vreg *now, struct ids *ids,
		       bool exact)
{
	if (old->kind == XL_V_UNINIT && !exact)
		return true; /* never read from there */
	if (old->kind != now->kind)
		return false;
	if (old->kind == XL_V_UNINIT)
		return true;
	if (exact ? !same_scalar(&old->var, &now->var) : !xl_scalar_within(&now->var, &old->var))
		return false;
	if (old->kind == XL_V_SCALAR)
		return (!old->id && !exact) || same_id(ids, old->id, now->id);
	if (old->maybe_null != now->maybe_null || old->frame != now->frame ||
	    old->off != now->off || old->map != now->map)
		return false;
	if (exact ? old->range != now->range : old->range > now->range)
		return false;
	return same_id(ids, old->id, now->id);
}

static bool is_free(uint8_t byte)
{
	return byte == XL_B_INVALID || byte == XL_B_MISC;
}

/* Strict mode: whether what may be read of a free byte may be read now. */
static bool is_told(const struct xl_vslot *old, const struct xl_vslot *now, uint32_t i)
{
	if (old->byte[i] == XL_B_INVALID)
		return true; /* nothing may be */
	return now->byte[i] != XL_B_INVALID &&
	       (now->byte[i] != XL_B_SPILL || now->spill.kind == XL_V_SCALAR);
}

/* Bytes of unknown content cover everything, pointers too: to the program they are numbers. */
static bool slot_covers(const struct xl_vslot *old, const struct xl_vslot *now, struct ids *ids,
			bool exact, bool strict)
{
	bool spilled = false;

	for (uint32_t i = 0; i < 8; i++) {
		if (is_free(old->byte[i]) && !exact && (!strict || is_told(old, now, i)))
			continue;
		if (old->byte[i] != now->byte[i])
			return false;
		spilled = spilled || old->byte[i] == XL_B_SPILL;
	}
	if (!spilled)
		return true;
	/* Spills of the same size only. */
	for (uint32_t i = 0; i < 8; i++)
		if ((old->byte[i] == XL_B_SPILL) != (now->byte[i] == XL_B_SPILL))
			return false;
	return reg_covers(&old->spill, &now->spill, ids, exact);
}

static bool frame_covers(const struct xl_vframe *old, const struct xl_vframe *now, struct ids *ids,
			 bool exact, bool strict)
{
	static const struct xl_vslot empty;

	if (old->function != now->function || old->callsite != now->callsite)
		return false;
	for (uint32_t i = 0; i < XL_VREGS; i++)
		if (!reg_covers(&old->reg[i], &now->reg[i], ids, exact))
			return false;
	for (uint32_t i = 0; i < old->n_slots || (exact && i < now->n_slots); i++)
		if (!slot_covers(i < old->n_slots ? &old->slot[i] : &empty,
				 i < now->n_slots ? &now->slot[i] : &empty, ids, exact, strict))
			return false;
	return true;
}

bool xl_vstate_covers(const struct xl_vstate *old, const struct xl_vstate *now, bool exact,
		      bool strict)
{
	struct ids ids = { .n = 0 };

	if (old->n_frames != now->n_frames)
		return false;
	for (uint32_t i = 0; i < old->n_frames; i++)
		if (!frame_covers(old->frame[i], now->frame[i], &ids, exact, strict))
			return false;
	return true;
}
