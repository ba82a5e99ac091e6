/* Text as the kernel formats it for programs: bpf_trace_printk's language. */
#ifndef XL_XDP_RUNTIME_HELPERS_FORMAT_H
#define XL_XDP_RUNTIME_HELPERS_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* Formats @fmt, which must end within @fmt_size, for the program that xl_run runs.
 *
 * @buf      takes what fits of @size bytes, with a NUL; NULL: nothing is written. Undefined on
 *           error.
 * Returns   the length of the whole text
 * Errors    -EINVAL a bad format, or one with more than @n_args conversions; -ENOSPC arguments
 *           that take more than 512 bytes
 */
int xl_helper_format(const char *fmt, size_t fmt_size, const uint64_t *args, uint32_t n_args,
		     char *buf, size_t size);

#endif
