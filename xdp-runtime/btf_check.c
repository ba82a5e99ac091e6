/* Whether BTF is safe to walk: its header, and each type by itself; see btf.h.
 *
 * Three passes: the header and its sections; each type by itself, which finds where each id lies;
 * then what types refer to (btf_refs.c). Here one row per kind says how long it is and what it may
 * have.
 *
 * Where it is not the kernel's word: an INT has 1 to 16 bytes (the kernel takes any number, and
 * nobody could read such a value), letters are ASCII's (the kernel's are Latin-1's, which would
 * spoil output in UTF-8), nothing but a DECL_TAG or a DATASEC refers to a FUNC (the kernel takes
 * some typedefs of one, by the order of ids), and what compilers leave open for the loader is good, see btf.h.
 *
 * Source: kernel/bpf/btf.c, v6.18: btf_parse_hdr() and the check_meta of each kind.
 */
#include "xdp-runtime/btf_check.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/btf.h"

#define TYPES_MAX      0xfffffu	  /* BTF_MAX_TYPE */
#define STRS_MAX       0x1000000u /* BTF_MAX_NAME_OFFSET and one */
#define IDENT_LEN_MAX  511u	  /* KSYM_NAME_LEN less one */
#define INFO_KNOWN     0x9f00ffffu
#define INT_DATA_KNOWN 0x0fffffffu
#define INT_SIZE_MAX   16u
#define LINKAGE_EXTERN 2u /* the highest, of functions and variables */

typedef int kind_fn(const struct xl_btf_check *c, const struct xl_btf_type *t);

enum name_rule { NAME_ANY, NAME_NONE, NAME_IDENT, NAME_IDENT_OR_NONE, NAME_SECTION, NAME_NEEDED };

struct kind {
	const char *name;
	uint8_t fixed;	  /* bytes behind the header */
	uint8_t per_vlen; /* and for each of vlen; 0: vlen must be 0 */
	bool vlen_is_linkage;
	bool kflag; /* may be set */
	enum name_rule name_rule;
	kind_fn *check; /* NULL: nothing more */
};

static const struct kind *kind_of(uint32_t kind);

struct xl_btf_type xl_btf_type_at(const struct xl_btf_check *c, uint32_t id)
{
	struct xl_btf_type t = { .id = id };

	if (!id)
		return t; /* void */
	memcpy(&t.h, c->types + c->off[id], sizeof(t.h));
	t.kind = BTF_INFO_KIND(t.h.info);
	t.vlen = BTF_INFO_VLEN(t.h.info);
	t.kflag = BTF_INFO_KFLAG(t.h.info);
	t.tail = c->types + c->off[id] + sizeof(t.h);
	return t;
}

int xl_btf_refuse(const struct xl_btf_check *c, const struct xl_btf_type *t, const char *why)
{
	const char *name = t->h.name_off < c->strs_size ? c->strs + t->h.name_off : "?";

	xl_vlog(c->log, "[%u] %s %s %s\n", t->id, kind_of(t->kind)->name, *name ? name : "(anon)",
		why);
	return -EINVAL;
}

/* Names. */

static bool ident_char(char ch, bool first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || ch == '.' ||
	       (!first && ch >= '0' && ch <= '9');
}

static bool is_ident(const char *s)
{
	uint32_t len = 1;

	if (!ident_char(*s, true))
		return false;
	while (s[len] && ident_char(s[len], false))
		len++;
	return !s[len] && len <= IDENT_LEN_MAX;
}

static bool is_section(const char *s)
{
	uint32_t len = 0;

	while (s[len] >= ' ' && s[len] < 127)
		len++;
	return len && !s[len] && len <= IDENT_LEN_MAX;
}

bool xl_btf_name_or_none(const struct xl_btf_check *c, uint32_t off)
{
	return !off || (off < c->strs_size && is_ident(c->strs + off));
}

static bool name_fits(const struct xl_btf_check *c, uint32_t off, enum name_rule rule)
{
	if (off >= c->strs_size)
		return false;
	switch (rule) {
	case NAME_ANY:
		return true;
	case NAME_NONE:
		return !off;
	case NAME_IDENT:
		return off && is_ident(c->strs + off);
	case NAME_IDENT_OR_NONE:
		return !off || is_ident(c->strs + off);
	case NAME_SECTION:
		return off && is_section(c->strs + off);
	case NAME_NEEDED:
		return c->strs[off];
	}
	return false;
}

/* Kinds. */

static int check_int(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	uint32_t data, bits, encoding;

	memcpy(&data, t->tail, sizeof(data));
	if (data & ~INT_DATA_KNOWN)
		return xl_btf_refuse(c, t, "Invalid int_data");
	bits = BTF_INT_BITS(data) + BTF_INT_OFFSET(data);
	if (bits > 8 * INT_SIZE_MAX)
		return xl_btf_refuse(c, t, "nr_bits exceeds 128");
	if ((bits + 7) / 8 > t->h.size)
		return xl_btf_refuse(c, t, "nr_bits exceeds type_size");
	encoding = BTF_INT_ENCODING(data);
	if (encoding && encoding != BTF_INT_SIGNED && encoding != BTF_INT_CHAR &&
	    encoding != BTF_INT_BOOL) {
		xl_btf_refuse(c, t, "Unsupported encoding");
		return -ENOTSUPP;
	}
	if (!t->h.size || t->h.size > INT_SIZE_MAX)
		return xl_btf_refuse(c, t, "Unsupported size");
	return 0;
}

static int check_no_size(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	return t->h.size ? xl_btf_refuse(c, t, "size != 0") : 0;
}

static int check_enum(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	const uint32_t stride = kind_of(t->kind)->per_vlen, size = t->h.size;
	uint32_t name_off;

	if (!size || size > 8 || (size & (size - 1)))
		return xl_btf_refuse(c, t, "Unexpected size");
	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&name_off, t->tail + (size_t)i * stride, sizeof(name_off));
		if (!name_fits(c, name_off, NAME_IDENT))
			return xl_btf_refuse(c, t, "Invalid name");
	}
	return 0;
}

static int check_float(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	const uint32_t size = t->h.size;

	if (size != 2 && size != 4 && size != 8 && size != 12 && size != 16)
		return xl_btf_refuse(c, t, "Invalid type_size");
	return 0;
}

static int check_func(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	return t->vlen > LINKAGE_EXTERN ? xl_btf_refuse(c, t, "Invalid func linkage") : 0;
}

static int check_var(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	uint32_t linkage;

	memcpy(&linkage, t->tail, sizeof(linkage));
	return linkage > LINKAGE_EXTERN ? xl_btf_refuse(c, t, "Linkage not supported") : 0;
}

static int check_members(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	uint32_t last = 0, off;
	struct btf_member m;

	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&m, t->tail + i * sizeof(m), sizeof(m));
		off = t->kflag ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset;
		if (!name_fits(c, m.name_off, NAME_IDENT_OR_NONE))
			return xl_btf_refuse(c, t, "Invalid member name");
		if (off < last || (t->kind == BTF_KIND_UNION && off))
			return xl_btf_refuse(c, t, "Invalid member bits_offset");
		if (off / 8 + (off % 8 != 0) > t->h.size)
			return xl_btf_refuse(c, t, "Member bits_offset exceeds its struct size");
		last = off;
	}
	return 0;
}

static int check_datasec(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	struct btf_var_secinfo v;
	uint64_t end = 0;

	if (!t->h.size)
		return 0; /* as compilers leave it */
	for (uint32_t i = 0; i < t->vlen; i++) {
		memcpy(&v, t->tail + i * sizeof(v), sizeof(v));
		if (v.offset < end || v.offset >= t->h.size)
			return xl_btf_refuse(c, t, "Invalid offset");
		if (!v.size || v.size > t->h.size)
			return xl_btf_refuse(c, t, "Invalid size");
		end = (uint64_t)v.offset + v.size;
		if (end > t->h.size)
			return xl_btf_refuse(c, t, "Invalid offset+size");
	}
	return 0;
}

static int check_decl_tag(const struct xl_btf_check *c, const struct xl_btf_type *t)
{
	struct btf_decl_tag tag;

	memcpy(&tag, t->tail, sizeof(tag));
	return tag.component_idx < -1 ? xl_btf_refuse(c, t, "Invalid component_idx") : 0;
}

/* THE TABLE of kinds. */
static const struct kind kinds[] = {
	[BTF_KIND_UNKN] = { "UNKN" },
	[BTF_KIND_INT] = { "INT", .fixed = sizeof(uint32_t), .check = check_int },
	[BTF_KIND_PTR] = { "PTR", .name_rule = NAME_NONE },
	[BTF_KIND_ARRAY] = { "ARRAY", .fixed = sizeof(struct btf_array), .name_rule = NAME_NONE,
			     .check = check_no_size },
	[BTF_KIND_STRUCT] = { "STRUCT", .per_vlen = sizeof(struct btf_member), .kflag = true,
			      .name_rule = NAME_IDENT_OR_NONE, .check = check_members },
	[BTF_KIND_UNION] = { "UNION", .per_vlen = sizeof(struct btf_member), .kflag = true,
			     .name_rule = NAME_IDENT_OR_NONE, .check = check_members },
	[BTF_KIND_ENUM] = { "ENUM", .per_vlen = sizeof(struct btf_enum), .kflag = true,
			    .name_rule = NAME_IDENT_OR_NONE, .check = check_enum },
	[BTF_KIND_FWD] = { "FWD", .kflag = true, .name_rule = NAME_IDENT, .check = check_no_size },
	[BTF_KIND_TYPEDEF] = { "TYPEDEF", .name_rule = NAME_IDENT },
	[BTF_KIND_VOLATILE] = { "VOLATILE", .name_rule = NAME_NONE },
	[BTF_KIND_CONST] = { "CONST", .name_rule = NAME_NONE },
	[BTF_KIND_RESTRICT] = { "RESTRICT", .name_rule = NAME_NONE },
	[BTF_KIND_FUNC] = { "FUNC", .vlen_is_linkage = true, .name_rule = NAME_IDENT,
			    .check = check_func },
	[BTF_KIND_FUNC_PROTO] = { "FUNC_PROTO", .per_vlen = sizeof(struct btf_param),
				  .name_rule = NAME_NONE },
	[BTF_KIND_VAR] = { "VAR", .fixed = sizeof(struct btf_var), .name_rule = NAME_IDENT,
			   .check = check_var },
	[BTF_KIND_DATASEC] = { "DATASEC", .per_vlen = sizeof(struct btf_var_secinfo),
			       .name_rule = NAME_SECTION, .check = check_datasec },
	[BTF_KIND_FLOAT] = { "FLOAT", .check = check_float },
	[BTF_KIND_DECL_TAG] = { "DECL_TAG", .fixed = sizeof(struct btf_decl_tag), .kflag = true,
				.name_rule = NAME_NEEDED, .check = check_decl_tag },
	[BTF_KIND_TYPE_TAG] = { "TYPE_TAG", .kflag = true, .name_rule = NAME_NEEDED },
	[BTF_KIND_ENUM64] = { "ENUM64", .per_vlen = sizeof(struct btf_enum64), .kflag = true,
			      .name_rule = NAME_IDENT_OR_NONE, .check = check_enum },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *kind_of(uint32_t kind)
{
	return &kinds[kind];
}

/* Checks the type at @off by itself; *out_size is how long it is. */
static int check_type(struct xl_btf_check *c, uint32_t id, uint32_t off, uint32_t *out_size)
{
	const uint32_t left = c->types_size - off;
	const struct kind *kind;
	struct xl_btf_type t;
	uint32_t need;

	if (left < sizeof(t.h)) {
		xl_vlog(c->log, "[%u] meta_left:%u meta_needed:%zu\n", id, left, sizeof(t.h));
		return -EINVAL;
	}
	c->off[id] = off;
	t = xl_btf_type_at(c, id);
	if ((t.h.info & ~INFO_KNOWN) || !t.kind || t.kind >= N_KINDS) {
		xl_vlog(c->log, "[%u] Invalid btf_info:%x or kind:%u\n", id, t.h.info, t.kind);
		return -EINVAL;
	}
	kind = kind_of(t.kind);
	need = (uint32_t)sizeof(t.h) + kind->fixed + t.vlen * kind->per_vlen;
	if (left < need)
		return xl_btf_refuse(c, &t, "meta_left is less than meta_needed");
	if (!name_fits(c, t.h.name_off, kind->name_rule))
		return xl_btf_refuse(c, &t, "Invalid name");
	if (t.vlen && !kind->per_vlen && !kind->vlen_is_linkage)
		return xl_btf_refuse(c, &t, "vlen != 0");
	if (t.kflag && !kind->kflag)
		return xl_btf_refuse(c, &t, "Invalid btf_info kind_flag");
	*out_size = need;
	return kind->check ? kind->check(c, &t) : 0;
}

static int scan_types(struct xl_btf_check *c)
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

/* The header. */

static int refuse_header(struct xl_vlog *log, int err, const char *why)
{
	xl_vlog(log, "%s\n", why);
	return err;
}

/* Two sections, back to back from the start of the data to its end; the strings last. */
static int check_sections(const struct btf_header *h, uint32_t data_size, struct xl_vlog *log)
{
	if (h->type_off || h->str_off != h->type_len)
		return refuse_header(log, -EINVAL, "Unsupported section found");
	if ((uint64_t)h->str_off + h->str_len > data_size)
		return refuse_header(log, -EINVAL, "Total section length too long");
	if ((uint64_t)h->str_off + h->str_len < data_size)
		return refuse_header(log, -EINVAL, "Unsupported section found");
	return 0;
}

/* Copies what there is of the header, and checks what stands in front of the sections. */
static int check_header(const uint8_t *data, size_t size, struct btf_header *out_h,
			struct xl_vlog *log)
{
	struct btf_header h = { 0 };
	uint32_t hdr_len;

	if (size > INT_MAX)
		return -E2BIG;
	if (size < offsetof(struct btf_header, type_off))
		return refuse_header(log, -EINVAL, "hdr_len not found");
	memcpy(&hdr_len, data + offsetof(struct btf_header, hdr_len), sizeof(hdr_len));
	if (hdr_len > size)
		return refuse_header(log, -EINVAL, "btf_header not found");
	for (size_t i = sizeof(h); i < hdr_len; i++)
		if (data[i])
			return refuse_header(log, -E2BIG, "Unsupported btf_header");
	memcpy(&h, data, hdr_len < sizeof(h) ? hdr_len : sizeof(h));
	if (h.magic != BTF_MAGIC)
		return refuse_header(log, -EINVAL, "Invalid magic");
	if (h.version != BTF_VERSION)
		return refuse_header(log, -ENOTSUPP, "Unsupported version");
	if (h.flags)
		return refuse_header(log, -ENOTSUPP, "Unsupported flags");
	if (size == hdr_len)
		return refuse_header(log, -EINVAL, "No data");
	if (hdr_len < sizeof(h)) /* libbpf reads a whole one */
		return refuse_header(log, -EINVAL, "btf_header not found");
	*out_h = h;
	return check_sections(&h, (uint32_t)(size - hdr_len), log);
}

static int check_strings(const struct xl_btf_check *c)
{
	if (!c->types_size)
		return refuse_header(c->log, -EINVAL, "No type found");
	if (!c->strs_size || c->strs_size > STRS_MAX || c->strs[0] || c->strs[c->strs_size - 1])
		return refuse_header(c->log, -EINVAL, "Invalid string section");
	return 0;
}

static int check(const void *data, size_t size, bool only_safe, struct xl_vlog *log)
{
	struct xl_btf_check c = { .only_safe = only_safe, .log = log };
	struct btf_header h;
	int err = check_header(data, size, &h, log);

	if (err)
		return err;
	c.types = (const uint8_t *)data + h.hdr_len;
	c.types_size = h.type_len;
	c.strs = (const char *)c.types + h.str_off;
	c.strs_size = h.str_len;
	err = check_strings(&c);
	if (!err)
		err = scan_types(&c);
	if (!err)
		err = xl_btf_check_refs(&c);
	free(c.off);
	return err;
}

int xl_btf_check(const void *data, size_t size, struct xl_vlog *log)
{
	return check(data, size, false, log);
}

int xl_btf_check_safe(const void *data, size_t size, struct xl_vlog *log)
{
	return check(data, size, true, log);
}
