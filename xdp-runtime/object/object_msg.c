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
#include "xdp-runtime/object/object_priv.h"

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

/* A CO-RE access comes as two lines: what it is, then whether it was found.
 *
 *     prog 'f': relo #0: <byte_off> [7] struct task_struct.pid (0:3 @ offset 16)
 *     prog 'f': relo #0: no matching targets found
 */
static void listen_core(struct xl_object_msg *msg, const char *line)
{
	static const char *const asking[] = { "field_exists", "type_", "enumval_exists",
					      "target_type_id" };
	const char *name = strchr(line, '\''), *end = name ? strchr(name + 1, '\'') : NULL;
	const char *rest = end ? strstr(end, "relo #") : NULL, *what;
	uint32_t n = msg->n_lacks;

	rest = rest ? strstr(rest, ": ") : NULL;
	if (!rest)
		return;
	rest += 2;
	if (*rest == '<')
		snprintf(msg->access, sizeof(msg->access), "%s", rest + 1);
	if (strncmp(rest, "no matching targets", 19) ||
	    n == sizeof(msg->lacks) / sizeof(msg->lacks[0]))
		return;
	/* Who asks whether something is there may hear that it is not. */
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		if (!strncmp(msg->access, asking[i], strlen(asking[i])))
			return;
	what = strstr(msg->access, "] ");
	if (!what)
		return;
	snprintf(msg->lacks[n].func, sizeof(msg->lacks[n].func), "%.*s", (int)(end - name - 1),
		 name + 1);
	what += 2;
	snprintf(msg->lacks[n].what, sizeof(msg->lacks[n].what), "%.*s",
		 (int)strcspn(what, "(=") - 1, what);
	msg->n_lacks++;
}

static int print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static const char prefix[] = "libbpf: ";
	char buf[512], *line = buf;
	size_t n;

	if (level != LIBBPF_WARN && !xl_log_enabled(XL_LOG_DEBUG) &&
	    (!listener || !strstr(fmt, "relo #")))
		return 0;
	vsnprintf(buf, sizeof(buf), fmt, ap);
	if (!strncmp(line, prefix, sizeof(prefix) - 1))
		line += sizeof(prefix) - 1;
	n = strcspn(line, "\n");
	line[n] = '\0';
	while (n && line[n - 1] == '.')
		line[--n] = '\0';
	xl_log_debug("libbpf", "%s", line);
	if (level == LIBBPF_DEBUG && listener)
		listen_core(listener, line);
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
	memset(msg, 0, sizeof(*msg));
	msg->before = listener;
	listener = msg;
}

void xl_object_msg_off(struct xl_object_msg *msg)
{
	listener = msg->before;
}
