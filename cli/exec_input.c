/* Lines of exec; see exec_input.h. */
#include "cli/exec_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (64u << 10) /* a pipe's capacity */

int xl_exec_input_open(struct xl_exec_input *in, const char *path, FILE *answers, struct xl_err *e)
{
	*in = (struct xl_exec_input){ .fd = STDIN_FILENO, .answers = answers, .size = 2 * PIECE };
	in->buf = malloc(in->size);
	if (!in->buf)
		return xl_err_set(e, -ENOMEM, "out of memory");
	if (strcmp(path, "-"))
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return xl_err_set(e, -errno, "%s: cannot open: %s", path, strerror(errno));
	return 0;
}

void xl_exec_input_close(struct xl_exec_input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	free(in->buf);
}

/* Makes room behind what is there. */
static int make_room(struct xl_exec_input *in)
{
	char *grown;

	if (in->start) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->size - in->end >= PIECE)
		return 0;
	grown = realloc(in->buf, in->size * 2);
	if (!grown)
		return -ENOMEM;
	in->size *= 2;
	in->buf = grown;
	return 0;
}

static int read_more(struct xl_exec_input *in)
{
	ssize_t n;
	int err;

	if (in->end - in->start > XL_EXEC_LINE_MAX) {
		in->skips = true;
		in->start = in->end = in->seen = 0;
	}
	err = make_room(in);
	if (err)
		return err;
	fflush(in->answers);
	do
		n = read(in->fd, in->buf + in->end, in->size - in->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	in->is_over = !n;
	in->end += (size_t)n;
	return 0;
}

int xl_exec_input_next(struct xl_exec_input *in, const char **out_line, size_t *out_len)
{
	char *line, *newline = NULL;
	size_t len;
	int err;

	for (;;) {
		line = in->buf + in->start;
		len = in->end - in->start;
		newline = len > in->seen ? memchr(line + in->seen, '\n', len - in->seen) : NULL;
		if (newline || in->is_over)
			break;
		in->seen = len;
		err = read_more(in);
		if (err)
			return err;
	}
	in->seen = 0;
	if (!newline && !len && !in->skips)
		return 0;
	*out_line = line;
	*out_len = newline ? (size_t)(newline - line) : len;
	in->start += newline ? *out_len + 1 : len;
	in->n_lines++;
	if (!in->skips)
		return 1;
	in->skips = false;
	return -E2BIG;
}

bool xl_exec_input_is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r", line[i]) || !line[i])
			return false;
	return true;
}
