/* The table of helpers: one row per BPF_FUNC_* that is served.
 *
 * A helper is a function of five u64 that finds the rest through xl_run. The row says what its
 * arguments are; interpreter, verifier, compiler, docs and tests walk the rows. Adding a helper is
 * a function, a row and a test.
 *
 * Source: struct bpf_func_proto and enum bpf_arg_type, include/linux/bpf.h; net/core/filter.c
 * xdp_func_proto().
 */
#ifndef XL_XDP_RUNTIME_HELPERS_H
#define XL_XDP_RUNTIME_HELPERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uapi.h"

/* Kinds of arguments, as the kernel names them (ARG_*). */
enum xl_arg {
	XL_ARG_NONE, /* not used, or used unchecked (the values of bpf_trace_printk) */
	XL_ARG_ANYTHING,
	XL_ARG_CTX,
	XL_ARG_CONST_MAP_PTR,
	XL_ARG_MAP_KEY,		 /* key_size readable bytes */
	XL_ARG_MAP_VALUE,	 /* value_size readable bytes */
	XL_ARG_UNINIT_MAP_VALUE, /* value_size writable bytes */
	XL_ARG_MEM,		 /* readable; the size is the next argument */
	XL_ARG_MEM_OR_NULL,
	XL_ARG_UNINIT_MEM,     /* writable; the size is the next argument */
	XL_ARG_OPT_UNINIT_MEM, /* the same, or NULL whatever the size */
	XL_ARG_MEM_RW,	       /* readable and writable; the size is the next argument, or fixed */
	XL_ARG_FIXED_MEM,      /* readable, row->fixed_size bytes */
	XL_ARG_FIXED_UNINIT_MEM, /* writable, row->fixed_size bytes */
	XL_ARG_CONST_SIZE,	 /* > 0 */
	XL_ARG_CONST_SIZE_OR_ZERO,
	XL_ARG_CONST_STR, /* NUL-terminated, in a read-only map value */
	XL_ARG_FUNC,	  /* a callback */
	XL_ARG_STACK_OR_NULL,
	XL_ARG_ALLOC_SIZE,  /* of what the helper gives */
	XL_ARG_RINGBUF_MEM, /* a reserved record, which the helper takes back */
	XL_ARG_DYNPTR,	    /* on the stack; dynptr.h */
	XL_ARG_UNINIT_DYNPTR,
	XL_ARG_RINGBUF_DYNPTR, /* of a reserved record, which the helper takes back; or null */
	XL_ARG_ITER,	       /* 8 bytes on the stack */
	XL_ARG_ITER_16,	       /* 16 bytes */
	XL_ARG_KERNEL_OBJ,     /* what another function gave; there is nothing that gives one */
	XL_ARG_SPIN_LOCK,      /* in a map value */
	XL_ARG_TIMER,	       /* in a map value */
};

enum xl_ret {
	XL_RET_INTEGER,
	XL_RET_VOID,
	XL_RET_MAP_VALUE_OR_NULL, /* of the map in argument 1; map-in-map: the inner map */
	XL_RET_MEM_OR_NULL,
};

typedef uint64_t xl_helper_fn(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);

struct xl_helper {
	const char *name; /* "bpf_map_lookup_elem" */
	xl_helper_fn *fn; /* NULL: done by the engine itself (bpf_tail_call) */
	enum xl_ret ret;
	enum xl_arg arg[5];
	uint32_t fixed_size;   /* bytes of the FIXED_* argument */
	uint32_t fixed_size_2; /* of argument 2, where it differs from argument 1; else 0 */
	bool gpl_only;
	bool changes_packet; /* packet pointers of the program are stale afterwards */
	bool takes_packet;   /* its memory arguments may lie in the packet */
	bool calls_back;     /* takes a BPF function (XL_ARG_FUNC) */
	const char *since;   /* xdpland version that first served it */
};

/* The row for a helper that XDP programs may call, or for a kfunc by our number (kfuncs.h); NULL if
 * it is not served. */
const struct xl_helper *xl_helper_of(int32_t func_id);
/* Name of any helper of the kernel, served or not: "bpf_sk_lookup_tcp"; NULL for unknown numbers. */
const char *xl_helper_name(int32_t func_id);
/* One more than the highest id in the table; ids below may lack a row. */
int32_t xl_helper_end(void);

/* Words about helpers, for docs and messages: what is special about one that is served, and why
 * another one is not. NULL: nothing. */
const char *xl_helper_note(int32_t func_id);
const char *xl_helper_why_not(int32_t func_id);
/* Whether the kernel gives it to programs of other types only. */
bool xl_helper_is_foreign(int32_t func_id);
/* One more than the highest id of which there is something to say. */
int32_t xl_helper_notes_end(void);

#endif
