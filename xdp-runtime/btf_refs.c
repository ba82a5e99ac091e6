/* Whether BTF is safe to walk: what types refer to; see btf_check.c.
 *
 * References by value (members, elements, names of types) are followed depth first with an
 * explicit stack, so that hostile nesting costs no stack of ours; on the way back each type gets
 * its size and is checked against its members. A pointer is as large as any other, so it is
 * followed only as far as pointers and names of types go: C makes no cycle of these, and walkers
 * would not end.
 *
 * Source: kernel/bpf/btf.c, v6.18: the resolve and check_member of each kind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/btf_check.h"

#define DEPTH_MAX      32u /* MAX_RESOLVE_DEPTH */
#define LINKAGE_EXTERN 2u  /* BTF_FUNC_EXTERN, BTF_VAR_GLOBAL_EXTERN */

enum state { UNSEEN, OPEN, DONE };

struct refs {
	const struct xl_btf_check *c;
	uint32_t *to;	    /* [n] the type behind the names: itself, if it is no name */
	uint32_t *size;	    /* [n] bytes of a value; 0 also for what has none */
	uint8_t *state;	    /* [n] enum state, following by value */
	uint8_t *state_ptr; /* [n] enum state, following pointers */
};

#define KIND(k)	  (1u << BTF_KIND_##k)
#define NAMES	  (KIND(TYPEDEF) | KIND(VOLATILE) | KIND(CONST) | KIND(RESTRICT) | KIND(TYPE_TAG))
#define COMPOSITE (KIND(STRUCT) | KIND(UNION))
/* What nothing but its own kind of owner may refer to. */
#define APART (KIND(VAR) | KIND(DATASEC) | KIND(DECL_TAG) | KIND(FUNC))
#define SIZED \
	(KIND(INT) | KIND(PTR) | KIND(ARRAY) | COMPOSITE | KIND(ENUM) | KIND(ENUM64) | KIND(FLOAT))

static bool is(uint32_t kind, uint32_t kinds)
{
	return kinds >> kind & 1;
}

static uint32_t kind_at(const struct refs *r, uint32_t id)
{
	return xl_btf_type_at(r->c, id).kind;
}

static bool id_ok(const struct refs *r, uint32_t id)
{
	return id < r->c->n;
}

/* An id that a type, a member or an argument may have; void where @or_void. */
static bool ref_ok(const struct refs *r, uint32_t id, bool or_void)
{
	return id_ok(r, id) && (id || or_void) && !is(kind_at(r, id), APART);
}

static bool sized(const struct refs *r, uint32_t id)
{
	return is(kind_at(r, r->to[id]), SIZED);
}

static struct btf_array array_of(const struct xl_btf_type *t)
{
	struct btf_array a;

	memcpy(&a, t->tail, sizeof(a));
	return a;
}

static struct btf_member member_at(const struct xl_btf_type *t, uint32_t i)
{
	struct btf_member m;

	memcpy(&m, t->tail + i * sizeof(m), sizeof(m));
	return m;
}

static struct btf_param param_at(const struct xl_btf_type *t, uint32_t i)
{
	struct btf_param p;

	memcpy(&p, t->tail + i * sizeof(p), sizeof(p));
	return p;
}

/* First: all ids are in range and of a kind that can stand there. */

static int ids_ok(const struct refs *r, const struct xl_btf_type *t)
{
	struct btf_var_secinfo v;

	if (is(t->kind, NAMES | KIND(PTR)) && !ref_ok(r, t->h.type, true))
		return xl_btf_refuse(r->c, t, "Invalid type_id");
	if (t->kind == BTF_KIND_VAR && !ref_ok(r, t->h.type, false))
		return xl_btf_refuse(r->c, t, "Invalid type_id");
	if (t->kind == BTF_KIND_FUNC &&
	    (!id_ok(r, t->h.type) || kind_at(r, t->h.type) != BTF_KIND_FUNC_PROTO))
		return xl_btf_refuse(r->c, t, "Invalid type_id");
	if (t->kind == BTF_KIND_ARRAY && !ref_ok(r, array_of(t).type, false))
		return xl_btf_refuse(r->c, t, "Invalid elem");
	if (t->kind == BTF_KIND_ARRAY && !ref_ok(r, array_of(t).index_type, false))
		return xl_btf_refuse(r->c, t, "Invalid index");
	for (uint32_t i = 0; is(t->kind, COMPOSITE) && i < t->vlen; i++)
		if (!ref_ok(r, member_at(t, i).type, false))
			return xl_btf_refuse(r->c, t, "Invalid member");
	if (t->kind == BTF_KIND_FUNC_PROTO && !ref_ok(r, t->h.type, true))
		return xl_btf_refuse(r->c, t, "Invalid return type");
	for (uint32_t i = 0; t->kind == BTF_KIND_FUNC_PROTO && i < t->vlen; i++)
		if (!ref_ok(r, param_at(t, i).type, i + 1 == t->vlen))
			return xl_btf_refuse(r->c, t, "Invalid arg");
	for (uint32_t i = 0; t->kind == BTF_KIND_DATASEC && i < t->vlen; i++) {
		memcpy(&v, t->tail + i * sizeof(v), sizeof(v));
		/* Functions: what compilers make of .ksyms. */
		if (!id_ok(r, v.type) || !is(kind_at(r, v.type), KIND(VAR) | KIND(FUNC)))
			return xl_btf_refuse(r->c, t, "Not a VAR kind member");
	}
	if (t->kind == BTF_KIND_DECL_TAG &&
	    (!id_ok(r, t->h.type) ||
	     !is(kind_at(r, t->h.type), COMPOSITE | KIND(FUNC) | KIND(VAR) | KIND(TYPEDEF))))
		return xl_btf_refuse(r->c, t, "Invalid type_id");
	return 0;
}

/* Second: sizes and cycles, by value. */

/* How many types @t holds by value, and the one at @i. */
static uint32_t n_held(const struct xl_btf_type *t)
{
	if (is(t->kind, COMPOSITE))
		return t->vlen;
	if (t->kind == BTF_KIND_ARRAY)
		return 2;
	return is(t->kind, NAMES | KIND(VAR));
}

static uint32_t held_at(const struct xl_btf_type *t, uint32_t i)
{
	if (is(t->kind, COMPOSITE))
		return member_at(t, i).type;
	if (t->kind == BTF_KIND_ARRAY)
		return i ? array_of(t).type : array_of(t).index_type;
	return t->h.type;
}

static uint32_t int_data_of(const struct refs *r, uint32_t id)
{
	struct xl_btf_type t = xl_btf_type_at(r->c, id);
	uint32_t data;

	memcpy(&data, t.tail, sizeof(data));
	return data;
}

/* An INT of 1, 2, 4, 8 or 16 whole bytes. */
static bool is_regular_int(const struct refs *r, uint32_t id)
{
	uint32_t data, bits;

	if (kind_at(r, id) != BTF_KIND_INT)
		return false;
	data = int_data_of(r, id);
	bits = BTF_INT_BITS(data);
	return !BTF_INT_OFFSET(data) && bits >= 8 && bits <= 128 && !(bits & (bits - 1));
}

static int close_array(struct refs *r, const struct xl_btf_type *t)
{
	const struct btf_array a = array_of(t);
	const uint32_t elem = r->to[a.type], size = r->size[a.type];

	if (!is_regular_int(r, r->to[a.index_type]))
		return xl_btf_refuse(r->c, t, "Invalid index");
	if (!sized(r, a.type))
		return xl_btf_refuse(r->c, t, "Invalid elem");
	if (kind_at(r, elem) == BTF_KIND_INT && !is_regular_int(r, elem))
		return xl_btf_refuse(r->c, t, "Invalid array of int");
	if (a.nelems && size > UINT32_MAX / a.nelems)
		return xl_btf_refuse(r->c, t, "Array size overflows U32_MAX");
	r->size[t->id] = size * a.nelems;
	return 0;
}

/* Where a member lies: @bits bits of it from bit @off on. */
struct place {
	uint64_t off, bits;
};

/* An integer tells its bits itself, and may start at any; since kflag the member tells them. */
static const char *place_int(const struct refs *r, const struct xl_btf_type *t,
			     const struct btf_member *m, uint32_t type, struct place *p)
{
	const uint32_t data = int_data_of(r, type);
	uint32_t bits = BTF_INT_BITS(data);

	if (t->kflag) {
		if (!is_regular_int(r, type))
			return "Invalid member base type";
		p->off = BTF_MEMBER_BIT_OFFSET(m->offset);
		p->bits = BTF_MEMBER_BITFIELD_SIZE(m->offset);
		if (p->bits > bits)
			return "Invalid member bitfield_size";
		if (!p->bits && p->off % 8)
			return "Invalid member offset";
		if (!p->bits)
			p->bits = bits;
	} else {
		p->off = (uint64_t)m->offset + BTF_INT_OFFSET(data);
		p->bits = bits;
	}
	return p->bits + p->off % 8 > 128 ? "nr_copy_bits exceeds 128" : NULL;
}

static const char *place_other(const struct refs *r, const struct xl_btf_type *t,
			       const struct btf_member *m, uint32_t type, struct place *p)
{
	const uint32_t kind = kind_at(r, type), size = r->size[type];
	const uint32_t bits = t->kflag ? BTF_MEMBER_BITFIELD_SIZE(m->offset) : 0;
	const bool is_enum = is(kind, KIND(ENUM) | KIND(ENUM64));

	p->off = t->kflag ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset;
	p->bits = bits ? bits : (uint64_t)size * 8;
	if (t->kflag && is_enum && !bits)
		p->bits = 32;
	if (bits && (!is_enum || bits > 32))
		return "Invalid member bitfield_size";
	if (!bits && p->off % 8)
		return "Member is not byte aligned";
	if (kind == BTF_KIND_FLOAT && p->off % (8 * (size < 8 ? size : 8)))
		return "Member is not properly aligned";
	return NULL;
}

static int close_composite(struct refs *r, const struct xl_btf_type *t)
{
	struct btf_member m;
	const char *why;
	struct place p;
	uint32_t type;

	for (uint32_t i = 0; i < t->vlen; i++) {
		m = member_at(t, i);
		type = r->to[m.type];
		if (!sized(r, m.type))
			return xl_btf_refuse(r->c, t, "Invalid member");
		why = kind_at(r, type) == BTF_KIND_INT ? place_int(r, t, &m, type, &p)
						       : place_other(r, t, &m, type, &p);
		if (why)
			return xl_btf_refuse(r->c, t, why);
		if ((p.off + p.bits + 7) / 8 > t->h.size)
			return xl_btf_refuse(r->c, t, "Member exceeds struct_size");
	}
	return 0;
}

/* All that @t holds is DONE. */
static int close_type(struct refs *r, const struct xl_btf_type *t)
{
	int err = 0;

	r->state[t->id] = DONE;
	r->to[t->id] = t->id;
	if (is(t->kind, NAMES | KIND(VAR))) {
		r->to[t->id] = r->to[t->h.type];
		r->size[t->id] = r->size[t->h.type];
	} else if (t->kind == BTF_KIND_ARRAY) {
		err = close_array(r, t);
	} else if (t->kind == BTF_KIND_PTR) {
		r->size[t->id] = sizeof(uint64_t);
	} else if (is(t->kind, SIZED)) {
		r->size[t->id] = t->h.size;
		if (is(t->kind, COMPOSITE))
			err = close_composite(r, t);
	}
	return err;
}

static int too_deep(const struct refs *r, const struct xl_btf_type *t)
{
	xl_btf_refuse(r->c, t, "Exceeded max resolving depth");
	return -E2BIG;
}

static int loop(const struct refs *r, const struct xl_btf_type *t)
{
	xl_btf_refuse(r->c, t, "Loop detected");
	return -EEXIST;
}

/* Follows what @id holds by value to its ends, and closes all on the way back. */
static int resolve(struct refs *r, uint32_t id)
{
	struct {
		struct xl_btf_type t;
		uint32_t next;
	} stack[DEPTH_MAX], *top = stack;
	struct xl_btf_type held;
	int err = 0;

	if (r->state[id] == DONE)
		return 0;
	top->t = xl_btf_type_at(r->c, id);
	top->next = 0;
	r->state[id] = OPEN;
	for (;;) {
		if (top->next == n_held(&top->t)) {
			err = close_type(r, &top->t);
			if (err || top == stack)
				return err;
			top--;
			continue;
		}
		held = xl_btf_type_at(r->c, held_at(&top->t, top->next++));
		if (r->state[held.id] == DONE)
			continue;
		if (r->state[held.id] == OPEN)
			return loop(r, &top->t);
		if (!n_held(&held)) {
			close_type(r, &held);
			continue;
		}
		if (top == stack + DEPTH_MAX - 1)
			return too_deep(r, &top->t);
		r->state[held.id] = OPEN;
		(++top)->t = held;
		top->next = 0;
	}
}

/* Follows pointers and names of types: each has one way on, so a mark and a second walk do. */
static int resolve_pointers(struct refs *r, uint32_t id)
{
	const uint32_t leads_on = NAMES | KIND(PTR) | KIND(VAR);
	struct xl_btf_type t;
	uint32_t depth = 0;

	for (t = xl_btf_type_at(r->c, id); is(t.kind, leads_on) && r->state_ptr[t.id] == UNSEEN;
	     t = xl_btf_type_at(r->c, t.h.type)) {
		if (++depth > DEPTH_MAX)
			return too_deep(r, &t);
		r->state_ptr[t.id] = OPEN;
	}
	if (r->state_ptr[t.id] == OPEN)
		return loop(r, &t);
	for (t = xl_btf_type_at(r->c, id); is(t.kind, leads_on) && r->state_ptr[t.id] == OPEN;
	     t = xl_btf_type_at(r->c, t.h.type))
		r->state_ptr[t.id] = DONE;
	return 0;
}

/* Third: what needs the sizes of all. */

static int check_proto(const struct refs *r, const struct xl_btf_type *t)
{
	struct btf_param p;

	if (t->h.type && !sized(r, t->h.type))
		return xl_btf_refuse(r->c, t, "Invalid return type");
	for (uint32_t i = 0; i < t->vlen; i++) {
		p = param_at(t, i);
		/* void, without a name and last: "..." */
		if (!p.type ? p.name_off != 0
			    : !sized(r, p.type) || !xl_btf_name_or_none(r->c, p.name_off))
			return xl_btf_refuse(r->c, t, "Invalid arg");
	}
	return 0;
}

static int check_func(const struct refs *r, const struct xl_btf_type *t)
{
	const struct xl_btf_type proto = xl_btf_type_at(r->c, t->h.type);
	struct btf_param p;

	/* A declaration need not name its arguments; the loader gives them names. */
	for (uint32_t i = 0; !r->c->only_safe && t->vlen != LINKAGE_EXTERN && i < proto.vlen; i++) {
		p = param_at(&proto, i);
		if (!p.name_off && p.type)
			return xl_btf_refuse(r->c, t, "Invalid arg");
	}
	return 0;
}

static int check_var(const struct refs *r, const struct xl_btf_type *t)
{
	uint32_t linkage;

	memcpy(&linkage, t->tail, sizeof(linkage));
	/* extern const void x: a symbol of the kernel */
	if (linkage != LINKAGE_EXTERN && !sized(r, t->id))
		return xl_btf_refuse(r->c, t, "Invalid type_id");
	return 0;
}

static int check_datasec(const struct refs *r, const struct xl_btf_type *t)
{
	struct btf_var_secinfo v;

	for (uint32_t i = 0; t->h.size && i < t->vlen; i++) {
		memcpy(&v, t->tail + i * sizeof(v), sizeof(v));
		if (kind_at(r, v.type) == BTF_KIND_VAR && v.size < r->size[v.type])
			return xl_btf_refuse(r->c, t, "Invalid size");
	}
	return 0;
}

static int check_decl_tag(const struct refs *r, const struct xl_btf_type *t)
{
	const struct xl_btf_type on = xl_btf_type_at(r->c, t->h.type);
	struct btf_decl_tag tag;
	uint32_t n = 0;

	memcpy(&tag, t->tail, sizeof(tag));
	if (is(on.kind, COMPOSITE))
		n = on.vlen;
	else if (on.kind == BTF_KIND_FUNC)
		n = xl_btf_type_at(r->c, on.h.type).vlen;
	if (tag.component_idx != -1 && (uint32_t)tag.component_idx >= n)
		return xl_btf_refuse(r->c, t, "Invalid component_idx");
	return 0;
}

typedef int last_fn(const struct refs *r, const struct xl_btf_type *t);

static last_fn *const last_check[] = {
	[BTF_KIND_FUNC_PROTO] = check_proto,  [BTF_KIND_FUNC] = check_func,
	[BTF_KIND_VAR] = check_var,	      [BTF_KIND_DATASEC] = check_datasec,
	[BTF_KIND_DECL_TAG] = check_decl_tag,
};

static int for_each(struct refs *r, int (*step)(struct refs *r, uint32_t id))
{
	int err = 0;

	for (uint32_t id = 1; !err && id < r->c->n; id++)
		err = step(r, id);
	return err;
}

static int step_ids(struct refs *r, uint32_t id)
{
	const struct xl_btf_type t = xl_btf_type_at(r->c, id);

	return ids_ok(r, &t);
}

static int step_last(struct refs *r, uint32_t id)
{
	const struct xl_btf_type t = xl_btf_type_at(r->c, id);

	if (t.kind >= sizeof(last_check) / sizeof(last_check[0]) || !last_check[t.kind])
		return 0;
	return last_check[t.kind](r, &t);
}

int xl_btf_check_refs(const struct xl_btf_check *c)
{
	struct refs r = {
		.c = c,
		.to = calloc(c->n, sizeof(uint32_t)),
		.size = calloc(c->n, sizeof(uint32_t)),
		.state = calloc(c->n, 1),
		.state_ptr = calloc(c->n, 1),
	};
	int err = -ENOMEM;

	if (!r.to || !r.size || !r.state || !r.state_ptr)
		goto out;
	r.state[0] = DONE;
	err = for_each(&r, step_ids);
	if (!err)
		err = for_each(&r, resolve);
	if (!err)
		err = for_each(&r, resolve_pointers);
	if (!err)
		err = for_each(&r, step_last);
out:
	free(r.to);
	free(r.size);
	free(r.state);
	free(r.state_ptr);
	return err;
}
