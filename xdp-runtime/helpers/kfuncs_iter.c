/* hot */
/* Open-coded iterators: bpf_for() and bpf_repeat().
 *
 * The state lies on the program's stack, where the program can write over it; the worst that it
 * can do is to count differently.
 *
 * Source: bpf_iter_num_*() in kernel/bpf/bpf_iter.c, v6.18.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#define LOOPS_MAX (INT64_C(1) << 23) /* BPF_MAX_LOOPS */

struct iter_num {
	int32_t cur; /* what the program gets a pointer to */
	int32_t end;
};

static struct iter_num get(uint64_t at)
{
	struct iter_num it;

	memcpy(&it, (const void *)(uintptr_t)at, sizeof(it));
	return it;
}

static void put(uint64_t at, int32_t cur, int32_t end)
{
	const struct iter_num it = { cur, end };

	memcpy((void *)(uintptr_t)at, &it, sizeof(it));
}

uint64_t xl_kfunc_iter_num_new(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const int32_t start = (int32_t)r2, end = (int32_t)r3;

	put(at, 0, 0);
	if (start > end)
		return (uint32_t)-EINVAL;
	if ((int64_t)end - start > LOOPS_MAX)
		return (uint32_t)-E2BIG;
	/* Wraps around for the lowest number, and back at the first step. */
	put(at, (int32_t)((uint32_t)start - 1), end);
	return 0;
}

uint64_t xl_kfunc_iter_num_next(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const struct iter_num it = get(at);
	const int32_t next = (int32_t)((uint32_t)it.cur + 1);

	if (next >= it.end) {
		put(at, 0, 0);
		return 0;
	}
	put(at, next, it.end);
	return at;
}

uint64_t xl_kfunc_iter_num_destroy(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	put(at, 0, 0);
	return 0;
}
