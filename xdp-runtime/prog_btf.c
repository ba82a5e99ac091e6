/* What BTF says of a program: the types of its functions, the source lines of its instructions.
 *
 * Records come in arrays whose element size the caller names, so that either side may be newer:
 * bytes that we do not know must be zero.
 *
 * Source: check_btf_info_early(), check_btf_info(), kernel/bpf/verifier.c, v6.18.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/btf.h"
#include "xdp-runtime/prog_check.h"

#define REC_SIZE_MIN 8u	  /* of a function: all of today's; a line has 16 */
#define REC_SIZE_MAX 252u /* MAX_FUNCINFO_REC_SIZE */

static bool rec_size_ok(uint32_t size, uint32_t min)
{
	return size >= min && size <= REC_SIZE_MAX && size % sizeof(uint32_t) == 0;
}

/* An array of records as the caller has it. */
struct records {
	uint64_t addr;
	uint32_t n, size;
	size_t size_off; /* of its size in the attributes, to write back what we know */
};

/* Copies record @i into the @known bytes at @dst. */
static int record_in(struct xl_sys *s, const struct records *r, uint32_t i, void *dst,
		     uint32_t known)
{
	const uint64_t addr = r->addr + (uint64_t)i * r->size;
	int zero = 1;

	if (r->size > known)
		zero = xl_sys_is_zero(s, addr + known, r->size - known);
	if (zero < 0)
		return zero;
	if (!zero)
		return xl_sys_attr_out(s, r->size_off, known) ? -EFAULT : -E2BIG;
	memset(dst, 0, known);
	return xl_sys_in(s, dst, addr, r->size < known ? r->size : known);
}

static int take_btf(struct xl_sys *s, struct xl_prog *prog)
{
	struct xl_obj *btf;
	int err = xl_sys_obj(s, (int)s->attr.u.prog_btf_fd, XL_OBJ_BTF, &btf, NULL);

	if (!err)
		prog->btf = btf;
	return err;
}

static int check_func(const struct bpf_func_info *f, uint32_t i, const struct btf *btf,
		      struct xl_vlog *log)
{
	const struct btf_type *t;

	if (!i && f->insn_off) {
		xl_vlog(log, "nonzero insn_off %u for the first func info record\n", f->insn_off);
		return -EINVAL;
	}
	if (i && f->insn_off <= f[-1].insn_off) {
		xl_vlog(log,
			"same or smaller insn offset (%u) than previous func info record (%u)\n",
			f->insn_off, f[-1].insn_off);
		return -EINVAL;
	}
	t = btf__type_by_id(btf, f->type_id);
	if (!t || !btf_is_func(t)) {
		xl_vlog(log, "invalid type id %u in func info\n", f->type_id);
		return -EINVAL;
	}
	return 0;
}

int xl_prog_take_func_info(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	const union bpf_attr *attr = &s->attr.u;
	const struct records r = { attr->func_info, attr->func_info_cnt, attr->func_info_rec_size,
				   offsetof(union bpf_attr, func_info_rec_size) };
	struct bpf_func_info *info;
	int err;

	if (!r.n && !attr->line_info_cnt)
		return 0;
	err = take_btf(s, prog);
	if (err || !r.n)
		return err;
	if (!rec_size_ok(r.size, REC_SIZE_MIN)) {
		xl_vlog(log, "invalid func info rec size %u\n", r.size);
		return -EINVAL;
	}
	if (r.n > prog->n_insns) {
		xl_vlog(log, "number of funcs in func_info doesn't match number of subprogs\n");
		return -EINVAL;
	}
	info = calloc(r.n, sizeof(*info));
	if (!info)
		return -ENOMEM;
	prog->func_info = info;
	prog->n_func_info = r.n;
	for (uint32_t i = 0; i < r.n; i++) {
		err = record_in(s, &r, i, &info[i], sizeof(*info));
		if (err == -E2BIG)
			xl_vlog(log, "nonzero tailing record in func info\n");
		if (!err)
			err = check_func(&info[i], i, xl_btf_of(prog->btf)->btf, log);
		if (err)
			return err;
	}
	return 0;
}

int xl_prog_check_func_info(const struct xl_prog *prog, struct xl_vlog *log)
{
	const struct bpf_func_info *info = prog->func_info;

	if (!info)
		return 0;
	if (prog->n_func_info != prog->n_subprogs) {
		xl_vlog(log, "number of funcs in func_info doesn't match number of subprogs\n");
		return -EINVAL;
	}
	for (uint32_t i = 0; i < prog->n_subprogs; i++) {
		if (info[i].insn_off == prog->subprog_start[i])
			continue;
		xl_vlog(log, "func_info BTF section doesn't match subprog layout in BPF program\n");
		return -EINVAL;
	}
	return 0;
}

/* @func     the next function that has no line yet; moved on */
static int check_line(const struct xl_prog *prog, uint32_t i, uint32_t *func, struct xl_vlog *log)
{
	const struct bpf_line_info *line = (const struct bpf_line_info *)prog->line_info + i;
	const struct btf *btf = xl_btf_of(prog->btf)->btf;
	const uint32_t prev = i ? line[-1].insn_off : 0;

	if ((i && line->insn_off <= prev) || line->insn_off >= prog->n_insns) {
		xl_vlog(log, "Invalid line_info[%u].insn_off:%u (prev_offset:%u prog->len:%u)\n", i,
			line->insn_off, prev, prog->n_insns);
		return -EINVAL;
	}
	if (!prog->insns_loaded[line->insn_off].code) {
		xl_vlog(log, "Invalid insn code at line_info[%u].insn_off\n", i);
		return -EINVAL;
	}
	if (!btf__str_by_offset(btf, line->line_off) ||
	    !btf__str_by_offset(btf, line->file_name_off)) {
		xl_vlog(log, "Invalid line_info[%u].line_off or .file_name_off\n", i);
		return -EINVAL;
	}
	if (*func == prog->n_subprogs)
		return 0;
	if (line->insn_off == prog->subprog_start[*func]) {
		++*func;
	} else if (prog->subprog_start[*func] < line->insn_off) {
		xl_vlog(log, "missing bpf_line_info for func#%u\n", *func);
		return -EINVAL;
	}
	return 0;
}

int xl_prog_take_line_info(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	const union bpf_attr *attr = &s->attr.u;
	const struct records r = { attr->line_info, attr->line_info_cnt, attr->line_info_rec_size,
				   offsetof(union bpf_attr, line_info_rec_size) };
	struct bpf_line_info *info;
	uint32_t func = 0;
	int err;

	if (!r.n)
		return 0;
	if (r.n > INT_MAX / sizeof(*info) || !rec_size_ok(r.size, sizeof(*info)))
		return -EINVAL;
	/* More lines than instructions cannot ascend; do not ask for the memory. */
	info = calloc(r.n <= prog->n_insns ? r.n : prog->n_insns + 1, sizeof(*info));
	if (!info)
		return -ENOMEM;
	prog->line_info = info;
	for (uint32_t i = 0; i < r.n; i++) {
		err = record_in(s, &r, i, &info[i], sizeof(*info));
		if (err == -E2BIG)
			xl_vlog(log, "nonzero tailing record in line_info\n");
		if (!err)
			err = check_line(prog, i, &func, log);
		if (err)
			return err;
		prog->n_line_info = i + 1;
	}
	if (func == prog->n_subprogs)
		return 0;
	xl_vlog(log, "missing bpf_line_info for %u funcs starting from func#%u\n",
		prog->n_subprogs - func, func);
	return -EINVAL;
}
