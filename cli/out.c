/* Standard output; see out.h. */
#include "cli/out.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define STREAM_BUF_LEN (64 << 10)

static ssize_t out_write(void *cookie, const char *buf, size_t size)
{
	struct xl_out *out = cookie;
	size_t done = 0;

	while (done < size && !out->err) {
		const ssize_t n = write(out->fd, buf + done, size - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			out->err = -errno;
	}
	/* After an error all is swallowed: the stream would else try the same bytes again. */
	return (ssize_t)size;
}

int xl_out_open(struct xl_out *out, int fd)
{
	const cookie_io_functions_t io = { .write = out_write };

	*out = (struct xl_out){ .fd = fd };
	signal(SIGPIPE, SIG_IGN);
	out->stream = fopencookie(out, "w", io);
	if (!out->stream)
		return -ENOMEM;
	setvbuf(out->stream, NULL, isatty(fd) ? _IOLBF : _IOFBF, STREAM_BUF_LEN);
	return 0;
}

int xl_out_close(struct xl_out *out)
{
	if (out->stream)
		fclose(out->stream);
	out->stream = NULL;
	return out->err;
}
