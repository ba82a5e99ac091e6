/* Helpers on timers in map values. What a clock is, the run says: there is one for all of them.
 *
 * Source: kernel/bpf/helpers.c, v6.18.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <time.h>

#include "base/uapi.h"
#include "xdp-runtime/region.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/timers.h"

#define CLOCKS_MAX    16
#define TIMER_ABS     1u /* BPF_F_TIMER_ABS, newer than Debian 12's header */
#define TIMER_CPU_PIN 2u
/* chosen: what a kernel takes at least to come around to a timer. One that starts itself again at
 * once must not be endless where time stands still. */
#define SOONEST_NS 50000

/* The element whose timer is at @addr; the engine has seen that one is. */
static struct xl_map *element_at(uint64_t addr, void **out_value)
{
	struct xl_map *map = xl_region_find(xl_run->rt, addr)->map;

	*out_value = (void *)(uintptr_t)(addr - (uint32_t)map->timer_off);
	return map;
}

uint64_t xl_helper_timer_init(uint64_t addr, uint64_t r2, uint64_t flags, uint64_t r4, uint64_t r5)
{
	const uint64_t clock = flags & (CLOCKS_MAX - 1);
	struct xl_map *map;
	void *value;

	map = element_at(addr, &value);
	if ((uintptr_t)map != r2) {
		xl_run->complaint = "the timer is in another map";
		return 0;
	}
	if (flags >= CLOCKS_MAX ||
	    (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
		return xl_helper_int(-EINVAL);
	return xl_helper_int(xl_timer_init(&xl_run->rt->timers, map, value));
}

uint64_t xl_helper_timer_set_callback(uint64_t addr, uint64_t func, uint64_t r3, uint64_t r4,
				      uint64_t r5)
{
	void *value;
	const struct xl_map *map = element_at(addr, &value);

	return xl_helper_int(
		xl_timer_set_callback(&xl_run->rt->timers, map, value, xl_run->prog, func));
}

uint64_t xl_helper_timer_start(uint64_t addr, uint64_t ns, uint64_t flags, uint64_t r4, uint64_t r5)
{
	const uint64_t now_ns = xl_run->clock(xl_run);
	void *value;
	const struct xl_map *map = element_at(addr, &value);
	uint64_t due_ns = flags & TIMER_ABS ? ns : now_ns + ns;

	if (flags & ~(uint64_t)(TIMER_ABS | TIMER_CPU_PIN))
		return xl_helper_int(-EINVAL);
	if (!(flags & TIMER_ABS) && due_ns < now_ns)
		due_ns = UINT64_MAX;
	if (due_ns < now_ns + SOONEST_NS)
		due_ns = now_ns + SOONEST_NS;
	return xl_helper_int(xl_timer_start(&xl_run->rt->timers, map, value, due_ns));
}

uint64_t xl_helper_timer_cancel(uint64_t addr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	void *value;
	const struct xl_map *map = element_at(addr, &value);

	if (xl_run->timer == value)
		return xl_helper_int(-EDEADLK); /* it would wait for itself */
	return xl_helper_int(xl_timer_cancel(&xl_run->rt->timers, map, value));
}
