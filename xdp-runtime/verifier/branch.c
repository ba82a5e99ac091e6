/* Conditional jumps: which ways are possible, and what each way tells.
 *
 * Source: check_cond_jmp_op(), try_match_pkt_pointers(), find_good_pkt_pointers(),
 * mark_ptr_or_null_regs() in kernel/bpf/verifier.c, v6.18.
 */
#include <stdlib.h>

#include "xdp-runtime/verifier/env.h"

#define MAX_PACKET_OFF 0xffff

/* -- numbers ---------------------------------------------------------------------------------- */

static void copy_same(struct xl_vreg *reg, void *arg)
{
	const struct xl_vreg *known = arg;

	if (reg->kind == XL_V_SCALAR && reg->id == known->id)
		reg->var = known->var;
}

static void spread(struct xl_vstate *s, const struct xl_vreg *reg)
{
	struct xl_vreg known = *reg;

	if (known.kind == XL_V_SCALAR && known.id)
		xl_vstate_each(s, copy_same, &known);
}

/* What this way tells of two numbers. False: it is never gone. */
static bool refine(struct xl_vstate *s, const struct bpf_insn *insn, bool taken)
{
	struct xl_vreg *regs = xl_vstate_top(s)->reg, constant, *src = &constant;
	const bool is64 = BPF_CLASS(insn->code) == BPF_JMP;

	xl_vreg_const(&constant, (uint64_t)(int64_t)insn->imm);
	if (BPF_SRC(insn->code) == BPF_X)
		src = &regs[insn->src_reg];
	if (src == &regs[insn->dst_reg])
		return true;
	if (!xl_scalar_refine(BPF_OP(insn->code), is64, taken, &regs[insn->dst_reg].var, &src->var))
		return false;
	spread(s, &regs[insn->dst_reg]);
	if (src != &constant)
		spread(s, src);
	return true;
}

/* -- NULL ------------------------------------------------------------------------------------- */

struct null_known {
	uint32_t id;
	bool is_null;
};

static void set_null(struct xl_vreg *reg, void *arg)
{
	const struct null_known *known = arg;

	if (!reg->maybe_null || reg->id != known->id)
		return;
	if (known->is_null) {
		xl_vreg_const(reg, 0);
		return;
	}
	reg->maybe_null = false;
	reg->id = 0;
}

static bool checks_null(const struct bpf_insn *insn, const struct xl_vreg *reg)
{
	return BPF_CLASS(insn->code) == BPF_JMP && BPF_SRC(insn->code) == BPF_K && !insn->imm &&
	       (BPF_OP(insn->code) == BPF_JEQ || BPF_OP(insn->code) == BPF_JNE) &&
	       reg->kind != XL_V_SCALAR;
}

static void learn_null(struct xl_vstate *s, const struct bpf_insn *insn, bool taken)
{
	struct null_known known = {
		.id = xl_vstate_top(s)->reg[insn->dst_reg].id,
		.is_null = (BPF_OP(insn->code) == BPF_JEQ) == taken,
	};

	if (xl_vstate_top(s)->reg[insn->dst_reg].maybe_null)
		xl_vstate_each(s, set_null, &known);
}

/* -- the packet's end ------------------------------------------------------------------------- */

struct reach {
	uint8_t kind;
	uint32_t id;
	uint16_t range;
};

static void set_range(struct xl_vreg *reg, void *arg)
{
	const struct reach *reach = arg;

	if (reg->kind == reach->kind && reg->id == reach->id && reg->range < reach->range)
		reg->range = reach->range;
}

/* @ptr is below the end (@strictly), or at it at most. */
static void learn_range(struct xl_vstate *s, const struct xl_vreg *ptr, bool strictly)
{
	struct reach reach = { .kind = ptr->kind, .id = ptr->id };

	/* Without an offset nothing in front of the pointer can be meant. */
	if (ptr->off < 0 || (ptr->off == 0 && strictly))
		return;
	if (ptr->var.umax > MAX_PACKET_OFF || ptr->var.umax + (uint64_t)ptr->off > MAX_PACKET_OFF)
		return;
	reach.range = (uint16_t)(ptr->off + strictly);
	xl_vstate_each(s, set_range, &reach);
}

/* Whether @end ends the bytes that @ptr points into: data_end, or data for metadata. */
static bool is_end_of(const struct xl_vreg *end, const struct xl_vreg *ptr)
{
	return (ptr->kind == XL_V_PKT && end->kind == XL_V_PKT_END) ||
	       (ptr->kind == XL_V_PKT_META && end->kind == XL_V_PKT && !end->off &&
		xl_scalar_is_const(&end->var) && !end->var.bits.value);
}

/* With the pointer on the left: jumps that are taken when it is below, and above. */
static const struct {
	bool known, below, strictly;
} meaning[16] = {
	[BPF_JGT >> 4] = { true, false, true },
	[BPF_JGE >> 4] = { true, false, false },
	[BPF_JLT >> 4] = { true, true, true },
	[BPF_JLE >> 4] = { true, true, false },
};

static void learn_packet(struct xl_vstate *s, const struct bpf_insn *insn, bool taken)
{
	const struct xl_vreg *regs = xl_vstate_top(s)->reg;
	const struct xl_vreg dst = regs[insn->dst_reg], src = regs[insn->src_reg];
	const uint8_t op = BPF_OP(insn->code) >> 4;
	bool below, strictly;

	if (BPF_SRC(insn->code) != BPF_X || BPF_CLASS(insn->code) != BPF_JMP || !meaning[op].known)
		return;
	/* Not "p < q" is "p >= q". */
	below = meaning[op].below == taken;
	strictly = meaning[op].strictly == taken;
	if (is_end_of(&src, &dst) && below)
		learn_range(s, &dst, strictly);
	else if (is_end_of(&dst, &src) && !below)
		learn_range(s, &src, strictly);
}

/* Strict mode: two addresses tell each other by their order, but for a packet and its end. */
static int check_compare(struct xl_venv *v, const struct bpf_insn *insn, const struct xl_vreg *dst,
			 const struct xl_vreg *src)
{
	const bool is64 = BPF_CLASS(insn->code) == BPF_JMP;
	const bool packets = (xl_vreg_is_pkt(dst) || dst->kind == XL_V_PKT_END) &&
			     (xl_vreg_is_pkt(src) || src->kind == XL_V_PKT_END);

	if (!packets && xl_v_leaks(v, src))
		return xl_v_refuse(v, -EACCES, "R%u pointer comparison prohibited\n",
				   insn->src_reg);
	if (!xl_v_leaks(v, dst) || (checks_null(insn, dst) && dst->maybe_null) ||
	    (is64 && meaning[BPF_OP(insn->code) >> 4].known &&
	     (is_end_of(src, dst) || is_end_of(dst, src))))
		return 0;
	return xl_v_refuse(v, -EACCES, "R%u pointer comparison prohibited\n", insn->dst_reg);
}

/* -- jumps ------------------------------------------------------------------------------------ */

/* 1: always taken, 0: never, -1: either. */
static int decided(const struct bpf_insn *insn, const struct xl_vreg *dst,
		   const struct xl_vreg *src)
{
	if (dst->kind == XL_V_SCALAR && src->kind == XL_V_SCALAR)
		return xl_scalar_decided(BPF_OP(insn->code), BPF_CLASS(insn->code) == BPF_JMP,
					 &dst->var, &src->var);
	/* Of pointers, only that those which are not NULL are not 0. */
	if (checks_null(insn, dst) && !dst->maybe_null &&
	    (dst->kind == XL_V_MAP_VALUE || dst->kind == XL_V_STACK || dst->kind == XL_V_MAP_PTR))
		return BPF_OP(insn->code) == BPF_JNE;
	return -1;
}

static bool learn(struct xl_vstate *s, const struct bpf_insn *insn, bool taken)
{
	const struct xl_vreg *regs = xl_vstate_top(s)->reg;
	const bool by_reg = BPF_SRC(insn->code) == BPF_X;

	if (regs[insn->dst_reg].kind == XL_V_SCALAR &&
	    (!by_reg || regs[insn->src_reg].kind == XL_V_SCALAR))
		return refine(s, insn, taken);
	if (checks_null(insn, &regs[insn->dst_reg]))
		learn_null(s, insn, taken);
	else
		learn_packet(s, insn, taken);
	return true;
}

int xl_v_branch(struct xl_venv *v, const struct bpf_insn *insn)
{
	const uint32_t next = v->now->insn + 1, target = next + (uint32_t)(int32_t)insn->off;
	struct xl_vreg constant, *src = &constant;
	struct xl_vstate *other;
	bool falls, jumps;
	int err = xl_v_readable(v, insn->dst_reg), way;

	xl_vreg_const(&constant, (uint64_t)(int64_t)insn->imm);
	if (!err && BPF_SRC(insn->code) == BPF_X) {
		err = xl_v_readable(v, insn->src_reg);
		src = xl_v_reg(v, insn->src_reg);
	}
	if (err)
		return err;
	way = decided(insn, xl_v_reg(v, insn->dst_reg), src);
	v->now->insn = way == 1 ? target : next;
	if (way >= 0) {
		xl_v_fact_way(v, next - 1, way);
		learn(v->now, insn, way);
		return 0;
	}
	err = check_compare(v, insn, xl_v_reg(v, insn->dst_reg), src);
	if (err)
		return err;
	other = xl_v_push(v, target, &err);
	if (err)
		return err;
	falls = learn(v->now, insn, false);
	jumps = learn(other, insn, true);
	if (falls)
		xl_v_fact_way(v, next - 1, false);
	if (jumps)
		xl_v_fact_way(v, next - 1, true);
	if (!jumps)
		xl_v_drop(v);
	else if (!falls)
		xl_v_take(v); /* only the jump is left */
	return falls || jumps ? 0 : -ECANCELED;
}
