/* What libbpf says while it works for us.
 *
 * libbpf explains itself by printing. One print function is installed for the process; it finds
 * the listener of its thread. Warnings are remembered, since the last one of substance is the
 * error text; everything is visible at debug level. Process-wide state: libbpf's print function.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "xdp-runtime/object_priv.h"

static _Thread_local struct xl_object_msg *listener;

/* Ends of a chain of warnings, which say nothing that was not said before. */
static bool is_echo(const char *line)
{
	static const char *const echoes[] = {
		"failed to load object",
		"failed to perform CO-RE relocations",
		"BTF is required, but is missing",
		"Error in bpf_create_map_xattr",
	};

	for (size_t i = 0; i < sizeof(echoes) / sizeof(echoes[0]); i++)
		if (strstr(line, echoes[i]))
			return true;
	return false;
}

static int print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const char prefix[] = "libbpf: ";
	char buf[512], *line = buf;
	size_t n;

	if (level != LIBBPF_WARN && !xl_log_enabled(XL_LOG_DEBUG))
		return 0;
	vsnprintf(buf, sizeof(buf), fmt, ap);
	if (!strncmp(line, prefix, sizeof(prefix) - 1))
		line += sizeof(prefix) - 1;
	n = strcspn(line, "\n");
	line[n] = '\0';
	while (n && line[n - 1] == '.')
		line[--n] = '\0';
	xl_log_debug("libbpf", "%s", line);
	if (level == LIBBPF_WARN && listener && (!listener->text[0] || !is_echo(line)))
		snprintf(listener->text, sizeof(listener->text), "%s", line);
	return 0;
}

static void install(void)
{
	libbpf_set_print(print);
}

void xl_object_msg_on(struct xl_object_msg *msg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	msg->text[0] = '\0';
	msg->before = listener;
	listener = msg;
}

void xl_object_msg_off(struct xl_object_msg *msg)
{
	listener = msg->before;
}
