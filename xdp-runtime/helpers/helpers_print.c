/* hot */
/* Helpers that print: bpf_trace_printk, bpf_trace_vprintk, bpf_snprintf.
 *
 * Source: kernel/trace/bpf_trace.c; bpf_snprintf(), kernel/bpf/helpers.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "xdp-runtime/helpers/helpers_format.h"
#include "xdp-runtime/run.h"

#define TEXT_SIZE   1024 /* MAX_BPRINTF_BUF */
#define ARGS_MAX    12	 /* MAX_BPRINTF_VARARGS */
#define PRINTK_ARGS 3	 /* MAX_TRACE_PRINTK_VARARGS */

static uint64_t trace(const char *fmt, size_t fmt_size, const uint64_t *args, uint32_t n_args)
{
	const struct xl_run_sinks *sinks = &xl_run->sinks;
	char text[TEXT_SIZE];
	int len = xl_helper_format(fmt, fmt_size, args, n_args, text, sizeof(text));

	if (len >= 0 && sinks->trace)
		sinks->trace(sinks->arg, text,
			     (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
	return xl_helper_int(len);
}

uint64_t xl_helper_trace_printk(uint64_t fmt, uint64_t size, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const uint64_t args[PRINTK_ARGS] = { r3, r4, r5 };

	return trace((const char *)(uintptr_t)fmt, (uint32_t)size, args, PRINTK_ARGS);
}

/* Copies the arguments, which may lie unaligned. Returns how many, or -EINVAL. */
static int take_args(uint64_t data, uint32_t len, uint64_t args[ARGS_MAX])
{
	if (len % sizeof(*args) || len > ARGS_MAX * sizeof(*args) || (len && !data))
		return -EINVAL;
	if (len)
		memcpy(args, (const void *)(uintptr_t)data, len);
	return (int)(len / sizeof(*args));
}

uint64_t xl_helper_trace_vprintk(uint64_t fmt, uint64_t size, uint64_t data, uint64_t data_len,
				 uint64_t r5)
{
	uint64_t args[ARGS_MAX];
	int n = take_args(data, (uint32_t)data_len, args);

	if (n < 0)
		return xl_helper_int(n);
	return trace((const char *)(uintptr_t)fmt, (uint32_t)size, args, (uint32_t)n);
}

uint64_t xl_helper_snprintf(uint64_t out, uint64_t size, uint64_t fmt, uint64_t data,
			    uint64_t data_len)
{
	const char *text = (const char *)(uintptr_t)fmt;
	const size_t text_size = strlen(text) + 1; /* XL_ARG_CONST_STR has seen the NUL */
	uint64_t args[ARGS_MAX];
	int n = take_args(data, (uint32_t)data_len, args), len;

	if (n < 0)
		return xl_helper_int(n);
	/* Once without output: the program's memory stays as it is where the kernel refuses. */
	len = xl_helper_format(text, text_size, args, (uint32_t)n, NULL, (uint32_t)size);
	if (len >= 0)
		xl_helper_format(text, text_size, args, (uint32_t)n, (char *)(uintptr_t)out,
				 (uint32_t)size);
	return xl_helper_int(len < 0 ? len : len + 1);
}
