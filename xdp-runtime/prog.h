/* A loaded program. Made by BPF_PROG_LOAD, run by an engine. */
#ifndef XL_XDP_RUNTIME_PROG_H
#define XL_XDP_RUNTIME_PROG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/obj.h"
#include "base/uapi.h"

struct xl_map;
struct xl_runtime;
struct xl_engine;
struct xl_facts;

#define XL_TAG_SIZE	  8 /* BPF_TAG_SIZE */
#define XL_SUBPROGS_MAX	  256
#define XL_CALL_DEPTH_MAX 8   /* MAX_CALL_FRAMES */
#define XL_STACK_SIZE	  512 /* MAX_BPF_STACK, per frame */
#define XL_TAIL_CALL_MAX  33  /* MAX_TAIL_CALL_CNT */

struct xl_prog {
	struct xl_obj obj; /* first */
	struct xl_runtime *rt;
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	uint32_t flags; /* BPF_F_XDP_HAS_FRAGS … */
	bool gpl_compatible;
	char name[BPF_OBJ_NAME_LEN];
	uint8_t tag[XL_TAG_SIZE]; /* first bytes of the SHA-256 over the code, as from 6.18 on */
	uint64_t load_time_ns;	  /* CLOCK_BOOTTIME */

	/* As loaded, with map fds replaced by map ids (imm of the first half of ld_imm64), and
	 * indexes into fd_array likewise. What dump, cache keys and the kernel twin start from. */
	struct bpf_insn *insns_loaded;
	/* As engines run it: both halves of a ld_imm64 hold the address (a struct xl_map, or a
	 * byte of a map's value), src_reg keeps the BPF_PSEUDO_* kind. */
	struct bpf_insn *insns;
	uint32_t n_insns;
	uint32_t *subprog_start; /* first instruction of each function, ascending; [0] == 0 */
	uint32_t n_subprogs;

	/* Used maps, each with a reference, no doubles. BPF_PROG_BIND_MAP adds to them later: others
	 * read them with rt->lock held. */
	struct xl_map **maps;
	uint32_t n_maps;

	struct xl_obj *btf; /* with a reference, or NULL */
	void *func_info;    /* n_func_info struct bpf_func_info, or NULL */
	uint32_t n_func_info;
	void *line_info; /* n_line_info struct bpf_line_info, or NULL */
	uint32_t n_line_info;

	/* Set when the program cannot run and was kept all the same, so that its siblings load
	 * (object.c asks for that): the reason. NULL: it runs. Then `insns` and the functions may
	 * be missing, and no engine looks at it: it yields XDP_ABORTED. */
	char *refused;

	/* Why it runs without the verifier's proof, by run-time checks alone; or NULL. */
	char *unproven;
	bool was_verified;
	uint64_t verified_insns; /* that the verifier has followed */
	/* What the verifier knows of `insns`, where the runtime asks for it (runtime.h); or NULL. */
	struct xl_facts *facts;

	const struct xl_engine *engine;
	void *engine_priv;
	bool prepared; /* by the engine, which has to release it */
};

static inline struct xl_prog *xl_prog_of(struct xl_obj *obj)
{
	return (struct xl_prog *)obj;
}
static inline void xl_prog_put(struct xl_prog *prog)
{
	if (prog)
		xl_obj_put(&prog->obj);
}

/* An empty program with one reference; its release gives back all that the fields hold. NULL: no
 * memory. */
struct xl_prog *xl_prog_alloc(struct xl_runtime *rt);

/* Tag of @n instructions in which map references hold fds or ids: those do not count. */
void xl_prog_tag(const struct bpf_insn *insns, uint32_t n, uint8_t tag[XL_TAG_SIZE]);

/* A row of the program type table. */
struct xl_prog_type {
	const char *name; /* bpftool's: "xdp" */
	bool runs; /* false: it loads, for those who probe what a kernel can, and that is all */
	/* Bit per expected_attach_type that can be; 0: any, it is not looked at. */
	uint64_t attach_types;
	enum bpf_attach_type default_attach_type; /* put for 0 */
};
/* NULL for types that are not served. */
const struct xl_prog_type *xl_prog_type_of(enum bpf_prog_type type);

/* Source line of an instruction by BTF line info.
 * Returns   false when there is none; else *out_file, *out_text (may be "") and *out_line are set,
 *           borrowed from the program. */
bool xl_prog_line(const struct xl_prog *prog, uint32_t insn, const char **out_file,
		  uint32_t *out_line, const char **out_text);

#endif
