/* hot */
/* The state of one thread while it runs programs: what helpers need beyond r1..r5.
 *
 * A helper is a plain function of five u64, so the rest reaches it through one thread-local
 * pointer, xl_run, which the engine sets around a burst.
 */
#ifndef XL_XDP_RUNTIME_RUN_H
#define XL_XDP_RUNTIME_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frame.h"
#include "xdp-runtime/verdict.h"

struct xl_prog;
struct xl_map;
struct xl_runtime;
struct xl_run;
struct xl_dynptr;
struct xl_fact_check;

enum xl_fault_kind {
	XL_FAULT_NONE,
	XL_FAULT_ACCESS,     /* load or store outside of what the program owns */
	XL_FAULT_RDONLY,     /* store to read-only memory */
	XL_FAULT_HELPER_ARG, /* a helper's argument is not what its row asks for */
	XL_FAULT_INSN_LIMIT, /* ran too long */
	XL_FAULT_CALL_DEPTH, /* more than 8 frames */
	XL_FAULT_BAD_INSN,   /* cannot happen to a checked program */
};

/* Why a program was stopped. */
struct xl_fault {
	enum xl_fault_kind kind;
	const struct xl_prog *prog; /* borrowed; the one that was running (after tail calls) */
	uint32_t insn;		    /* index into prog->insns */
	uint64_t addr;		    /* of the access */
	uint32_t size;		    /* of the access, bytes */
	bool write;
	char detail[128]; /* "packet has 54 bytes", "argument 3 of bpf_map_update_elem: …" */
};

/* Where what a program says goes. All may be NULL. Called on the running thread. */
struct xl_run_sinks {
	void *arg;
	/* bpf_trace_printk and bpf_trace_vprintk: one formatted message, no newline added. */
	void (*trace)(void *arg, const char *text, size_t len);
	/* bpf_perf_event_output: @data then @packet_len bytes of the frame. Returns 0 or -errno for
	 * the program; without a sink the helper answers -ENOENT, as with no consumer. */
	int (*perf_event)(void *arg, struct xl_map *map, uint32_t index, const void *data,
			  uint32_t len, const struct xl_frame *frame, uint32_t packet_len);
	/* bpf_ringbuf_output and _submit: one record. Returns whether the reader of @map is here and
	 * has it now; else it stays in the ring. */
	bool (*ringbuf)(void *arg, struct xl_map *map, const void *data, uint32_t len);
};

/* Memory that a program has been given and must give back: a reserved record of a ring buffer. */
struct xl_held {
	struct xl_map *map;
	void *mem;
	uint32_t size;
};
#define XL_RUN_HELD_MAX 64 /* chosen: as many pointers as fit on one stack */

/* Memory that a helper shows to a BPF function which it calls, until that returns. */
struct xl_lent {
	const void *base;
	size_t size;
	bool writable;
	/* What the function got for it, if that is no pointer to it: a struct xl_dynptr, which it
	 * may pass on but not touch. NULL: none. */
	const struct xl_dynptr *dynptr;
	const struct xl_lent *outer; /* lent by the helper around this one */
};

struct xl_run {
	struct xl_runtime *rt;
	struct xl_prog *prog;			     /* running now; a tail call changes it */
	struct xl_frame *frame;			     /* running now */
	uint64_t (*clock)(const struct xl_run *run); /* CLOCK_MONOTONIC as programs see it, ns */
	uint64_t prandom; /* state of bpf_get_prandom_u32; set it to repeat a run */
	struct xl_redirect
		redirect;    /* written by redirect helpers, taken when r0 is XDP_REDIRECT */
	uint32_t tail_calls; /* made by this run of the program so far; limit 33 */
	struct xl_run_sinks sinks;

	/* How a helper calls a BPF function (bpf_loop, bpf_for_each_map_elem): set by the engine.
	 * @func is what the program passed. Returns its r0; run->fault.kind tells if it died. */
	uint64_t (*call)(struct xl_run *run, uint64_t func, uint64_t r1, uint64_t r2, uint64_t r3,
			 uint64_t r4, uint64_t r5);
	/* How many bytes from @addr on, at most @len, are the program's own readable memory: packet,
	 * metadata, stacks, map values, what is lent; 0: none. Set by the engine, for helpers that
	 * follow addresses which no row checks (%s of bpf_trace_printk, bpf_probe_read_kernel).
	 * NULL: such reads fail. */
	size_t (*readable)(const struct xl_run *run, uintptr_t addr, size_t len);
	struct xl_held held[XL_RUN_HELD_MAX];
	uint32_t n_held;
	void *locked;	   /* the spin lock in a map value that the program holds, or NULL */
	const void *timer; /* the element whose timer has expired and is being run; NULL: none */
	/* By a helper: why the program must be stopped. The engine takes it. */
	const char *complaint;
	const struct xl_lent *lent; /* by the helper that is calling back; NULL: none */
	void *engine_state;	    /* the engine's own, while it runs */

	/* Interpreter: where the verifier's facts are tested (fact_check.h); NULL: nowhere. */
	struct xl_fact_check *check;
	/* Interpreter: how many instructions one frame may take, and took. */
	uint64_t insn_limit;
	uint64_t n_insns;
	struct xl_fault fault;
};

/* This thread's; NULL outside of an engine's run(). */
extern _Thread_local struct xl_run *xl_run;

#define XL_INSN_LIMIT_DEFAULT (UINT64_C(1) << 28) /* chosen: about a second of interpreting */

/* Sets @run up for @rt: real clock, fixed prandom seed, default limit, no sinks. */
void xl_run_init(struct xl_run *run, struct xl_runtime *rt);

/* What the program holds that starts at @addr, or NULL. */
static inline struct xl_held *xl_run_held(struct xl_run *run, uint64_t addr)
{
	for (uint32_t i = 0; i < run->n_held; i++)
		if ((uintptr_t)run->held[i].mem == addr)
			return &run->held[i];
	return NULL;
}

/* Whether @addr is that of a dynptr that a helper lends to the program. */
static inline bool xl_run_lent_dynptr(const struct xl_run *run, uint64_t addr)
{
	for (const struct xl_lent *lent = run->lent; lent; lent = lent->outer)
		if (lent->dynptr && (uintptr_t)lent->dynptr == addr)
			return true;
	return false;
}

/* Discards what a program that has ended still holds, and gives its lock back. For engines. */
void xl_run_drop_held(struct xl_run *run);

/* Clock that reads the frame's time_ns: what replay uses. */
uint64_t xl_run_clock_frame(const struct xl_run *run);

/* Next 32 bits of the run's generator (64-bit LCG, Knuth's MMIX constants, high half):
 * simple on purpose, since the kernel twin computes it in BPF too. */
#define XL_RUN_PRANDOM_MUL UINT64_C(6364136223846793005)
#define XL_RUN_PRANDOM_ADD UINT64_C(1442695040888963407)
static inline uint32_t xl_run_prandom_u32(struct xl_run *run)
{
	run->prandom = run->prandom * XL_RUN_PRANDOM_MUL + XL_RUN_PRANDOM_ADD;
	return (uint32_t)(run->prandom >> 32);
}

/* One line for a person: "insn 17 of xdp_main (r1 = *(u32 *)(r2 +40)), firewall.c:57 "if (p->x)":
 * read of 4 bytes at packet+54: the packet has 54 bytes". */
void xl_fault_describe(const struct xl_fault *fault, char *buf, size_t size);

#endif
