/* Programs of an exec line; see exec_json.h. */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec_json.h"
#include "xdp-runtime/prog.h"

/* "xdp", "BPF_PROG_TYPE_XDP"; also of types that cannot run here, so that they are refused as
 * such. */
static int type_of_name(const char *name)
{
	static const char prefix[] = "BPF_PROG_TYPE_";
	const char *known;

	if (!strncasecmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	for (int type = 0; (known = libbpf_bpf_prog_type_str((enum bpf_prog_type)type)); type++)
		if (!strcasecmp(known, name))
			return type;
	return -1;
}

static int read_type(struct xl_exec_reader *r, const json_t *obj, uint32_t *out)
{
	const json_t *in = xl_exec_get(obj, "prog_type");
	int type;

	if (!json_is_string(in))
		return xl_exec_u32(r, obj, "prog_type", out);
	type = type_of_name(json_string_value(in));
	if (type < 0)
		return xl_err_set(r->e, -EINVAL, "prog_type: no program type '%.64s'",
				  json_string_value(in));
	*out = (uint32_t)type;
	return 0;
}

static int read_insns(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_prog *out)
{
	const json_t *in = xl_exec_get(obj, "insns");
	uint8_t *bytes;
	size_t len;
	int err;

	if (!in)
		return xl_err_set(r->e, -EINVAL, "no insns");
	err = xl_exec_hex(r, in, &bytes, &len);
	if (!err && len % sizeof(struct bpf_insn))
		err = xl_err_set(r->e, -EINVAL, "%zu bytes are no whole instructions", len);
	if (err) {
		xl_err_prefix(r->e, "insns");
		return err;
	}
	out->insns = (struct bpf_insn *)bytes;
	out->n_insns = len / sizeof(struct bpf_insn);
	return 0;
}

static bool is_ld_imm64(const struct xl_exec_prog *prog, size_t insn)
{
	return insn + 1 < prog->n_insns && prog->insns[insn].code == (BPF_LD | BPF_IMM | BPF_DW);
}

static int read_fixup(struct xl_exec_reader *r, const json_t *in, const struct xl_exec_prog *prog,
		      struct xl_exec_fixup *out)
{
	const json_t *insn = json_array_get(in, 0);
	int err;

	if (json_array_size(in) != 2 || !json_is_integer(insn) || json_integer_value(insn) < 0)
		return xl_err_set(r->e, -EINVAL, "expected [instruction, map]");
	if (!is_ld_imm64(prog, (size_t)json_integer_value(insn)))
		return xl_err_set(r->e, -EINVAL, "instruction %lld is no ld_imm64",
				  (long long)json_integer_value(insn));
	out->insn = (uint32_t)json_integer_value(insn);
	err = xl_exec_read_map_ref(r, json_array_get(in, 1), &out->map);
	return err;
}

static int read_fixups(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_prog *out)
{
	const json_t *array;
	int err = xl_exec_array(r, obj, "fixups", &array, &out->n_fixups);

	if (err || !out->n_fixups)
		return err;
	out->fixups = xl_exec_alloc(r, out->n_fixups, sizeof(*out->fixups));
	if (!out->fixups)
		return -ENOMEM;
	for (size_t i = 0; i < out->n_fixups; i++) {
		err = read_fixup(r, json_array_get(array, i), out, &out->fixups[i]);
		if (!err)
			continue;
		xl_err_prefix(r->e, "fixups[%zu]", i);
		return err;
	}
	return 0;
}

/* Types of functions, as BPF_PROG_LOAD has them. */
static int read_func_info(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_prog *out)
{
	const uint8_t *bytes;
	size_t len;
	int err = xl_exec_bytes(r, obj, "btf", &out->btf, &out->btf_len);

	if (!err)
		err = xl_exec_bytes(r, obj, "func_info", &bytes, &len);
	if (err)
		return err;
	if (len % sizeof(struct bpf_func_info))
		return xl_err_set(r->e, -EINVAL, "func_info: %zu bytes are no whole records", len);
	if (len && !out->btf)
		return xl_err_set(r->e, -EINVAL, "func_info: there is no btf");
	out->func_info = (const struct bpf_func_info *)bytes;
	out->n_func_info = len / sizeof(struct bpf_func_info);
	return 0;
}

static int read_prog(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_prog *out)
{
	int err;

	if (!json_is_object(obj))
		return xl_err_set(r->e, -EINVAL, "expected an object");
	*out = (struct xl_exec_prog){ .name = "", .type = BPF_PROG_TYPE_XDP, .license = "GPL" };
	err = xl_exec_string(r, obj, "name", &out->name);
	if (!err)
		err = read_type(r, obj, &out->type);
	if (!err)
		err = xl_exec_u32(r, obj, "expected_attach_type", &out->expected_attach_type);
	if (!err)
		err = xl_exec_u32(r, obj, "prog_flags", &out->flags);
	if (!err)
		err = xl_exec_string(r, obj, "license", &out->license);
	if (!err)
		err = read_insns(r, obj, out);
	if (!err)
		err = read_fixups(r, obj, out);
	if (!err)
		err = read_func_info(r, obj, out);
	return err;
}

int xl_exec_read_progs(struct xl_exec_reader *r, const json_t *obj)
{
	struct xl_exec_line *line = r->line;
	const json_t *array;
	size_t n;
	int err = xl_exec_array(r, obj, "progs", &array, &n);

	if (err)
		return err;
	line->progs = xl_exec_alloc(r, n + 1, sizeof(*line->progs));
	if (!line->progs)
		return -ENOMEM;
	line->n_progs = 1;
	err = read_prog(r, obj, &line->progs[0]);
	for (size_t i = 0; !err && i < n; i++) {
		err = read_prog(r, json_array_get(array, i), &line->progs[line->n_progs++]);
		if (err)
			xl_err_prefix(r->e, "progs[%zu]", i);
	}
	return err;
}

int xl_exec_read_prog_ref(struct xl_exec_reader *r, const json_t *in, uint32_t *out)
{
	const struct xl_exec_line *line = r->line;
	const char *name = json_string_value(in);

	if (json_is_integer(in)) {
		if (json_integer_value(in) < 0 || (size_t)json_integer_value(in) >= line->n_progs)
			return xl_err_set(r->e, -EINVAL, "no program %lld: there are %zu",
					  (long long)json_integer_value(in), line->n_progs);
		*out = (uint32_t)json_integer_value(in);
		return 0;
	}
	if (!name)
		return xl_err_set(r->e, -EINVAL, "expected a program's index or name, or \"self\"");
	*out = 0;
	if (!strcmp(name, "self"))
		return 0;
	for (uint32_t i = 0; *name && i < line->n_progs; i++)
		if (!strcmp(line->progs[i].name, name)) {
			*out = i;
			return 0;
		}
	return xl_err_set(r->e, -EINVAL, "no program '%.64s'", name);
}
