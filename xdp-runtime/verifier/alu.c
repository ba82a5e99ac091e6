/* Arithmetic on registers: numbers by the scalar domain, pointers by base and offset.
 *
 * Source: check_alu_op(), adjust_ptr_min_max_vals(), check_reg_sane_offset() in
 * kernel/bpf/verifier.c, v6.18.
 */
#include <stdlib.h>

#include "xdp-runtime/verifier/env.h"

static const char *op_text(uint8_t op)
{
	static const char *const text[16] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=",
	};

	return text[op >> 4];
}

/* The offset parts stay small, so that sums of them do not overflow. */
static int check_offset(struct xl_venv *v, const struct xl_vreg *reg, const struct xl_scalar *off)
{
	const char *name = xl_vreg_name(reg);
	const bool known = xl_scalar_is_const(off);

	if (known && (off->smin >= XL_V_MAX_OFF || off->smin <= -XL_V_MAX_OFF))
		return xl_v_unproven(v, -EINVAL,
				     "math between %s pointer and %lld is not allowed\n", name,
				     (long long)off->smin);
	if (reg->off >= XL_V_MAX_OFF || reg->off <= -XL_V_MAX_OFF)
		return xl_v_unproven(v, -EINVAL, "%s pointer offset %d is not allowed\n", name,
				     reg->off);
	if (off->smin == INT64_MIN)
		return xl_v_unproven(
			v, -EINVAL,
			"math between %s pointer and register with unbounded min value "
			"is not allowed\n",
			name);
	if (off->smin >= XL_V_MAX_OFF || off->smin <= -XL_V_MAX_OFF)
		return xl_v_unproven(v, -EINVAL, "value %lld makes %s pointer be out of bounds\n",
				     (long long)off->smin, name);
	return 0;
}

static int check_pointer_op(struct xl_venv *v, uint8_t op, uint32_t dst, const struct xl_vreg *ptr,
			    bool ptr_is_src)
{
	if (ptr->maybe_null)
		return xl_v_unproven(
			v, -EACCES,
			"R%u pointer arithmetic on %s prohibited, null-check it first\n", dst,
			xl_vreg_name(ptr));
	if (ptr->kind == XL_V_MAP_PTR || ptr->kind == XL_V_PKT_END)
		return xl_v_refuse(v, -EACCES, "R%u pointer arithmetic on %s prohibited\n", dst,
				   xl_vreg_name(ptr));
	switch (op) {
	case BPF_ADD:
		return 0;
	case BPF_SUB:
		if (ptr_is_src)
			return xl_v_refuse(v, -EACCES,
					   "R%u tried to subtract pointer from scalar\n", dst);
		if (ptr->kind == XL_V_STACK)
			return xl_v_refuse(v, -EACCES,
					   "R%u subtraction from stack pointer prohibited\n", dst);
		return 0;
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		return xl_v_refuse(v, -EACCES, "R%u bitwise operator %s on pointer prohibited\n",
				   dst, op_text(op));
	default:
		return xl_v_refuse(v, -EACCES,
				   "R%u pointer arithmetic with %s operator prohibited\n", dst,
				   op_text(op));
	}
}

/* R@dst becomes @ptr op @off. */
static int pointer_op(struct xl_venv *v, uint8_t op, uint32_t dst, struct xl_vreg ptr,
		      const struct xl_scalar *off, bool ptr_is_src)
{
	int err = check_pointer_op(v, op, dst, &ptr, ptr_is_src);

	if (!err)
		err = check_offset(v, &ptr, off);
	if (err)
		return err;
	if (xl_scalar_is_const(off)) {
		ptr.off += (int32_t)(op == BPF_ADD ? off->smin : -off->smin);
	} else {
		xl_scalar_alu(op, 0, true, &ptr.var, off);
		if (xl_vreg_is_pkt(&ptr)) {
			ptr.id = ++v->last_id;
			ptr.range = 0;
		}
	}
	err = check_offset(v, &ptr, &ptr.var);
	*xl_v_reg(v, dst) = ptr;
	return err;
}

/* Op on two values, at least one of them a pointer. */
static int on_pointers(struct xl_venv *v, uint8_t op, bool is64, uint32_t dst,
		       const struct xl_vreg *src)
{
	struct xl_vreg *reg = xl_v_reg(v, dst);
	const struct xl_vreg left = *reg;

	if (left.kind != XL_V_SCALAR && src->kind != XL_V_SCALAR) {
		if (op != BPF_SUB || v->opts->strict)
			return xl_v_refuse(v, -EACCES, "R%u pointer %s pointer prohibited\n", dst,
					   op_text(op));
		xl_vreg_unknown(reg);
		if (!is64)
			xl_scalar_truncate(&reg->var, 4);
		return 0;
	}
	if (!is64) {
		if (op != BPF_SUB || v->opts->strict)
			return xl_v_refuse(v, -EACCES, "R%u 32-bit pointer arithmetic prohibited\n",
					   dst);
		xl_vreg_unknown(reg);
		return 0;
	}
	if (left.kind == XL_V_SCALAR)
		return pointer_op(v, op, dst, *src, &left.var, true);
	return pointer_op(v, op, dst, left, &src->var, false);
}

static int move(struct xl_venv *v, const struct bpf_insn *insn, bool is64, struct xl_vreg *src)
{
	struct xl_vreg *dst = xl_v_reg(v, insn->dst_reg);

	if (src->kind != XL_V_SCALAR && is64 && insn->off)
		return xl_v_refuse(v, -EACCES, "R%u sign-extension part of pointer\n",
				   insn->src_reg);
	if (src->kind != XL_V_SCALAR) {
		if (!is64 && v->opts->strict)
			return xl_v_refuse(v, -EACCES, "R%u partial copy of pointer\n",
					   insn->src_reg);
		*dst = *src;
		if (!is64) {
			xl_vreg_unknown(dst);
			xl_scalar_truncate(&dst->var, 4);
		}
		return 0;
	}
	/* The two stay the same number as long as nobody writes one of them. */
	if (BPF_SRC(insn->code) == BPF_X && is64 && !insn->off && !xl_scalar_is_const(&src->var)) {
		if (!src->id)
			src->id = ++v->last_id;
		*dst = *src;
		return 0;
	}
	*dst = (struct xl_vreg){ .kind = XL_V_SCALAR, .var = src->var };
	xl_scalar_alu(BPF_MOV, insn->off, is64, &dst->var, &src->var);
	return 0;
}

static int one_operand(struct xl_venv *v, const struct bpf_insn *insn, bool is64)
{
	struct xl_vreg *dst = xl_v_reg(v, insn->dst_reg);
	int err = xl_v_readable(v, insn->dst_reg);

	if (err)
		return err;
	if (xl_v_leaks(v, dst))
		return xl_v_refuse(v, -EACCES, "R%u pointer arithmetic prohibited\n",
				   insn->dst_reg);
	if (dst->kind != XL_V_SCALAR)
		xl_vreg_unknown(dst);
	dst->id = 0;
	if (BPF_OP(insn->code) == BPF_END)
		xl_scalar_swap(insn->code, (unsigned)insn->imm, &dst->var);
	else
		xl_scalar_alu(BPF_NEG, 0, is64, &dst->var, NULL);
	return 0;
}

int xl_v_alu(struct xl_venv *v, const struct bpf_insn *insn)
{
	const bool is64 = BPF_CLASS(insn->code) == BPF_ALU64;
	const uint8_t op = BPF_OP(insn->code);
	struct xl_vreg constant, *src = &constant, *dst = xl_v_reg(v, insn->dst_reg);
	int err = 0;

	v->now->insn++;
	if (op == BPF_END || op == BPF_NEG)
		return one_operand(v, insn, is64);
	xl_vreg_const(&constant, (uint64_t)(int64_t)insn->imm);
	if (BPF_SRC(insn->code) == BPF_X) {
		err = xl_v_readable(v, insn->src_reg);
		src = xl_v_reg(v, insn->src_reg);
	}
	if (err)
		return err;
	if (op == BPF_MOV)
		return move(v, insn, is64, src);
	err = xl_v_readable(v, insn->dst_reg);
	if (err)
		return err;
	if (dst->kind != XL_V_SCALAR || src->kind != XL_V_SCALAR) {
		constant = *src; /* dst and src may be the same */
		return on_pointers(v, op, is64, insn->dst_reg, &constant);
	}
	constant = *src;
	dst->id = 0;
	xl_scalar_alu(op, insn->off, is64, &dst->var, &constant.var);
	return 0;
}
