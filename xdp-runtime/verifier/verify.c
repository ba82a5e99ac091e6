/* The functions of a program, one after the other; see verify.h.
 *
 * Source: do_check_main(), do_check_subprogs(), check_max_stack_depth(),
 * btf_prepare_func_args() in kernel/bpf/verifier.c and btf.c, v6.18.
 */
#include "xdp-runtime/verifier/verify.h"

#include <bpf/btf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/btf.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/verifier/env.h"

#define STACK_ALIGN	16u  /* of each frame, as the kernel's JIT does it */
#define STACK_TAIL_CALL 256u /* of callers, where a function tail-calls */

/* -- words ------------------------------------------------------------------------------------ */

static void say(struct xl_venv *v, const char *text)
{
	const size_t len = strlen(v->out->msg);

	xl_vlog(v->opts->log, "%s", text);
	snprintf(v->out->msg + len, sizeof(v->out->msg) - len, "%s%.*s", len ? "\n" : "",
		 (int)strcspn(text, "\n"), text);
}

/* Something worse than what was not proven. */
static void forget_unproven(struct xl_venv *v)
{
	if (v->out->unproven && v->opts->go_on)
		v->out->msg[0] = '\0';
	v->out->unproven = false;
}

int xl_v_refuse(struct xl_venv *v, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	forget_unproven(v);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(v, text);
	v->out->verdict = XL_VERIFY_REFUSED;
	return err;
}

int xl_v_unproven(struct xl_venv *v, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (v->out->unproven && v->opts->go_on)
		return XL_V_GO_ON;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(v, text);
	v->out->verdict = XL_VERIFY_REFUSED;
	v->out->unproven = true;
	v->unproven_err = err;
	v->unproven_insn = v->out->insn;
	return v->opts->go_on ? XL_V_GO_ON : err;
}

int xl_v_unsupported(struct xl_venv *v, const char *fmt, ...)
{
	char what[160], text[192];
	va_list ap;

	forget_unproven(v);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "unsupported: %s\n", what);
	say(v, text);
	v->out->verdict = XL_VERIFY_UNSUPPORTED;
	return -EOPNOTSUPP;
}

int xl_v_readable(struct xl_venv *v, uint32_t r)
{
	if (xl_v_reg(v, r)->kind != XL_V_UNINIT)
		return 0;
	return xl_v_refuse(v, -EACCES, "R%u !read_ok\n", r);
}

/* -- functions -------------------------------------------------------------------------------- */

uint32_t xl_v_function_at(const struct xl_venv *v, uint32_t insn)
{
	uint32_t f = 0;

	while (f + 1 < v->prog->n_subprogs && v->prog->subprog_start[f + 1] <= insn)
		f++;
	return f;
}

static bool is_function_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static const struct btf *btf_of(const struct xl_venv *v)
{
	return v->prog->btf && v->prog->func_info ? xl_btf_of(v->prog->btf)->btf : NULL;
}

static const struct btf_type *func_of(const struct xl_venv *v, uint32_t function)
{
	const struct bpf_func_info *info = v->prog->func_info;

	if (!btf_of(v) || function >= v->prog->n_func_info)
		return NULL;
	return btf__type_by_id(btf_of(v), info[function].type_id);
}

static const struct btf_type *skip_mods(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool is_ctx(const struct btf *btf, const struct btf_type *pointer)
{
	const struct btf_type *to = skip_mods(btf, pointer->type);

	return to && btf_is_struct(to) && !strcmp(btf__name_by_offset(btf, to->name_off), "xdp_md");
}

int xl_v_global_args(struct xl_venv *v, uint32_t function, struct xl_vreg *regs)
{
	const struct btf *btf = btf_of(v);
	const struct btf_type *func = func_of(v, function), *proto;
	uint32_t n;

	proto = func ? btf__type_by_id(btf, func->type) : NULL;
	n = proto ? btf_vlen(proto) : 6;
	if (n > 5)
		return xl_v_unsupported(v, "global function with %u arguments", n);
	for (uint32_t i = 0; i < n; i++) {
		const struct btf_type *t = skip_mods(btf, btf_params(proto)[i].type);

		if (t && (btf_is_int(t) || btf_is_any_enum(t)))
			xl_vreg_unknown(&regs[i + 1]);
		else if (t && btf_is_ptr(t) && is_ctx(btf, t))
			xl_vreg_pointer(&regs[i + 1], XL_V_CTX);
		else
			return xl_v_unsupported(v, "argument %u of a global function", i + 1);
	}
	return (int)n;
}

/* What the code says of functions, without following it. */
static void look_at_functions(struct xl_venv *v)
{
	bool changed = true;

	for (uint32_t f = 1; f < v->prog->n_subprogs; f++) {
		const struct btf_type *func = func_of(v, f);

		v->function[f].is_global = func && btf_vlen(func) == BTF_FUNC_GLOBAL;
	}
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < v->prog->n_insns; i++) {
			const struct bpf_insn *insn = &v->prog->insns[i];
			struct xl_vfunction *f = &v->function[xl_v_function_at(v, i)];
			const struct xl_helper *h;
			bool changes = false;

			if (xl_insn_is_ld_imm64(insn)) {
				i++;
				continue;
			}
			if (insn->code != (BPF_JMP | BPF_CALL))
				continue;
			h = is_function_call(insn) ? NULL : xl_helper_of(insn->imm);
			if (is_function_call(insn))
				changes = v->function[xl_v_function_at(v,
								       i + 1 + (uint32_t)insn->imm)]
						  .changes_packet;
			else
				changes = h && h->changes_packet;
			/* Who knows what the program there does. */
			if (h && insn->imm == BPF_FUNC_tail_call)
				f->tail_calls = changes = true;
			changed |= changes && !f->changes_packet;
			f->changes_packet |= changes;
		}
	}
}

static int verify_function(struct xl_venv *v, uint32_t function)
{
	struct xl_vframe *frame = xl_vframe_new(XL_VSLOTS);
	int n = 0;

	v->now = calloc(1, sizeof(*v->now));
	if (!frame || !v->now) {
		free(frame);
		return -ENOMEM;
	}
	v->now->frame[v->now->n_frames++] = frame;
	v->now->insn = v->prog->subprog_start[function];
	frame->function = function;
	xl_vreg_pointer(&frame->reg[BPF_REG_10], XL_V_STACK);
	xl_vreg_pointer(&frame->reg[BPF_REG_1], XL_V_CTX);
	if (function)
		n = xl_v_global_args(v, function, frame->reg);
	v->jumps = v->jumps_kept = 0;
	v->insns_kept = v->out->n_insns_processed;
	if (n >= 0)
		return xl_v_explore(v);
	xl_vstate_free(v->now);
	return n;
}

static int verify_functions(struct xl_venv *v)
{
	int err = verify_function(v, 0);
	bool more = true;

	while (!err && more) {
		more = false;
		for (uint32_t f = 1; !err && f < v->prog->n_subprogs; f++) {
			if (!v->function[f].is_called || v->function[f].is_done)
				continue;
			v->function[f].is_done = more = true;
			err = verify_function(v, f);
		}
	}
	return err;
}

/* -- the stack of a chain of calls ------------------------------------------------------------ */

/* Per function: bytes of its callers at most, when it is the n-th frame; -1 it never is. */
struct chain {
	int32_t above[XL_SUBPROGS_MAX];
};

static uint32_t frame_size(const struct xl_venv *v, uint32_t f)
{
	return (v->function[f].stack_size + STACK_ALIGN - 1) / STACK_ALIGN * STACK_ALIGN;
}

static int check_frame(struct xl_venv *v, uint32_t f, uint32_t depth, int32_t above)
{
	const int32_t total = above + (int32_t)frame_size(v, f);

	if (f && v->function[f].tail_calls && above >= (int32_t)STACK_TAIL_CALL)
		return xl_v_refuse(
			v, -EACCES,
			"tail_calls are not allowed when call stack of previous frames is "
			"%d bytes. Too large\n",
			above);
	if (total > XL_STACK_SIZE)
		return xl_v_refuse(v, -EACCES, "combined stack size of %u calls is %d. Too large\n",
				   depth, total);
	return 0;
}

static void next_depth(const struct xl_venv *v, const struct chain *now, struct chain *next,
		       bool *out_more)
{
	for (uint32_t f = 0; f < v->prog->n_subprogs; f++)
		next->above[f] = -1;
	for (uint32_t i = 0; i < v->prog->n_insns; i++) {
		const struct bpf_insn *insn = &v->prog->insns[i];
		uint32_t f, callee;
		int32_t total;

		if (xl_insn_is_ld_imm64(insn))
			i++;
		else if (is_function_call(insn)) {
			f = xl_v_function_at(v, i);
			callee = xl_v_function_at(v, i + 1 + (uint32_t)insn->imm);
			if (now->above[f] < 0)
				continue;
			total = now->above[f] + (int32_t)frame_size(v, f);
			if (next->above[callee] < total)
				next->above[callee] = total;
			*out_more = true;
		}
	}
}

static int check_stacks(struct xl_venv *v)
{
	struct chain chains[2];
	bool more = true;
	int err = 0;

	memset(&chains[0], 0xff, sizeof(chains[0]));
	chains[0].above[0] = 0;
	for (uint32_t depth = 1; more && !err; depth++) {
		const struct chain *now = &chains[(depth - 1) % 2];

		more = false;
		if (depth > XL_CALL_DEPTH_MAX)
			return xl_v_refuse(v, -E2BIG, "the call stack of %u frames is too deep !\n",
					   depth);
		for (uint32_t f = 0; f < v->prog->n_subprogs && !err; f++)
			if (now->above[f] >= 0)
				err = check_frame(v, f, depth, now->above[f]);
		next_depth(v, now, &chains[depth % 2], &more);
	}
	return err;
}

/* --------------------------------------------------------------------------------------------- */

static int run(struct xl_venv *v)
{
	int err;

	if (v->prog->type != BPF_PROG_TYPE_XDP)
		return xl_v_unsupported(v, "programs that are not XDP");
	if (v->prog->flags & (BPF_F_STRICT_ALIGNMENT | BPF_F_SLEEPABLE))
		return xl_v_unsupported(v, "program flags 0x%x", v->prog->flags);
	err = xl_v_live(v);
	if (!err && v->opts->facts)
		err = xl_v_facts_begin(v);
	if (err)
		return err;
	look_at_functions(v);
	err = verify_functions(v);
	return err ? err : check_stacks(v);
}

static void fini(struct xl_venv *v)
{
	for (uint32_t i = 0; v->insn && i < v->prog->n_insns; i++)
		while (v->insn[i].kept) {
			struct xl_vstate *s = v->insn[i].kept;

			v->insn[i].kept = s->next;
			xl_vstate_free(s);
		}
	free(v->insn);
	free(v->function);
	xl_facts_free(v->facts);
}

int xl_verify(const struct xl_prog *prog, const struct xl_verify_opts *opts,
	      struct xl_verify_result *out)
{
	struct xl_venv v = { .prog = prog, .opts = opts, .out = out };
	int err;

	*out = (struct xl_verify_result){ .verdict = XL_VERIFY_ACCEPTED };
	v.function = calloc(prog->n_subprogs, sizeof(*v.function));
	err = v.function ? run(&v) : -ENOMEM;
	if (!err && v.facts && out->verdict == XL_VERIFY_ACCEPTED)
		out->facts = xl_v_facts_end(&v);
	fini(&v);
	if (err == -ENOMEM)
		return err;
	out->err = out->verdict == XL_VERIFY_REFUSED ? err : 0;
	if (out->unproven) {
		out->err = v.unproven_err;
		out->insn = v.unproven_insn;
	}
	xl_vlog(opts->log,
		"processed %llu insns (limit %llu) max_states_per_insn 0 total_states %u "
		"peak_states %u mark_read 0\n",
		(unsigned long long)out->n_insns_processed, (unsigned long long)opts->insn_limit,
		out->n_states, out->n_states_peak);
	return 0;
}
