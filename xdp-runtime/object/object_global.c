/* Setting global variables from text, before load.
 *
 * A path such as "limits.rate[3].burst" leads through BTF to a place in a section's initial value
 * and to a type; the type decides how the text is read. Where BTF is missing, the symbol table
 * knows at least place and size. Each place is checked against the section again, since offsets
 * come from the file.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_priv.h"

/* Where a path leads. */
struct place {
	const char *name; /* the path as the user wrote it */
	uint8_t *section; /* initial value of the section's map */
	size_t section_size;
	uint64_t bit_off;	  /* in the section */
	uint64_t n_bits;	  /* 0: whole bytes of the type */
	const struct btf *btf;	  /* NULL: known by its symbol only */
	const struct btf_type *t; /* without modifiers; NULL when btf is NULL */
	uint64_t size;		  /* bytes */
};

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	return btf__str_by_offset(btf, t->name_off);
}

/* A type as C writes it, near enough for a message. */
static void type_text(const struct place *p, const struct btf_type *t, char *buf, size_t size)
{
	if (!t) {
		snprintf(buf, size, "a variable of %" PRIu64 " bytes", p->size);
	} else if (btf_is_array(t)) {
		char element[96];

		type_text(p, xl_object_btf_resolve(p->btf, btf_array(t)->type), element,
			  sizeof(element));
		snprintf(buf, size, "%s[%u]", element, btf_array(t)->nelems);
	} else if (btf_is_ptr(t)) {
		snprintf(buf, size, "a pointer");
	} else {
		snprintf(buf, size, "%s%s",
			 btf_is_struct(t)     ? "struct "
			 : btf_is_union(t)    ? "union "
			 : btf_is_any_enum(t) ? "enum "
					      : "",
			 name_of(p->btf, t));
	}
}

__attribute__((format(printf, 3, 4))) static int bad(const struct place *p, struct xl_err *e,
						     const char *fmt, ...)
{
	char type[128], what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	type_text(p, p->t, type, sizeof(type));
	if (p->n_bits)
		return xl_err_set(e, -EINVAL, "variable '%s' (%s:%" PRIu64 "): %s", p->name, type,
				  p->n_bits, what);
	return xl_err_set(e, -EINVAL, "variable '%s' (%s): %s", p->name, type, what);
}

/* -- finding the place ------------------------------------------------------------------- */

/* Points @p at the initial value of section @name. What is in .kconfig comes from the kernel's
 * configuration at load, whatever it was before. */
static bool enter_section(struct xl_object *obj, const char *name, struct place *p)
{
	struct xl_object_map *map = xl_object_map(obj, name);

	if (!map || !map->is_internal || !strcmp(map->name, ".kconfig"))
		return false;
	/* const to us, but skeletons write there too before load. */
	p->section = (uint8_t *)bpf_map__initial_value(
		xl_object_priv(obj)->stores[map - obj->maps].bpf, &p->section_size);
	return p->section;
}

/* The variable called @name[0..@n). */
static bool find_in_btf(struct xl_object *obj, const char *name, size_t n, struct place *p)
{
	const struct btf *btf = bpf_object__btf(obj->bpf);

	for (uint32_t id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *sec = btf__type_by_id(btf, id);

		if (!btf_is_datasec(sec))
			continue;
		for (int i = 0; i < btf_vlen(sec); i++) {
			const struct btf_var_secinfo *vsi = &btf_var_secinfos(sec)[i];
			const struct btf_type *var = btf__type_by_id(btf, vsi->type);

			if (!btf_is_var(var) || strncmp(name_of(btf, var), name, n) ||
			    name_of(btf, var)[n] || !enter_section(obj, name_of(btf, sec), p))
				continue;
			p->btf = btf;
			p->t = xl_object_btf_resolve(btf, var->type);
			p->bit_off = (uint64_t)vsi->offset * 8;
			p->size = vsi->size;
			return p->t;
		}
	}
	return false;
}

static bool find_symbol(struct xl_object *obj, const char *name, size_t n, struct place *p)
{
	const struct xl_elf *elf = &xl_object_priv(obj)->elf;

	for (uint32_t i = 0; i < elf->n_syms; i++) {
		const char *is = xl_elf_sym_name(elf, i);
		const Elf64_Sym *sym = &elf->sym[i];

		if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT || strncmp(is, name, n) || is[n] ||
		    sym->st_shndx >= elf->n_secs || sym->st_value > UINT32_MAX ||
		    !enter_section(obj, elf->sec[sym->st_shndx].name, p))
			continue;
		p->btf = NULL;
		p->t = NULL;
		p->bit_off = sym->st_value * 8;
		p->size = sym->st_size;
		return true;
	}
	return false;
}

static int no_such(struct xl_object *obj, const char *name, size_t n, struct xl_err *e)
{
	const struct btf *btf = bpf_object__btf(obj->bpf);
	char list[256] = "";
	struct place unused;
	size_t len = 0;

	for (uint32_t id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *sec = btf__type_by_id(btf, id);

		if (!btf_is_datasec(sec) || !enter_section(obj, name_of(btf, sec), &unused))
			continue;
		for (int i = 0; i < btf_vlen(sec) && len < sizeof(list); i++)
			len += (size_t)snprintf(
				list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
				name_of(btf, btf__type_by_id(btf, btf_var_secinfos(sec)[i].type)));
	}
	return xl_err_set(e, -ENOENT, "no global variable '%.*s'%s%s%s", (int)n, name,
			  len ? "; there are: " : "", list, len >= sizeof(list) ? "…" : "");
}

/* Member @name[0..@n) of @t, through anonymous structs and unions; NULL if there is none.
 * @steps    how many members may still be looked at: a hostile type can fan out without end */
static const struct btf_member *find_member(const struct btf *btf, const struct btf_type *t,
					    const char *name, size_t n, uint64_t *bit_off,
					    uint32_t *n_bits, uint32_t *steps)
{
	for (uint32_t i = 0; i < btf_vlen(t) && *steps; i++, --*steps) {
		const struct btf_member *m = &btf_members(t)[i], *inner;
		const char *is = btf__str_by_offset(btf, m->name_off);
		const struct btf_type *mt;

		if (*is && !strncmp(is, name, n) && !is[n]) {
			*bit_off += btf_member_bit_offset(t, i);
			*n_bits = btf_member_bitfield_size(t, i);
			return m;
		}
		mt = *is ? NULL : xl_object_btf_resolve(btf, m->type);
		inner = mt && btf_is_composite(mt)
				? find_member(btf, mt, name, n, bit_off, n_bits, steps)
				: NULL;
		if (inner) {
			*bit_off += btf_member_bit_offset(t, i);
			return inner;
		}
	}
	return NULL;
}

/* Takes the type @id at the place, with its size. */
static int set_type(struct place *p, uint32_t id, struct xl_err *e)
{
	long long size = btf__resolve_size(p->btf, id);

	p->t = xl_object_btf_resolve(p->btf, id);
	if (!p->t || size < 0)
		return xl_err_set(e, -EINVAL, "variable '%s': a type without a size", p->name);
	p->size = (uint64_t)size;
	return 0;
}

static int step_member(struct place *p, const char **at, struct xl_err *e)
{
	size_t n = strcspn(++*at, ".[");
	const struct btf_member *m = NULL;
	uint32_t n_bits = 0, steps = 100000;

	if (p->t && btf_is_composite(p->t))
		m = find_member(p->btf, p->t, *at, n, &p->bit_off, &n_bits, &steps);
	if (!m)
		return bad(p, e, "no member '%.*s'", (int)n, *at);
	*at += n;
	p->n_bits = n_bits;
	return set_type(p, m->type, e);
}

static int step_element(struct place *p, const char **at, struct xl_err *e)
{
	const struct btf_array *a;
	char *end;
	unsigned long long index = strtoull(*at + 1, &end, 0);

	if (!isdigit((unsigned char)(*at)[1]) || *end != ']')
		return bad(p, e, "'%s' is not an index", *at);
	if (!p->t || !btf_is_array(p->t))
		return bad(p, e, "not an array");
	a = btf_array(p->t);
	if (index >= a->nelems)
		return bad(p, e, "index %llu is not below %u", index, a->nelems);
	if (set_type(p, a->type, e))
		return -EINVAL;
	if (index && p->size > p->section_size / index)
		return bad(p, e, "it does not lie inside of its section");
	p->bit_off += index * p->size * 8;
	*at = end + 1;
	return 0;
}

static int find_place(struct xl_object *obj, const char *name, struct place *p, struct xl_err *e)
{
	size_t n = strcspn(name, ".[");
	const char *at = name + n;
	int err = 0;

	*p = (struct place){ .name = name };
	if (!n || (!find_in_btf(obj, name, n, p) && !find_symbol(obj, name, n, p)))
		return no_such(obj, name, n, e);
	while (*at && !err) {
		if (!p->t)
			return bad(p, e, "its members are not known: the object has no BTF");
		if (*at == '.')
			err = step_member(p, &at, e);
		else if (*at == '[')
			err = step_element(p, &at, e);
		else
			return bad(p, e, "'%s' leads nowhere", at);
	}
	if (!err &&
	    (p->bit_off / 8 > p->section_size || p->size > p->section_size - p->bit_off / 8 ||
	     (p->n_bits && p->bit_off + p->n_bits > p->section_size * 8)))
		return bad(p, e, "it does not lie inside of its section");
	return err;
}

/* -- reading the text -------------------------------------------------------------------- */

/* A number in C notation: sign and magnitude. */
static bool read_number(const char *s, bool *out_minus, uint64_t *out_value)
{
	char *end;

	*out_minus = *s == '-';
	s += *s == '-' || *s == '+';
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out_value = strtoull(s, &end, 0);
	return !*end && !errno;
}

/* Writes the low @n_bits of @value at the place. */
static void store(const struct place *p, uint64_t value, uint64_t n_bits)
{
	for (uint64_t i = 0; i < n_bits; i++) {
		uint64_t bit = p->bit_off + i;
		uint8_t mask = (uint8_t)(1U << bit % 8);

		if (i < 64 && value >> i & 1)
			p->section[bit / 8] |= mask;
		else
			p->section[bit / 8] &= (uint8_t)~mask;
	}
}

static int set_number(const struct place *p, const char *text, bool is_signed, bool is_unsigned,
		      struct xl_err *e)
{
	uint64_t n_bits = p->n_bits ? p->n_bits : p->size * 8, value;
	uint64_t lowest, highest;
	bool minus;

	if (n_bits > 64 || !n_bits)
		return bad(p, e, "can only be set as hex:…");
	lowest = is_signed ? UINT64_C(1) << (n_bits - 1) : 0;
	highest = UINT64_MAX >> (64 - n_bits);
	if (!is_unsigned)
		highest >>= 1;
	if (!read_number(text, &minus, &value))
		return bad(p, e, "'%s' is not a number", text);
	if (minus ? value > lowest : value > highest)
		return bad(p, e, "%s does not fit: %s%" PRIu64 " to %" PRIu64, text,
			   is_signed ? "-" : "", lowest, highest);
	store(p, minus ? -value : value, n_bits);
	return 0;
}

static int set_int(const struct place *p, const char *text, struct xl_err *e)
{
	bool is_signed = btf_int_encoding(p->t) & BTF_INT_SIGNED;

	if (!(btf_int_encoding(p->t) & BTF_INT_BOOL))
		return set_number(p, text, is_signed, !is_signed, e);
	if (!strcmp(text, "true") || !strcmp(text, "1"))
		store(p, 1, p->n_bits ? p->n_bits : p->size * 8);
	else if (!strcmp(text, "false") || !strcmp(text, "0"))
		store(p, 0, p->n_bits ? p->n_bits : p->size * 8);
	else
		return bad(p, e, "'%s' is neither true nor false", text);
	return 0;
}

static int set_enum(const struct place *p, const char *text, struct xl_err *e)
{
	bool is_signed = btf_kflag(p->t);
	uint64_t n_bits = p->n_bits ? p->n_bits : p->size * 8;

	for (int i = 0; i < btf_vlen(p->t); i++) {
		uint32_t name = btf_is_enum(p->t) ? btf_enum(p->t)[i].name_off
						  : btf_enum64(p->t)[i].name_off;
		uint64_t value = btf_is_enum(p->t) ? (uint64_t)(int64_t)btf_enum(p->t)[i].val
						   : btf_enum64_value(&btf_enum64(p->t)[i]);

		if (strcmp(btf__str_by_offset(p->btf, name), text))
			continue;
		store(p, value, n_bits > 64 ? 64 : n_bits);
		return 0;
	}
	if (!isdigit((unsigned char)*text) && *text != '-')
		return bad(p, e, "'%s' is none of its names", text);
	return set_number(p, text, is_signed, !is_signed, e);
}

static bool is_char(const struct place *p, uint32_t id)
{
	const struct btf_type *t = xl_object_btf_resolve(p->btf, id);

	return t && btf_is_int(t) && t->size == 1 && !(btf_int_encoding(t) & BTF_INT_BOOL);
}

static int set_string(const struct place *p, const char *text, struct xl_err *e)
{
	size_t len = strlen(text);

	if (len >= p->size)
		return bad(p, e, "a string of %zu characters does not fit: at most %" PRIu64, len,
			   p->size ? p->size - 1 : 0);
	memset(p->section + p->bit_off / 8, 0, p->size);
	memcpy(p->section + p->bit_off / 8, text, len);
	return 0;
}

static int set_hex(const struct place *p, const char *hex, struct xl_err *e)
{
	uint8_t *to = p->section + p->bit_off / 8;

	if (p->n_bits)
		return bad(p, e, "a bit-field cannot be set as hex:…");
	for (size_t i = 0; hex[i]; i++)
		if (!isxdigit((unsigned char)hex[i]))
			return bad(p, e, "'%c' is not a hex digit", hex[i]);
	if (strlen(hex) != p->size * 2)
		return bad(p, e, "hex: needs %" PRIu64 " digits for %" PRIu64 " bytes, not %zu",
			   p->size * 2, p->size, strlen(hex));
	for (uint64_t i = 0; i < p->size; i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		to[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return 0;
}

static int set_value(const struct place *p, const char *text, struct xl_err *e)
{
	if (!strncmp(text, "hex:", 4))
		return set_hex(p, text + 4, e);
	if (!p->t)
		return set_number(p, text, true, true, e);
	switch (btf_kind(p->t)) {
	case BTF_KIND_INT:
		return set_int(p, text, e);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return set_enum(p, text, e);
	case BTF_KIND_PTR:
		return set_number(p, text, false, true, e);
	case BTF_KIND_ARRAY:
		if (is_char(p, btf_array(p->t)->type))
			return set_string(p, text, e);
		return bad(p, e, "set its elements one by one, or all as hex:…");
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return bad(p, e, "set its members one by one, or all as hex:…");
	}
	return bad(p, e, "can only be set as hex:…");
}

int xl_object_set_global(struct xl_object *obj, const char *name, const char *value,
			 struct xl_err *e)
{
	struct place p;
	int err;

	if (xl_object_priv(obj)->loaded)
		return xl_err_set(e, -EBUSY, "variable '%s': the object is loaded already", name);
	err = find_place(obj, name, &p, e);
	return err ? err : set_value(&p, value, e);
}
