/* Log lines; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum xl_log_level max_level = XL_LOG_WARN;

void xl_log_set_level(enum xl_log_level level)
{
	max_level = level;
}

bool xl_log_enabled(enum xl_log_level level)
{
	return level <= max_level;
}

void xl_log(enum xl_log_level level, const char *module, const char *fmt, ...)
{
	/* syslog(3) priorities, as sd-daemon(3) has them. */
	static const char *const journal[] = { "<3>", "<4>", "<6>", "<7>" };
	char line[2048];
	int len, more;
	va_list ap;

	if (!xl_log_enabled(level))
		return;
	len = snprintf(line, sizeof(line), "%s%s: ", getenv("JOURNAL_STREAM") ? journal[level] : "",
		       module);
	va_start(ap, fmt);
	more = vsnprintf(line + len, sizeof(line) - (size_t)len - 1, fmt, ap);
	va_end(ap);
	len += more;
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody is left to tell */
}
