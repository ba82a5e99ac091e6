/* hot */
/* Facts against what is really there; see fact_check.h.
 *
 * A pointer is right if it lies at an allowed distance from its base, wherever it points.
 */
#include "xdp-runtime/interp/fact_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/interp/interp.h"
#include "xdp-runtime/region.h"
#include "xdp-runtime/verifier/facts.h"

#define SLOTS_MAX 64 /* chosen: a pointer may be meant for so many values of a map at most */

static bool is_off(const struct xl_fact *fact, uint64_t value, uint64_t base)
{
	return xl_scalar_contains(&fact->value, value - base);
}

static bool is_anything(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return true;
}

static bool is_scalar(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return xl_scalar_contains(&fact->value, value);
}

static bool is_ctx(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return is_off(fact, value, (uintptr_t)&it->ctx);
}

/* The map itself, or one that looks like it. */
static bool fits(const struct xl_fact *fact, const struct xl_map *map)
{
	if (!fact->map)
		return true;
	return fact->is_inner ? xl_map_meta_equal(fact->map, map) : map == fact->map;
}

static bool is_map(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	const struct xl_map *map = xl_region_map(it->run->rt, value);

	return map && fits(fact, map);
}

static bool is_value_start(struct xl_interp *it, const struct xl_fact *fact, uint64_t addr)
{
	const struct xl_region_entry *e = xl_region_find(it->run->rt, addr);

	return e && !e->is_head && !((addr - e->region.base) % e->region.stride) &&
	       fits(fact, e->map);
}

/* Any value may be meant that is at such a distance. */
static bool is_map_value(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	const uint64_t first = value - (uint64_t)fact->value.smax,
		       last = value - (uint64_t)fact->value.smin;
	const struct xl_region_entry *e;
	int64_t stride, over;
	uint64_t start;

	if (first == last)
		return is_value_start(it, fact, first);
	e = xl_region_find(it->run->rt, value);
	if (!e)
		e = xl_region_find(it->run->rt, last);
	if (!e || e->is_head)
		return true; /* far out: nothing can be said without its base */
	stride = e->region.stride;
	if ((last - first) / (uint64_t)stride > SLOTS_MAX)
		return true;
	over = (int64_t)(last - e->region.base) % stride; /* before the region it is negative */
	for (start = last - (uint64_t)(over < 0 ? over + stride : over);
	     last - start <= last - first; start -= (uint64_t)stride)
		if (is_value_start(it, fact, start) && is_off(fact, value, start))
			return true;
	return false;
}

static bool is_stack(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	const uint64_t own = xl_interp_r10(it);

	for (uint32_t up = 0; up <= it->depth; up++)
		if ((fact->frame == XL_FACT_ANY_FRAME || fact->frame == up) &&
		    is_off(fact, value, own - (uint64_t)up * XL_INTERP_STRIDE))
			return true;
	return false;
}

static bool has_room(const struct xl_fact *fact, uint64_t value, const uint8_t *end)
{
	return !fact->room || value + fact->room <= (uintptr_t)end;
}

static bool is_pkt(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return is_off(fact, value, (uintptr_t)it->packet->data) &&
	       has_room(fact, value, it->packet->data_end);
}

static bool is_pkt_meta(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return is_off(fact, value, (uintptr_t)it->packet->data_meta) &&
	       has_room(fact, value, it->packet->data);
}

static bool is_pkt_end(struct xl_interp *it, const struct xl_fact *fact, uint64_t value)
{
	return is_off(fact, value, (uintptr_t)it->packet->data_end);
}

static bool (*const is_kind[XL_FACT_KINDS])(struct xl_interp *it, const struct xl_fact *fact,
					    uint64_t value) = {
	[XL_FACT_UNKNOWN] = is_anything,
	[XL_FACT_SCALAR] = is_scalar,
	[XL_FACT_CTX] = is_ctx,
	[XL_FACT_MAP] = is_map,
	[XL_FACT_MAP_VALUE] = is_map_value,
	[XL_FACT_STACK] = is_stack,
	[XL_FACT_PKT] = is_pkt,
	[XL_FACT_PKT_META] = is_pkt_meta,
	[XL_FACT_PKT_END] = is_pkt_end,
};

/* Counts a fact, and says if it is the first that is wrong. */
__attribute__((format(printf, 4, 5))) static void test(struct xl_interp *it,
						       const struct bpf_insn *insn, bool holds,
						       const char *fmt, ...)
{
	struct xl_fact_check *check = it->run->check;
	const int size = (int)sizeof(check->first_wrong);
	va_list ap;
	int n;

	check->n_facts++;
	if (holds || check->n_wrong++)
		return;
	n = snprintf(check->first_wrong, sizeof(check->first_wrong),
		     "insn %u of %.*s: ", (uint32_t)(insn - it->prog->insns), BPF_OBJ_NAME_LEN,
		     it->prog->name);
	va_start(ap, fmt);
	if (n < size)
		vsnprintf(check->first_wrong + n, (size_t)(size - n), fmt, ap);
	va_end(ap);
}

static bool is_mem(const struct bpf_insn *insn)
{
	const uint8_t class = BPF_CLASS(insn->code);

	return class == BPF_LDX || class == BPF_ST || class == BPF_STX;
}

static void test_base(struct xl_interp *it, const struct bpf_insn *insn,
		      const struct xl_fact_insn *at, const uint64_t *r)
{
	const bool loads = BPF_CLASS(insn->code) == BPF_LDX ||
			   (BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm == BPF_LOAD_ACQ);
	const uint64_t addr = r[loads ? insn->src_reg : insn->dst_reg] + (uint64_t)insn->off;

	if (at->base != XL_FACT_UNKNOWN)
		test(it, insn, xl_interp_in_ctx(it, addr) == (at->base == XL_FACT_CTX),
		     "base is %s, address 0x%" PRIx64, xl_fact_kind_name(at->base), addr);
}

static void test_key(struct xl_interp *it, const struct bpf_insn *insn,
		     const struct xl_fact_insn *at, const uint64_t *r)
{
	const struct xl_map *map = xl_region_map(it->run->rt, r[BPF_REG_1]);
	uint64_t key = 0;
	const bool readable =
		map && map->key_size <= sizeof(key) &&
		xl_interp_may(it, r[BPF_REG_2], map->key_size, false) == XL_FAULT_NONE;

	if (readable)
		memcpy(&key, (const void *)(uintptr_t)r[BPF_REG_2], map->key_size);
	test(it, insn, readable && key == at->key, "key is %" PRIu64 ", not %" PRIu64, key,
	     at->key);
}

/* Which way the jump before went. */
static void test_way(struct xl_interp *it, const struct xl_facts *facts,
		     const struct bpf_insn *insn)
{
	const struct bpf_insn *jump = it->run->check->before;
	const uint64_t i = jump ? (uint64_t)(jump - it->prog->insns) : UINT64_MAX;
	uint8_t ways;

	if (i >= facts->n_insns || !facts->insn[i].ways || !jump->off)
		return;
	ways = facts->insn[i].ways;
	test(it, jump, insn == jump + 1 ? ways & XL_FACT_FALLS : ways & XL_FACT_JUMPS,
	     "the jump goes the other way");
}

void xl_interp_check_facts(struct xl_interp *it, const struct bpf_insn *insn, const uint64_t *r)
{
	const struct xl_facts *facts = it->prog->facts;
	const struct xl_fact_insn *at;

	if (!facts)
		return;
	at = &facts->insn[insn - it->prog->insns];
	if (!at->reached)
		test(it, insn, false, "it is reached");
	test_way(it, facts, insn);
	for (uint32_t i = 0; at->reached && i < XL_FACT_REGS; i++) {
		const struct xl_fact *fact = &at->reg[i];

		if (fact->kind != XL_FACT_UNKNOWN)
			test(it, insn,
			     (fact->maybe_null && !r[i]) || is_kind[fact->kind](it, fact, r[i]),
			     "r%u is no %s as known: 0x%" PRIx64, i, xl_fact_kind_name(fact->kind),
			     r[i]);
	}
	if (is_mem(insn))
		test_base(it, insn, at, r);
	if (at->has_key)
		test_key(it, insn, at, r);
	it->run->check->before = insn;
}
