/* hot */
/* Inside of the interpreter: what its files share. Others see engine.h and xl_interp only.
 *
 *   interp.c       the loop: one case per instruction
 *   interp_mem.c   which memory a program may touch, and an address in words
 *   interp_call.c  helpers and their arguments, callbacks, tail calls
 *   fact_check.c   what the verifier knows against what is, where that is asked for
 *
 * One struct xl_interp lives on the C stack while a burst runs. The stacks of BPF functions lie
 * in it one above the other, with gaps between, so that running off one end or the other of a
 * function's 512 bytes is seen, while a function may use memory of its callers by a pointer.
 *
 *   |-- 512 bytes of frame 0 --| r10, gap |-- 512 bytes of frame 1 --| r10, gap | ...
 */
#ifndef XL_XDP_RUNTIME_INTERP_H
#define XL_XDP_RUNTIME_INTERP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/uapi.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"

/* Each program that is entered by a tail call from a function replaces that function and may go
 * eight deep again. */
#define XL_INTERP_FRAMES (XL_CALL_DEPTH_MAX + XL_TAIL_CALL_MAX * (XL_CALL_DEPTH_MAX - 1))
#define XL_INTERP_STRIDE 1024u /* from stack to stack; a power of two above XL_STACK_SIZE */

/* A BPF function in progress. */
struct xl_interp_frame {
	struct xl_prog *prog;	       /* whose function it is; a tail call changes it */
	const struct bpf_insn *resume; /* where its caller goes on; NULL: its caller is C */
	uint64_t saved[4];	       /* its caller's r6..r9 */
	uint32_t level;		       /* 1: entered as a program, 2..8: called from there */
};

struct xl_interp {
	struct xl_run *run;
	struct xl_frame *packet;
	struct xl_prog *prog;	     /* running; frame[depth].prog */
	const struct bpf_insn *insn; /* running; up to date whenever C code is called */
	uint64_t left;		     /* instructions that may still run; likewise */
	uint64_t left_watched;	     /* the same of a run that is watched, where `left` is 0 */
	uint32_t depth;		     /* of the running function in frame[] */

	/* The value slot that was touched last. size 0: none. */
	uintptr_t slot;
	uint32_t slot_size;
	bool slot_writable;

	struct xdp_md ctx; /* its address is the context pointer; what it holds is never read */
	struct xl_interp_frame frame[XL_INTERP_FRAMES];
	_Alignas(64) uint8_t stack[XL_INTERP_FRAMES * XL_INTERP_STRIDE];
};

static inline uint64_t xl_interp_r10(const struct xl_interp *it)
{
	return (uintptr_t)it->stack + it->depth * XL_INTERP_STRIDE + XL_STACK_SIZE;
}

/* Whether @addr is in the context, valid or not. */
static inline bool xl_interp_in_ctx(const struct xl_interp *it, uint64_t addr)
{
	return addr - (uintptr_t)&it->ctx < sizeof(it->ctx);
}

/* interp_mem.c */

/* Whether the program may read or write @size bytes at @addr.
 * Returns   XL_FAULT_NONE, XL_FAULT_ACCESS or XL_FAULT_RDONLY; records nothing. */
enum xl_fault_kind xl_interp_may(struct xl_interp *it, uint64_t addr, uint64_t size, bool write);

/* xl_run.readable for programs that are interpreted. */
size_t xl_interp_readable(const struct xl_run *run, uintptr_t addr, size_t len);

/* An address in words: "packet+54: the packet has 54 bytes". */
void xl_interp_where(const struct xl_interp *it, uint64_t addr, char *buf, size_t size);

/* Records that the current instruction must not do this access. */
void xl_interp_fault_access(struct xl_interp *it, enum xl_fault_kind kind, uint64_t addr,
			    uint32_t size, bool write);
/* Records any other fault of the current instruction. */
__attribute__((format(printf, 3, 4))) void xl_interp_fault(struct xl_interp *it,
							   enum xl_fault_kind kind, const char *fmt,
							   ...);

/* interp.c */

/* Enters a function: @resume is where its caller goes on. False with a fault if that is too deep. */
bool xl_interp_push(struct xl_interp *it, const struct bpf_insn *resume);

/* Runs the function that was pushed, from @start until it exits, and takes it off.
 * @args     r1..r5
 * Returns   r0; run->fault.kind tells if the program died */
uint64_t xl_interp_execute(struct xl_interp *it, const struct bpf_insn *start,
			   const uint64_t args[5]);

/* interp_call.c */

/* Calls the helper that the current instruction names; r[0] is its result. False with a fault. */
bool xl_interp_helper(struct xl_interp *it, uint64_t *r);

/* bpf_tail_call. Returns where to go on: in another program, or behind the call where it missed;
 * NULL with a fault. */
const struct bpf_insn *xl_interp_tail_call(struct xl_interp *it, const uint64_t *r);

/* xl_run.call for programs that are interpreted. */
uint64_t xl_interp_call_back(struct xl_run *run, uint64_t func, uint64_t r1, uint64_t r2,
			     uint64_t r3, uint64_t r4, uint64_t r5);

#endif
