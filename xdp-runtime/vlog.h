/* The log of a program load, in the shape of the kernel's verifier log.
 *
 * Source: kernel/bpf/log.c. Level 0: nothing is kept but the last line, for our own messages.
 */
#ifndef XL_XDP_RUNTIME_VLOG_H
#define XL_XDP_RUNTIME_VLOG_H

#include <stddef.h>
#include <stdint.h>

struct xl_vlog {
	uint32_t level; /* BPF_LOG_*: 1 messages, 2 more */
	char *buf;	/* whole text so far, NUL-terminated; grows; NULL until something is said */
	size_t len, size;
	char last[256];	   /* last whole line, without newline */
	size_t last_start; /* in buf, of the line being written */
};

void xl_vlog_init(struct xl_vlog *log, uint32_t level);
void xl_vlog_fini(struct xl_vlog *log);
/* Appends. @log may be NULL. */
__attribute__((format(printf, 2, 3))) void xl_vlog(struct xl_vlog *log, const char *fmt, ...);

#endif
