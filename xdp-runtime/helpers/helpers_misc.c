/* hot */
/* Helpers on time, randomness and place.
 *
 * In replay all clocks are the frame's time stamp, so that a run repeats; in earnest they are this
 * machine's. Which it is, xl_run.clock tells.
 *
 * Source: kernel/bpf/helpers.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "base/percpu.h"
#include "xdp-runtime/run.h"

/* chosen: CONFIG_HZ of Debian's kernels and of most others */
#define JIFFIES_HZ 250

static bool is_replay(const struct xl_run *run)
{
	return run->clock == xl_run_clock_frame;
}

static uint64_t clock_ns(clockid_t id)
{
	const struct xl_run *run = xl_run;
	struct timespec ts;

	if (is_replay(run))
		return run->clock(run);
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * XL_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t xl_helper_get_smp_processor_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
					uint64_t r5)
{
	return xl_cpu;
}

uint64_t xl_helper_get_numa_node_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	unsigned int cpu, node;

	if (is_replay(xl_run) || getcpu(&cpu, &node))
		return 0;
	return node;
}

uint64_t xl_helper_get_prandom_u32(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return xl_run_prandom_u32(xl_run);
}

uint64_t xl_helper_ktime_get_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return xl_run->clock(xl_run);
}

uint64_t xl_helper_ktime_get_boot_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
				     uint64_t r5)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t xl_helper_ktime_get_coarse_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
				       uint64_t r5)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

uint64_t xl_helper_ktime_get_tai_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return clock_ns(CLOCK_TAI);
}

uint64_t xl_helper_jiffies64(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return xl_clock_jiffies64(xl_run->clock(xl_run), JIFFIES_HZ);
}
