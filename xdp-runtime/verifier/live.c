/* Which registers may still be read, and where paths meet: by the code alone.
 *
 * Backward data flow inside of each function, in rounds until nothing changes. A register that is
 * not live is forgotten before states are compared.
 * Source: compute_live_registers(), mark_prune_point() in kernel/bpf/verifier.c, v6.18.
 */
#include <stdlib.h>

#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/verifier/env.h"

#define BIT(r) ((uint16_t)(1u << (r)))
#define ARGS   0x3e /* r1..r5 */

struct use {
	uint16_t reads, writes;
};

static uint16_t args_of(const struct bpf_insn *insn)
{
	const struct xl_helper *helper = insn->src_reg ? NULL : xl_helper_of(insn->imm);
	uint16_t args = 0;

	for (uint32_t i = 0; i < 5; i++)
		if (!helper || helper->arg[i] != XL_ARG_NONE)
			args |= BIT(i + 1);
	return args;
}

static struct use jump_use(const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		return (struct use){ args_of(insn), ARGS | BIT(0) };
	case BPF_EXIT:
		return (struct use){ BIT(0), 0 };
	case BPF_JA:
		return (struct use){ 0, 0 };
	default:
		return (struct use){ BIT(insn->dst_reg) |
					     (BPF_SRC(insn->code) == BPF_X ? BIT(insn->src_reg)
									   : 0),
				     0 };
	}
}

static struct use alu_use(const struct bpf_insn *insn)
{
	const uint8_t op = BPF_OP(insn->code);
	struct use use = { 0, BIT(insn->dst_reg) };

	if (op != BPF_MOV)
		use.reads |= BIT(insn->dst_reg);
	if (op != BPF_END && BPF_SRC(insn->code) == BPF_X)
		use.reads |= BIT(insn->src_reg);
	return use;
}

static struct use use_of(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_use(insn);
	case BPF_JMP:
	case BPF_JMP32:
		return jump_use(insn);
	case BPF_LD:
		return (struct use){ 0, BIT(insn->dst_reg) };
	case BPF_LDX:
		return (struct use){ BIT(insn->src_reg), BIT(insn->dst_reg) };
	case BPF_ST:
		return (struct use){ BIT(insn->dst_reg), 0 };
	default: /* atomics: more may be read than is */
		return (struct use){ BIT(insn->dst_reg) | BIT(insn->src_reg) |
					     (BPF_MODE(insn->code) == BPF_ATOMIC ? BIT(0) : 0),
				     0 };
	}
}

static bool is_goto(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JA) || insn->code == (BPF_JMP32 | BPF_JA);
}

static bool is_jump(const struct bpf_insn *insn)
{
	const uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static uint32_t target_of(const struct bpf_insn *insn, uint32_t i)
{
	const int32_t off = insn->code == (BPF_JMP32 | BPF_JA) ? insn->imm : insn->off;

	return (uint32_t)((int64_t)i + 1 + off);
}

static bool step(struct xl_venv *v, uint32_t i)
{
	const struct bpf_insn *insn = &v->prog->insns[i];
	const uint32_t next = i + (xl_insn_is_ld_imm64(insn) ? 2 : 1);
	const struct use use = use_of(insn);
	uint16_t live = 0;

	if (insn->code != (BPF_JMP | BPF_EXIT) && !is_goto(insn))
		live |= v->insn[next].live;
	if (is_jump(insn))
		live |= v->insn[target_of(insn, i)].live;
	live = (live & (uint16_t)~use.writes) | use.reads;
	if (live == v->insn[i].live)
		return false;
	v->insn[i].live = live;
	return true;
}

static void mark_joins(struct xl_venv *v)
{
	for (uint32_t i = 0; i < v->prog->n_insns; i++) {
		const struct bpf_insn *insn = &v->prog->insns[i];

		if (is_jump(insn)) {
			v->insn[target_of(insn, i)].joins = true;
			v->insn[i].joins |= !is_goto(insn);
		}
		if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
			v->insn[i].joins = true;
		if (xl_insn_is_ld_imm64(insn))
			i++;
	}
}

int xl_v_live(struct xl_venv *v)
{
	bool changed = true;

	v->insn = calloc(v->prog->n_insns, sizeof(*v->insn));
	if (!v->insn)
		return -ENOMEM;
	while (changed) {
		changed = false;
		for (uint32_t i = v->prog->n_insns; i--;) {
			if (i && xl_insn_is_ld_imm64(&v->prog->insns[i - 1]))
				continue;
			changed |= step(v, i);
		}
	}
	mark_joins(v);
	return 0;
}
