/* A program's instructions as the kernel's copy of it runs them. Private to twin*.c. */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_CODE_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uapi.h"

struct xl_prog;
struct xl_run;
struct xl_frame;

/* Helpers that read one word of the environment. */
#define XL_TWIN_N_WORDS 7

/* The value of the one-element array map that replaced helpers read. */
struct xl_twin_env {
	uint64_t word[XL_TWIN_N_WORDS]; /* we write, programs read */
	uint64_t prandom;		/* we write before each packet, programs step */
};

/* Asks our own helpers for their answers on @frame. */
void xl_twin_env_set(struct xl_twin_env *env, struct xl_run *run, struct xl_frame *frame);

struct xl_twin_code_opts {
	int env_fd;	  /* map of a struct xl_twin_env; -1: replace no helpers */
	bool replace_cpu; /* bpf_get_smp_processor_id too */
	uint32_t n_cpus;  /* the verifier shall know the CPU to be below */
	/* The kernel's fd for a map of ours, -1 if there is none. */
	int (*map_fd)(void *arg, uint32_t map_id);
	/* The kernel's number for one of its functions, by name; -1 if it does not have it. */
	int32_t (*kfunc_id)(void *arg, const char *name);
	void *arg;
};

struct xl_twin_code {
	struct bpf_insn *insns;
	uint32_t n_insns;
	uint32_t n_replaced;		 /* helper calls */
	struct bpf_func_info *func_info; /* as the program's; NULL if it has none */
	struct bpf_line_info *line_info;
};

/* Errors  -ENOMEM; -ENOENT a map without a copy; -ESRCH a function that this kernel lacks; -E2BIG */
int xl_twin_code_make(const struct xl_prog *prog, const struct xl_twin_code_opts *opts,
		      struct xl_twin_code *out);
void xl_twin_code_fini(struct xl_twin_code *code);

#endif
