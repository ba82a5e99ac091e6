/* hot */
/* Which CPU this thread works as, and how many there may be.
 *
 * Per-CPU maps have one slot for each *possible* CPU, so that unmodified control programs,
 * which size their buffers by libbpf_num_possible_cpus(), see what they expect. A worker is
 * pinned, so its CPU is a constant of the thread; replay chooses one.
 */
#ifndef XL_BASE_PERCPU_H
#define XL_BASE_PERCPU_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define XL_CPUS_POSSIBLE "/sys/devices/system/cpu/possible"

/* The CPU that bpf_get_smp_processor_id() and per-CPU look-ups of this thread use.
 * Thread: its own; set before a thread runs programs, 0 at start. */
extern _Thread_local uint32_t xl_cpu;

/* Highest id in XL_CPUS_POSSIBLE plus one: what libbpf_num_possible_cpus() says. As many as are
 * there now if the file cannot be read. Read once. Thread: any. */
uint32_t xl_percpu_n_possible(void);

/* Whether that is the kernel's number too. Where /sys is not mounted nobody can say, and the
 * kernel's per-CPU values must not be asked for: they might not fit. Thread: any. */
static inline bool xl_percpu_is_kernels(void)
{
	return !access(XL_CPUS_POSSIBLE, R_OK);
}

#endif
