/* Facts as JSON; see facts_json.h. What is not known is left out. */
#include "cli/facts_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "maps/map.h"

static void range_u64(struct xl_json *j, const char *name, uint64_t min, uint64_t max)
{
	xl_json_begin_array(j, name);
	xl_json_u64(j, NULL, min);
	xl_json_u64(j, NULL, max);
	xl_json_end_array(j);
}

static void range_s64(struct xl_json *j, const char *name, int64_t min, int64_t max)
{
	xl_json_begin_array(j, name);
	xl_json_i64(j, NULL, min);
	xl_json_i64(j, NULL, max);
	xl_json_end_array(j);
}

/* A number, under @name if it is one only, else by its ranges. */
static void put_scalar(struct xl_json *j, const char *name, const struct xl_scalar *s)
{
	if (xl_scalar_is_const(s)) {
		xl_json_i64(j, name, (int64_t)s->bits.value);
		return;
	}
	if (s->umin || s->umax != UINT64_MAX)
		range_u64(j, "u64", s->umin, s->umax);
	if (s->smin != INT64_MIN || s->smax != INT64_MAX)
		range_s64(j, "s64", s->smin, s->smax);
	if (s->u32_min || s->u32_max != UINT32_MAX)
		range_u64(j, "u32", s->u32_min, s->u32_max);
	if (s->s32_min != INT32_MIN || s->s32_max != INT32_MAX)
		range_s64(j, "s32", s->s32_min, s->s32_max);
	if (s->bits.mask != UINT64_MAX)
		range_u64(j, "bits", s->bits.value, s->bits.mask);
}

static void put_reg(struct xl_json *j, uint32_t r, const struct xl_fact *fact)
{
	char name[8];

	snprintf(name, sizeof(name), "r%u", r);
	xl_json_begin_object(j, name);
	xl_json_str(j, "kind", xl_fact_kind_name(fact->kind));
	if (fact->map)
		xl_json_strn(j, "map", fact->map->name, strnlen(fact->map->name, BPF_OBJ_NAME_LEN));
	if (fact->is_inner)
		xl_json_bool(j, "inner", true);
	if (fact->maybe_null)
		xl_json_bool(j, "null", true);
	if (fact->kind == XL_FACT_STACK && fact->frame != XL_FACT_ANY_FRAME)
		xl_json_u64(j, "frame", fact->frame);
	if (fact->kind == XL_FACT_PKT || fact->kind == XL_FACT_PKT_META)
		xl_json_u64(j, "room", fact->room);
	put_scalar(j, fact->kind == XL_FACT_SCALAR ? "value" : "off", &fact->value);
	xl_json_end_object(j);
}

static void put_insn(struct xl_json *j, uint32_t i, const struct xl_fact_insn *at)
{
	static const char *const ways[] = {
		[XL_FACT_FALLS] = "never",
		[XL_FACT_JUMPS] = "always",
		[XL_FACT_FALLS | XL_FACT_JUMPS] = "sometimes",
	};

	xl_json_begin_object(j, NULL);
	xl_json_u64(j, "insn", i);
	if (at->ways)
		xl_json_str(j, "jumps", ways[at->ways]);
	if (at->base != XL_FACT_UNKNOWN)
		xl_json_str(j, "base", xl_fact_kind_name(at->base));
	if (at->field >= 0)
		xl_json_u64(j, "field", (uint64_t)at->field);
	if (at->has_key)
		xl_json_u64(j, "key", at->key);
	xl_json_begin_object(j, "regs");
	for (uint32_t r = 0; r < XL_FACT_REGS; r++)
		if (at->reg[r].kind != XL_FACT_UNKNOWN)
			put_reg(j, r, &at->reg[r]);
	xl_json_end_object(j);
	xl_json_end_object(j);
}

static void put_function(struct xl_json *j, const struct xl_fact_function *f)
{
	xl_json_begin_object(j, NULL);
	xl_json_u64(j, "start", f->start);
	xl_json_u64(j, "insns", f->n_insns);
	xl_json_u64(j, "stack", f->stack_size);
	xl_json_bool(j, "global", f->is_global);
	xl_json_bool(j, "changes_packet", f->changes_packet);
	xl_json_bool(j, "tail_calls", f->tail_calls);
	xl_json_end_object(j);
}

void xl_facts_json(struct xl_json *j, const struct xl_facts *facts)
{
	if (!facts) {
		xl_json_null(j, "facts");
		return;
	}
	xl_json_begin_object(j, "facts");
	xl_json_begin_array(j, "functions");
	for (uint32_t f = 0; f < facts->n_functions; f++)
		put_function(j, &facts->function[f]);
	xl_json_end_array(j);
	xl_json_begin_array(j, "insns");
	for (uint32_t i = 0; i < facts->n_insns; i++)
		if (facts->insn[i].reached)
			put_insn(j, i, &facts->insn[i]);
	xl_json_end_array(j);
	xl_json_end_object(j);
}

void xl_fact_check_json(const struct xl_fact_check *check, struct xl_json *j)
{
	xl_json_begin_object(j, "facts_checked");
	xl_json_u64(j, "n", check->n_facts);
	xl_json_u64(j, "wrong", check->n_wrong);
	if (check->n_wrong)
		xl_json_str(j, "first", check->first_wrong);
	xl_json_end_object(j);
}
