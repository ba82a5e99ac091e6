/* One run of the verifier, as its files share it. Private to verifier/. */
#ifndef XL_XDP_RUNTIME_VERIFIER_ENV_H
#define XL_XDP_RUNTIME_VERIFIER_ENV_H

#include <errno.h>

#include "xdp-runtime/verifier/facts.h"
#include "xdp-runtime/verifier/state.h"
#include "xdp-runtime/verifier/verify.h"

#define XL_V_MAX_OFF (1 << 29) /* BPF_MAX_VAR_OFF */

/* What is known of an instruction, whatever the path. */
struct xl_vinsn {
	uint16_t live; /* bit per register: it may be read from here on before it is written */
	bool joins;    /* paths meet: states are kept and compared here */
	bool has_kind; /* a load or store that was followed */
	uint8_t kind;  /* of its base: enum xl_vkind */
	bool met_key;  /* a helper call: it was followed, and its key looked at */
	struct xl_vstate *kept;
};

struct xl_vfunction {
	bool is_global; /* verified on its own */
	bool is_called; /* a global one: somewhere */
	bool is_done;
	bool changes_packet;
	bool tail_calls;
	uint32_t stack_size; /* bytes, deepest access */
};

struct xl_venv {
	const struct xl_prog *prog;
	const struct xl_verify_opts *opts;
	struct xl_verify_result *out;
	struct xl_vinsn *insn;
	struct xl_vfunction *function;
	struct xl_facts *facts; /* being collected, or NULL */
	struct xl_vstate *now;
	struct xl_vstate *pending; /* a stack */
	uint32_t n_pending, last_id;
	uint32_t jumps, jumps_kept;
	int unproven_err; /* of the first xl_v_unproven() */
	uint32_t unproven_insn;
	uint64_t insns_kept;
};

/* Writes a line; those of a refusal are its message. Returns @err. */
__attribute__((format(printf, 3, 4))) int xl_v_refuse(struct xl_venv *v, int err, const char *fmt,
						      ...);
/* Likewise, where the kind of access is right and run-time checks would do, or where it may just not
 * end. With opts->go_on it returns XL_V_GO_ON: the path can be followed on. */
#define XL_V_GO_ON (-ERESTART)
__attribute__((format(printf, 3, 4))) int xl_v_unproven(struct xl_venv *v, int err, const char *fmt,
							...);
static inline int xl_v_or_go_on(int err)
{
	return err == XL_V_GO_ON ? 0 : err;
}
/* Ends with the verdict that the program has something that is not modelled. */
__attribute__((format(printf, 2, 3))) int xl_v_unsupported(struct xl_venv *v, const char *fmt, ...);

static inline struct xl_vframe *xl_v_frame(struct xl_venv *v)
{
	return xl_vstate_top(v->now);
}
static inline struct xl_vreg *xl_v_reg(struct xl_venv *v, uint32_t r)
{
	return &xl_vstate_top(v->now)->reg[r];
}
/* "R3 !read_ok" */
int xl_v_readable(struct xl_venv *v, uint32_t r);

/* Whether a value that goes where the program's owner can see it must not be @reg's. */
static inline bool xl_v_leaks(const struct xl_venv *v, const struct xl_vreg *reg)
{
	return v->opts->strict && reg->kind != XL_V_SCALAR;
}

/* live.c: fills in live and joins of all instructions. -ENOMEM */
int xl_v_live(struct xl_venv *v);

/* explore.c: follows the paths from @v->now (which it takes) to their ends. */
int xl_v_explore(struct xl_venv *v);
/* A copy of the state now, to be followed later, from @insn on. NULL with *err. */
struct xl_vstate *xl_v_push(struct xl_venv *v, uint32_t insn, int *err);
/* Takes back what was pushed last, or puts it in the place of the state now. */
void xl_v_drop(struct xl_venv *v);
void xl_v_take(struct xl_venv *v);

/* facts.c: what is learnt of each instruction. Where v->facts is NULL, fact_*() do nothing. */
int xl_v_facts_begin(struct xl_venv *v); /* -ENOMEM */
/* The state now is about to be followed; nothing of it may be forgotten after that. */
void xl_v_facts_visit(struct xl_venv *v);
/* The conditional jump @insn can go this way. */
void xl_v_fact_way(struct xl_venv *v, uint32_t insn, bool jumps);
/* The helper call now gets @key for a key, if @known, each time that it is followed. */
void xl_v_fact_key(struct xl_venv *v, bool known, uint64_t key);
struct xl_facts *xl_v_facts_end(struct xl_venv *v);

/* alu.c, branch.c. Each moves v->now->insn on. -ECANCELED: no way on is possible. */
int xl_v_alu(struct xl_venv *v, const struct bpf_insn *insn);
int xl_v_branch(struct xl_venv *v, const struct bpf_insn *insn);

/* mem.c */
int xl_v_load(struct xl_venv *v, const struct bpf_insn *insn);
int xl_v_store(struct xl_venv *v, const struct bpf_insn *insn);
int xl_v_atomic(struct xl_venv *v, const struct bpf_insn *insn);
/* Bytes @off.. of a pointer with a variable part: packet and map values. */
int xl_v_region(struct xl_venv *v, uint32_t r, int64_t off, int64_t size, bool write);

/* stack.c. @r: the register that points there. */
int xl_v_stack_load(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size, bool sign,
		    struct xl_vreg *out);
int xl_v_stack_store(struct xl_venv *v, uint32_t r, int32_t off, uint32_t size,
		     const struct xl_vreg *value);
/* A helper's: reads, or writes if @write, @size bytes at most. */
int xl_v_stack_range(struct xl_venv *v, uint32_t r, int64_t size, bool write);
/* The constant in @size bytes at register @r; false if there is none. */
bool xl_v_stack_const(struct xl_venv *v, uint32_t r, uint32_t size, uint64_t *out);

/* args.c: what argument @i (from 0) of @helper must be. */
struct xl_helper;
struct xl_vcall {
	const struct xl_helper *helper;
	int32_t id;
	const struct xl_map *map; /* given, or NULL */
	bool const_key;
	uint64_t key;
};
int xl_v_arg(struct xl_venv *v, struct xl_vcall *call, uint32_t i);
/* map_calls.c: whether the helper takes a map of this type, and may change it. */
int xl_v_map_fits(struct xl_venv *v, const struct xl_vcall *call);

/* call.c */
int xl_v_call(struct xl_venv *v, const struct bpf_insn *insn);
/* Ends a function; *out_end: the path ends with it. */
int xl_v_exit(struct xl_venv *v, bool *out_end);
/* verify.c */
uint32_t xl_v_function_at(const struct xl_venv *v, uint32_t insn);
/* The argument kinds of a global function into @regs[1..5]; returns their number, or a refusal. */
int xl_v_global_args(struct xl_venv *v, uint32_t function, struct xl_vreg *regs);

#endif
