/* What the interpreter's tests share: a runtime without its control side, programs written as
 * instructions, one frame.
 */
#ifndef XL_XDP_RUNTIME_INTERP_TEST_RIG_H
#define XL_XDP_RUNTIME_INTERP_TEST_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "base/uapi.h"
#include "maps/map.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/region.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/vlog.h"

/* Instructions. Registers are numbers; op and size are BPF_ADD, BPF_DW and so on. */
#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define ALU64_K(op, d, i)	  INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALU64_X(op, d, s)	  INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define ALU32_K(op, d, i)	  INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define ALU32_X(op, d, s)	  INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define MOV(d, i)		  ALU64_K(BPF_MOV, d, i)
#define MOVX(d, s)		  ALU64_X(BPF_MOV, d, s)
#define LDX(size, d, s, o)	  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define LDSX(size, d, s, o)	  INSN(BPF_LDX | BPF_MEMSX | (size), d, s, o, 0)
#define STX(size, d, o, s)	  INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ST(size, d, o, i)	  INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define ATOMIC(size, op, d, o, s) INSN(BPF_STX | BPF_ATOMIC | (size), d, s, o, op)
#define JMP_K(op, d, i, o)	  INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JMP_X(op, d, s, o)	  INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define JMP32_K(op, d, i, o)	  INSN(BPF_JMP32 | (op) | BPF_K, d, 0, o, i)
#define GOTO(o)			  INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define GOTOL(i)		  INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, i)
#define CALL_FN(i)		  INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, i)
#define CALL_HELPER(id)		  INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define EXIT_INSN		  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LD_IMM64(d, kind, v)                                                           \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, kind, 0, (int32_t)(uint32_t)(uint64_t)(v)), \
		INSN(0, 0, 0, 0, (int32_t)((uint64_t)(v) >> 32))
/* A struct xl_map or a byte of a value. Without the kind that sysbpf keeps, since the check of the
 * form comes before maps have addresses. */
#define LD_ADDR(d, address) LD_IMM64(d, 0, (uintptr_t)(address))
/* To the function that starts @distance instructions after the one behind the first half. */
#define LD_FUNC(d, distance) LD_IMM64(d, BPF_PSEUDO_FUNC, (uint32_t)(distance))

#define RIG_MAPS_MAX	     16

struct rig {
	struct xl_runtime rt;
	struct xl_run run;
	struct xl_frame frame;
	uint8_t buf[4096];
	struct xl_map *maps[RIG_MAPS_MAX];
	uint32_t n_maps;
};

static inline void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->rt.map_env = (struct xl_map_env){ .n_cpus = 2, .seed = 1 };
	rig->rt.engine = &xl_interp;
	xl_run_init(&rig->run, &rig->rt);
	rig->run.clock = xl_run_clock_frame;
}

static inline void rig_fini(struct rig *rig)
{
	while (rig->n_maps) {
		struct xl_map *map = rig->maps[--rig->n_maps];

		xl_region_remove(&rig->rt, map);
		xl_map_put(map);
	}
}

/* NULL if the map is refused. @inner: for maps of maps, else NULL. */
static inline struct xl_map *rig_map_of(struct rig *rig, enum bpf_map_type type, uint32_t key_size,
					uint32_t value_size, uint32_t max_entries, uint32_t flags,
					struct xl_map *inner)
{
	union bpf_attr attr;
	struct xl_map *map;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	attr.map_flags = flags;
	strcpy(attr.map_name, "m");
	if (rig->n_maps == RIG_MAPS_MAX ||
	    xl_map_create(&attr, &rig->rt.map_env, inner, &map, NULL))
		return NULL;
	if (xl_region_add(&rig->rt, map))
		abort();
	rig->maps[rig->n_maps++] = map;
	return map;
}

static inline struct xl_map *rig_map(struct rig *rig, enum bpf_map_type type, uint32_t key_size,
				     uint32_t value_size, uint32_t max_entries, uint32_t flags)
{
	return rig_map_of(rig, type, key_size, value_size, max_entries, flags, NULL);
}

static inline void rig_no_release(struct xl_obj *obj)
{
}

/* Makes @prog of @insns, which it borrows. Returns xl_insn_check()'s verdict; 0: rig_unload(). */
static inline int rig_load(struct rig *rig, struct xl_prog *prog, const struct bpf_insn *insns,
			   uint32_t n)
{
	memset(prog, 0, sizeof(*prog));
	xl_obj_init(&prog->obj, XL_OBJ_PROG, rig_no_release);
	prog->rt = &rig->rt;
	prog->type = BPF_PROG_TYPE_XDP;
	prog->expected_attach_type = BPF_XDP;
	strcpy(prog->name, "test");
	prog->insns = (struct bpf_insn *)insns;
	prog->n_insns = n;
	prog->engine = &xl_interp;
	return xl_insn_check(insns, n, NULL, &prog->subprog_start, &prog->n_subprogs);
}

static inline void rig_unload(struct xl_prog *prog)
{
	free(prog->subprog_start);
}

static inline struct xl_verdict rig_run(struct rig *rig, struct xl_prog *prog, const void *packet,
					uint32_t len)
{
	struct xl_burst burst = { 1, { &rig->frame } };
	struct xl_verdict verdict;

	xl_frame_init(&rig->frame, rig->buf, sizeof(rig->buf), packet, len);
	rig->frame.ifindex = 3;
	rig->frame.rx_queue = 5;
	prog->engine->run(&rig->run, prog, &burst, &verdict);
	return verdict;
}

#endif
