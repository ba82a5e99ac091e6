/* Error text; see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int xl_err_set(struct xl_err *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->err)
		return err;
	e->err = err;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}

void xl_err_prefix(struct xl_err *e, const char *fmt, ...)
{
	char prefix[256], old[sizeof(e->text)];
	va_list ap;

	if (!e || !e->err)
		return;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	memcpy(old, e->text, sizeof(old));
	snprintf(e->text, sizeof(e->text), "%s: %.*s", prefix,
		 (int)(sizeof(e->text) - sizeof(prefix) - 3), old);
}
