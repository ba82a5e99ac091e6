/* The steps of checking a program at BPF_PROG_LOAD; private to sysbpf_prog.c and these.
 *
 * Each writes the reason of a refusal to the log, in the kernel's words where it has some.
 */
#ifndef XL_XDP_RUNTIME_PROG_CHECK_H
#define XL_XDP_RUNTIME_PROG_CHECK_H

#include "xdp-runtime/prog.h"
#include "xdp-runtime/sysbpf_call.h"
#include "xdp-runtime/vlog.h"

/* prog_code.c: maps and helpers. */

/* Replaces map fds in prog->insns by addresses and in prog->insns_loaded by ids; collects the used
 * maps. -EINVAL, -EBADF, -E2BIG, -EPROTO, -EFAULT, -ENOMEM, -ENOTSUPP. */
int xl_prog_resolve_maps(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log);
/* Binds the first fd_array_cnt fds of fd_array, used by instructions or not. */
int xl_prog_bind_fd_array(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log);
/* Adds @map to the used maps, with a reference, unless it is one already. -ENOMEM. Once @prog is
 * published: with rt->lock held. */
int xl_prog_use_map(struct xl_prog *prog, struct xl_map *map);
/* GPL-only helpers need a GPL-compatible licence. -EINVAL. */
int xl_prog_check_helpers(const struct xl_prog *prog, struct xl_vlog *log);
/* A program and the maps that hold programs must fit together. -EINVAL. */
int xl_prog_check_owners(struct xl_sys *s, const struct xl_prog *prog, struct xl_vlog *log);

/* prog_verify.c: the verifier's word, by prog->rt->verify.
 * Returns 0: it may run; its own errno, with prog->refused set; -ENOMEM. */
int xl_prog_verify(struct xl_prog *prog, struct xl_vlog *log);

/* prog_btf.c: what BTF says of functions and lines. */

/* Takes the BTF and the records of functions, before the functions are known. */
int xl_prog_take_func_info(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log);
/* Compares them with prog->subprog_start. */
int xl_prog_check_func_info(const struct xl_prog *prog, struct xl_vlog *log);
int xl_prog_take_line_info(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log);

#endif
