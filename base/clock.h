/* Time in nanoseconds. */
#ifndef XL_BASE_CLOCK_H
#define XL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define XL_NSEC_PER_SEC UINT64_C(1000000000)

/* CLOCK_MONOTONIC. Thread: any. */
uint64_t xl_clock_mono_ns(void);

/* The kernel's jiffies64 for a machine with CONFIG_HZ=@hz that has been up for @mono_ns:
 * jiffies start at INITIAL_JIFFIES, five minutes before the 32-bit wrap.
 * Source: include/linux/jiffies.h. */
static inline uint64_t xl_clock_jiffies64(uint64_t mono_ns, uint32_t hz)
{
	const uint64_t initial_jiffies = (uint32_t)(-300 * (int32_t)hz);

	return initial_jiffies + mono_ns / (XL_NSEC_PER_SEC / hz);
}

#endif
