/* Lines from a file or a pipe, one by one, as they come.
 *
 * Whoever sends lines may wait for the answer to each: what was answered is therefore flushed
 * before this side waits, and only then, so that a long input still goes in large pieces.
 */
#ifndef XL_CLI_EXEC_INPUT_H
#define XL_CLI_EXEC_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define XL_EXEC_LINE_MAX (64u << 20) /* bytes; chosen: above it is no line, but a mistake */

struct xl_exec_input {
	int fd;
	char *buf;
	size_t start, end, size; /* what was read and not yet taken is [start, end) */
	size_t seen;		 /* of that, no newline before start + seen */
	bool is_over, skips;
	FILE *answers;	  /* flushed before waiting */
	uint64_t n_lines; /* taken so far */
};

/* @path     "-": standard input
 * @answers  borrowed
 * Errors    -errno, in words */
int xl_exec_input_open(struct xl_exec_input *in, const char *path, FILE *answers, struct xl_err *e);
void xl_exec_input_close(struct xl_exec_input *in);

/* The next line, without its newline, which @out_line borrows until the next call.
 * Returns   1, 0 at the end, -E2BIG for a line that is too long (the next call goes on behind it),
 *           -errno of reading */
int xl_exec_input_next(struct xl_exec_input *in, const char **out_line, size_t *out_len);
/* A line of no meaning. */
bool xl_exec_input_is_blank(const char *line, size_t len);

#endif
