/* Timers in map values (struct bpf_timer), on the clock of whoever runs the programs.
 *
 * A timer's state is here; the value holds a handle. When an element goes, its handle is wiped and
 * the timer is dead, whatever was planned. xl_timers_run() is called when time has moved on: in
 * replay before each packet, so that a run repeats. Where nobody calls it, no timer expires.
 *
 * Source: bpf_timer_init() and its neighbours, kernel/bpf/helpers.c, v6.18.
 */
#ifndef XL_XDP_RUNTIME_TIMERS_H
#define XL_XDP_RUNTIME_TIMERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct xl_map;
struct xl_prog;
struct xl_run;
struct xl_timer;
struct xl_timer_plan;

/* All zero: none. */
struct xl_timers {
	pthread_mutex_t lock;
	struct xl_timer *timer;
	uint32_t n_timers, room_timers;
	struct xl_timer_plan *plan; /* a heap: the next one to expire is first */
	uint32_t n_plans, room_plans;
	uint64_t seq; /* of plans made so far */
};

/* What the helpers do; @value is the element. -EBUSY, -EINVAL, -ENOMEM as theirs.
 * Thread: any that runs programs. */
int xl_timer_init(struct xl_timers *t, struct xl_map *map, void *value);
int xl_timer_set_callback(struct xl_timers *t, const struct xl_map *map, void *value,
			  struct xl_prog *prog, uint64_t func);
int xl_timer_start(struct xl_timers *t, const struct xl_map *map, void *value, uint64_t due_ns);
/* Whether it was going to expire. */
int xl_timer_cancel(struct xl_timers *t, const struct xl_map *map, void *value);

/* Runs the callbacks of all timers that are due at @now_ns, in the order of their times, each with
 * the clock at its own time. @on_fault hears of each that was stopped: run->fault says why.
 * Thread: that of @run; control waits meanwhile. */
void xl_timers_run(struct xl_run *run, uint64_t now_ns,
		   void (*on_fault)(void *arg, const struct xl_run *run), void *arg);

/* Forgets the timers of @map, or with callbacks in @prog; the other is NULL. */
void xl_timers_forget(struct xl_timers *t, const struct xl_map *map, const struct xl_prog *prog);
void xl_timers_fini(struct xl_timers *t);

#endif
