/* Whether BTF is safe to walk; see btf.h.
 *
 * Three passes: the header and its sections; each type by itself, which finds where each id lies;
 * then what types refer to. The third follows references by value (members, elements, names of
 * types) depth first with an explicit stack, so that hostile nesting costs no stack of ours; it
 * gives each type its size. A pointer is as large as any other, so it is followed only as far as
 * pointers and names of types go: C cannot make a cycle of these, and walkers would not end.
 *
 * One row per kind says how long it is and what it may have.
 *
 * Source: kernel/bpf/btf.c, v6.18: btf_parse_hdr(), the check_meta and resolve of each kind.
 */
#include <errno.h>
#include <limits.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/uapi.h"
#include "xdp-runtime/btf.h"

#define TYPES_MAX    0xfffffu  /* BTF_MAX_TYPE */
#define STRS_MAX     0xffffffu /* BTF_MAX_NAME_OFFSET */
#define NAME_MAX_LEN 511u      /* KSYM_NAME_LEN */
#define DEPTH_MAX    32u       /* MAX_RESOLVE_DEPTH */
#define INFO_KNOWN   0x9f00ffffu
#define FUNC_EXTERN  2u /* BTF_FUNC_EXTERN; variables likewise */

enum state { UNSEEN, OPEN, DONE };

struct check {
	const uint8_t *types; /* type section */
	uint32_t types_size;
	const char *strs;
	uint32_t strs_size;
	uint32_t n;	    /* types, void included: ids are 0..n-1 */
	uint32_t *off;	    /* [n] where in the type section */
	uint32_t *size;	    /* [n] bytes of a value, once DONE; 0: has none (void, a function) */
	uint8_t *state;	    /* [n] enum state, following by value */
	uint8_t *state_ptr; /* [n] enum state, following pointers */
	struct xl_vlog *log;
};

/* One type with its header read. Parts behind the header are read one by one: nothing says that
 * the blob is aligned. */
struct type {
	uint32_t id, kind, vlen;
	bool kflag;
	struct btf_type h;
	const uint8_t *tail;
};

typedef int kind_fn(struct check *c, const struct type *t);

enum name_rule { NAME_NONE, NAME_ANY, NAME_IDENT, NAME_IDENT_OR_NONE, NAME_SECTION, NAME_NEEDED };

struct kind {
	const char *name;
	uint8_t fixed;	  /* bytes behind the header */
	uint8_t per_vlen; /* and for each of vlen; 0: vlen must be 0 */
	bool vlen_is_linkage;
	bool kflag;    /* may be set */
	bool has_size; /* the header's last word is a size, else a type id */
	enum name_rule name_rule;
	kind_fn *check; /* by itself; NULL: nothing more */
	kind_fn *refs;	/* once all ids are known: what it refers to */
};

static const struct kind *kind_of(uint32_t kind);

static struct type type_at(const struct check *c, uint32_t id)
{
	struct type t = { .id = id };

	if (!id)
		return t; /* void */
	memcpy(&t.h, c->types + c->off[id], sizeof(t.h));
	t.kind = BTF_INFO_KIND(t.h.info);
	t.vlen = BTF_INFO_VLEN(t.h.info);
	t.kflag = BTF_INFO_KFLAG(t.h.info);
	t.tail = c->types + c->off[id] + sizeof(t.h);
	return t;
}

static int refuse(const struct check *c, const struct type *t, const char *why)
{
	const char *name = t->h.name_off < c->strs_size ? c->strs + t->h.name_off : "?";

	xl_vlog(c->log, "[%u] %s %s: %s\n", t->id, kind_of(t->kind)->name, *name ? name : "(anon)",
		why);
	return -EINVAL;
}

/* Names. */

static bool name_ok(const struct check *c, uint32_t off)
{
	return off < c->strs_size;
}

static bool ident_char(char ch, bool first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || ch == '.' ||
	       (!first && ch >= '0' && ch <= '9');
}

static bool is_ident(const char *s)
{
	uint32_t len = 0;

	if (!ident_char(*s, true))
		return false;
	while (s[len] && ident_char(s[len], false))
		len++;
	return !s[len] && len < NAME_MAX_LEN;
}

static bool is_section(const char *s)
{
	uint32_t len = 0;

	while (s[len] > ' ' && s[len] < 127)
		len++;
	return len && !s[len] && len < NAME_MAX_LEN;
}

static int check_name(const struct check *c, const struct type *t, enum name_rule rule)
{
	const char *name;
	bool ok = true;

	if (!name_ok(c, t->h.name_off))
		return refuse(c, t, "name lies outside of the strings");
	name = c->strs + t->h.name_off;
	if (rule == NAME_NONE)
		ok = !*name;
	else if (rule == NAME_IDENT)
		ok = is_ident(name);
	else if (rule == NAME_IDENT_OR_NONE)
		ok = !*name || is_ident(name);
	else if (rule == NAME_SECTION)
		ok = is_section(name);
	else if (rule == NAME_NEEDED)
		ok = *name;
	return ok ? 0 : refuse(c, t, "Invalid name");
}

/* Second pass: each kind by itself. */

static int check_int(struct check *c, const struct type *t)
{
	uint32_t data, bits, encoding;

	memcpy(&data, t->tail, sizeof(data));
	if (data & ~0x0fffffffu)
		return refuse(c, t, "Invalid int_data");
	bits = BTF_INT_BITS(data) + BTF_INT_OFFSET(data);
	encoding = BTF_INT_ENCODING(data);
	if (bits > 128 || (bits + 7) / 8 > t->h.size || !t->h.size || t->h.size > 16)
		return refuse(c, t, "nr_bits exceeds type_size");
	if (encoding & (encoding - 1))
		return refuse(c, t, "Unsupported encoding");
	return 0;
}

static int check_no_size(struct check *c, const struct type *t)
{
	return t->h.size ? refuse(c, t, "size != 0") : 0;
}

static int check_enum(struct check *c, const struct type *t)
{
	const uint32_t stride = kind_of(t->kind)->per_vlen;
	uint32_t name_off;

	if (t->h.size > 8 || !t->h.size || (t->h.size & (t->h.size - 1)))
		return refuse(c, t, "Unexpected size");
	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&name_off, t->tail + i * stride, sizeof(name_off));
		if (!name_ok(c, name_off) || !is_ident(c->strs + name_off))
			return refuse(c, t, "Invalid name of a value");
	}
	return 0;
}

static int check_float(struct check *c, const struct type *t)
{
	const uint32_t size = t->h.size;

	if (size != 2 && size != 4 && size != 8 && size != 12 && size != 16)
		return refuse(c, t, "Invalid type_size");
	return 0;
}

static int check_linkage(struct check *c, const struct type *t)
{
	return t->vlen > FUNC_EXTERN ? refuse(c, t, "Invalid func linkage") : 0;
}

static int check_var(struct check *c, const struct type *t)
{
	uint32_t linkage;

	memcpy(&linkage, t->tail, sizeof(linkage));
	return linkage > FUNC_EXTERN ? refuse(c, t, "Linkage not supported") : 0;
}

/* Third pass: what types refer to. */

static bool id_ok(const struct check *c, uint32_t id)
{
	return id < c->n;
}

static uint32_t kind_at(const struct check *c, uint32_t id)
{
	return type_at(c, id).kind;
}

static int refs_any(struct check *c, const struct type *t)
{
	return id_ok(c, t->h.type) ? 0 : refuse(c, t, "Invalid type_id");
}

static int refs_var(struct check *c, const struct type *t)
{
	return t->h.type && id_ok(c, t->h.type) ? 0 : refuse(c, t, "Invalid type_id");
}

static int refs_func(struct check *c, const struct type *t)
{
	if (!id_ok(c, t->h.type) || kind_at(c, t->h.type) != BTF_KIND_FUNC_PROTO)
		return refuse(c, t, "Invalid type_id");
	return 0;
}

static int refs_array(struct check *c, const struct type *t)
{
	struct btf_array a;

	memcpy(&a, t->tail, sizeof(a));
	if (!a.type || !id_ok(c, a.type))
		return refuse(c, t, "Invalid elem");
	if (!a.index_type || !id_ok(c, a.index_type))
		return refuse(c, t, "Invalid index");
	return 0;
}

static int refs_members(struct check *c, const struct type *t)
{
	uint32_t last = 0, off;
	struct btf_member m;

	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&m, t->tail + i * sizeof(m), sizeof(m));
		off = t->kflag ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset;
		if (!name_ok(c, m.name_off) ||
		    (c->strs[m.name_off] && !is_ident(c->strs + m.name_off)))
			return refuse(c, t, "Invalid member name");
		if (!m.type || !id_ok(c, m.type))
			return refuse(c, t, "Invalid type_id of a member");
		if (off < last || (t->kind == BTF_KIND_UNION && off))
			return refuse(c, t, "Invalid member bits_offset");
		if (off / 8 + (off % 8 != 0) > t->h.size)
			return refuse(c, t, "Member bits_offset exceeds its struct size");
		last = off;
	}
	return 0;
}

static int refs_params(struct check *c, const struct type *t)
{
	struct btf_param p;

	if (!id_ok(c, t->h.type))
		return refuse(c, t, "Invalid return type");
	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&p, t->tail + i * sizeof(p), sizeof(p));
		if (!name_ok(c, p.name_off) ||
		    (c->strs[p.name_off] && !is_ident(c->strs + p.name_off)))
			return refuse(c, t, "Invalid arg name");
		/* void, and last: "..." */
		if (!id_ok(c, p.type) || (!p.type && (i + 1 < t->vlen || p.name_off)))
			return refuse(c, t, "Invalid arg type");
	}
	return 0;
}

/* As compilers leave it: no size and offsets yet, and functions among what is extern. */
static int refs_datasec(struct check *c, const struct type *t)
{
	struct btf_var_secinfo v;
	uint64_t end = 0;
	uint32_t kind;

	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&v, t->tail + i * sizeof(v), sizeof(v));
		kind = id_ok(c, v.type) ? kind_at(c, v.type) : BTF_KIND_UNKN;
		if (kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC)
			return refuse(c, t, "Invalid type_id of a variable");
		if (!t->h.size)
			continue;
		if (v.offset < end || v.offset >= t->h.size)
			return refuse(c, t, "Invalid offset");
		end = (uint64_t)v.offset + v.size;
		if (end > t->h.size)
			return refuse(c, t, "Invalid offset+size");
	}
	return 0;
}

static int refs_decl_tag(struct check *c, const struct type *t)
{
	struct btf_decl_tag tag;
	struct type on;
	uint32_t n = 0;

	memcpy(&tag, t->tail, sizeof(tag));
	if (!t->h.type || !id_ok(c, t->h.type))
		return refuse(c, t, "Invalid type_id");
	on = type_at(c, t->h.type);
	switch (on.kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		n = on.vlen;
		break;
	case BTF_KIND_FUNC:
		if (id_ok(c, on.h.type))
			n = type_at(c, on.h.type).vlen; /* a FUNC_PROTO, or refs_func refuses */
		break;
	case BTF_KIND_VAR:
	case BTF_KIND_TYPEDEF:
		break;
	default:
		return refuse(c, t, "Invalid type_id");
	}
	if (tag.component_idx < -1 || (tag.component_idx >= 0 && (uint32_t)tag.component_idx >= n))
		return refuse(c, t, "Invalid component_idx");
	return 0;
}

/* THE TABLE of kinds. */
static const struct kind kinds[] = {
	[BTF_KIND_UNKN] = { "UNKN" },
	[BTF_KIND_INT] = { "INT", .fixed = 4, .has_size = true, .name_rule = NAME_ANY,
			   .check = check_int },
	[BTF_KIND_PTR] = { "PTR", .name_rule = NAME_NONE, .refs = refs_any },
	[BTF_KIND_ARRAY] = { "ARRAY", .fixed = sizeof(struct btf_array), .has_size = true,
			     .name_rule = NAME_NONE, .check = check_no_size, .refs = refs_array },
	[BTF_KIND_STRUCT] = { "STRUCT", .per_vlen = sizeof(struct btf_member), .kflag = true,
			      .has_size = true, .name_rule = NAME_IDENT_OR_NONE,
			      .refs = refs_members },
	[BTF_KIND_UNION] = { "UNION", .per_vlen = sizeof(struct btf_member), .kflag = true,
			     .has_size = true, .name_rule = NAME_IDENT_OR_NONE,
			     .refs = refs_members },
	[BTF_KIND_ENUM] = { "ENUM", .per_vlen = sizeof(struct btf_enum), .kflag = true,
			    .has_size = true, .name_rule = NAME_IDENT_OR_NONE,
			    .check = check_enum },
	[BTF_KIND_FWD] = { "FWD", .kflag = true, .has_size = true, .name_rule = NAME_IDENT,
			   .check = check_no_size },
	[BTF_KIND_TYPEDEF] = { "TYPEDEF", .name_rule = NAME_IDENT, .refs = refs_any },
	[BTF_KIND_VOLATILE] = { "VOLATILE", .name_rule = NAME_NONE, .refs = refs_any },
	[BTF_KIND_CONST] = { "CONST", .name_rule = NAME_NONE, .refs = refs_any },
	[BTF_KIND_RESTRICT] = { "RESTRICT", .name_rule = NAME_NONE, .refs = refs_any },
	[BTF_KIND_FUNC] = { "FUNC", .vlen_is_linkage = true, .name_rule = NAME_IDENT,
			    .check = check_linkage, .refs = refs_func },
	[BTF_KIND_FUNC_PROTO] = { "FUNC_PROTO", .per_vlen = sizeof(struct btf_param),
				  .name_rule = NAME_NONE, .refs = refs_params },
	[BTF_KIND_VAR] = { "VAR", .fixed = sizeof(struct btf_var), .name_rule = NAME_IDENT,
			   .check = check_var, .refs = refs_var },
	[BTF_KIND_DATASEC] = { "DATASEC", .per_vlen = sizeof(struct btf_var_secinfo),
			       .has_size = true, .name_rule = NAME_SECTION, .refs = refs_datasec },
	[BTF_KIND_FLOAT] = { "FLOAT", .has_size = true, .name_rule = NAME_ANY,
			     .check = check_float },
	[BTF_KIND_DECL_TAG] = { "DECL_TAG", .fixed = sizeof(struct btf_decl_tag), .kflag = true,
				.name_rule = NAME_NEEDED, .refs = refs_decl_tag },
	[BTF_KIND_TYPE_TAG] = { "TYPE_TAG", .kflag = true, .name_rule = NAME_NEEDED,
				.refs = refs_any },
	[BTF_KIND_ENUM64] = { "ENUM64", .per_vlen = sizeof(struct btf_enum64), .kflag = true,
			      .has_size = true, .name_rule = NAME_IDENT_OR_NONE,
			      .check = check_enum },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *kind_of(uint32_t kind)
{
	return &kinds[kind];
}

/* Checks the type at @off by itself; *out_size is how long it is. */
static int check_type(struct check *c, uint32_t id, uint32_t off, uint32_t *out_size)
{
	const uint32_t left = c->types_size - off;
	const struct kind *kind;
	struct type t;
	uint32_t need;
	int err;

	if (left < sizeof(t.h)) {
		xl_vlog(c->log, "[%u] meta_left:%u meta_needed:%zu\n", id, left, sizeof(t.h));
		return -EINVAL;
	}
	c->off[id] = off;
	t = type_at(c, id);
	if ((t.h.info & ~INFO_KNOWN) || !t.kind || t.kind >= N_KINDS) {
		xl_vlog(c->log, "[%u] Invalid btf_info:%x or kind:%u\n", id, t.h.info, t.kind);
		return -EINVAL;
	}
	kind = kind_of(t.kind);
	if (t.vlen && !kind->per_vlen && !kind->vlen_is_linkage)
		return refuse(c, &t, "vlen != 0");
	if (t.kflag && !kind->kflag)
		return refuse(c, &t, "Invalid btf_info kind_flag");
	need = (uint32_t)sizeof(t.h) + kind->fixed + t.vlen * kind->per_vlen;
	if (left < need)
		return refuse(c, &t, "meta_left is less than meta_needed");
	err = check_name(c, &t, kind->name_rule);
	if (!err && kind->check)
		err = kind->check(c, &t);
	*out_size = need;
	return err;
}

static int scan_types(struct check *c)
{
	uint32_t off = 0, size = 0, room = 64, *grown;
	int err;

	c->n = 1;
	c->off = calloc(room, sizeof(*c->off));
	if (!c->off)
		return -ENOMEM;
	while (off < c->types_size) {
		if (c->n > TYPES_MAX)
			return -E2BIG;
		if (c->n == room) {
			room *= 2;
			grown = reallocarray(c->off, room, sizeof(*c->off));
			if (!grown)
				return -ENOMEM;
			c->off = grown;
		}
		err = check_type(c, c->n, off, &size);
		if (err)
			return err;
		c->n++;
		off += size;
	}
	return 0;
}

static int check_refs(struct check *c)
{
	struct type t;
	int err;

	for (uint32_t id = 1; id < c->n; id++) {
		t = type_at(c, id);
		err = kind_of(t.kind)->refs ? kind_of(t.kind)->refs(c, &t) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* Sizes and cycles. */

static bool is_name_of_type(uint32_t kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
	       kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG || kind == BTF_KIND_VAR;
}

static bool is_composite(uint32_t kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

/* How many types @t holds by value, and the one at @i. */
static uint32_t n_held(const struct type *t)
{
	if (is_composite(t->kind))
		return t->vlen;
	return is_name_of_type(t->kind) || t->kind == BTF_KIND_ARRAY;
}

static uint32_t held_at(const struct type *t, uint32_t i)
{
	struct btf_member m;
	struct btf_array a;

	if (is_name_of_type(t->kind))
		return t->h.type;
	if (t->kind == BTF_KIND_ARRAY) {
		memcpy(&a, t->tail, sizeof(a));
		return a.type;
	}
	memcpy(&m, t->tail + i * sizeof(m), sizeof(m));
	return m.type;
}

static int size_of_array(struct check *c, const struct type *t)
{
	struct btf_array a;
	uint64_t size;

	memcpy(&a, t->tail, sizeof(a));
	if (!c->size[a.type] && kind_at(c, a.type) != BTF_KIND_STRUCT &&
	    kind_at(c, a.type) != BTF_KIND_UNION && kind_at(c, a.type) != BTF_KIND_ARRAY &&
	    !is_name_of_type(kind_at(c, a.type)))
		return refuse(c, t, "Invalid elem");
	size = (uint64_t)c->size[a.type] * a.nelems;
	if (size > UINT32_MAX)
		return refuse(c, t, "Array size overflows u32");
	c->size[t->id] = (uint32_t)size;
	return 0;
}

/* What a bit field may be of: a number. */
static bool holds_bits(const struct check *c, uint32_t id)
{
	struct type t = type_at(c, id);

	while (is_name_of_type(t.kind))
		t = type_at(c, t.h.type);
	return t.kind == BTF_KIND_INT || t.kind == BTF_KIND_ENUM || t.kind == BTF_KIND_ENUM64;
}

static int check_member_ends(struct check *c, const struct type *t)
{
	uint64_t bits, off;
	struct btf_member m;

	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&m, t->tail + i * sizeof(m), sizeof(m));
		off = t->kflag ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset;
		bits = t->kflag ? BTF_MEMBER_BITFIELD_SIZE(m.offset) : 0;
		if (bits && !holds_bits(c, m.type))
			return refuse(c, t, "Invalid member bitfield_size");
		if (bits > (uint64_t)c->size[m.type] * 8)
			return refuse(c, t, "Bitfield exceeds its type");
		if (!bits)
			bits = (uint64_t)c->size[m.type] * 8;
		/* Old compilers told bit fields by an INT of fewer bits than its size; such a
		 * member may end where its bits do. */
		if (kind_at(c, m.type) == BTF_KIND_INT && !t->kflag && off % 8)
			bits = 1;
		if (off + bits > (uint64_t)t->h.size * 8)
			return refuse(c, t, "Member exceeds struct_size");
	}
	return 0;
}

/* All that @t holds is DONE. */
static int close_type(struct check *c, const struct type *t)
{
	int err = 0;

	if (t->kind == BTF_KIND_PTR)
		c->size[t->id] = sizeof(uint64_t);
	else if (is_name_of_type(t->kind))
		c->size[t->id] = c->size[t->h.type];
	else if (t->kind == BTF_KIND_ARRAY)
		err = size_of_array(c, t);
	else if (kind_of(t->kind)->has_size)
		c->size[t->id] = t->h.size;
	if (!err && is_composite(t->kind))
		err = check_member_ends(c, t);
	c->state[t->id] = DONE;
	return err;
}

static int too_deep(struct check *c, const struct type *t)
{
	refuse(c, t, "Exceeded max resolving depth");
	return -E2BIG;
}

/* Follows what @id holds by value to its ends, and closes all on the way back. */
static int resolve(struct check *c, uint32_t id)
{
	struct {
		struct type t;
		uint32_t next;
	} stack[DEPTH_MAX];
	uint32_t depth = 0, held;
	int err;

	if (c->state[id] == DONE)
		return 0;
	stack[0].t = type_at(c, id);
	stack[0].next = 0;
	c->state[id] = OPEN;
	for (;;) {
		if (stack[depth].next == n_held(&stack[depth].t)) {
			err = close_type(c, &stack[depth].t);
			if (err || !depth)
				return err;
			depth--;
			continue;
		}
		held = held_at(&stack[depth].t, stack[depth].next++);
		if (c->state[held] == DONE)
			continue;
		if (c->state[held] == OPEN)
			return refuse(c, &stack[depth].t, "Loop detected");
		if (depth + 1 == DEPTH_MAX)
			return too_deep(c, &stack[depth].t);
		c->state[held] = OPEN;
		stack[++depth].t = type_at(c, held);
		stack[depth].next = 0;
	}
}

static bool leads_on(uint32_t kind)
{
	return kind == BTF_KIND_PTR || is_name_of_type(kind);
}

/* Follows pointers and names of types: each has one way on, so a mark and a second walk do. */
static int resolve_pointers(struct check *c, uint32_t id)
{
	uint32_t depth = 0;
	struct type t;

	for (t = type_at(c, id); leads_on(t.kind) && c->state_ptr[t.id] == UNSEEN;
	     t = type_at(c, t.h.type)) {
		c->state_ptr[t.id] = OPEN;
		if (++depth > DEPTH_MAX)
			return too_deep(c, &t);
	}
	if (c->state_ptr[t.id] == OPEN)
		return refuse(c, &t, "Loop detected");
	for (t = type_at(c, id); leads_on(t.kind) && c->state_ptr[t.id] == OPEN;
	     t = type_at(c, t.h.type))
		c->state_ptr[t.id] = DONE;
	return 0;
}

static int resolve_all(struct check *c)
{
	int err = 0;

	c->size = calloc(c->n, sizeof(*c->size));
	c->state = calloc(c->n, 1);
	c->state_ptr = calloc(c->n, 1);
	if (!c->size || !c->state || !c->state_ptr)
		return -ENOMEM;
	c->state[0] = DONE;
	for (uint32_t id = 1; !err && id < c->n; id++) {
		err = resolve(c, id);
		if (!err)
			err = resolve_pointers(c, id);
	}
	return err;
}

/* First pass. */

static int bad_header(struct xl_vlog *log, int err, const char *why)
{
	xl_vlog(log, "%s\n", why);
	return err;
}

/* Two sections, back to back from the start of the data to its end, in either order. */
static int check_sections(const struct btf_header *h, uint32_t data_size, struct xl_vlog *log)
{
	const bool types_first = h->type_off <= h->str_off;
	const uint32_t off[2] = { types_first ? h->type_off : h->str_off,
				  types_first ? h->str_off : h->type_off };
	const uint32_t len[2] = { types_first ? h->type_len : h->str_len,
				  types_first ? h->str_len : h->type_len };
	uint64_t end = 0;

	if (h->type_off % 4)
		return bad_header(log, -EINVAL, "Unaligned type_off");
	for (int i = 0; i < 2; i++) {
		if (off[i] > end)
			return bad_header(log, -EINVAL, "Unsupported section found");
		if (off[i] < end)
			return bad_header(log, -EINVAL, "Section overlap found");
		end += len[i];
		if (end > data_size)
			return bad_header(log, -EINVAL, "Total section length too long");
	}
	if (end != data_size)
		return bad_header(log, -EINVAL, "Unsupported section found");
	return 0;
}

static int check_header(const uint8_t *data, size_t size, struct check *c)
{
	struct btf_header h = { 0 };
	int err;

	if (size < offsetof(struct btf_header, type_off))
		return bad_header(c->log, -EINVAL, "hdr_len not found");
	memcpy(&h, data, offsetof(struct btf_header, type_off));
	if (h.hdr_len > size || h.hdr_len < sizeof(h))
		return bad_header(c->log, -EINVAL, "btf_header not found");
	for (size_t i = sizeof(h); i < h.hdr_len; i++)
		if (data[i])
			return bad_header(c->log, -E2BIG, "Unsupported btf_header");
	memcpy(&h, data, sizeof(h));
	if (h.magic != BTF_MAGIC)
		return bad_header(c->log, -EINVAL, "Invalid magic");
	if (h.version != BTF_VERSION)
		return bad_header(c->log, -ENOTSUPP, "Unsupported version");
	if (h.flags)
		return bad_header(c->log, -ENOTSUPP, "Unsupported flags");
	if (size == h.hdr_len || size > UINT32_MAX)
		return bad_header(c->log, -EINVAL, "No data");
	err = check_sections(&h, (uint32_t)(size - h.hdr_len), c->log);
	if (err)
		return err;
	c->types = data + h.hdr_len + h.type_off;
	c->types_size = h.type_len;
	c->strs = (const char *)data + h.hdr_len + h.str_off;
	c->strs_size = h.str_len;
	if (!c->strs_size || c->strs_size > STRS_MAX || c->strs[0] || c->strs[c->strs_size - 1])
		return bad_header(c->log, -EINVAL, "Invalid string section");
	return 0;
}

int xl_btf_check(const void *data, size_t size, struct xl_vlog *log)
{
	struct check c = { .log = log };
	int err = check_header(data, size, &c);

	if (!err)
		err = scan_types(&c);
	if (!err)
		err = check_refs(&c);
	if (!err)
		err = resolve_all(&c);
	free(c.off);
	free(c.size);
	free(c.state);
	free(c.state_ptr);
	return err;
}
