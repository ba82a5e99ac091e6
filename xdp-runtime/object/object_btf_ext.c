/* .BTF.ext: which code belongs to which function, source line and CO-RE access.
 *
 * Three parts of one shape: a record size, then for each section of code its name, a count and
 * the records. A record starts with the offset of its instruction in the section.
 *
 * libbpf checks lengths, but neither offsets, strings nor access paths ("0:1:-3" would make it
 * read before an array), so all that is checked here.
 *
 * Source: Documentation/bpf/btf.rst, ".BTF.ext section"; struct bpf_core_relo in linux/bpf.h.
 */
#include "xdp-runtime/object/object_priv.h"

#include <errno.h>
#include <string.h>

#define ACCESS_MAX 64 /* BPF_CORE_SPEC_MAX_LEN */

struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len; /* absent from old files */
};

struct ext_sec {
	uint32_t name_off, n_records;
	uint8_t records[];
};

enum { PART_FUNC, PART_LINE, PART_CORE, N_PARTS };

struct part {
	const uint8_t *at, *end; /* between the record size and the end */
	uint32_t record_size;
};

static const struct {
	const char *name;
	uint32_t min_size;
} part_info[N_PARTS] = {
	[PART_FUNC] = { "func_info", sizeof(struct bpf_func_info) },
	[PART_LINE] = { "line_info", sizeof(struct bpf_line_info) },
	[PART_CORE] = { "core_relo", sizeof(struct bpf_core_relo) },
};

struct checker {
	const struct xl_elf *elf;
	const struct btf *btf;
	struct xl_err *e;
	int part;
};

#define FAIL(c, fmt, ...)                                                                      \
	xl_err_set((c)->e, -EINVAL, "section '.BTF.ext', %s: " fmt, part_info[(c)->part].name, \
		   __VA_ARGS__)

static bool has_core(const struct ext_header *h)
{
	return h->header_len >= sizeof(*h);
}

/* Where part @i lies. Returns false when it is absent; checked ones never fail. */
static bool open_part(const struct xl_elf *elf, int i, struct part *out)
{
	const struct xl_elf_sec *s = &elf->sec[elf->btf_ext];
	const struct ext_header *h = (const struct ext_header *)s->data;
	const struct {
		uint32_t off, len;
	} where[N_PARTS] = {
		[PART_FUNC] = { h->func_info_off, h->func_info_len },
		[PART_LINE] = { h->line_info_off, h->line_info_len },
		[PART_CORE] = { has_core(h) ? h->core_relo_off : 0,
				has_core(h) ? h->core_relo_len : 0 },
	};
	uint64_t start = (uint64_t)h->header_len + where[i].off;

	out->at = out->end = NULL;
	if (!where[i].len)
		return false;
	if (where[i].len < 4 || where[i].off % 4 || where[i].len % 4 || start > s->size ||
	    where[i].len > s->size - start)
		return true; /* at == NULL: it is there, but not inside */
	memcpy(&out->record_size, s->data + start, 4);
	out->at = s->data + start + 4;
	out->end = out->at + where[i].len - 4;
	return true;
}

/* The next section of a checked part, NULL at its end. */
static const struct ext_sec *next_sec(struct part *p)
{
	const struct ext_sec *sec = (const struct ext_sec *)p->at;

	if (p->at == p->end)
		return NULL;
	p->at += sizeof(*sec) + (size_t)sec->n_records * p->record_size;
	return sec;
}

/* Section of code called @name, 0 if the file has none. */
static uint32_t code_by_name(const struct xl_elf *elf, const char *name)
{
	for (uint32_t i = 1; i < elf->n_secs; i++)
		if (elf->sec[i].kept && elf->sec[i].flags & SHF_EXECINSTR &&
		    !strcmp(elf->sec[i].name, name))
			return i;
	return 0;
}

/* "0:1:2": numbers that fit into an int, between colons. */
static bool is_access(const char *s)
{
	unsigned n = 0;

	do {
		uint64_t value = 0;
		unsigned digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 10; s++, digits++)
			value = value * 10 + (uint64_t)(*s - '0');
		if (!digits || value > INT32_MAX / 64 || ++n > ACCESS_MAX)
			return false;
	} while (*s++ == ':');
	return !s[-1];
}

static int check_string(struct checker *c, uint32_t off)
{
	if (!btf__str_by_offset(c->btf, off))
		return FAIL(c, "string at offset %u is outside of .BTF", off);
	return 0;
}

static int check_type(struct checker *c, uint32_t id)
{
	if (id >= btf__type_cnt(c->btf))
		return FAIL(c, "type %u of %u", id, btf__type_cnt(c->btf));
	return 0;
}

static int check_core(struct checker *c, const struct bpf_core_relo *relo, uint32_t sec)
{
	const struct xl_elf_func *f = sec ? xl_elf_func_at(c->elf, sec, relo->insn_off / 8) : NULL;
	const struct bpf_insn *insn;

	if (check_type(c, relo->type_id) || check_string(c, relo->access_str_off))
		return -EINVAL;
	if (!relo->type_id || !is_access(btf__str_by_offset(c->btf, relo->access_str_off)))
		return FAIL(c, "instruction at offset %u: bad access to type %u", relo->insn_off,
			    relo->type_id);
	if (!f)
		return 0;
	insn = (const struct bpf_insn *)(c->elf->sec[sec].data + relo->insn_off);
	if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	    relo->insn_off / 8 + 1 >= f->insn + f->n_insns)
		return FAIL(c, "instruction at offset %u is cut by the end of function '%s'",
			    relo->insn_off, f->name);
	return 0;
}

static int check_record(struct checker *c, const void *record, uint32_t sec)
{
	const struct bpf_line_info *line = record;
	const struct bpf_func_info *func = record;
	uint32_t off = func->insn_off;

	if (off % 8 || (sec && off >= c->elf->sec[sec].size))
		return FAIL(c, "offset %u is no instruction of section '%s'", off,
			    sec ? c->elf->sec[sec].name : "");
	if (c->part == PART_FUNC)
		return check_type(c, func->type_id);
	if (c->part == PART_CORE)
		return check_core(c, record, sec);
	return check_string(c, line->file_name_off) || check_string(c, line->line_off) ? -EINVAL
										       : 0;
}

static int check_sec(struct checker *c, struct part *p)
{
	const struct ext_sec *sec = (const struct ext_sec *)p->at;
	size_t left = (size_t)(p->end - p->at);
	uint32_t code;
	int err = 0;

	if (left < sizeof(*sec) || (left - sizeof(*sec)) / p->record_size < sec->n_records)
		return FAIL(c, "truncated %zu bytes before its end", left);
	if (!sec->n_records)
		return FAIL(c, "a section without records, %zu bytes before its end", left);
	if (check_string(c, sec->name_off))
		return -EINVAL;
	code = code_by_name(c->elf, btf__str_by_offset(c->btf, sec->name_off));
	for (uint32_t i = 0; i < sec->n_records && !err; i++)
		err = check_record(c, sec->records + (size_t)i * p->record_size, code);
	next_sec(p);
	return err;
}

static int check_part(struct checker *c)
{
	struct part p;
	int err = 0;

	if (!open_part(c->elf, c->part, &p))
		return 0;
	if (!p.at)
		return FAIL(c, "does not lie inside of the section of %lu bytes",
			    (unsigned long)c->elf->sec[c->elf->btf_ext].size);
	if (p.record_size < part_info[c->part].min_size || p.record_size % 4 ||
	    p.record_size > 4096)
		return FAIL(c, "records of %u bytes", p.record_size);
	while (p.at != p.end && !err)
		err = check_sec(c, &p);
	return err;
}

int xl_object_btf_ext_check(const struct xl_elf *elf, const struct btf *btf, struct xl_err *e)
{
	const struct xl_elf_sec *s = &elf->sec[elf->btf_ext];
	const struct ext_header *h = (const struct ext_header *)s->data;
	struct checker c = { .elf = elf, .btf = btf, .e = e };
	int err = 0;

	if (s->size < sizeof(*h) - 8 || h->header_len < sizeof(*h) - 8 || h->header_len % 4 ||
	    h->header_len > s->size || (h->header_len >= sizeof(*h) && s->size < sizeof(*h)))
		return xl_err_set(e, -EINVAL, "section '.BTF.ext': header truncated");
	if (h->magic != 0xeb9f || h->version != 1)
		return xl_err_set(e, -EINVAL, "section '.BTF.ext': magic %#x, version %u", h->magic,
				  h->version);
	for (c.part = 0; c.part < N_PARTS && !err; c.part++)
		err = check_part(&c);
	return err;
}

void xl_object_core_each(const struct xl_elf *elf, const struct btf *btf,
			 void (*fn)(void *arg, const struct xl_elf_func *func,
				    const struct bpf_core_relo *relo),
			 void *arg)
{
	const struct ext_sec *sec;
	struct part p;

	if (!elf->btf_ext || !btf || !open_part(elf, PART_CORE, &p))
		return;
	while ((sec = next_sec(&p))) {
		uint32_t code = code_by_name(elf, btf__str_by_offset(btf, sec->name_off));

		for (uint32_t i = 0; i < sec->n_records; i++) {
			const struct bpf_core_relo *relo =
				(const void *)(sec->records + (size_t)i * p.record_size);

			fn(arg, code ? xl_elf_func_at(elf, code, relo->insn_off / 8) : NULL, relo);
		}
	}
}

void xl_object_core_drop(struct xl_elf *elf)
{
	struct ext_header *h = (struct ext_header *)elf->sec[elf->btf_ext].data;

	if (elf->btf_ext && has_core(h))
		h->core_relo_len = 0;
}
