/* hot */
/* Which CPU this thread works as, and how many there may be.
 *
 * Per-CPU maps have one slot for each *possible* CPU, so that unmodified control programs,
 * which size their buffers by libbpf_num_possible_cpus(), see what they expect. A worker is
 * pinned, so its CPU is a constant of the thread; replay chooses one.
 */
#ifndef XL_BASE_PERCPU_H
#define XL_BASE_PERCPU_H

#include <stdint.h>

/* The CPU that bpf_get_smp_processor_id() and per-CPU look-ups of this thread use.
 * Thread: its own; set before a thread runs programs, 0 at start. */
extern _Thread_local uint32_t xl_cpu;

/* Highest id in /sys/devices/system/cpu/possible plus one: what libbpf_num_possible_cpus()
 * says, 1 if the file cannot be read. Read once. Thread: any. */
uint32_t xl_percpu_n_possible(void);

#endif
