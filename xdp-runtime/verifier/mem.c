/* Loads and stores: what a register may be used for as an address.
 *
 * Source: check_mem_access(), check_packet_access(), check_map_access(), check_atomic() in
 * kernel/bpf/verifier.c; xdp_is_valid_access() in net/core/filter.c; v6.18.
 */
#include <stddef.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/verifier/env.h"

static uint32_t bytes_of(uint8_t code)
{
	static const uint8_t bytes[4] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8
	};

	return bytes[BPF_SIZE(code) >> 3];
}

/* -- regions ---------------------------------------------------------------------------------- */

static int outside(struct xl_venv *v, uint32_t r, int64_t off, int64_t size)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (xl_vreg_is_pkt(reg))
		return xl_v_unproven(v, -EACCES,
				     "invalid access to packet, off=%lld size=%lld, "
				     "R%u(id=%u,off=%lld,r=%u)\n",
				     (long long)off, (long long)size, r, reg->id, (long long)off,
				     reg->range);
	return xl_v_unproven(v, -EACCES,
			     "invalid access to map value, value_size=%u off=%lld size=%lld\n",
			     reg->map->value_size, (long long)off, (long long)size);
}

static int packet(struct xl_venv *v, uint32_t r, int64_t off, int64_t size)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->var.smin < 0)
		return xl_v_unproven(v, -EACCES,
				     "R%u min value is negative, either use unsigned index or do a "
				     "if (index >=0) check.\n",
				     r);
	if (off < 0 || off + size > reg->range) {
		outside(v, r, off, size);
		return xl_v_unproven(v, -EACCES, "R%u offset is outside of the packet\n", r);
	}
	return 0;
}

/* Parts of the value that only helpers may touch. */
static int check_fields(struct xl_venv *v, const struct xl_map *map, int64_t min, int64_t max)
{
	for (uint32_t i = 0; i < map->n_fields; i++) {
		const struct xl_map_field *f = &map->field[i];

		if (min >= (int64_t)f->off + f->size || max <= f->off)
			continue;
		if ((int32_t)f->off == map->lock_off)
			return xl_v_refuse(v, -EACCES,
					   "bpf_spin_lock cannot be accessed directly by "
					   "load/store\n");
		return xl_v_refuse(v, -EACCES,
				   "special fields cannot be accessed directly by load/store\n");
	}
	return 0;
}

static int map_value(struct xl_venv *v, uint32_t r, int64_t off, int64_t size, bool write)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);
	const struct xl_map *map = reg->map;
	const struct xl_scalar *var = &reg->var;
	const int64_t room = map->value_size;

	if (write ? map->rdonly_prog : map->wronly_prog)
		return xl_v_refuse(v, -EACCES,
				   "%s map forbidden, value_size=%u off=%lld size=%lld\n",
				   write ? "write into" : "read from", map->value_size,
				   (long long)(off + (xl_scalar_is_const(var) ? var->smin : 0)),
				   (long long)size);
	if (var->smin < 0 && (var->smin < -XL_V_MAX_OFF || off + var->smin < 0))
		return xl_v_unproven(v, -EACCES,
				     "R%u min value is negative, either use unsigned index or do a "
				     "if (index >=0) check.\n",
				     r);
	if (off + var->smin < 0 || off + var->smin + size > room) {
		outside(v, r, off + var->smin, size);
		return xl_v_unproven(v, -EACCES,
				     "R%u min value is outside of the allowed memory range\n", r);
	}
	if (var->umax >= XL_V_MAX_OFF && !(var->smax < XL_V_MAX_OFF && var->smin < 0))
		return xl_v_unproven(
			v, -EACCES,
			"R%u unbounded memory access, make sure to bounds check any such "
			"access\n",
			r);
	if (var->umax >= XL_V_MAX_OFF)
		return xl_v_unproven(
			v, -EACCES,
			"R%u unbounded memory access, make sure to bounds check any such "
			"access\n",
			r);
	if (off + (int64_t)var->umax + size > room) {
		outside(v, r, off + (int64_t)var->umax, size);
		return xl_v_unproven(v, -EACCES,
				     "R%u max value is outside of the allowed memory range\n", r);
	}
	return check_fields(v, map, off + var->smin, off + (int64_t)var->umax + size);
}

int xl_v_region(struct xl_venv *v, uint32_t r, int64_t off, int64_t size, bool write)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (xl_vreg_is_pkt(reg))
		return packet(v, r, reg->off + off, size);
	return map_value(v, r, reg->off + off, size, write);
}

/* -- the context ------------------------------------------------------------------------------ */

static const struct {
	bool known;
	enum xl_vkind kind;
} ctx_fields[] = {
	[offsetof(struct xdp_md, data)] = { true, XL_V_PKT },
	[offsetof(struct xdp_md, data_end)] = { true, XL_V_PKT_END },
	[offsetof(struct xdp_md, data_meta)] = { true, XL_V_PKT_META },
	[offsetof(struct xdp_md, ingress_ifindex)] = { true, XL_V_SCALAR },
	[offsetof(struct xdp_md, rx_queue_index)] = { true, XL_V_SCALAR },
	[offsetof(struct xdp_md, egress_ifindex)] = { true, XL_V_SCALAR },
};

static int ctx_load(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size, bool sign,
		    struct xl_vreg *out)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);
	const uint32_t n_fields = sizeof(ctx_fields) / sizeof(ctx_fields[0]);
	bool fine = off >= 0 && (uint32_t)off < n_fields && size == 4 && ctx_fields[off].known;

	if (!xl_scalar_is_const(&reg->var))
		return xl_v_refuse(v, -EACCES, "variable ctx access R%u\n", r);
	if (reg->off + (int64_t)reg->var.bits.value)
		return xl_v_refuse(v, -EACCES,
				   "dereference of modified ctx ptr R%u off=%d disallowed\n", r,
				   reg->off);
	if (fine && off == offsetof(struct xdp_md, egress_ifindex))
		fine = v->prog->expected_attach_type == BPF_XDP_DEVMAP;
	if (fine && sign && ctx_fields[off].kind != XL_V_SCALAR)
		fine = false;
	if (!fine)
		return xl_v_refuse(v, -EACCES, "invalid bpf_context access off=%d size=%u\n", off,
				   size);
	if (ctx_fields[off].kind != XL_V_SCALAR) {
		xl_vreg_pointer(out, ctx_fields[off].kind);
		return 0;
	}
	xl_vreg_unknown(out);
	if (sign)
		xl_scalar_sign_extend(&out->var, 4);
	else
		xl_scalar_truncate(&out->var, 4);
	return 0;
}

/* Where others see what is stored; NULL: nobody does. */
static const char *seen_by_others(uint8_t kind)
{
	static const char *const where[XL_V_KINDS] = {
		[XL_V_CTX] = "ctx",
		[XL_V_MAP_VALUE] = "map",
		[XL_V_PKT] = "packet",
		[XL_V_PKT_META] = "packet",
	};

	return where[kind];
}

static int check_leak(struct xl_venv *v, uint32_t r, const char *where)
{
	if (!where || !xl_v_leaks(v, xl_v_reg(v, r)))
		return 0;
	return xl_v_refuse(v, -EACCES, "R%u leaks addr into %s\n", r, where);
}

/* -- instructions ----------------------------------------------------------------------------- */

/* One instruction reaches the context always or never: its address is rewritten. */
static int check_kind(struct xl_venv *v, uint8_t kind)
{
	struct xl_vinsn *insn = &v->insn[v->now->insn];

	if (insn->has_kind && insn->kind != kind && (insn->kind == XL_V_CTX || kind == XL_V_CTX))
		return xl_v_refuse(v, -EINVAL,
				   "same insn cannot be used with different pointers\n");
	insn->has_kind = true;
	insn->kind = kind;
	return 0;
}

static int no_memory(struct xl_venv *v, uint32_t r)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->kind == XL_V_MAP_PTR && !reg->maybe_null)
		return xl_v_unsupported(v, "access to the fields of a map");
	/* Where the program is sure, run time can tell. */
	if (reg->maybe_null || reg->kind == XL_V_SCALAR)
		return xl_v_unproven(v, -EACCES, "R%u invalid mem access '%s'\n", r,
				     xl_vreg_name(reg));
	return xl_v_refuse(v, -EACCES, "R%u invalid mem access '%s'\n", r, xl_vreg_name(reg));
}

/* What lies in a value that nobody changes any more. */
static bool frozen_value(const struct xl_vreg *reg, int64_t off, uint32_t size, uint64_t *out)
{
	struct xl_region region[XL_MAP_REGIONS_MAX];
	const struct xl_map *map = reg->map;

	if (!map->frozen || !map->rdonly_prog || map->type != BPF_MAP_TYPE_ARRAY ||
	    map->max_entries != 1 || !xl_scalar_is_const(&reg->var) || !xl_map_regions(map, region))
		return false;
	*out = 0;
	memcpy(out, (const uint8_t *)region[0].base + reg->off + (int64_t)reg->var.bits.value + off,
	       size);
	return true;
}

static int region_load(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size, bool sign,
		       struct xl_vreg *out)
{
	int err = xl_v_region(v, r, off, size, false);
	uint64_t value;

	if (err)
		return err;
	xl_vreg_unknown(out);
	if (xl_v_reg(v, r)->kind == XL_V_MAP_VALUE &&
	    frozen_value(xl_v_reg(v, r), off, size, &value))
		xl_vreg_const(out, value);
	if (sign)
		xl_scalar_sign_extend(&out->var, size);
	else
		xl_scalar_truncate(&out->var, size);
	return 0;
}

static int read_at(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size, bool sign,
		   struct xl_vreg *out)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->maybe_null)
		return no_memory(v, r);
	switch (reg->kind) {
	case XL_V_CTX:
		return ctx_load(v, r, off, size, sign, out);
	case XL_V_STACK:
		return xl_v_stack_load(v, r, off, size, sign, out);
	case XL_V_PKT:
	case XL_V_PKT_META:
	case XL_V_MAP_VALUE:
		return region_load(v, r, off, size, sign, out);
	default:
		return no_memory(v, r);
	}
}

static int write_at(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size,
		    const struct xl_vreg *value)
{
	const struct xl_vreg *reg = xl_v_reg(v, r);

	if (reg->maybe_null)
		return no_memory(v, r);
	switch (reg->kind) {
	case XL_V_CTX:
		return xl_v_refuse(v, -EACCES, "invalid bpf_context access off=%d size=%u\n", off,
				   size);
	case XL_V_STACK:
		return xl_v_stack_store(v, r, off, size, value);
	case XL_V_PKT:
	case XL_V_PKT_META:
	case XL_V_MAP_VALUE:
		return xl_v_region(v, r, off, size, true);
	default:
		return no_memory(v, r);
	}
}

int xl_v_load(struct xl_venv *v, const struct bpf_insn *insn)
{
	struct xl_vreg value;
	int err = xl_v_readable(v, insn->src_reg);

	if (!err)
		err = check_kind(v, xl_v_reg(v, insn->src_reg)->kind);
	if (!err)
		err = read_at(v, insn->src_reg, insn->off, bytes_of(insn->code),
			      BPF_MODE(insn->code) == BPF_MEMSX, &value);
	if (err)
		return err;
	*xl_v_reg(v, insn->dst_reg) = value;
	v->now->insn++;
	return 0;
}

int xl_v_store(struct xl_venv *v, const struct bpf_insn *insn)
{
	struct xl_vreg value;
	int err = xl_v_readable(v, insn->dst_reg);

	xl_vreg_const(&value, (uint64_t)(int64_t)insn->imm);
	if (!err && BPF_CLASS(insn->code) == BPF_STX) {
		struct xl_vreg *src = xl_v_reg(v, insn->src_reg);

		err = xl_v_readable(v, insn->src_reg);
		if (!err && src->kind == XL_V_SCALAR && !src->id && !xl_scalar_is_const(&src->var))
			src->id = ++v->last_id;
		value = *src;
	}
	if (!err)
		err = check_kind(v, xl_v_reg(v, insn->dst_reg)->kind);
	if (!err && BPF_CLASS(insn->code) == BPF_STX)
		err = check_leak(v, insn->src_reg,
				 seen_by_others(xl_v_reg(v, insn->dst_reg)->kind));
	if (!err)
		err = write_at(v, insn->dst_reg, insn->off, bytes_of(insn->code), &value);
	v->now->insn++;
	return err;
}

int xl_v_atomic(struct xl_venv *v, const struct bpf_insn *insn)
{
	const uint32_t size = bytes_of(insn->code);
	const bool load = insn->imm == BPF_LOAD_ACQ, store = insn->imm == BPF_STORE_REL;
	const uint32_t base = load ? insn->src_reg : insn->dst_reg;
	const struct xl_vreg *reg = xl_v_reg(v, base);
	struct xl_vreg old, unknown;
	int err = xl_v_readable(v, insn->src_reg);

	if (!err && !load)
		err = xl_v_readable(v, insn->dst_reg);
	if (!err && insn->imm == BPF_CMPXCHG) {
		err = xl_v_readable(v, BPF_REG_0);
		if (!err)
			err = check_leak(v, BPF_REG_0, "mem");
	}
	if (!err && !load && !store)
		err = check_leak(v, insn->src_reg, "mem");
	if (err)
		return err;
	if (reg->kind == XL_V_CTX || xl_vreg_is_pkt(reg))
		return xl_v_refuse(v, -EACCES, "BPF_ATOMIC %s R%u %s is not allowed\n",
				   load ? "loads from" : "stores into", base, xl_vreg_name(reg));
	err = check_kind(v, reg->kind);
	if (!err && !store)
		err = read_at(v, base, insn->off, size, false, &old);
	if (!err && !store && !load && xl_v_leaks(v, &old))
		return xl_v_refuse(v, -EACCES, "leaking pointer from stack off %d\n",
				   reg->off + insn->off);
	if (!err && store)
		err = check_leak(v, insn->src_reg, seen_by_others(reg->kind));
	xl_vreg_unknown(&unknown);
	if (!err && !load)
		err = write_at(v, base, insn->off, size,
			       store ? xl_v_reg(v, insn->src_reg) : &unknown);
	if (err)
		return err;
	xl_scalar_truncate(&unknown.var, size);
	if (load)
		*xl_v_reg(v, insn->dst_reg) = old;
	else if (!store && insn->imm & BPF_FETCH)
		*xl_v_reg(v, insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg) = unknown;
	v->now->insn++;
	return 0;
}
