/* Standard output as a stream that remembers why writing failed.
 *
 * stdio tells only that it failed, and perhaps long after. What a person must know is whether the
 * reader went away (`| head`: end quietly) or the disk is full.
 */
#ifndef XL_CLI_OUT_H
#define XL_CLI_OUT_H

#include <stdio.h>

#include "base/err.h"

struct xl_out {
	FILE *stream; /* never NULL after xl_out_open */
	int fd;
	int err; /* -errno of the first failed write; -EPIPE: the reader went away */
};

/* Makes @out->stream write to @fd: line by line on a terminal, else in large pieces.
 * Ignores SIGPIPE for the process. Errors: -ENOMEM */
int xl_out_open(struct xl_out *out, int fd);
/* Flushes and closes the stream, not @fd. Returns @out->err. */
int xl_out_close(struct xl_out *out);

#endif
