/* BTF values to JSON; see btf_json.h. */
#include "cli/btf_json.h"

#include <bpf/btf.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/btf_value.h"

struct writer {
	struct xl_json *j;
	const struct btf *btf;
	uint32_t depth;
	uint64_t left; /* values that may still be written: unions of unions multiply */
};

typedef void write_fn(struct writer *w, const char *name, const struct btf_type *t,
		      const struct xl_btf_place *place);

static void write_type(struct writer *w, const char *name, uint32_t id,
		       const struct xl_btf_place *place);

static void write_hex(struct writer *w, const char *name, unsigned __int128 bits)
{
	const uint64_t high = (uint64_t)(bits >> 64), low = (uint64_t)bits;

	if (high)
		xl_json_raw(w->j, name, "\"0x%" PRIx64 "%016" PRIx64 "\"", high, low);
	else
		xl_json_raw(w->j, name, "\"0x%" PRIx64 "\"", low);
}

static int64_t sign_extend(uint64_t value, size_t size)
{
	const unsigned shift = 64 - 8 * (unsigned)size;

	return (int64_t)(value << shift) >> shift;
}

static void write_int(struct writer *w, const char *name, const struct btf_type *t,
		      const struct xl_btf_place *from)
{
	const struct xl_btf_place place = xl_btf_int_place(t, from);
	const uint8_t encoding = btf_int_encoding(t);
	unsigned __int128 bits;

	if (!xl_btf_bits_get(&place, t->size, &bits))
		xl_json_null(w->j, name);
	else if (place.is_bitfield || t->size > 8 || !t->size)
		write_hex(w, name, bits);
	else if (encoding & BTF_INT_BOOL)
		xl_json_bool(w->j, name, bits != 0);
	else if (encoding & BTF_INT_CHAR)
		xl_json_strn(w->j, name, (const char *)place.base, 1);
	else if (encoding & BTF_INT_SIGNED)
		xl_json_i64(w->j, name, sign_extend((uint64_t)bits, t->size));
	else
		xl_json_u64(w->j, name, (uint64_t)bits);
}

static void write_pointer(struct writer *w, const char *name, const struct btf_type *t,
			  const struct xl_btf_place *place)
{
	unsigned __int128 bits;

	if (xl_btf_bits_get(place, sizeof(uint64_t), &bits))
		xl_json_u64(w->j, name, (uint64_t)bits);
	else
		xl_json_null(w->j, name);
}

static const char *enum_name(const struct writer *w, const struct btf_type *t, int64_t value)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (btf_kind(t) == BTF_KIND_ENUM64
			    ? (int64_t)btf_enum64_value(&btf_enum64(t)[i]) == value
			    : btf_enum(t)[i].val == (int32_t)value)
			return btf__name_by_offset(w->btf, btf_is_enum(t)
								   ? btf_enum(t)[i].name_off
								   : btf_enum64(t)[i].name_off);
	return NULL;
}

static void write_enum(struct writer *w, const char *name, const struct btf_type *t,
		       const struct xl_btf_place *place)
{
	unsigned __int128 bits;
	int64_t value;
	const char *text;

	if (t->size > 8 || !t->size || !xl_btf_bits_get(place, t->size, &bits)) {
		xl_json_null(w->j, name);
		return;
	}
	if (place->is_bitfield) {
		write_hex(w, name, bits);
		return;
	}
	value = btf_kflag(t) || btf_is_enum(t) ? sign_extend((uint64_t)bits, t->size)
					       : (int64_t)bits;
	text = enum_name(w, t, value);
	if (text)
		xl_json_str(w->j, name, text);
	else if (btf_is_enum(t) || btf_kflag(t))
		xl_json_i64(w->j, name, value);
	else
		xl_json_u64(w->j, name, (uint64_t)value);
}

static void write_float(struct writer *w, const char *name, const struct btf_type *t,
			const struct xl_btf_place *place)
{
	double value = NAN;
	float small;

	if (!place->is_bitfield && t->size == sizeof(value) && place->size >= sizeof(value))
		memcpy(&value, place->base, sizeof(value));
	if (!place->is_bitfield && t->size == sizeof(small) && place->size >= sizeof(small)) {
		memcpy(&small, place->base, sizeof(small));
		value = (double)small;
	}
	if (isfinite(value))
		xl_json_raw(w->j, name, "%.17g", value);
	else
		xl_json_null(w->j, name);
}

/* Text is what ends with a NUL inside the array and is printable up to there. */
static bool is_text(const uint8_t *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!s[i])
			return true;
		if (s[i] <= 0x1f || s[i] >= 0x7f)
			return false;
	}
	return false;
}

static void write_array(struct writer *w, const char *name, const struct btf_type *t,
			const struct xl_btf_place *place)
{
	const struct btf_array *array = btf_array(t);
	const size_t elem_size = xl_btf_size(w->btf, array->type);
	struct xl_btf_place elem;

	if (xl_btf_is_char(w->btf, array->type) && array->nelems <= place->size &&
	    is_text(place->base, array->nelems)) {
		xl_json_str(w->j, name, (const char *)place->base);
		return;
	}
	xl_json_begin_array(w->j, name);
	for (uint32_t i = 0; i < array->nelems; i++) {
		if (!xl_btf_elem_place(i, elem_size, place, &elem))
			break;
		write_type(w, NULL, array->type, &elem);
	}
	xl_json_end_array(w->j);
}

static void write_struct(struct writer *w, const char *name, const struct btf_type *t,
			 const struct xl_btf_place *place)
{
	const struct btf_member *members = btf_members(t);
	struct xl_btf_place member;

	xl_json_begin_object(w->j, name);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *member_name = btf__name_by_offset(w->btf, members[i].name_off);

		if (xl_btf_member_place(w->btf, t, i, place, &member))
			write_type(w, member_name, members[i].type, &member);
		else
			xl_json_null(w->j, member_name);
	}
	xl_json_end_object(w->j);
}

static void write_datasec(struct writer *w, const char *name, const struct btf_type *t,
			  const struct xl_btf_place *place)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(t);

	xl_json_begin_object(w->j, name);
	xl_json_begin_array(w->j, btf__name_by_offset(w->btf, t->name_off));
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf__type_by_id(w->btf, vars[i].type);
		struct xl_btf_place at = *place;

		if (!var || !btf_is_var(var) || vars[i].offset > place->size ||
		    vars[i].size > place->size - vars[i].offset)
			continue;
		at.base += vars[i].offset;
		at.size = vars[i].size;
		xl_json_begin_object(w->j, NULL);
		write_type(w, btf__name_by_offset(w->btf, var->name_off), var->type, &at);
		xl_json_end_object(w->j);
	}
	xl_json_end_array(w->j);
	xl_json_end_object(w->j);
}

static write_fn *const write_kind[] = {
	[BTF_KIND_INT] = write_int,	    [BTF_KIND_PTR] = write_pointer,
	[BTF_KIND_ENUM] = write_enum,	    [BTF_KIND_ENUM64] = write_enum,
	[BTF_KIND_FLOAT] = write_float,	    [BTF_KIND_ARRAY] = write_array,
	[BTF_KIND_STRUCT] = write_struct,   [BTF_KIND_UNION] = write_struct,
	[BTF_KIND_DATASEC] = write_datasec,
};

static void write_type(struct writer *w, const char *name, uint32_t id,
		       const struct xl_btf_place *place)
{
	const struct btf_type *t = xl_btf_skip_names(w->btf, &id);
	const uint32_t kind = t ? btf_kind(t) : 0;

	if (w->depth >= XL_BTF_DEPTH_MAX || !w->left ||
	    kind >= sizeof(write_kind) / sizeof(write_kind[0]) || !write_kind[kind]) {
		xl_json_null(w->j, name);
		return;
	}
	w->depth++;
	w->left--;
	write_kind[kind](w, name, t, place);
	w->depth--;
}

void xl_btf_json_write(struct xl_json *j, const char *name, const struct btf *btf, uint32_t id,
		       const void *data, size_t size)
{
	struct writer w = { .j = j, .btf = btf, .left = XL_BTF_VALUES_MAX(size) };
	/* The place is only read through. */
	const struct xl_btf_place place = { .base = (uint8_t *)data, .size = size };

	write_type(&w, name, id, &place);
}
