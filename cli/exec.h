/* Programs, maps and packets as JSON lines: what `xdpland exec --raw` does with each.
 *
 *	line -> exec_line.c   reads and checks it
 *	     -> exec_load.c   makes its maps and programs, by bpf(2)
 *	     -> exec_run.c    runs its packets, one by one
 *	     -> answer        a JSON line
 *
 * One runtime serves all lines: what a line made goes with it. Lines do not see each other.
 */
#ifndef XL_CLI_EXEC_H
#define XL_CLI_EXEC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/frame.h"
#include "cli/exec_line.h"
#include "cli/json_out.h"
#include "cli/raw_load.h"
#include "xdp-runtime/interp/fact_check.h"
#include "xdp-runtime/runtime.h"

struct xl_prog;

#define XL_EXEC_MAP_MEMORY_DEFAULT (UINT64_C(1) << 30) /* chosen: far above what tests need */

struct xl_exec_opts {
	struct xl_exec_defaults line;
	uint64_t map_memory; /* bytes that all maps of a line may have room for */
	struct xl_verify_policy verify;
};

/* What a line has made. */
struct xl_exec_live {
	int *map_fd; /* line->n_maps of them, -1: not made */
	int *prog_fd;
	struct xl_prog *prog; /* number 0, with a reference */
	uint64_t map_memory;
	struct xl_fact_check check;
};

struct xl_exec {
	struct xl_exec_opts opts;
	struct xl_runtime *rt;
	struct xl_raw_side side;
	struct xl_json json;
	struct xl_exec_line line; /* the one at hand */
	struct xl_exec_live live;
	uint8_t *buf; /* the packet's, grown as needed */
	size_t buf_size;
	uint8_t *frag_buf; /* XL_FRAGS_MAX pages, or NULL */
	uint8_t *out;	   /* bytes on their way out */
	size_t out_size;
};

/* @out      where answers go; borrowed
 * Errors    -ENOMEM, -errno of making a runtime */
int xl_exec_create(const struct xl_exec_opts *opts, FILE *out, struct xl_exec **out_exec);
void xl_exec_destroy(struct xl_exec *x);

/* Answers one line. What a kernel would refuse, and what a program does wrong, is an answer.
 *
 * @number   of the line, for messages
 * Returns   0; -EINVAL the line is not what it should be, or a fact is wrong (the answer says so);
 *           -ENOMEM, answered as well as can be
 */
int xl_exec_answer(struct xl_exec *x, const char *text, size_t len, uint64_t number);
/* The answer to a line that could not even be taken in. */
void xl_exec_answer_unread(struct xl_exec *x, uint64_t number, const char *why);

/* exec_load.c: maps and programs of x->line into x->live, and away again.
 * Errors    -errno as bpf(2) has it; x->side.log is the loader's where a program failed */
int xl_exec_load(struct xl_exec *x, struct xl_err *e);
void xl_exec_unload(struct xl_exec *x);
/* Reads the value under @key into @value, which has xl_exec_value_size() bytes. References come
 * out as indexes. False: there is none. */
bool xl_exec_lookup(struct xl_exec *x, uint32_t map, const uint8_t *key, uint8_t *value);

/* exec_run.c: runs x->line's packets, writes the member "runs". -ENOMEM */
int xl_exec_run(struct xl_exec *x);

#endif
