/* Maps and programs of a line through bpf(2): a runtime's, or the real kernel's.
 *
 * They are made as any loader makes them, with fds, so that errors are the kernel's. Numbers in a
 * line never become fds by themselves: fixups name maps by index, and a reference in the code that
 * no fixup covers is made one to no fd at all.
 */
#ifndef XL_CLI_RAW_LOAD_H
#define XL_CLI_RAW_LOAD_H

#include "base/err.h"
#include "cli/exec_line.h"
#include "xdp-runtime/sysbpf.h"

#define XL_RAW_LOG_SIZE (1u << 20) /* chosen: a page per thousand instructions at level 1 */

struct xl_raw_side {
	struct xl_runtime *rt; /* NULL: this machine's kernel */
	struct xl_caller caller;
	uint32_t log_level; /* of program loads */
	char *log;	    /* XL_RAW_LOG_SIZE; of the last program load */
};

/* Errors: -ENOMEM. Thread: the one that made it. */
int xl_raw_side_init(struct xl_raw_side *side, struct xl_runtime *rt);
void xl_raw_side_fini(struct xl_raw_side *side);

long xl_raw_bpf(struct xl_raw_side *side, int cmd, union bpf_attr *attr);

/* Errors: bpf(2)'s, in words */
int xl_raw_create_map(struct xl_raw_side *side, const struct xl_exec_map *map, int *out_fd,
		      struct xl_err *e);
/* Makes all of @line's into @fds, which begin as -1 and are the caller's to close. */
int xl_raw_create_maps(struct xl_raw_side *side, const struct xl_exec_line *line, int *fds,
		       struct xl_err *e);

/* @prog     its code is fixed up in place
 * @map_fds  of its line
 * Errors    BPF_PROG_LOAD's; words are in @side->log, "" if there are none */
int xl_raw_load_prog(struct xl_raw_side *side, struct xl_exec_prog *prog, const int *map_fds,
		     int *out_fd);

/* The id of a map or program. Errors: bpf(2)'s */
int xl_raw_id(struct xl_raw_side *side, int fd, bool is_map, uint32_t *out_id);

/* @n fds that are none; NULL: no memory. */
int *xl_raw_no_fds(size_t n);
/* Closes those that are some, and frees. */
void xl_raw_close(int *fds, size_t n);

/* Lets go what was closed: now, not when somebody asks, since what is left over makes the next
 * lines slower. */
void xl_raw_reap(struct xl_raw_side *side);

const char *xl_raw_errno_words(int err);

#endif
