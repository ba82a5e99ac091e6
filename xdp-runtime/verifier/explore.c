/* Paths: one is followed to its end, then the one that was put aside last.
 *
 * Where paths meet, states are kept. A state that is covered by a kept one, all of whose paths have
 * ended well, needs not be followed; one that equals a kept state on its own path never ends.
 * A kept state counts the paths that lead from it and have not ended (n_paths), as its parent does
 * for it.
 *
 * Source: do_check(), is_state_visited(), push_stack(), update_branch_counts() in
 * kernel/bpf/verifier.c, v6.18.
 */
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/verifier/env.h"

#define PENDING_MAX 8192 /* BPF_COMPLEXITY_LIMIT_JMP_SEQ */

struct xl_vstate *xl_v_push(struct xl_venv *v, uint32_t insn, int *err)
{
	struct xl_vstate *s;

	*err = 0;
	if (v->n_pending >= PENDING_MAX) {
		*err = xl_v_unproven(v, -E2BIG, "The sequence of %u jumps is too complex.\n",
				     v->n_pending);
		return NULL;
	}
	s = xl_vstate_copy(v->now, true);
	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	s->insn = insn;
	s->next = v->pending;
	v->pending = s;
	v->n_pending++;
	if (s->parent)
		s->parent->n_paths++;
	return s;
}

/* One path through @parent has ended. */
static void path_ended(struct xl_vstate *parent)
{
	while (parent && !--parent->n_paths)
		parent = parent->parent;
}

static struct xl_vstate *pop(struct xl_venv *v)
{
	struct xl_vstate *s = v->pending;

	if (s) {
		v->pending = s->next;
		v->n_pending--;
		s->next = NULL;
	}
	return s;
}

void xl_v_drop(struct xl_venv *v)
{
	struct xl_vstate *s = pop(v);

	path_ended(s->parent);
	xl_vstate_free(s);
}

void xl_v_take(struct xl_venv *v)
{
	path_ended(v->now->parent);
	xl_vstate_free(v->now);
	v->now = pop(v);
}

/* -- states that are kept --------------------------------------------------------------------- */

/* Forgets what nobody reads any more. */
static void forget_dead(struct xl_venv *v)
{
	struct xl_vstate *s = v->now;

	for (uint32_t f = 0; f < s->n_frames; f++) {
		const bool top = f + 1 == s->n_frames;
		/* What the caller reads behind the call, but for its result. */
		const uint16_t live = top ? v->insn[s->insn].live
					  : v->insn[s->frame[f + 1]->callsite + 1].live & ~1u;

		for (uint32_t r = 0; r < BPF_REG_10; r++)
			if (!(live >> r & 1))
				s->frame[f]->reg[r] = (struct xl_vreg){ .kind = XL_V_UNINIT };
	}
}

struct id_count {
	uint32_t id, n;
};

static void count_id(struct xl_vreg *reg, void *arg)
{
	struct id_count *c = arg;

	c->n += reg->id == c->id && reg->kind == XL_V_SCALAR;
}

struct singles {
	struct xl_vstate *s;
};

/* An id that only one number has says nothing. */
static void forget_single_id(struct xl_vreg *reg, void *arg)
{
	const struct singles *singles = arg;
	struct id_count c = { .id = reg->id };

	if (reg->kind != XL_V_SCALAR || !reg->id)
		return;
	xl_vstate_each(singles->s, count_id, &c);
	if (c.n == 1)
		reg->id = 0;
}

static int keep(struct xl_venv *v)
{
	struct xl_vinsn *at = &v->insn[v->now->insn];
	struct xl_vstate *s = xl_vstate_copy(v->now, false);

	if (!s)
		return -ENOMEM;
	s->n_paths = 1;
	s->next = at->kept;
	at->kept = s;
	v->now->parent = s;
	v->jumps_kept = v->jumps;
	v->insns_kept = v->out->n_insns_processed;
	if (++v->out->n_states > v->out->n_states_peak)
		v->out->n_states_peak = v->out->n_states;
	return 0;
}

/* Whether enough has happened since the last one was kept. On a path that is still being followed
 * (a loop) more is asked for, so that long loops do not fill memory. */
static bool worth_keeping(const struct xl_venv *v, bool in_loop)
{
	const uint32_t jumps = v->jumps - v->jumps_kept;
	const uint64_t insns = v->out->n_insns_processed - v->insns_kept;

	return in_loop ? jumps >= 20 || insns >= 100 : jumps >= 2 && insns >= 8;
}

/* Lets a state go that never helps. */
static bool is_useless(const struct xl_vstate *s)
{
	return !s->n_paths && s->misses > s->hits * 3 + 3;
}

/* *out_end: a kept state covers the one now. */
static int compare_kept(struct xl_venv *v, bool *out_end, bool *out_in_loop)
{
	struct xl_vstate **link = &v->insn[v->now->insn].kept;

	while (*link) {
		struct xl_vstate *s = *link;

		if (s->n_paths) {
			*out_in_loop = true;
			if (xl_vstate_covers(s, v->now, true, v->opts->strict))
				return xl_v_unproven(v, -EINVAL,
						     "infinite loop detected at insn %u\n",
						     v->now->insn);
		} else if (xl_vstate_covers(s, v->now, false, v->opts->strict)) {
			s->hits++;
			*out_end = true;
			return 0;
		}
		s->misses++;
		if (is_useless(s)) {
			*link = s->next;
			v->out->n_states--;
			xl_vstate_free(s);
			continue;
		}
		link = &s->next;
	}
	return 0;
}

static int at_join(struct xl_venv *v, bool *out_end)
{
	struct singles singles = { v->now };
	bool in_loop = false;
	int err;

	forget_dead(v);
	xl_vstate_each(v->now, forget_single_id, &singles);
	err = compare_kept(v, out_end, &in_loop);
	if (err || *out_end || !worth_keeping(v, in_loop))
		return err;
	return keep(v);
}

/* -- instructions ----------------------------------------------------------------------------- */

static const struct xl_map *map_by_id(const struct xl_venv *v, uint32_t id)
{
	for (uint32_t i = 0; i < v->prog->n_maps; i++)
		if (v->prog->maps[i]->obj.id == id)
			return v->prog->maps[i];
	return NULL;
}

static int load_imm64(struct xl_venv *v, const struct bpf_insn *insn)
{
	const struct bpf_insn *loaded = &v->prog->insns_loaded[v->now->insn];
	struct xl_vreg *dst = xl_v_reg(v, insn->dst_reg);

	switch (insn->src_reg) {
	case 0:
		xl_vreg_const(dst, (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32);
		break;
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_VALUE:
		xl_vreg_pointer(dst,
				insn->src_reg == BPF_PSEUDO_MAP_FD ? XL_V_MAP_PTR : XL_V_MAP_VALUE);
		dst->map = map_by_id(v, (uint32_t)loaded[0].imm);
		if (insn->src_reg == BPF_PSEUDO_MAP_VALUE)
			dst->off = loaded[1].imm;
		if (!dst->map)
			return xl_v_unsupported(v, "a map that is not the program's");
		break;
	default:
		return xl_v_unsupported(v, "pointers to functions");
	}
	v->now->insn += 2;
	return 0;
}

static int jump(struct xl_venv *v, const struct bpf_insn *insn, bool *out_end)
{
	v->jumps++;
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		v->now->insn +=
			1 + (uint32_t)(BPF_CLASS(insn->code) == BPF_JMP ? insn->off : insn->imm);
		return 0;
	case BPF_CALL:
		return xl_v_call(v, insn);
	case BPF_EXIT:
		return xl_v_exit(v, out_end);
	default:
		return xl_v_branch(v, insn);
	}
}

static int follow(struct xl_venv *v, const struct bpf_insn *insn, bool *out_end)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return xl_v_alu(v, insn);
	case BPF_JMP:
	case BPF_JMP32:
		return jump(v, insn, out_end);
	case BPF_LDX:
		return xl_v_load(v, insn);
	case BPF_LD:
		return load_imm64(v, insn);
	case BPF_ST:
		return xl_v_store(v, insn);
	default:
		return BPF_MODE(insn->code) == BPF_ATOMIC ? xl_v_atomic(v, insn)
							  : xl_v_store(v, insn);
	}
}

/* With opts->go_on: the path behind an instruction that is not proven, as if a run-time check had
 * let it pass. What it made is unknown. */
static int step_over(struct xl_venv *v, const struct bpf_insn *insn)
{
	const uint8_t class = BPF_CLASS(insn->code);

	if (class == BPF_JMP || class == BPF_JMP32)
		return XL_V_GO_ON;
	v->now->insn = v->out->insn + 1;
	if (class != BPF_ST && class != BPF_STX)
		xl_vreg_unknown(xl_v_reg(v, insn->dst_reg));
	else if (BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm == BPF_LOAD_ACQ)
		xl_vreg_unknown(xl_v_reg(v, insn->dst_reg));
	else if (BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm & BPF_FETCH)
		xl_vreg_unknown(xl_v_reg(v, insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg));
	return 0;
}

static int one(struct xl_venv *v, bool *out_end)
{
	const uint64_t limit = v->opts->insn_limit;
	const struct bpf_insn *insn = &v->prog->insns[v->now->insn];
	char text[128];
	int err;

	if (++v->out->n_insns_processed > limit && limit)
		return xl_v_unproven(v, -E2BIG, "BPF program is too large. Processed %llu insn\n",
				     (unsigned long long)v->out->n_insns_processed);
	if (v->insn[v->now->insn].joins) {
		err = at_join(v, out_end);
		if (err || *out_end)
			return err;
	}
	if (v->opts->log && v->opts->log->level > 1) {
		xl_insn_text(insn, text, sizeof(text));
		xl_vlog(v->opts->log, "%u: (%02x) %s\n", v->now->insn, insn->code, text);
	}
	if (v->facts)
		xl_v_facts_visit(v);
	v->out->insn = v->now->insn;
	err = follow(v, insn, out_end);
	return err == XL_V_GO_ON ? step_over(v, insn) : err;
}

static int one_path(struct xl_venv *v)
{
	bool end = false;
	int err = 0;

	while (!err && !end)
		err = one(v, &end);
	path_ended(v->now->parent);
	return err == -ECANCELED || err == XL_V_GO_ON ? 0 : err;
}

int xl_v_explore(struct xl_venv *v)
{
	int err = 0;

	while (!err && v->now) {
		err = one_path(v);
		xl_vstate_free(v->now);
		v->now = err ? NULL : pop(v);
	}
	while (v->pending)
		xl_vstate_free(pop(v));
	return err;
}
