/* What helpers are given: one function per kind of argument in their rows.
 *
 * Source: check_func_arg(), check_reg_type(), check_helper_mem_access(), check_mem_size_reg() in
 * kernel/bpf/verifier.c, v6.18.
 */
#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/verifier/env.h"

#define MEM_TYPES "fp, pkt, pkt_meta, map_key, map_value"

static int wrong_type(struct xl_venv *v, uint32_t r, const char *expected)
{
	return xl_v_refuse(v, -EACCES, "R%u type=%s expected=%s\n", r, xl_vreg_name(xl_v_reg(v, r)),
			   expected);
}

static bool is_mem(const struct xl_vreg *reg)
{
	return !reg->maybe_null &&
	       (reg->kind == XL_V_STACK || xl_vreg_is_pkt(reg) || reg->kind == XL_V_MAP_VALUE);
}

/* Up to @size bytes at R@r. */
static int memory(struct xl_venv *v, const struct xl_vcall *call, uint32_t r, int64_t size,
		  bool write)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (!is_mem(reg))
		return wrong_type(v, r, MEM_TYPES);
	if (xl_vreg_is_pkt(reg) && !call->helper->takes_packet)
		return xl_v_refuse(v, -EACCES, "helper access to the packet is not allowed\n");
	if (reg->kind == XL_V_STACK)
		return xl_v_stack_range(v, r, size, write);
	return xl_v_region(v, r, 0, size, write);
}

static bool writes(enum xl_arg kind)
{
	return kind == XL_ARG_UNINIT_MEM || kind == XL_ARG_MEM_RW || kind == XL_ARG_OPT_UNINIT_MEM;
}

/* A size, and the memory in the register before it. */
static int size_of_memory(struct xl_venv *v, const struct xl_vcall *call, uint32_t i, bool or_zero)
{
	const struct xl_vreg *size = xl_v_reg(v, i + 1), *mem = xl_v_reg(v, i);
	const uint32_t r = i + 1;
	int err = 0;

	if (size->kind != XL_V_SCALAR)
		return wrong_type(v, r, "scalar");
	if (size->var.smin < 0)
		return xl_v_unproven(v, -EACCES,
				     "R%u min value is negative, either use unsigned or 'var &= "
				     "const'\n",
				     r);
	if (!size->var.umin && !or_zero)
		return xl_v_unproven(v, -EACCES, "R%u invalid zero-sized read: u64=[%lld,%lld]\n",
				     r, (long long)size->var.umin, (long long)size->var.umax);
	if (size->var.umax >= XL_V_MAX_OFF)
		return xl_v_unproven(
			v, -EACCES,
			"R%u unbounded memory access, use 'var &= const' or 'if (var < "
			"const)'\n",
			r);
	if (xl_vreg_is_null(mem) && or_zero && !size->var.umax)
		return 0;
	if (!is_mem(mem))
		return wrong_type(v, i, "fp");
	if (call->helper->arg[i - 1] == XL_ARG_MEM_RW)
		err = memory(v, call, i, (int64_t)size->var.umax, false);
	return err ? err
		   : memory(v, call, i, (int64_t)size->var.umax, writes(call->helper->arg[i - 1]));
}

static int arg_ctx(struct xl_venv *v, uint32_t r)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->kind != XL_V_CTX)
		return wrong_type(v, r, "ctx");
	if (!xl_scalar_is_const(&reg->var))
		return xl_v_refuse(v, -EACCES, "variable ctx access R%u\n", r);
	if (reg->off + (int64_t)reg->var.bits.value)
		return xl_v_refuse(v, -EACCES,
				   "dereference of modified ctx ptr R%u off=%d disallowed\n", r,
				   reg->off);
	return 0;
}

static int arg_map(struct xl_venv *v, struct xl_vcall *call, uint32_t r)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->kind != XL_V_MAP_PTR || reg->maybe_null)
		return wrong_type(v, r, "map_ptr");
	call->map = reg->map;
	return xl_v_map_fits(v, call);
}

static int arg_key(struct xl_venv *v, struct xl_vcall *call, uint32_t r)
{
	int err = memory(v, call, r, call->map->key_size, false);

	if (!err && xl_v_reg(v, r)->kind == XL_V_STACK)
		call->const_key = xl_v_stack_const(v, r, call->map->key_size, &call->key);
	return err;
}

static int arg_fixed(struct xl_venv *v, const struct xl_vcall *call, uint32_t i, bool write)
{
	const struct xl_helper *h = call->helper;

	return memory(v, call, i + 1, i == 1 && h->fixed_size_2 ? h->fixed_size_2 : h->fixed_size,
		      write);
}

/* Memory with a size behind it is looked at together with that. */
static int arg_mem(struct xl_venv *v, const struct xl_vcall *call, uint32_t i, bool or_null)
{
	const struct xl_vreg *reg = xl_v_reg(v, i + 1);

	if (call->helper->arg[i] == XL_ARG_MEM_RW && call->helper->fixed_size)
		return arg_fixed(v, call, i, true);
	if (is_mem(reg) || (or_null && xl_vreg_is_null(reg)))
		return 0;
	return wrong_type(v, i + 1, MEM_TYPES);
}

int xl_v_arg(struct xl_venv *v, struct xl_vcall *call, uint32_t i)
{
	const uint32_t r = i + 1;
	const enum xl_arg kind = call->helper->arg[i];
	int err = kind == XL_ARG_NONE ? 0 : xl_v_readable(v, r);

	if (err)
		return err;
	switch (kind) {
	case XL_ARG_NONE:
		return 0;
	case XL_ARG_ANYTHING:
		if (xl_v_leaks(v, xl_v_reg(v, r)))
			return xl_v_refuse(v, -EACCES, "R%u leaks addr into helper function\n", r);
		return 0;
	case XL_ARG_CTX:
		return arg_ctx(v, r);
	case XL_ARG_CONST_MAP_PTR:
		return arg_map(v, call, r);
	case XL_ARG_MAP_KEY:
		return arg_key(v, call, r);
	case XL_ARG_MAP_VALUE:
		return memory(v, call, r, call->map->value_size, false);
	case XL_ARG_UNINIT_MAP_VALUE:
		return memory(v, call, r, call->map->value_size, true);
	case XL_ARG_MEM:
	case XL_ARG_UNINIT_MEM:
	case XL_ARG_MEM_RW:
		return arg_mem(v, call, i, false);
	case XL_ARG_MEM_OR_NULL:
		return arg_mem(v, call, i, true);
	case XL_ARG_FIXED_MEM:
	case XL_ARG_FIXED_UNINIT_MEM:
		return arg_fixed(v, call, i, kind == XL_ARG_FIXED_UNINIT_MEM);
	case XL_ARG_CONST_SIZE:
	case XL_ARG_CONST_SIZE_OR_ZERO:
		return size_of_memory(v, call, i, kind == XL_ARG_CONST_SIZE_OR_ZERO);
	default:
		return xl_v_unsupported(v, "argument %u of %s", r, call->helper->name);
	}
}
