/* Time; see clock.h. */
#include "base/clock.h"

uint64_t xl_clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * XL_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}
