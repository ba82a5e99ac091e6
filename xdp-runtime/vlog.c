/* The log of a program load; see vlog.h. */
#include "xdp-runtime/vlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_SIZE_MAX (16u << 20) /* chosen: far above any reader's patience */

void xl_vlog_init(struct xl_vlog *log, uint32_t level)
{
	*log = (struct xl_vlog){ .level = level };
}

void xl_vlog_fini(struct xl_vlog *log)
{
	free(log->buf);
	*log = (struct xl_vlog){ 0 };
}

static int grow(struct xl_vlog *log, size_t need)
{
	size_t size = log->size ? log->size : 256;
	char *buf;

	if (need > LOG_SIZE_MAX)
		return -1;
	while (size < need)
		size *= 2;
	if (size == log->size)
		return 0;
	buf = realloc(log->buf, size);
	if (!buf)
		return -1;
	log->buf = buf;
	log->size = size;
	return 0;
}

/* Keeps the last whole line at hand, for messages that have room for one. */
static void remember_last_line(struct xl_vlog *log)
{
	char *newline;
	size_t len;

	while ((newline = strchr(log->buf + log->last_start, '\n'))) {
		len = (size_t)(newline - (log->buf + log->last_start));
		snprintf(log->last, sizeof(log->last), "%.*s", (int)len,
			 log->buf + log->last_start);
		log->last_start += len + 1;
	}
}

void xl_vlog(struct xl_vlog *log, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	if (!log)
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0 && !grow(log, log->len + (size_t)n + 1)) {
		vsnprintf(log->buf + log->len, (size_t)n + 1, fmt, again);
		log->len += (size_t)n;
		remember_last_line(log);
	}
	va_end(again);
}
