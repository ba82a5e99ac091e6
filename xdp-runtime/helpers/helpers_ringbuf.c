/* hot */
/* Helpers on ring buffers, and on user ring buffers.
 *
 * What a program has reserved stands in run->held until it is submitted or discarded: the engine
 * lets the program write there, and takes what is left over when the program ends. (The kernel's
 * verifier refuses programs that could leave something over.)
 *
 * Source: kernel/bpf/ringbuf.c, v6.18.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "maps/ringbuf.h"
#include "xdp-runtime/dynptr.h"
#include "xdp-runtime/run.h"

#define WAKEUP_FLAGS ((uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
#define SAMPLES_MAX  (128 * 1024) /* BPF_MAX_USER_RINGBUF_SAMPLES: in one call */

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

	if (flags & ~WAKEUP_FLAGS)
		return xl_helper_int(-EINVAL);
	record = xl_ringbuf_reserve(map, size);
	if (!record)
		return xl_helper_int(-EAGAIN);
	if (size)
		memcpy(record, (const void *)(uintptr_t)data, size);
	commit(xl_run, map, record, (uint32_t)size);
	return 0;
}

static void *hold(struct xl_run *run, struct xl_map *map, uint64_t size)
{
	void *record = NULL;

	if (run->n_held < XL_RUN_HELD_MAX)
		record = xl_ringbuf_reserve(map, size);
	if (record)
		run->held[run->n_held++] = (struct xl_held){ map, record, (uint32_t)size };
	return record;
}

uint64_t xl_helper_ringbuf_reserve(uint64_t map, uint64_t size, uint64_t flags, uint64_t r4,
				   uint64_t r5)
{
	return flags ? 0 : (uintptr_t)hold(xl_run, map_arg(map), size);
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

/* The same by dynptr, for sizes that are known at run time only. */

uint64_t xl_helper_ringbuf_reserve_dynptr(uint64_t map, uint64_t r2, uint64_t flags,
					  uint64_t dynptr, uint64_t r5)
{
	const uint32_t size = (uint32_t)r2;
	void *record = NULL;
	int err = flags ? -EINVAL : size > XL_DYNPTR_SIZE_MAX ? -E2BIG : 0;

	if (!err) {
		record = hold(xl_run, map_arg(map), size);
		err = record ? 0 : -EINVAL;
	}
	xl_dynptr_put(dynptr, record ? xl_dynptr_of(XL_DYNPTR_RINGBUF, record, size)
				     : (struct xl_dynptr){ 0 });
	return xl_helper_int(err);
}

/* Empties the dynptr. Returns what it held; no mem: nothing. */
static struct xl_held give_back_dynptr(struct xl_run *run, uint64_t dynptr)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	xl_dynptr_put(dynptr, (struct xl_dynptr){ 0 });
	return d.data ? give_back(run, d.data) : (struct xl_held){ 0 };
}

uint64_t xl_helper_ringbuf_submit_dynptr(uint64_t dynptr, uint64_t flags, uint64_t r3, uint64_t r4,
					 uint64_t r5)
{
	const struct xl_held held = give_back_dynptr(xl_run, dynptr);

	if (held.mem)
		commit(xl_run, held.map, held.mem, held.size);
	return 0;
}

uint64_t xl_helper_ringbuf_discard_dynptr(uint64_t dynptr, uint64_t flags, uint64_t r3, uint64_t r4,
					  uint64_t r5)
{
	const struct xl_held held = give_back_dynptr(xl_run, dynptr);

	if (held.mem)
		xl_ringbuf_commit(held.map, held.mem, true);
	return 0;
}

/* Shows one sample to the program, as a dynptr that only helpers understand. */
static uint64_t show(struct xl_run *run, uint64_t func, uint64_t ctx, void *sample, uint32_t size)
{
	struct xl_dynptr dynptr = xl_dynptr_of(XL_DYNPTR_LOCAL, sample, size);
	const struct xl_lent lent = { sample, size, true, &dynptr, run->lent };
	uint64_t ret;

	run->lent = &lent;
	ret = run->call(run, func, (uintptr_t)&dynptr, ctx, 0, 0, 0);
	run->lent = lent.outer;
	return ret;
}

static int64_t drain(struct xl_run *run, struct xl_map *map, uint64_t func, uint64_t ctx)
{
	int64_t n_discarded = 0, n;
	uint64_t ret = 0;
	uint32_t size;
	void *sample;
	int err;

	for (n = 0; n < SAMPLES_MAX && !ret && !run->fault.kind; n++) {
		err = xl_user_ringbuf_peek(map, &sample, &size);
		if (err == -ENODATA)
			break;
		if (err == -EAGAIN) {
			n_discarded++;
			continue;
		}
		if (err)
			return err;
		ret = show(run, func, ctx, sample, size);
		xl_user_ringbuf_release(map, size);
	}
	return n - n_discarded;
}

uint64_t xl_helper_user_ringbuf_drain(uint64_t r1, uint64_t func, uint64_t ctx, uint64_t flags,
				      uint64_t r5)
{
	struct xl_map *map = map_arg(r1);
	int64_t ret;

	if (flags & ~WAKEUP_FLAGS)
		return xl_helper_int(-EINVAL);
	if (!xl_user_ringbuf_begin(map))
		return xl_helper_int(-EBUSY);
	ret = drain(xl_run, map, func, ctx);
	xl_user_ringbuf_end(map);
	return (uint64_t)ret;
}
