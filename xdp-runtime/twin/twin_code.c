/* A program's instructions for the kernel.
 *
 * A call of a helper whose answer we want to choose becomes a jump to a few instructions at the end
 * of the same function, which load the answer from the environment map and jump back:
 *
 *      call bpf_ktime_get_ns   ->      goto L
 *   B: ...                          B: ...
 *      exit                            exit
 *                                   L: r1 = map_value(env)[0] + 0 ll
 *                                      r0 = *(u64 *)(r1 + 0)
 *                                      goto B
 *
 * This needs no stack, no additional function and no BTF for one, and is allowed wherever the call
 * was; r1 to r5 are dead after a call. Jumps keep their distances, since a function only grows at
 * its end; what refers to the start of a function is moved: calls, function pointers, func_info
 * and line_info.
 */
#include "xdp-runtime/twin/twin_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"

/* By what a helper's call is replaced: word i of the environment. The CPU comes last. */
static const int32_t word_helpers[XL_TWIN_N_WORDS] = {
	BPF_FUNC_ktime_get_ns,	       BPF_FUNC_ktime_get_boot_ns, BPF_FUNC_ktime_get_coarse_ns,
	BPF_FUNC_ktime_get_tai_ns,     BPF_FUNC_jiffies64,	   BPF_FUNC_get_numa_node_id,
	BPF_FUNC_get_smp_processor_id,
};
#define WORD_CPU       (XL_TWIN_N_WORDS - 1)
#define WORD_PRANDOM   XL_TWIN_N_WORDS /* not a word: the generator */
#define REPLACE_NONE   (-1)
#define TAIL_INSNS_MAX 12

void xl_twin_env_set(struct xl_twin_env *env, struct xl_run *run, struct xl_frame *frame)
{
	struct xl_run *run_before = xl_run;
	struct xl_frame *frame_before = run->frame;

	xl_run = run;
	run->frame = frame;
	for (uint32_t i = 0; i < XL_TWIN_N_WORDS; i++) {
		const struct xl_helper *h = xl_helper_of(word_helpers[i]);

		env->word[i] = h && h->fn ? h->fn(0, 0, 0, 0, 0) : 0;
	}
	env->prandom = run->prandom;
	run->frame = frame_before;
	xl_run = run_before;
}

static int replacement(const struct xl_twin_code_opts *opts, const struct bpf_insn *insn)
{
	if (opts->env_fd < 0 || insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != 0)
		return REPLACE_NONE;
	if (insn->imm == BPF_FUNC_get_prandom_u32)
		return WORD_PRANDOM;
	for (int i = 0; i < XL_TWIN_N_WORDS; i++)
		if (insn->imm == word_helpers[i] && (i != WORD_CPU || opts->replace_cpu))
			return i;
	return REPLACE_NONE;
}

/* Emission into a buffer that has room for TAIL_INSNS_MAX. */
struct tail {
	struct bpf_insn *insn;
	uint32_t n;
};

static void emit(struct tail *t, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	t->insn[t->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static void emit_ld_imm64(struct tail *t, uint8_t dst, uint8_t src, int32_t lo, int32_t hi)
{
	emit(t, BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, lo);
	emit(t, 0, 0, 0, 0, hi);
}

/* goto @to from instruction @at; beyond 16 bits by the 32-bit form (kernel 6.6). */
static struct bpf_insn jump(uint32_t at, uint32_t to)
{
	int32_t distance = (int32_t)to - (int32_t)at - 1;

	if (distance == (int16_t)distance)
		return (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (int16_t)distance };
	return (struct bpf_insn){ .code = BPF_JMP32 | BPF_JA, .imm = distance };
}

/* The instructions that stand in for a call, without the jump back. */
static uint32_t emit_answer(struct bpf_insn *insns, int what, const struct xl_twin_code_opts *opts)
{
	const uint64_t mul = XL_RUN_PRANDOM_MUL, add = XL_RUN_PRANDOM_ADD;
	struct tail t = { .insn = insns };

	if (what != WORD_PRANDOM) {
		emit_ld_imm64(&t, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, opts->env_fd,
			      what * (int32_t)sizeof(uint64_t));
		emit(&t, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0);
		if (what == WORD_CPU) {
			/* The verifier bounds the helper's answer; programs rely on it. */
			emit(&t, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_0, 0, 1, (int32_t)opts->n_cpus);
			emit(&t, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
		}
		return t.n;
	}
	/* xl_run_prandom_u32(), run.h */
	emit_ld_imm64(&t, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, opts->env_fd,
		      offsetof(struct xl_twin_env, prandom));
	emit(&t, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0);
	emit_ld_imm64(&t, BPF_REG_2, 0, (int32_t)(uint32_t)mul, (int32_t)(uint32_t)(mul >> 32));
	emit(&t, BPF_ALU64 | BPF_MUL | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
	emit_ld_imm64(&t, BPF_REG_2, 0, (int32_t)(uint32_t)add, (int32_t)(uint32_t)(add >> 32));
	emit(&t, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
	emit(&t, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_0, 0, 0);
	emit(&t, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32);
	return t.n;
}

static uint32_t subprog_end(const struct xl_prog *prog, uint32_t s)
{
	return s + 1 < prog->n_subprogs ? prog->subprog_start[s + 1] : prog->n_insns;
}

/* The function that instruction @i belongs to. */
static uint32_t subprog_of(const struct xl_prog *prog, uint32_t i)
{
	uint32_t lo = 0, hi = prog->n_subprogs;

	while (hi - lo > 1) {
		uint32_t mid = (lo + hi) / 2;

		if (prog->subprog_start[mid] <= i)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Writes the new start of each function to @starts; returns the new length. */
static uint32_t lay_out(const struct xl_prog *prog, const struct xl_twin_code_opts *opts,
			uint32_t *starts)
{
	struct bpf_insn scratch[TAIL_INSNS_MAX];
	uint32_t at = 0;

	for (uint32_t s = 0; s < prog->n_subprogs; s++) {
		starts[s] = at;
		for (uint32_t i = prog->subprog_start[s]; i < subprog_end(prog, s); i++) {
			const struct bpf_insn *insn = &prog->insns_loaded[i];
			int what = replacement(opts, insn);

			at++;
			if (what != REPLACE_NONE)
				at += emit_answer(scratch, what, opts) + 1;
			if (xl_insn_is_ld_imm64(insn)) {
				i++;
				at++;
			}
		}
	}
	return at;
}

/* What a 16-byte load refers to, in the kernel's numbers. @i: old index, @at: new one. */
static int relocate_ld_imm64(const struct xl_prog *prog, const struct xl_twin_code_opts *opts,
			     const uint32_t *starts, uint32_t i, uint32_t at, struct bpf_insn *insn)
{
	int fd;

	switch (insn->src_reg) {
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_VALUE:
		fd = opts->map_fd(opts->arg, (uint32_t)insn->imm);
		if (fd < 0)
			return -ENOENT;
		insn->imm = fd;
		return 0;
	case BPF_PSEUDO_FUNC:
		insn->imm = (int32_t)starts[subprog_of(prog, i + 1 + (uint32_t)insn->imm)] -
			    (int32_t)at - 1;
		return 0;
	}
	return 0;
}

/* Calls by our numbers become calls by those of the kernel's BTF. */
static int relocate_kfunc(const struct xl_twin_code_opts *opts, struct bpf_insn *insn)
{
	const int32_t id = opts->kfunc_id(opts->arg, xl_kfunc_of(insn->imm)->name);

	insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
	insn->imm = id;
	return id < 0 ? -ESRCH : 0;
}

static int copy_subprog(const struct xl_prog *prog, const struct xl_twin_code_opts *opts,
			const uint32_t *starts, uint32_t s, struct xl_twin_code *out)
{
	const uint32_t from = prog->subprog_start[s], end = subprog_end(prog, s);
	uint32_t tail = starts[s] + (end - from);

	for (uint32_t i = from; i < end; i++) {
		uint32_t at = starts[s] + (i - from);
		struct bpf_insn *insn = &out->insns[at];
		int what = replacement(opts, &prog->insns_loaded[i]);

		*insn = prog->insns_loaded[i];
		if (what != REPLACE_NONE) {
			*insn = jump(at, tail);
			tail += emit_answer(&out->insns[tail], what, opts);
			out->insns[tail] = jump(tail, at + 1);
			tail++;
			out->n_replaced++;
		} else if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) {
			insn->imm = (int32_t)starts[subprog_of(prog, i + 1 + (uint32_t)insn->imm)] -
				    (int32_t)at - 1;
		} else if (insn->code == (BPF_JMP | BPF_CALL) && xl_kfunc_of(insn->imm)) {
			int err = relocate_kfunc(opts, insn);

			if (err)
				return err;
		} else if (xl_insn_is_ld_imm64(insn)) {
			int err = relocate_ld_imm64(prog, opts, starts, i, at, insn);

			if (err)
				return err;
			i++;
			out->insns[at + 1] = prog->insns_loaded[i];
		}
	}
	return 0;
}

/* @off of a func_info or line_info record: all begin with the instruction. */
static void *move_info(const struct xl_prog *prog, const uint32_t *starts, const void *info,
		       uint32_t n, size_t record_size)
{
	char *copy = calloc(n, record_size);

	if (!copy)
		return NULL;
	memcpy(copy, info, n * record_size);
	for (uint32_t r = 0; r < n; r++) {
		uint32_t off, s;

		memcpy(&off, copy + r * record_size, sizeof(off));
		s = subprog_of(prog, off);
		off += starts[s] - prog->subprog_start[s];
		memcpy(copy + r * record_size, &off, sizeof(off));
	}
	return copy;
}

int xl_twin_code_make(const struct xl_prog *prog, const struct xl_twin_code_opts *opts,
		      struct xl_twin_code *out)
{
	struct xl_twin_code code = { 0 };
	uint32_t *starts = calloc(prog->n_subprogs, sizeof(*starts));
	int err = -ENOMEM;

	if (!starts)
		return -ENOMEM;
	code.n_insns = lay_out(prog, opts, starts);
	code.insns = calloc(code.n_insns, sizeof(*code.insns));
	if (!code.insns)
		goto out;
	for (uint32_t s = 0; s < prog->n_subprogs; s++) {
		err = copy_subprog(prog, opts, starts, s, &code);
		if (err)
			goto out;
	}
	err = -ENOMEM;
	if (prog->n_func_info) {
		code.func_info = move_info(prog, starts, prog->func_info, prog->n_func_info,
					   sizeof(struct bpf_func_info));
		if (!code.func_info)
			goto out;
	}
	if (prog->n_line_info) {
		code.line_info = move_info(prog, starts, prog->line_info, prog->n_line_info,
					   sizeof(struct bpf_line_info));
		if (!code.line_info)
			goto out;
	}
	err = 0;
	*out = code;
	code = (struct xl_twin_code){ 0 };
out:
	xl_twin_code_fini(&code);
	free(starts);
	return err;
}

void xl_twin_code_fini(struct xl_twin_code *code)
{
	free(code->insns);
	free(code->func_info);
	free(code->line_info);
}
