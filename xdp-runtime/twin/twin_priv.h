/* What the twin*.c files share; see twin.h. */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_PRIV_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_PRIV_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "xdp-runtime/twin/twin.h"
#include "xdp-runtime/twin/twin_code.h"
#include "xdp-runtime/twin/twin_map.h"
#include "xdp-runtime/twin/twin_net.h"

struct xl_obj;
struct xl_runtime;

struct xl_twin_prog {
	struct xl_prog *prog; /* borrowed */
	int fd;		      /* -1: refused by the kernel */
};

struct xl_twin_btf {
	struct xl_obj *btf; /* borrowed */
	int fd;		    /* -1: the kernel does not take it */
};

/* Growing arrays: VEC_ADD is false without memory. */
#define VEC(type)                 \
	struct {                  \
		type *at;         \
		uint32_t n, room; \
	}
#define VEC_ADD(vec, ...)                                                                        \
	((vec)->n < (vec)->room ||                                                               \
			 xl_twin_vec_grow((void **)&(vec)->at, &(vec)->room, sizeof(*(vec)->at)) \
		 ? ((vec)->at[(vec)->n++] = __VA_ARGS__, true)                                   \
		 : false)

bool xl_twin_vec_grow(void **at, uint32_t *room, size_t size);

struct xl_twin {
	struct xl_runtime *rt;
	VEC(struct xl_twin_prog) progs; /* the given ones first, in order */
	VEC(struct xl_twin_map) maps;
	VEC(struct xl_twin_btf) btfs;
	struct btf *kernel_btf; /* libbpf's; parsed when a program calls a kernel function */
	VEC(int) kept_fds;	/* sockets in maps */
	VEC(char *) notes;
	struct xl_twin_net net;
	struct xl_twin_cpus cpus;
	cpu_set_t cpus_before; /* the thread's mask */
	bool pinned;
	int env_fd;
	struct xl_twin_env *env;	 /* shared with the kernel */
	uint8_t out[XL_FRAGMENTED_ROOM]; /* of the last run */
	uint32_t ifindex, rx_queue; /* of the last run, and what the kernel was told for them */
	uint32_t kernel_ifindex, kernel_rx_queue;
};

/* Keeps a sentence for xl_twin_note(), once. @arg is the twin. */
__attribute__((format(printf, 2, 3))) void xl_twin_add_note(void *arg, const char *fmt, ...);

/* twin_reach.c */

/* Adds to progs and maps what is reachable from the programs that are there. -ENOMEM */
int xl_twin_reach(struct xl_twin *twin);
/* The copy of the object with this id, or NULL. */
struct xl_twin_prog *xl_twin_find_prog(struct xl_twin *twin, uint32_t id);
struct xl_twin_map *xl_twin_find_map(struct xl_twin *twin, uint32_t id);

/* twin_fib.c */

/* Makes the runtime's forwarding table in the twin's namespace; what is left out is noted. */
void xl_twin_copy_fib(struct xl_twin *twin);

/* twin_load.c */

/* The kernel's copy of a BTF, loaded at first use; -1 if there is none. @btf may be NULL. */
int xl_twin_btf_fd(struct xl_twin *twin, struct xl_obj *btf);
/* Loads all programs; of the first @n_given none may be refused. */
int xl_twin_load_progs(struct xl_twin *twin, uint32_t n_given, struct xl_err *e);

#endif
