/* Calls: helpers, functions of the program, and the way back.
 *
 * A static function is followed where it is called; a global one is verified on its own, and a call
 * only sees that it gives a number.
 * Source: check_helper_call(), check_func_call(), prepare_func_exit() in kernel/bpf/verifier.c,
 * v6.18.
 */
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/verifier/env.h"

/* A number from now on, or nothing at all where addresses are secret. */
static void forget_packet(struct xl_vreg *reg, void *arg)
{
	const struct xl_venv *v = arg;

	if (!xl_vreg_is_pkt(reg) && reg->kind != XL_V_PKT_END)
		return;
	if (v->opts->strict)
		*reg = (struct xl_vreg){ .kind = XL_V_UNINIT };
	else
		xl_vreg_unknown(reg);
}

static void packet_changes(struct xl_venv *v, struct xl_vstate *s)
{
	xl_vstate_each(s, forget_packet, v);
}

static void forget_args(struct xl_venv *v)
{
	for (uint32_t r = 0; r <= BPF_REG_5; r++)
		*xl_v_reg(v, r) = (struct xl_vreg){ .kind = XL_V_UNINIT };
}

/* -- helpers ---------------------------------------------------------------------------------- */

/* Not of inner maps that may be smaller than their template. */
static bool always_found(const struct xl_vcall *call)
{
	return call->id == BPF_FUNC_map_lookup_elem && call->const_key &&
	       !(call->map->flags & BPF_F_INNER_MAP) &&
	       (call->map->type == BPF_MAP_TYPE_ARRAY ||
		call->map->type == BPF_MAP_TYPE_PERCPU_ARRAY) &&
	       call->key < call->map->max_entries;
}

static int result(struct xl_venv *v, const struct xl_vcall *call)
{
	struct xl_vreg *r0 = xl_v_reg(v, BPF_REG_0);

	switch (call->helper->ret) {
	case XL_RET_VOID:
		return 0;
	case XL_RET_INTEGER:
		xl_vreg_unknown(r0);
		return 0;
	case XL_RET_MAP_VALUE_OR_NULL:
		xl_vreg_pointer(r0, call->map->inner_meta ? XL_V_MAP_PTR : XL_V_MAP_VALUE);
		r0->map = call->map->inner_meta ? call->map->inner_meta : call->map;
		r0->maybe_null = !always_found(call);
		r0->id = r0->maybe_null ? ++v->last_id : 0;
		return 0;
	default:
		return xl_v_unsupported(v, "what %s gives", call->helper->name);
	}
}

/* The function's caller is where it goes on, with @r0. */
static void leave_function(struct xl_vstate *s, const struct xl_vreg *r0)
{
	struct xl_vframe *frame = xl_vstate_top(s);

	s->insn = frame->callsite + 1;
	s->n_frames--;
	free(frame);
	xl_vstate_top(s)->reg[BPF_REG_0] = *r0;
}

/* A tail call that succeeds ends the function, and who knows what was done to the packet; one that
 * does not has done nothing. */
static int tail_call(struct xl_venv *v)
{
	struct xl_vstate *called;
	struct xl_vreg r0;
	int err;

	if (v->now->n_frames == 1)
		return 0;
	called = xl_v_push(v, v->now->insn, &err);
	if (!called)
		return err;
	xl_vreg_unknown(&r0);
	leave_function(called, &r0);
	packet_changes(v, called);
	return 0;
}

/* Helpers that tell addresses, whatever they are given. Source: bpf_base_func_proto(), those that
 * ask for CAP_PERFMON. */
static bool tells_addresses(int32_t id)
{
	static const int32_t ids[] = {
		BPF_FUNC_trace_printk,
		BPF_FUNC_trace_vprintk,
		BPF_FUNC_get_current_task,
		BPF_FUNC_get_current_task_btf,
		BPF_FUNC_probe_read_user,
		BPF_FUNC_probe_read_kernel,
		BPF_FUNC_probe_read_user_str,
		BPF_FUNC_probe_read_kernel_str,
		BPF_FUNC_snprintf,
		BPF_FUNC_snprintf_btf,
		BPF_FUNC_task_pt_regs,
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i] == id)
			return true;
	return false;
}

static int helper_call(struct xl_venv *v, const struct bpf_insn *insn)
{
	struct xl_vcall call = { .helper = xl_helper_of(insn->imm), .id = insn->imm };
	int err = 0;

	if (!call.helper || insn->imm >= XL_KFUNC_FIRST)
		return xl_v_unsupported(v, "kernel function %s",
					call.helper ? call.helper->name : "that is not there");
	if (v->opts->strict && tells_addresses(call.id))
		return xl_v_refuse(v, -EINVAL, "program of this type cannot use helper %s#%d\n",
				   call.helper->name, call.id);
	if (call.helper->calls_back)
		return xl_v_unsupported(v, "%s", call.helper->name);
	for (uint32_t i = 0; !err && i < 5; i++)
		err = xl_v_or_go_on(xl_v_arg(v, &call, i));
	if (err)
		return err;
	xl_v_fact_key(v, call.const_key, call.key);
	forget_args(v);
	if (call.id == BPF_FUNC_tail_call)
		err = tail_call(v);
	else if (call.helper->changes_packet)
		packet_changes(v, v->now);
	v->now->insn++;
	return err ? err : result(v, &call);
}

/* -- functions -------------------------------------------------------------------------------- */

static int global_call(struct xl_venv *v, uint32_t function)
{
	struct xl_vreg want[XL_VREGS];
	int n = xl_v_global_args(v, function, want);

	if (n < 0)
		return n;
	for (uint32_t r = 1; r <= (uint32_t)n; r++) {
		const struct xl_vreg *reg = xl_v_reg(v, r);
		int err = xl_v_readable(v, r);

		if (err)
			return err;
		if (want[r].kind == XL_V_SCALAR && reg->kind != XL_V_SCALAR)
			return xl_v_refuse(v, -EINVAL, "R%u is not a scalar\n", r);
		if (want[r].kind == XL_V_CTX &&
		    (reg->kind != XL_V_CTX || reg->off || !xl_scalar_is_const(&reg->var) ||
		     reg->var.bits.value))
			return xl_v_refuse(v, -EINVAL, "R%u expected pointer to ctx, but got %s\n",
					   r, xl_vreg_name(reg));
	}
	v->function[function].is_called = true;
	forget_args(v);
	if (v->function[function].changes_packet)
		packet_changes(v, v->now);
	xl_vreg_unknown(xl_v_reg(v, BPF_REG_0));
	v->now->insn++;
	return 0;
}

static int function_call(struct xl_venv *v, const struct bpf_insn *insn)
{
	const uint32_t start = v->now->insn + 1 + (uint32_t)insn->imm;
	const uint32_t function = xl_v_function_at(v, start);
	struct xl_vframe *caller = xl_v_frame(v), *frame;

	if (v->function[function].is_global)
		return global_call(v, function);
	if (v->now->n_frames == XL_CALL_DEPTH_MAX)
		return xl_v_refuse(v, -E2BIG, "the call stack of %u frames is too deep\n",
				   v->now->n_frames);
	frame = xl_vframe_new(XL_VSLOTS);
	if (!frame)
		return -ENOMEM;
	for (uint32_t r = BPF_REG_1; r <= BPF_REG_5; r++)
		frame->reg[r] = caller->reg[r];
	forget_args(v);
	frame->function = function;
	frame->callsite = v->now->insn;
	xl_vreg_pointer(&frame->reg[BPF_REG_10], XL_V_STACK);
	frame->reg[BPF_REG_10].frame = (uint8_t)v->now->n_frames;
	v->now->frame[v->now->n_frames++] = frame;
	v->now->insn = start;
	return 0;
}

int xl_v_call(struct xl_venv *v, const struct bpf_insn *insn)
{
	return insn->src_reg == BPF_PSEUDO_CALL ? function_call(v, insn) : helper_call(v, insn);
}

int xl_v_exit(struct xl_venv *v, bool *out_end)
{
	struct xl_vframe *frame = xl_v_frame(v);
	const struct xl_vreg r0 = frame->reg[BPF_REG_0];

	if (v->now->n_frames == 1) {
		int err = xl_v_readable(v, BPF_REG_0);

		if (err)
			return err;
		if (v->function[frame->function].is_global && frame->function &&
		    r0.kind != XL_V_SCALAR)
			return xl_v_refuse(v, -EINVAL,
					   "At subprogram exit the register R0 is not a scalar "
					   "value (%s)\n",
					   xl_vreg_name(&r0));
		if (xl_v_leaks(v, &r0))
			return xl_v_refuse(v, -EACCES, "R0 leaks addr as return value\n");
		*out_end = true;
		return 0;
	}
	if (r0.kind == XL_V_STACK)
		return xl_v_refuse(v, -EINVAL, "cannot return stack pointer to the caller\n");
	leave_function(v->now, &r0);
	return 0;
}
