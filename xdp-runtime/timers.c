/* Timers in map values; see timers.h.
 *
 * A handle is the number of a timer and a count of its lives. It lies in memory that a program could
 * reach, so it is believed only if the timer says the same of the value.
 */
#include "xdp-runtime/timers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "maps/map.h"
#include "maps/value.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"

#define BUF_SIZE 4096 /* of an empty packet; xl_frame_buf_size() */

struct xl_timer {
	struct xl_map *map; /* NULL: free */
	void *value;
	uint32_t life; /* part of the handle */
	struct xl_prog *prog;
	uint64_t func;	   /* in prog; 0: no callback yet */
	uint64_t plan_seq; /* of the plan that counts; 0: none */
};

struct xl_timer_plan {
	uint64_t due_ns, seq;
	uint32_t timer;
};

/* Plans: a binary heap. One that no longer counts stays until it comes up, or until there are too
 * many of these. */

static bool is_before(const struct xl_timer_plan *a, const struct xl_timer_plan *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->seq < b->seq;
}

static void sift_up(struct xl_timer_plan *heap, uint32_t i)
{
	const struct xl_timer_plan plan = heap[i];

	for (; i && is_before(&plan, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = plan;
}

static void sift_down(struct xl_timer_plan *heap, uint32_t n, uint32_t i)
{
	const struct xl_timer_plan plan = heap[i];

	for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &plan))
			break;
		heap[i] = heap[child];
	}
	heap[i] = plan;
}

static bool counts(const struct xl_timers *t, const struct xl_timer_plan *plan)
{
	return t->timer[plan->timer].plan_seq == plan->seq;
}

static void drop_dead_plans(struct xl_timers *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n_plans; i++)
		if (counts(t, &t->plan[i]))
			t->plan[n++] = t->plan[i];
	t->n_plans = n;
	for (uint32_t i = n / 2; i--;)
		sift_down(t->plan, n, i);
}

static void *grown(void *array, uint32_t *room, size_t size)
{
	const uint32_t more = *room ? *room * 2 : 64;
	void *new = more > *room ? reallocarray(array, more, size) : NULL;

	if (new)
		*room = more;
	return new;
}

static int add_plan(struct xl_timers *t, struct xl_timer_plan plan)
{
	struct xl_timer_plan *more;

	if (t->n_plans > 2 * t->n_timers + 64)
		drop_dead_plans(t);
	if (t->n_plans == t->room_plans) {
		more = grown(t->plan, &t->room_plans, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->plan = more;
	}
	t->plan[t->n_plans] = plan;
	sift_up(t->plan, t->n_plans++);
	return 0;
}

static void drop_first_plan(struct xl_timers *t)
{
	t->plan[0] = t->plan[--t->n_plans];
	if (t->n_plans)
		sift_down(t->plan, t->n_plans, 0);
}

/* Handles. */

static uint64_t *handle_in(const struct xl_map *map, void *value)
{
	return (uint64_t *)((uint8_t *)value + map->timer_off);
}

static bool is_alive(const struct xl_timers *t, uint32_t i)
{
	const struct xl_timer *timer = &t->timer[i];
	uint64_t handle;

	if (!timer->map)
		return false;
	xl_value_load(&handle, handle_in(timer->map, timer->value), sizeof(handle));
	return handle == ((uint64_t)timer->life << 32 | (i + 1));
}

/* The timer of an element, NULL if it has none. */
static struct xl_timer *timer_of(const struct xl_timers *t, const struct xl_map *map, void *value)
{
	uint64_t handle;
	uint32_t i;

	xl_value_load(&handle, handle_in(map, value), sizeof(handle));
	i = (uint32_t)handle - 1;
	return i < t->n_timers && t->timer[i].value == value && is_alive(t, i) ? &t->timer[i]
									       : NULL;
}

static void bury(struct xl_timer *timer)
{
	*timer = (struct xl_timer){ .life = timer->life + 1 };
}

/* A free timer; where there is none those of elements that are gone become free. */
static struct xl_timer *free_timer(struct xl_timers *t)
{
	struct xl_timer *more;
	uint32_t n_free = 0, found = 0;

	if (t->n_timers == t->room_timers) {
		for (uint32_t i = 0; i < t->n_timers; i++) {
			if (is_alive(t, i))
				continue;
			bury(&t->timer[i]);
			found = i;
			n_free++;
		}
		if (n_free)
			return &t->timer[found];
		more = grown(t->timer, &t->room_timers, sizeof(*more));
		if (!more)
			return NULL;
		t->timer = more;
	}
	t->timer[t->n_timers] = (struct xl_timer){ .life = 1 };
	return &t->timer[t->n_timers++];
}

int xl_timer_init(struct xl_timers *t, struct xl_map *map, void *value)
{
	struct xl_timer *timer;
	uint64_t handle;
	int err = 0;

	pthread_mutex_lock(&t->lock);
	if (timer_of(t, map, value)) {
		err = -EBUSY;
		goto out;
	}
	timer = free_timer(t);
	if (!timer) {
		err = -ENOMEM;
		goto out;
	}
	timer->map = map;
	timer->value = value;
	handle = (uint64_t)timer->life << 32 | ((uint64_t)(timer - t->timer) + 1);
	xl_value_store(handle_in(map, value), &handle, sizeof(handle));
out:
	pthread_mutex_unlock(&t->lock);
	return err;
}

int xl_timer_set_callback(struct xl_timers *t, const struct xl_map *map, void *value,
			  struct xl_prog *prog, uint64_t func)
{
	struct xl_timer *timer;

	pthread_mutex_lock(&t->lock);
	timer = timer_of(t, map, value);
	if (timer) {
		timer->prog = prog;
		timer->func = func;
	}
	pthread_mutex_unlock(&t->lock);
	return timer ? 0 : -EINVAL;
}

int xl_timer_start(struct xl_timers *t, const struct xl_map *map, void *value, uint64_t due_ns)
{
	struct xl_timer *timer;
	int err = -EINVAL;

	pthread_mutex_lock(&t->lock);
	timer = timer_of(t, map, value);
	if (timer && timer->func) {
		const struct xl_timer_plan plan = { due_ns, ++t->seq,
						    (uint32_t)(timer - t->timer) };

		err = add_plan(t, plan);
		if (!err)
			timer->plan_seq = plan.seq;
	}
	pthread_mutex_unlock(&t->lock);
	return err;
}

int xl_timer_cancel(struct xl_timers *t, const struct xl_map *map, void *value)
{
	struct xl_timer *timer;
	int ret = -EINVAL;

	pthread_mutex_lock(&t->lock);
	timer = timer_of(t, map, value);
	if (timer) {
		ret = timer->plan_seq != 0;
		timer->plan_seq = 0;
		timer->prog =
			NULL; /* the kernel lets go of the program, so it wants a callback again */
		timer->func = 0;
	}
	pthread_mutex_unlock(&t->lock);
	return ret;
}

void xl_timers_forget(struct xl_timers *t, const struct xl_map *map, const struct xl_prog *prog)
{
	pthread_mutex_lock(&t->lock);
	for (uint32_t i = 0; i < t->n_timers; i++)
		if ((map && t->timer[i].map == map) || (prog && t->timer[i].prog == prog))
			bury(&t->timer[i]);
	pthread_mutex_unlock(&t->lock);
}

void xl_timers_fini(struct xl_timers *t)
{
	free(t->timer);
	free(t->plan);
}

/* Takes the next timer that is due into @out. */
static bool next_due(struct xl_timers *t, uint64_t now_ns, struct xl_timer *out,
		     uint64_t *out_due_ns)
{
	bool found = false;

	pthread_mutex_lock(&t->lock);
	while (!found && t->n_plans && t->plan[0].due_ns <= now_ns) {
		const struct xl_timer_plan plan = t->plan[0];

		drop_first_plan(t);
		if (!counts(t, &plan))
			continue;
		found = is_alive(t, plan.timer);
		if (found)
			t->timer[plan.timer].plan_seq = 0;
		else
			bury(&t->timer[plan.timer]);
		*out = t->timer[plan.timer];
		*out_due_ns = plan.due_ns;
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}

/* Callbacks get the map, the key and the value. They run for no packet: theirs is empty. */
static void expire(struct xl_run *run, const struct xl_timer *timer, uint64_t due_ns)
{
	_Alignas(64) uint8_t buf[BUF_SIZE];
	const void *key = timer->map->ops->key_of(timer->map, timer->value);
	const struct xl_lent lent = { .base = key, .size = timer->map->key_size };
	const uint64_t args[5] = { (uintptr_t)timer->map, (uintptr_t)key, (uintptr_t)timer->value };
	struct xl_frame frame;

	if (!key)
		return;
	xl_frame_init(&frame, buf, sizeof(buf), NULL, 0);
	frame.time_ns = due_ns;
	run->timer = timer->value;
	timer->prog->engine->call(run, timer->prog, timer->func, args, &lent, &frame);
	run->timer = NULL;
}

void xl_timers_run(struct xl_run *run, uint64_t now_ns,
		   void (*on_fault)(void *arg, const struct xl_run *run), void *arg)
{
	struct xl_timer timer;
	uint64_t due_ns;

	while (next_due(&run->rt->timers, now_ns, &timer, &due_ns)) {
		expire(run, &timer, due_ns);
		if (run->fault.kind != XL_FAULT_NONE && on_fault)
			on_fault(arg, run);
	}
}
