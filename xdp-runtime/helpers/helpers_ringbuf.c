/* hot */
/* Helpers on ring buffers.
 *
 * What a program has reserved stands in run->held until it is submitted or discarded: the engine
 * lets the program write there, and takes what is left over when the program ends. (The kernel's
 * verifier refuses programs that could leave something over.)
 *
 * Source: kernel/bpf/ringbuf.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "maps/ringbuf.h"
#include "xdp-runtime/run.h"

static struct xl_map *map_arg(uint64_t r)
{
	return (struct xl_map *)(uintptr_t)r;
}

/* Shows a finished record to whoever listens, who may be its reader. */
static void commit(const struct xl_run *run, struct xl_map *map, void *record, uint32_t size)
{
	const struct xl_run_sinks *sinks = &run->sinks;
	const bool taken = sinks->ringbuf && sinks->ringbuf(sinks->arg, map, record, size);

	xl_ringbuf_commit(map, record, false);
	if (taken)
		xl_ringbuf_skip(map);
}

uint64_t xl_helper_ringbuf_output(uint64_t r1, uint64_t data, uint64_t size, uint64_t flags,
				  uint64_t r5)
{
	struct xl_map *map = map_arg(r1);
	void *record;

	if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return xl_helper_int(-EINVAL);
	record = xl_ringbuf_reserve(map, size);
	if (!record)
		return xl_helper_int(-EAGAIN);
	if (size)
		memcpy(record, (const void *)(uintptr_t)data, size);
	commit(xl_run, map, record, (uint32_t)size);
	return 0;
}

uint64_t xl_helper_ringbuf_reserve(uint64_t r1, uint64_t size, uint64_t flags, uint64_t r4,
				   uint64_t r5)
{
	struct xl_map *map = map_arg(r1);
	struct xl_run *run = xl_run;
	void *record;

	if (flags || run->n_held == XL_RUN_HELD_MAX)
		return 0;
	record = xl_ringbuf_reserve(map, size);
	if (record)
		run->held[run->n_held++] = (struct xl_held){ map, record, (uint32_t)size };
	return (uintptr_t)record;
}

/* Takes what starts at @addr off the list. The engine has seen that it is there. */
static struct xl_held give_back(struct xl_run *run, uint64_t addr)
{
	struct xl_held *at = xl_run_held(run, addr);
	const struct xl_held found = *at;

	*at = run->held[--run->n_held];
	return found;
}

uint64_t xl_helper_ringbuf_submit(uint64_t record, uint64_t flags, uint64_t r3, uint64_t r4,
				  uint64_t r5)
{
	const struct xl_held held = give_back(xl_run, record);

	commit(xl_run, held.map, held.mem, held.size);
	return 0;
}

uint64_t xl_helper_ringbuf_discard(uint64_t record, uint64_t flags, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	const struct xl_held held = give_back(xl_run, record);

	xl_ringbuf_commit(held.map, held.mem, true);
	return 0;
}

uint64_t xl_helper_ringbuf_query(uint64_t map, uint64_t what, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return xl_ringbuf_query(map_arg(map), what);
}
