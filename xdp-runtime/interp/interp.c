/* hot */
/* The reference engine: plain, complete, checks each access when it happens.
 *
 * What this file does is the definition of behaviour for native code, and the kernel's JIT is
 * the definition for it: interp_kernel_test.c runs random programs on both.
 *
 * It follows jumps without looking, because xl_insn_check() has looked; it trusts no value.
 *
 * Source: Documentation/bpf/standardization/instruction-set.rst (RFC 9669).
 */
#include "xdp-runtime/interp/interp.h"

#include <stddef.h>
#include <string.h>

#include "xdp-runtime/engine.h"
#include "xdp-runtime/interp/fact_check.h"
#include "xdp-runtime/xdp_ctx.h"

#define unlikely(x) __builtin_expect(!!(x), 0)

/* The common cases of xl_interp_may(), inlined; records the fault. NULL: not allowed. */
static inline void *touch(struct xl_interp *it, uint64_t addr, uint32_t size, bool write)
{
	const struct xl_frame *f = it->packet;
	const uint64_t packet_len = (uintptr_t)f->data_end - (uintptr_t)f->data_meta;
	const uint64_t in_packet = addr - (uintptr_t)f->data_meta;
	const uint64_t in_stack = addr - (uintptr_t)it->stack, in_slot = addr - it->slot;
	enum xl_fault_kind kind;

	if (in_packet < packet_len && size <= packet_len - in_packet)
		return (void *)(uintptr_t)addr;
	if (in_stack < (it->depth + 1) * (uint64_t)XL_INTERP_STRIDE &&
	    in_stack % XL_INTERP_STRIDE + size <= XL_STACK_SIZE)
		return (void *)(uintptr_t)addr;
	if (in_slot < it->slot_size && size <= it->slot_size - in_slot &&
	    (!write || it->slot_writable))
		return (void *)(uintptr_t)addr;
	kind = xl_interp_may(it, addr, size, write);
	if (kind == XL_FAULT_NONE)
		return (void *)(uintptr_t)addr;
	xl_interp_fault_access(it, kind, addr, size, write);
	return NULL;
}

/* A field of struct xdp_md, whole: 64 bits for the packet pointers. */
static bool read_ctx(struct xl_interp *it, uint64_t addr, uint64_t *out)
{
	const uint32_t off = (uint32_t)(addr - (uintptr_t)&it->ctx);

	if (!xl_xdp_ctx_valid(off, 4, it->prog->expected_attach_type)) {
		xl_interp_fault_access(it, XL_FAULT_ACCESS, addr, 4, false);
		return false;
	}
	*out = xl_xdp_ctx_read(it->packet, off);
	return true;
}

/* The same with its sign extended, which makes no sense of an address. */
static bool read_ctx_signed(struct xl_interp *it, uint64_t addr, uint64_t *out)
{
	if (addr - (uintptr_t)&it->ctx < offsetof(struct xdp_md, ingress_ifindex)) {
		xl_interp_fault_access(it, XL_FAULT_ACCESS, addr, 4, false);
		return false;
	}
	if (!read_ctx(it, addr, out))
		return false;
	*out = (uint64_t)(int32_t)*out;
	return true;
}

/* Division as BPF has it: by zero gives 0, and the remainder is the dividend; the most negative
 * number by -1 wraps around. */

static inline uint64_t div64(uint64_t a, uint64_t b, int is_signed)
{
	if (!b)
		return 0;
	if (!is_signed)
		return a / b;
	return (int64_t)b == -1 ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

static inline uint64_t mod64(uint64_t a, uint64_t b, int is_signed)
{
	if (!b)
		return a;
	if (!is_signed)
		return a % b;
	return (int64_t)b == -1 ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
}

static inline uint32_t div32(uint32_t a, uint32_t b, int is_signed)
{
	if (!b)
		return 0;
	if (!is_signed)
		return a / b;
	return (int32_t)b == -1 ? -a : (uint32_t)((int32_t)a / (int32_t)b);
}

static inline uint32_t mod32(uint32_t a, uint32_t b, int is_signed)
{
	if (!b)
		return a;
	if (!is_signed)
		return a % b;
	return (int32_t)b == -1 ? 0 : (uint32_t)((int32_t)a % (int32_t)b);
}

/* A move that extends the sign of the low @bits; 0: all of them. */
static inline uint64_t extend(uint64_t value, int bits)
{
	switch (bits) {
	case 8:
		return (uint64_t)(int8_t)value;
	case 16:
		return (uint64_t)(int16_t)value;
	case 32:
		return (uint64_t)(int32_t)value;
	}
	return value;
}

static inline uint64_t swap(uint64_t value, int bits)
{
	switch (bits) {
	case 16:
		return __builtin_bswap16((uint16_t)value);
	case 32:
		return __builtin_bswap32((uint32_t)value);
	}
	return __builtin_bswap64(value);
}

static inline uint64_t truncate_to(uint64_t value, int bits)
{
	return bits == 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

/* Which of le and be swaps depends on the machine. */
static inline uint64_t to_endian(uint64_t value, int bits, bool big)
{
	return big == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? truncate_to(value, bits)
							       : swap(value, bits);
}

/* Atomics, by width. *@src is the operand and takes what is fetched, *@r0 is the other one of a
 * comparison. Sequentially consistent, as those of the kernel's JIT. */
#define ATOMIC(name, type)                                                                \
	static void name(type *p, int32_t op, uint64_t *dst, uint64_t *src, uint64_t *r0) \
	{                                                                                 \
		const type operand = (type)*src;                                          \
		type expected = (type)*r0;                                                \
                                                                                          \
		switch (op) {                                                             \
		case BPF_ADD:                                                             \
			__atomic_fetch_add(p, operand, __ATOMIC_SEQ_CST);                 \
			break;                                                            \
		case BPF_OR:                                                              \
			__atomic_fetch_or(p, operand, __ATOMIC_SEQ_CST);                  \
			break;                                                            \
		case BPF_AND:                                                             \
			__atomic_fetch_and(p, operand, __ATOMIC_SEQ_CST);                 \
			break;                                                            \
		case BPF_XOR:                                                             \
			__atomic_fetch_xor(p, operand, __ATOMIC_SEQ_CST);                 \
			break;                                                            \
		case BPF_ADD | BPF_FETCH:                                                 \
			*src = __atomic_fetch_add(p, operand, __ATOMIC_SEQ_CST);          \
			break;                                                            \
		case BPF_OR | BPF_FETCH:                                                  \
			*src = __atomic_fetch_or(p, operand, __ATOMIC_SEQ_CST);           \
			break;                                                            \
		case BPF_AND | BPF_FETCH:                                                 \
			*src = __atomic_fetch_and(p, operand, __ATOMIC_SEQ_CST);          \
			break;                                                            \
		case BPF_XOR | BPF_FETCH:                                                 \
			*src = __atomic_fetch_xor(p, operand, __ATOMIC_SEQ_CST);          \
			break;                                                            \
		case BPF_XCHG:                                                            \
			*src = __atomic_exchange_n(p, operand, __ATOMIC_SEQ_CST);         \
			break;                                                            \
		case BPF_CMPXCHG:                                                         \
			/* On failure `expected` becomes what was found. */               \
			__atomic_compare_exchange_n(p, &expected, operand, false,         \
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
			*r0 = expected;                                                   \
			break;                                                            \
		case BPF_LOAD_ACQ:                                                        \
			*dst = __atomic_load_n(p, __ATOMIC_ACQUIRE);                      \
			break;                                                            \
		case BPF_STORE_REL:                                                       \
			__atomic_store_n(p, operand, __ATOMIC_RELEASE);                   \
			break;                                                            \
		}                                                                         \
	}
ATOMIC(atomic8, uint8_t)
ATOMIC(atomic16, uint16_t)
ATOMIC(atomic32, uint32_t)
ATOMIC(atomic64, uint64_t)

static bool atomic(struct xl_interp *it, uint64_t *r, uint32_t size)
{
	const struct bpf_insn *insn = it->insn;
	const bool load = insn->imm == BPF_LOAD_ACQ;
	uint64_t *dst = &r[insn->dst_reg], *src = &r[insn->src_reg];
	const uint64_t addr = (load ? *src : *dst) + (uint64_t)insn->off;
	void *p = touch(it, addr, size, !load);

	if (!p)
		return false;
	if (addr % size) {
		xl_interp_fault(it, XL_FAULT_ACCESS, "an address that is not a multiple of %u",
				size);
		it->run->fault.addr = addr;
		it->run->fault.size = size;
		it->run->fault.write = !load;
		return false;
	}
	switch (size) {
	case 1:
		atomic8(p, insn->imm, dst, src, &r[0]);
		break;
	case 2:
		atomic16(p, insn->imm, dst, src, &r[0]);
		break;
	case 4:
		atomic32(p, insn->imm, dst, src, &r[0]);
		break;
	case 8:
		atomic64(p, insn->imm, dst, src, &r[0]);
		break;
	}
	return true;
}

static uint64_t ld_imm64(const struct bpf_insn *insn)
{
	/* A function is named by its distance, as in a call; others are resolved by sysbpf. */
	if (insn->src_reg == BPF_PSEUDO_FUNC)
		return (uintptr_t)(insn + 1 + insn->imm);
	return (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;
}

bool xl_interp_push(struct xl_interp *it, const struct bpf_insn *resume)
{
	const uint32_t level = it->frame[it->depth].level + 1;
	struct xl_interp_frame *f;

	if (level > XL_CALL_DEPTH_MAX) {
		xl_interp_fault(it, XL_FAULT_CALL_DEPTH, "the call stack of %u frames is too deep",
				level);
		return false;
	}
	f = &it->frame[++it->depth];
	f->prog = it->prog;
	f->resume = resume;
	f->level = level;
	memset(it->stack + it->depth * XL_INTERP_STRIDE, 0, XL_STACK_SIZE);
	return true;
}

/* The running function has ended; its caller's program runs again. */
static void pop(struct xl_interp *it)
{
	it->depth--;
	it->prog = it->frame[it->depth].prog;
	it->run->prog = it->prog;
}

#define DST   r[insn->dst_reg]
#define SRC   r[insn->src_reg]
#define IMM   ((uint64_t)(int64_t)insn->imm)
#define DST32 ((uint32_t)DST)
#define SRC32 ((uint32_t)SRC)
#define IMM32 ((uint32_t)insn->imm)

/* @expr is over a and b, of 64 bits and of 32. */
#define ALU(op, expr64, expr32)                      \
	case BPF_ALU64 | op | BPF_X: {               \
		const uint64_t a = DST, b = SRC;     \
		DST = (expr64);                      \
		break;                               \
	}                                            \
	case BPF_ALU64 | op | BPF_K: {               \
		const uint64_t a = DST, b = IMM;     \
		DST = (expr64);                      \
		break;                               \
	}                                            \
	case BPF_ALU | op | BPF_X: {                 \
		const uint32_t a = DST32, b = SRC32; \
		DST = (uint32_t)(expr32);            \
		break;                               \
	}                                            \
	case BPF_ALU | op | BPF_K: {                 \
		const uint32_t a = DST32, b = IMM32; \
		DST = (uint32_t)(expr32);            \
		break;                               \
	}

/* @condition is over a and b, of the one type and of the other. */
#define JUMP(op, type64, type32, condition)                    \
	case BPF_JMP | op | BPF_X: {                           \
		const type64 a = (type64)DST, b = (type64)SRC; \
		if (condition)                                 \
			pc += insn->off;                       \
		break;                                         \
	}                                                      \
	case BPF_JMP | op | BPF_K: {                           \
		const type64 a = (type64)DST, b = (type64)IMM; \
		if (condition)                                 \
			pc += insn->off;                       \
		break;                                         \
	}                                                      \
	case BPF_JMP32 | op | BPF_X: {                         \
		const type32 a = (type32)DST, b = (type32)SRC; \
		if (condition)                                 \
			pc += insn->off;                       \
		break;                                         \
	}                                                      \
	case BPF_JMP32 | op | BPF_K: {                         \
		const type32 a = (type32)DST, b = (type32)IMM; \
		if (condition)                                 \
			pc += insn->off;                       \
		break;                                         \
	}

#define TOUCH(base, size, write)                                                \
	({                                                                      \
		void *touched;                                                  \
		it->insn = insn;                                                \
		touched = touch(it, (base) + (uint64_t)insn->off, size, write); \
		if (unlikely(!touched))                                         \
			goto dead;                                              \
		touched;                                                        \
	})

/* memcpy, since nothing says that the address is aligned. */
#define LOAD(opcode, type)                                                      \
	case BPF_LDX | opcode: {                                                \
		type loaded;                                                    \
		memcpy(&loaded, TOUCH(SRC, sizeof(type), false), sizeof(type)); \
		DST = (uint64_t)loaded;                                         \
		break;                                                          \
	}

#define STORE(opcode, type)                                                    \
	case BPF_STX | BPF_MEM | opcode: {                                     \
		const type stored = (type)SRC;                                 \
		memcpy(TOUCH(DST, sizeof(type), true), &stored, sizeof(type)); \
		break;                                                         \
	}                                                                      \
	case BPF_ST | BPF_MEM | opcode: {                                      \
		const type stored = (type)IMM;                                 \
		memcpy(TOUCH(DST, sizeof(type), true), &stored, sizeof(type)); \
		break;                                                         \
	}                                                                      \
	case BPF_STX | BPF_ATOMIC | opcode:                                    \
		it->insn = insn;                                               \
		if (unlikely(!atomic(it, r, sizeof(type))))                    \
			goto dead;                                             \
		break;

/* A run that is watched has never instructions left, so that the loop comes here before each.
 * False: there really are none. */
static bool watch(struct xl_interp *it, const struct bpf_insn *insn, const uint64_t *r)
{
	if (!it->run->check || !it->left_watched)
		return false;
	it->left_watched--;
	it->insn = insn;
	xl_interp_check_facts(it, insn, r);
	return true;
}

uint64_t xl_interp_execute(struct xl_interp *it, const struct bpf_insn *start,
			   const uint64_t args[5])
{
	const uint32_t bottom = it->depth;
	const struct bpf_insn *pc = start, *insn;
	uint64_t r[MAX_BPF_REG] = { 0, args[0], args[1], args[2], args[3], args[4] };
	uint64_t left = it->left;

	r[BPF_REG_10] = xl_interp_r10(it);
	for (;;) {
		insn = pc++;
		if (unlikely(!left--)) {
			if (!watch(it, insn, r))
				goto too_long;
			left = 0;
		}
		switch (insn->code) {
			ALU(BPF_ADD, a + b, a + b)
			ALU(BPF_SUB, a - b, a - b)
			ALU(BPF_MUL, a * b, a * b)
			ALU(BPF_OR, a | b, a | b)
			ALU(BPF_AND, a & b, a & b)
			ALU(BPF_XOR, a ^ b, a ^ b)
			ALU(BPF_LSH, a << (b & 63), a << (b & 31))
			ALU(BPF_RSH, a >> (b & 63), a >> (b & 31))
			ALU(BPF_ARSH, (uint64_t)((int64_t)a >> (b & 63)), (int32_t)a >> (b & 31))
			ALU(BPF_DIV, div64(a, b, insn->off), div32(a, b, insn->off))
			ALU(BPF_MOD, mod64(a, b, insn->off), mod32(a, b, insn->off))
		case BPF_ALU64 | BPF_NEG:
			DST = -DST;
			break;
		case BPF_ALU | BPF_NEG:
			DST = -DST32;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			DST = extend(SRC, insn->off);
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			DST = IMM;
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			DST = (uint32_t)extend(SRC, insn->off);
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			DST = IMM32;
			break;
		case BPF_ALU64 | BPF_END:
			DST = swap(DST, insn->imm);
			break;
		case BPF_ALU | BPF_END | BPF_TO_LE:
			DST = to_endian(DST, insn->imm, false);
			break;
		case BPF_ALU | BPF_END | BPF_TO_BE:
			DST = to_endian(DST, insn->imm, true);
			break;
		case BPF_LD | BPF_IMM | BPF_DW:
			DST = ld_imm64(insn);
			pc++;
			break;

		case BPF_LDX | BPF_MEM | BPF_W:
			if (xl_interp_in_ctx(it, SRC + (uint64_t)insn->off)) {
				it->insn = insn;
				if (!read_ctx(it, SRC + (uint64_t)insn->off, &DST))
					goto dead;
			} else {
				uint32_t loaded;

				memcpy(&loaded, TOUCH(SRC, 4, false), 4);
				DST = loaded;
			}
			break;
		case BPF_LDX | BPF_MEMSX | BPF_W:
			if (xl_interp_in_ctx(it, SRC + (uint64_t)insn->off)) {
				it->insn = insn;
				if (!read_ctx_signed(it, SRC + (uint64_t)insn->off, &DST))
					goto dead;
			} else {
				int32_t loaded;

				memcpy(&loaded, TOUCH(SRC, 4, false), 4);
				DST = (uint64_t)loaded;
			}
			break;
			LOAD(BPF_MEM | BPF_B, uint8_t)
			LOAD(BPF_MEM | BPF_H, uint16_t)
			LOAD(BPF_MEM | BPF_DW, uint64_t)
			LOAD(BPF_MEMSX | BPF_B, int8_t)
			LOAD(BPF_MEMSX | BPF_H, int16_t)
			STORE(BPF_B, uint8_t)
			STORE(BPF_H, uint16_t)
			STORE(BPF_W, uint32_t)
			STORE(BPF_DW, uint64_t)

		case BPF_JMP | BPF_JA:
			pc += insn->off;
			break;
		case BPF_JMP32 | BPF_JA:
			pc += insn->imm;
			break;
			JUMP(BPF_JEQ, uint64_t, uint32_t, a == b)
			JUMP(BPF_JNE, uint64_t, uint32_t, a != b)
			JUMP(BPF_JSET, uint64_t, uint32_t, a & b)
			JUMP(BPF_JGT, uint64_t, uint32_t, a > b)
			JUMP(BPF_JGE, uint64_t, uint32_t, a >= b)
			JUMP(BPF_JLT, uint64_t, uint32_t, a < b)
			JUMP(BPF_JLE, uint64_t, uint32_t, a <= b)
			JUMP(BPF_JSGT, int64_t, int32_t, a > b)
			JUMP(BPF_JSGE, int64_t, int32_t, a >= b)
			JUMP(BPF_JSLT, int64_t, int32_t, a < b)
			JUMP(BPF_JSLE, int64_t, int32_t, a <= b)

		case BPF_JMP | BPF_CALL:
			it->insn = insn;
			it->left = left;
			if (insn->src_reg == BPF_PSEUDO_CALL) {
				if (!xl_interp_push(it, pc))
					goto dead;
				memcpy(it->frame[it->depth].saved, &r[BPF_REG_6],
				       sizeof(it->frame[0].saved));
				r[BPF_REG_10] = xl_interp_r10(it);
				pc += insn->imm;
			} else if (insn->imm == BPF_FUNC_tail_call) {
				pc = xl_interp_tail_call(it, r);
				if (!pc)
					goto dead;
			} else {
				const bool alive = xl_interp_helper(it, r);

				left = it->left;
				if (!alive)
					goto dead;
			}
			break;
		case BPF_JMP | BPF_EXIT:
			if (it->depth == bottom)
				goto done;
			pc = it->frame[it->depth].resume;
			memcpy(&r[BPF_REG_6], it->frame[it->depth].saved,
			       sizeof(it->frame[0].saved));
			pop(it);
			r[BPF_REG_10] = xl_interp_r10(it);
			break;
		default:
			it->insn = insn;
			xl_interp_fault(it, XL_FAULT_BAD_INSN, "opcode %02x", insn->code);
			goto dead;
		}
	}
done:
	it->left = left;
	if (bottom)
		pop(it);
	return r[BPF_REG_0];

too_long:
	it->insn = insn;
	left = 0;
	xl_interp_fault(it, XL_FAULT_INSN_LIMIT, "%llu instructions for one packet",
			(unsigned long long)it->run->insn_limit);
dead:
	it->left = left;
	return 0;
}

/* Makes all ready for @prog to run on @frame. */
static void begin(struct xl_interp *it, struct xl_prog *prog, struct xl_frame *frame)
{
	struct xl_run *run = it->run;

	it->packet = frame;
	it->prog = prog;
	it->insn = prog->insns;
	it->left = run->check ? 0 : run->insn_limit;
	it->left_watched = run->check ? run->insn_limit : 0;
	if (run->check)
		run->check->before = NULL;
	it->slot_size = 0;
	it->depth = 0;
	it->frame[0] = (struct xl_interp_frame){ .prog = prog, .level = 1 };
	memset(it->stack, 0, XL_STACK_SIZE);
	run->frame = frame;
	run->prog = prog;
	run->tail_calls = 0;
	run->redirect = (struct xl_redirect){ 0 };
	run->fault.kind = XL_FAULT_NONE;
}

static void end(struct xl_interp *it)
{
	struct xl_run *run = it->run;

	run->n_insns = run->insn_limit - (run->check ? it->left_watched : it->left);
	if (run->n_held || run->locked)
		xl_run_drop_held(run);
}

static void run_one(struct xl_interp *it, struct xl_prog *prog, struct xl_frame *frame,
		    struct xl_verdict *out)
{
	const uint64_t args[5] = { (uintptr_t)&it->ctx };
	struct xl_run *run = it->run;

	begin(it, prog, frame);
	*out = (struct xl_verdict){ .retval = (uint32_t)xl_interp_execute(it, prog->insns, args) };
	end(it);
	out->action = out->retval <= XDP_REDIRECT ? (uint8_t)out->retval : XDP_ABORTED;
	if (run->fault.kind != XL_FAULT_NONE) {
		out->action = XDP_ABORTED;
		out->retval = XDP_ABORTED;
		out->faulted = 1;
	} else if (out->action == XDP_REDIRECT) {
		out->redirect = run->redirect;
	}
}

/* Makes @run's helpers work on @it. */
static void take_over(struct xl_interp *it, struct xl_run *run)
{
	it->run = run;
	run->call = xl_interp_call_back;
	run->readable = xl_interp_readable;
	run->lent = NULL;
	run->engine_state = it;
	xl_run = run;
}

static void run_burst(struct xl_run *run, struct xl_prog *prog, struct xl_burst *burst,
		      struct xl_verdict *out)
{
	struct xl_run *run_before = xl_run;
	struct xl_fault last_fault = { 0 };
	struct xl_interp it; /* run_one() sets what it reads; the stacks are large */

	take_over(&it, run);
	for (uint32_t i = 0; i < burst->n; i++) {
		run_one(&it, prog, burst->frame[i], &out[i]);
		if (out[i].faulted)
			last_fault = run->fault;
	}
	xl_run = run_before;
	run->fault = last_fault;
	run->engine_state = NULL;
}

static void call(struct xl_run *run, struct xl_prog *prog, uint64_t func, const uint64_t args[5],
		 const struct xl_lent *lent, struct xl_frame *frame)
{
	struct xl_run *run_before = xl_run;
	struct xl_interp it; /* as in run_burst() */

	take_over(&it, run);
	run->lent = lent;
	begin(&it, prog, frame);
	xl_interp_call_back(run, func, args[0], args[1], args[2], args[3], args[4]);
	end(&it);
	xl_run = run_before;
	run->lent = NULL;
	run->engine_state = NULL;
}

const struct xl_engine xl_interp = {
	.name = "interp",
	.run = run_burst,
	.call = call,
};
