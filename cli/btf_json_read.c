/* BTF values from JSON; see btf_json.h. */
#include "cli/btf_json.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/addr_text.h"
#include "cli/btf_value.h"
#include "cli/json_in.h"

struct reader {
	const struct btf *btf;
	uint32_t depth;
	uint64_t left;	/* members that may still be looked at: unions of unions multiply */
	char path[256]; /* of the value in hand, for messages; cut where it gets too long */
	size_t path_len;
	struct xl_err *e;
};

typedef int read_fn(struct reader *r, const struct btf_type *t, const json_t *in,
		    const struct xl_btf_place *place);

static int read_type(struct reader *r, uint32_t id, const json_t *in,
		     const struct xl_btf_place *place);

__attribute__((format(printf, 2, 3))) static size_t push(struct reader *r, const char *fmt, ...)
{
	const size_t before = r->path_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->path + before, sizeof(r->path) - before, fmt, ap);
	va_end(ap);
	if (n > 0)
		r->path_len = before + (size_t)n;
	if (r->path_len >= sizeof(r->path))
		r->path_len = sizeof(r->path) - 1;
	return before;
}

static void pop(struct reader *r, size_t before)
{
	r->path_len = before;
	r->path[before] = 0;
}

static const char *json_name(const json_t *in)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",	 [JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",	     [JSON_NULL] = "null",
	};

	return names[json_typeof(in)];
}

static int refuse(struct reader *r, const char *wanted, const json_t *in)
{
	if (json_is_string(in))
		return xl_err_set(r->e, -EINVAL, "%s: expected %s, not \"%.64s\"", r->path, wanted,
				  json_string_value(in));
	return xl_err_set(r->e, -EINVAL, "%s: expected %s, not %s", r->path, wanted, json_name(in));
}

static int outside(struct reader *r)
{
	return xl_err_set(r->e, -EINVAL, "%s: its type does not lie within the value", r->path);
}

/* An integer as JSON or text. Hex text may use the sign bit: it is a bit pattern. */
struct number {
	unsigned __int128 magnitude;
	bool negative;
	bool is_hex;
};

static bool number_from_text(const char *s, struct number *out)
{
	struct number n = { .negative = *s == '-' };
	unsigned base = 10;

	s += n.negative;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		n.is_hex = true;
		base = 16;
		s += 2;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned digit;

		if (*s >= '0' && *s <= '9')
			digit = (unsigned)(*s - '0');
		else if (base == 16 && (*s | 32) >= 'a' && (*s | 32) <= 'f')
			digit = (unsigned)((*s | 32) - 'a' + 10);
		else
			return false;
		if (n.magnitude > (~(unsigned __int128)0 - digit) / base)
			return false;
		n.magnitude = n.magnitude * base + digit;
	}
	*out = n;
	return true;
}

static bool number_from_json(const json_t *in, struct number *out)
{
	json_int_t value;

	if (json_is_string(in))
		return number_from_text(json_string_value(in), out);
	if (json_is_boolean(in)) {
		*out = (struct number){ .magnitude = json_is_true(in) };
		return true;
	}
	if (!json_is_integer(in))
		return false;
	value = json_integer_value(in);
	*out = (struct number){ .negative = value < 0,
				.magnitude = value < 0 ? -(unsigned __int128)value
						       : (unsigned __int128)value };
	return true;
}

/* Stores @n where it fits into @n_bits bits. */
static int store_number(struct reader *r, const struct number *n, bool is_signed, size_t size,
			const struct xl_btf_place *place)
{
	const uint32_t n_bits = xl_btf_n_bits(place, size);
	const unsigned __int128 top = n_bits ? (unsigned __int128)1 << (n_bits - 1) : 0;
	/* 2^n - 1 without a shift by 128. */
	const unsigned __int128 max = is_signed && !n->is_hex ? top - 1 : top - 1 + top;
	unsigned __int128 bits = n->magnitude;

	if (!n_bits || (n->negative ? !is_signed || bits > top : bits > max))
		return xl_err_set(r->e, -EINVAL, "%s: number does not fit into %s%u bits", r->path,
				  is_signed ? "signed " : "", n_bits);
	if (n->negative)
		bits = -bits;
	return xl_btf_bits_set(place, size, bits) ? 0 : outside(r);
}

/* An address fits anything of its size. */
static bool read_address(const json_t *in, const struct xl_btf_place *place)
{
	return json_is_string(in) && !place->is_bitfield &&
	       xl_addr_parse(json_string_value(in), place->base, place->size);
}

/* One character below U+0100, as the writer shows a byte of text; NUL too. */
static bool char_from_json(const json_t *in, struct number *out)
{
	const uint8_t *s = (const uint8_t *)json_string_value(in);
	const size_t len = json_string_length(in);

	*out = (struct number){ .is_hex = true };
	if (len == 1)
		out->magnitude = s[0];
	else if (len == 2 && (s[0] & 0xfe) == 0xc2) /* UTF-8 of U+0080 to U+00FF */
		out->magnitude = (s[0] & 3u) << 6 | (s[1] & 0x3fu);
	else
		return false;
	return true;
}

static int read_int(struct reader *r, const struct btf_type *t, const json_t *in,
		    const struct xl_btf_place *from)
{
	const struct xl_btf_place place = xl_btf_int_place(t, from);
	const uint8_t encoding = btf_int_encoding(t);
	struct number n;

	if (!((encoding & BTF_INT_CHAR) && char_from_json(in, &n)) && !number_from_json(in, &n))
		return read_address(in, from) ? 0 : refuse(r, "a whole number", in);
	return store_number(r, &n, encoding & BTF_INT_SIGNED, t->size, &place);
}

static int read_pointer(struct reader *r, const struct btf_type *t, const json_t *in,
			const struct xl_btf_place *place)
{
	struct number n;

	if (!number_from_json(in, &n))
		return refuse(r, "a number", in);
	return store_number(r, &n, false, sizeof(uint64_t), place);
}

static bool enum_value(const struct reader *r, const struct btf_type *t, const char *name,
		       struct number *out)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const bool is_64 = btf_kind(t) == BTF_KIND_ENUM64;
		const uint32_t off = is_64 ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		const int64_t value =
			is_64 ? (int64_t)btf_enum64_value(&btf_enum64(t)[i]) : btf_enum(t)[i].val;
		const bool negative = value < 0 && (!is_64 || btf_kflag(t));

		if (strcmp(name, btf__name_by_offset(r->btf, off)))
			continue;
		out->negative = negative;
		out->is_hex = true;
		out->magnitude = negative ? -(uint64_t)value : (uint64_t)value;
		return true;
	}
	return false;
}

static int read_enum(struct reader *r, const struct btf_type *t, const json_t *in,
		     const struct xl_btf_place *place)
{
	struct number n;

	if (!(json_is_string(in) && enum_value(r, t, json_string_value(in), &n)) &&
	    !number_from_json(in, &n))
		return refuse(r, "a number or a name of the enum", in);
	return store_number(r, &n, true, t->size, place);
}

static int read_float(struct reader *r, const struct btf_type *t, const json_t *in,
		      const struct xl_btf_place *place)
{
	const double value = json_number_value(in);
	const float small = (float)value;

	if (!json_is_number(in))
		return refuse(r, "a number", in);
	if (place->is_bitfield || place->size < t->size)
		return outside(r);
	if (t->size == sizeof(value))
		memcpy(place->base, &value, sizeof(value));
	else if (t->size == sizeof(small))
		memcpy(place->base, &small, sizeof(small));
	else
		return xl_err_set(r->e, -EINVAL, "%s: a float of %u bytes is not supported",
				  r->path, t->size);
	return 0;
}

/* A string and its NUL; what lies behind that stays. */
static int read_text(struct reader *r, const struct btf_array *array, const json_t *in,
		     const struct xl_btf_place *place)
{
	const size_t len = json_string_length(in);

	if (array->nelems > place->size)
		return outside(r);
	if (len > array->nelems)
		return xl_err_set(r->e, -EINVAL, "%s: text of %zu bytes does not fit into %u",
				  r->path, len, array->nelems);
	memcpy(place->base, json_string_value(in), len);
	if (len < array->nelems)
		place->base[len] = 0;
	return 0;
}

static int read_array(struct reader *r, const struct btf_type *t, const json_t *in,
		      const struct xl_btf_place *place)
{
	const struct btf_array *array = btf_array(t);
	const size_t elem_size = xl_btf_size(r->btf, array->type);
	struct xl_btf_place elem;

	if (json_is_string(in) && xl_btf_is_char(r->btf, array->type) && !place->is_bitfield)
		return read_text(r, array, in, place);
	if (read_address(in, place))
		return 0;
	if (!json_is_array(in))
		return refuse(r, "an array", in);
	if (json_array_size(in) != array->nelems)
		return xl_err_set(r->e, -EINVAL, "%s: expected %u elements, not %zu", r->path,
				  array->nelems, json_array_size(in));
	for (uint32_t i = 0; i < array->nelems; i++) {
		const size_t before = push(r, "[%u]", i);
		int err;

		if (!xl_btf_elem_place(i, elem_size, place, &elem))
			return outside(r);
		err = read_type(r, array->type, json_array_get(in, i), &elem);
		if (err)
			return err;
		pop(r, before);
	}
	return 0;
}

/* Finds the member @name of @t, also inside anonymous members, as C does. */
static bool find_member(struct reader *r, const struct btf_type *t, const char *name,
			const struct xl_btf_place *place, uint32_t depth, uint32_t *out_id,
			struct xl_btf_place *out)
{
	const struct btf_member *members = btf_members(t);
	const struct btf_type *inner;
	struct xl_btf_place at;

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *member_name = btf__name_by_offset(r->btf, members[i].name_off);
		uint32_t id = members[i].type;

		if (!r->left)
			return false;
		r->left--;
		if (!xl_btf_member_place(r->btf, t, i, place, &at))
			continue;
		if (*member_name && !strcmp(member_name, name)) {
			*out_id = id;
			*out = at;
			return true;
		}
		inner = *member_name || !depth ? NULL : xl_btf_skip_names(r->btf, &id);
		if (inner && btf_is_composite(inner) &&
		    find_member(r, inner, name, &at, depth - 1, out_id, out))
			return true;
	}
	return false;
}

static int unknown_member(struct reader *r, const struct btf_type *t, const char *name)
{
	char list[256] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < btf_vlen(t) && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					btf__name_by_offset(r->btf, btf_members(t)[i].name_off));
	return xl_err_set(r->e, -EINVAL, "%s: no member '%.64s'; there are: %s", r->path, name,
			  list);
}

static int read_members(struct reader *r, const struct btf_type *t, const json_t *in,
			const struct xl_btf_place *place)
{
	struct xl_btf_place at;
	const char *name;
	json_t *value;
	uint32_t id;

	json_object_foreach((json_t *)in, name, value)
	{
		size_t before;
		int err;

		/* bpftool writes anonymous members as "": their members are found all the same. */
		if (xl_json_is_anonymous(name) && json_is_object(value)) {
			err = read_members(r, t, value, place);
			if (err)
				return err;
			continue;
		}
		r->left = XL_BTF_VALUES_MAX(place->size);
		if (!find_member(r, t, name, place, XL_BTF_DEPTH_MAX, &id, &at))
			return unknown_member(r, t, name);
		before = push(r, ".%s", name);
		err = read_type(r, id, value, &at);
		if (err)
			return err;
		pop(r, before);
	}
	return 0;
}

static int read_struct(struct reader *r, const struct btf_type *t, const json_t *in,
		       const struct xl_btf_place *place)
{
	if (read_address(in, place))
		return 0;
	if (!json_is_object(in))
		return refuse(r, btf_is_union(t) ? "an object (a union)" : "an object (a struct)",
			      in);
	return read_members(r, t, in, place);
}

static int read_variable(struct reader *r, const struct btf_type *t, const char *name,
			 const json_t *in, const struct xl_btf_place *place)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf__type_by_id(r->btf, vars[i].type);
		struct xl_btf_place at = *place;
		size_t before;
		int err;

		if (!var || !btf_is_var(var) ||
		    strcmp(name, btf__name_by_offset(r->btf, var->name_off)))
			continue;
		if (vars[i].offset > place->size || vars[i].size > place->size - vars[i].offset)
			return outside(r);
		at.base += vars[i].offset;
		at.size = vars[i].size;
		before = push(r, ".%s", name);
		err = read_type(r, var->type, in, &at);
		if (!err)
			pop(r, before);
		return err;
	}
	return xl_err_set(r->e, -EINVAL, "%s: no variable '%.64s'", r->path, name);
}

/* An object of variables. */
static int read_variables(struct reader *r, const struct btf_type *t, const json_t *in,
			  const struct xl_btf_place *place)
{
	const char *name;
	json_t *value;

	if (!json_is_object(in))
		return refuse(r, "an object of variables", in);
	json_object_foreach((json_t *)in, name, value)
	{
		const int err = read_variable(r, t, name, value, place);

		if (err)
			return err;
	}
	return 0;
}

static int read_datasec(struct reader *r, const struct btf_type *t, const json_t *in,
			const struct xl_btf_place *place)
{
	const json_t *list = json_object_get(in, btf__name_by_offset(r->btf, t->name_off));
	json_t *value;
	size_t i;

	if (!json_is_array(list))
		return read_variables(r, t, in, place);
	json_array_foreach((json_t *)list, i, value)
	{
		const int err = read_variables(r, t, value, place);

		if (err)
			return err;
	}
	return 0;
}

static read_fn *const read_kind[] = {
	[BTF_KIND_INT] = read_int,	   [BTF_KIND_PTR] = read_pointer,
	[BTF_KIND_ENUM] = read_enum,	   [BTF_KIND_ENUM64] = read_enum,
	[BTF_KIND_FLOAT] = read_float,	   [BTF_KIND_ARRAY] = read_array,
	[BTF_KIND_STRUCT] = read_struct,   [BTF_KIND_UNION] = read_struct,
	[BTF_KIND_DATASEC] = read_datasec,
};

static int read_type(struct reader *r, uint32_t id, const json_t *in,
		     const struct xl_btf_place *place)
{
	const struct btf_type *t = xl_btf_skip_names(r->btf, &id);
	const uint32_t kind = t ? btf_kind(t) : 0;
	int err;

	if (json_is_null(in)) /* what the writer could not tell */
		return 0;
	if (r->depth >= XL_BTF_DEPTH_MAX)
		return xl_err_set(r->e, -EINVAL, "%s: nested deeper than %u", r->path,
				  XL_BTF_DEPTH_MAX);
	if (kind >= sizeof(read_kind) / sizeof(read_kind[0]) || !read_kind[kind])
		return xl_err_set(r->e, -EINVAL, "%s: its BTF type has no value", r->path);
	r->depth++;
	err = read_kind[kind](r, t, in, place);
	r->depth--;
	return err;
}

int xl_btf_json_read(const struct btf *btf, uint32_t id, const json_t *in, void *data, size_t size,
		     const char *what, struct xl_err *e)
{
	struct reader r = { .btf = btf, .e = e };
	const struct xl_btf_place place = { .base = data, .size = size };

	push(&r, "%s", what);
	return read_type(&r, id, in, &place);
}
