/* Facts are collected while the paths are followed: a join over all states that an instruction was
 * met with; see facts.h.
 *
 * Why they are invariants. Take a run and the states that it passes. The first is among those that
 * the first instruction was followed with. Let one be within a state S that its instruction was
 * followed with. What follows from S holds all that the instruction can make of it (that is what
 * verification rests on), so the next state of the run is within a state T which the explorer
 * meets. T is either followed, and joined here first; or forgotten in part (dead registers,
 * numbers that do not matter), which makes it larger, and that larger one is joined and kept; or
 * pruned, because a kept state covers it in full: every scalar, every pointer, every slot
 * (covers.c). The kept one was joined when it was kept, and holds the run's state as well. So each
 * state of the run is within one that was joined at its instruction, by induction over its steps,
 * and pruning takes nothing away. The kernel cannot say that: its pruning leaves numbers out that
 * it thinks of no importance.
 *
 * Two things make it hold. A register that is uninitialised in a joined state covers anything, so
 * its fact is unknown. And states are joined after all forgetting and before they are followed.
 *
 * Facts cost nothing unless they are asked for, and then memory by the number of instructions.
 */
#include "xdp-runtime/verifier/facts.h"

#include <stdlib.h>

#include "xdp-runtime/insn.h"
#include "xdp-runtime/verifier/env.h"

/* Kinds without a row are not told. */
static const uint8_t kind_of[XL_V_KINDS] = {
	[XL_V_SCALAR] = XL_FACT_SCALAR,	    [XL_V_CTX] = XL_FACT_CTX,
	[XL_V_MAP_PTR] = XL_FACT_MAP,	    [XL_V_MAP_VALUE] = XL_FACT_MAP_VALUE,
	[XL_V_STACK] = XL_FACT_STACK,	    [XL_V_PKT] = XL_FACT_PKT,
	[XL_V_PKT_META] = XL_FACT_PKT_META, [XL_V_PKT_END] = XL_FACT_PKT_END,
};

const char *xl_fact_kind_name(enum xl_fact_kind kind)
{
	static const char *const names[XL_FACT_KINDS] = {
		[XL_FACT_UNKNOWN] = "unknown",
		[XL_FACT_SCALAR] = "scalar",
		[XL_FACT_CTX] = "ctx",
		[XL_FACT_MAP] = "map",
		[XL_FACT_MAP_VALUE] = "map_value",
		[XL_FACT_STACK] = "stack",
		[XL_FACT_PKT] = "pkt",
		[XL_FACT_PKT_META] = "pkt_meta",
		[XL_FACT_PKT_END] = "pkt_end",
	};

	return names[kind];
}

/* -- one register ----------------------------------------------------------------------------- */

static void nothing(struct xl_fact *fact)
{
	*fact = (struct xl_fact){ .kind = XL_FACT_UNKNOWN };
	xl_scalar_unknown(&fact->value);
}

static bool is_inner(const struct xl_venv *v, const struct xl_map *map)
{
	for (uint32_t i = 0; i < v->prog->n_maps; i++)
		if (v->prog->maps[i] == map)
			return false;
	return true;
}

/* What a state says of a register. */
static void of_reg(const struct xl_venv *v, const struct xl_vreg *reg, struct xl_fact *out)
{
	const uint32_t top = v->now->n_frames - 1;
	struct xl_scalar off;
	int64_t room;

	if (kind_of[reg->kind] == XL_FACT_UNKNOWN) {
		nothing(out);
		return;
	}
	*out = (struct xl_fact){ .kind = kind_of[reg->kind], .value = reg->var };
	if (reg->kind == XL_V_SCALAR)
		return;
	if (reg->off) {
		xl_scalar_const(&off, (uint64_t)(int64_t)reg->off);
		xl_scalar_alu(BPF_ADD, 0, true, &out->value, &off);
	}
	out->maybe_null = reg->maybe_null;
	if (reg->kind == XL_V_STACK)
		out->frame = (uint8_t)(top - reg->frame);
	if (xl_vreg_is_pkt(reg)) {
		/* Its range is counted from where the fixed offset is 0. */
		room = (int64_t)reg->range - reg->off;
		out->room = room < 0 ? 0 : room > UINT16_MAX ? UINT16_MAX : (uint16_t)room;
	}
	if (reg->kind == XL_V_MAP_PTR || reg->kind == XL_V_MAP_VALUE) {
		out->map = reg->map;
		out->is_inner = is_inner(v, reg->map);
	}
}

static bool is_zero(const struct xl_fact *fact)
{
	return fact->kind == XL_FACT_SCALAR && xl_scalar_is_const(&fact->value) &&
	       !fact->value.bits.value;
}

/* Kinds that NULL may stand for. */
static bool is_nullable(const struct xl_fact *fact)
{
	return fact->kind == XL_FACT_MAP || fact->kind == XL_FACT_MAP_VALUE;
}

static void join(struct xl_fact *to, const struct xl_fact *from)
{
	if (to->kind == XL_FACT_UNKNOWN)
		return;
	if (is_nullable(to) && is_zero(from)) {
		to->maybe_null = true;
		return;
	}
	if (is_zero(to) && is_nullable(from)) {
		*to = *from;
		to->maybe_null = true;
		return;
	}
	if (to->kind != from->kind) {
		nothing(to);
		return;
	}
	if (!xl_scalar_within(&from->value, &to->value))
		xl_scalar_join(&to->value, &from->value);
	to->maybe_null |= from->maybe_null;
	if (to->frame != from->frame)
		to->frame = XL_FACT_ANY_FRAME;
	if (to->room > from->room)
		to->room = from->room;
	if (to->map != from->map) {
		to->map = NULL;
		to->is_inner = false;
	}
}

/* -- while paths are followed ----------------------------------------------------------------- */

int xl_v_facts_begin(struct xl_venv *v)
{
	const struct xl_prog *prog = v->prog;
	struct xl_facts *facts =
		calloc(1, sizeof(*facts) + prog->n_insns * sizeof(struct xl_fact_insn));

	if (!facts)
		return -ENOMEM;
	facts->n_insns = prog->n_insns;
	facts->n_functions = prog->n_subprogs;
	facts->function = calloc(prog->n_subprogs, sizeof(*facts->function));
	if (!facts->function) {
		free(facts);
		return -ENOMEM;
	}
	v->facts = facts;
	return 0;
}

void xl_v_facts_visit(struct xl_venv *v)
{
	struct xl_fact_insn *at = &v->facts->insn[v->now->insn];
	const uint16_t live = v->insn[v->now->insn].live;
	struct xl_fact fact;

	for (uint32_t r = 0; r < XL_FACT_REGS; r++) {
		if (!(live >> r & 1))
			continue;
		of_reg(v, xl_v_reg(v, r), &fact);
		if (at->reached)
			join(&at->reg[r], &fact);
		else
			at->reg[r] = fact;
	}
	at->reached = true;
}

void xl_v_fact_way(struct xl_venv *v, uint32_t insn, bool jumps)
{
	if (v->facts)
		v->facts->insn[insn].ways |= jumps ? XL_FACT_JUMPS : XL_FACT_FALLS;
}

void xl_v_fact_key(struct xl_venv *v, bool known, uint64_t key)
{
	struct xl_vinsn *insn = &v->insn[v->now->insn];
	struct xl_fact_insn *at;

	if (!v->facts)
		return;
	at = &v->facts->insn[v->now->insn];
	at->has_key = known && (!insn->met_key || (at->has_key && at->key == key));
	at->key = at->has_key ? key : 0;
	insn->met_key = true;
}

/* -- at the end ------------------------------------------------------------------------------- */

static void finish_insn(const struct xl_venv *v, uint32_t i)
{
	const struct bpf_insn *insn = &v->prog->insns[i];
	struct xl_fact_insn *at = &v->facts->insn[i];

	at->field = -1;
	for (uint32_t r = 0; r < XL_FACT_REGS; r++)
		if (!at->reached || !(v->insn[i].live >> r & 1))
			nothing(&at->reg[r]);
	if (!at->reached || !v->insn[i].has_kind)
		return;
	at->base = kind_of[v->insn[i].kind];
	if (at->base == XL_FACT_CTX && BPF_CLASS(insn->code) == BPF_LDX)
		at->field = insn->off;
}

static void finish_functions(const struct xl_venv *v)
{
	const struct xl_prog *prog = v->prog;

	for (uint32_t f = 0; f < prog->n_subprogs; f++) {
		const uint32_t start = prog->subprog_start[f];
		const uint32_t end =
			f + 1 < prog->n_subprogs ? prog->subprog_start[f + 1] : prog->n_insns;

		v->facts->function[f] = (struct xl_fact_function){
			.start = start,
			.n_insns = end - start,
			.stack_size = v->function[f].stack_size,
			.is_global = v->function[f].is_global,
			.changes_packet = v->function[f].changes_packet,
			.tail_calls = v->function[f].tail_calls,
		};
	}
}

struct xl_facts *xl_v_facts_end(struct xl_venv *v)
{
	struct xl_facts *facts = v->facts;

	for (uint32_t i = 0; i < v->prog->n_insns; i++)
		finish_insn(v, i);
	finish_functions(v);
	v->facts = NULL;
	return facts;
}

void xl_facts_free(struct xl_facts *facts)
{
	if (facts)
		free(facts->function);
	free(facts);
}
