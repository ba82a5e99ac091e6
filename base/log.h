/* Log lines are events for an operator: "afxdp: queue open failed ifname=eth1 queue=3".
 *
 * They go to stderr, one line each, with the journal's <N> priority in front when stderr is the
 * journal. Packets are never logged; they are counted. Process-wide state: the level.
 */
#ifndef XL_BASE_LOG_H
#define XL_BASE_LOG_H

#include <stdbool.h>

enum xl_log_level { XL_LOG_ERR, XL_LOG_WARN, XL_LOG_INFO, XL_LOG_DEBUG };

/* Sets what is printed; XL_LOG_WARN at start. Thread: control, before workers start. */
void xl_log_set_level(enum xl_log_level level);
bool xl_log_enabled(enum xl_log_level level);

/* Prints "module: text\n". Thread: any; a line is written with one write(2). */
__attribute__((format(printf, 3, 4))) void xl_log(enum xl_log_level level, const char *module,
						  const char *fmt, ...);

#define xl_log_err(module, ...)	 xl_log(XL_LOG_ERR, module, __VA_ARGS__)
#define xl_log_warn(module, ...) xl_log(XL_LOG_WARN, module, __VA_ARGS__)
#define xl_log_info(module, ...) xl_log(XL_LOG_INFO, module, __VA_ARGS__)
#define xl_log_debug(module, ...)                                  \
	do {                                                       \
		if (xl_log_enabled(XL_LOG_DEBUG))                  \
			xl_log(XL_LOG_DEBUG, module, __VA_ARGS__); \
	} while (0)

#endif
