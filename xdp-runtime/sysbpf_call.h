/* One bpf(2) call on its way through a handler; private to the sysbpf_*.c files.
 *
 * A handler gets the attributes, already copied and checked for size, and reaches the caller's
 * memory and fds through the call. Objects that it finds come with a reference, which it puts.
 */
#ifndef XL_XDP_RUNTIME_SYSBPF_CALL_H
#define XL_XDP_RUNTIME_SYSBPF_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/obj.h"
#include "base/uapi.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf.h"

struct xl_vlog;

#define XL_ATTR_SIZE 168 /* sizeof(union bpf_attr), v6.18 */

/* union bpf_attr of Debian's 6.1 headers, and the fields that it lacks. */
union xl_bpf_attr {
	union bpf_attr u;
	uint8_t raw[XL_ATTR_SIZE];
	struct {
		uint8_t before[72];
		int32_t value_type_btf_obj_fd; /* 6.9 */
		int32_t map_token_fd;	       /* 6.9 */
		uint64_t excl_prog_hash;       /* 6.18 */
		uint32_t excl_prog_hash_size;
	} map_create;
	struct {
		uint8_t before[140];
		uint32_t log_true_size; /* 6.4; out */
		int32_t prog_token_fd;	/* 6.9 */
		uint32_t fd_array_cnt;	/* 6.14 */
		uint64_t signature;	/* 6.18 */
		uint32_t signature_size;
		int32_t keyring_id;
	} prog_load;
	struct {
		uint8_t before[28];
		uint32_t btf_log_true_size; /* 6.4; out */
		uint32_t btf_flags;	    /* 6.9 */
		int32_t btf_token_fd;
	} btf_load;
	struct {
		uint8_t before[16];
		int32_t path_fd; /* 6.5 */
	} obj;
	struct {
		uint8_t before[12];
		int32_t token_fd; /* 6.16 */
	} fd_by_id;
	struct {
		uint8_t before[56];
		uint32_t uprobe_multi_pid; /* 6.6 */
	} link_create;
};
_Static_assert(offsetof(union bpf_attr, map_extra) + 8 ==
		       offsetof(union xl_bpf_attr, map_create.value_type_btf_obj_fd),
	       "follows map_extra");
_Static_assert(offsetof(union bpf_attr, core_relo_rec_size) + 4 ==
		       offsetof(union xl_bpf_attr, prog_load.log_true_size),
	       "follows core_relo_rec_size");

/* A bpf(2) call under way. */
struct xl_sys {
	struct xl_runtime *rt;
	struct xl_caller *c;
	uint64_t uattr; /* the caller's address of the attributes */
	uint32_t size;	/* and how many bytes it says they have, at most XL_ATTR_SIZE */
	union xl_bpf_attr attr;
};

typedef long xl_sys_fn(struct xl_sys *s);

/* Handlers, by file. */
xl_sys_fn xl_sys_map_create, xl_sys_map_lookup_elem, xl_sys_map_update_elem, xl_sys_map_delete_elem,
	xl_sys_map_get_next_key, xl_sys_map_lookup_and_delete_elem, xl_sys_map_freeze;
xl_sys_fn xl_sys_map_lookup_batch, xl_sys_map_lookup_and_delete_batch, xl_sys_map_update_batch,
	xl_sys_map_delete_batch;
xl_sys_fn xl_sys_prog_load, xl_sys_prog_bind_map;
xl_sys_fn xl_sys_prog_test_run;
xl_sys_fn xl_sys_obj_pin, xl_sys_obj_get, xl_sys_btf_load;
xl_sys_fn xl_sys_prog_get_next_id, xl_sys_map_get_next_id, xl_sys_btf_get_next_id,
	xl_sys_link_get_next_id;
xl_sys_fn xl_sys_prog_get_fd_by_id, xl_sys_map_get_fd_by_id, xl_sys_btf_get_fd_by_id,
	xl_sys_link_get_fd_by_id;
xl_sys_fn xl_sys_obj_get_info_by_fd;
xl_sys_fn xl_sys_link_create, xl_sys_link_update, xl_sys_link_detach;

/* Caller's memory. -EFAULT. */
static inline int xl_sys_in(struct xl_sys *s, void *dst, uint64_t src, size_t n)
{
	return s->c->copy_in(s->c, dst, src, n);
}
static inline int xl_sys_out(struct xl_sys *s, uint64_t dst, const void *src, size_t n)
{
	return s->c->copy_out(s->c, dst, src, n);
}
/* Writes a u32 back into the caller's attributes at byte @off. */
int xl_sys_attr_out(struct xl_sys *s, size_t off, uint32_t value);
/* Copies @n bytes into new memory, which the caller of this frees; -ENOMEM too. */
int xl_sys_dup_in(struct xl_sys *s, uint64_t src, size_t n, void **out);
/* Whether @n bytes at @src are all zero; -EFAULT. */
int xl_sys_is_zero(struct xl_sys *s, uint64_t src, size_t n);

/* The object behind the caller's fd, with a reference: -EBADF not open, -EINVAL not of @kind. */
int xl_sys_obj(struct xl_sys *s, int fd, enum xl_obj_kind kind, struct xl_obj **out_obj,
	       int *out_accmode);
/* Whatever of ours the fd is: -EBADF, -EINVAL. */
int xl_sys_any_obj(struct xl_sys *s, int fd, struct xl_obj **out_obj, int *out_accmode);

/* A new fd for @obj in the caller. */
long xl_sys_new_fd(struct xl_sys *s, struct xl_obj *obj, int accmode);
/* BPF_F_RDONLY and BPF_F_WRONLY as O_*: -EINVAL for both. */
int xl_sys_accmode(uint32_t flags);
/* Copies a name and checks its letters and its end: -EINVAL. */
int xl_sys_name(const char *src, char dst[BPF_OBJ_NAME_LEN]);

/* Copies a log out as the kernel does: its end if it is too long for @size bytes, or its start
 * with BPF_LOG_FIXED; writes the whole length back to the attribute at @true_size_off if the
 * caller's attributes go that far.
 * Errors    -ENOSPC too long, -EFAULT */
int xl_sys_log_out(struct xl_sys *s, const struct xl_vlog *log, uint64_t buf, uint32_t size,
		   size_t true_size_off);
/* Whether log_level, log_buf and log_size make sense together. */
bool xl_sys_log_ok(uint32_t level, uint64_t buf, uint32_t size);

#endif
