/* A runtime: one instance of "the kernel as a BPF program sees it".
 *
 * Maps, programs, BTFs, links, pins, forwarding table. No globals: a process may have many.
 * The control side (everything in this folder that is not marked hot) takes `lock`; programs never
 * do.
 */
#ifndef XL_XDP_RUNTIME_RUNTIME_H
#define XL_XDP_RUNTIME_RUNTIME_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/epoch.h"
#include "base/err.h"
#include "base/obj.h"
#include "maps/map.h"
#include "xdp-runtime/timers.h"

struct xl_engine;
struct xl_fib;
struct xl_handles;
struct xl_region_table;

/* What the verifier is asked at BPF_PROG_LOAD, and who may run; prog_verify.c. Zeros, but for the
 * limit: programs run that are proven as the kernel asks of privileged ones. */
struct xl_verify_policy {
	bool off;	     /* it is not asked; the interpreter checks everything anyway */
	bool check_unproven; /* what is only not proven runs, with run-time checks */
	bool strict;	     /* xl_verify_opts.strict; and nothing runs that is not modelled */
	bool facts;	     /* programs keep what it knows: xl_prog.facts */
	uint64_t insn_limit; /* instructions followed; 0: XL_VERIFY_LIMIT */
};

struct xl_runtime_opts {
	uint32_t n_cpus;		/* slots of per-CPU maps; 0: xl_percpu_n_possible() */
	uint64_t seed;			/* of hashes and prandom; 0: a random one */
	const struct xl_engine *engine; /* NULL: xl_interp */
	struct xl_verify_policy verify;
};

struct xl_runtime {
	pthread_mutex_t lock; /* control side: tables below. Recursive: putting the last reference
			       * to an object while it is held takes the object out of the tables */
	struct xl_map_env map_env;
	const struct xl_engine *engine;
	struct xl_handles *handles; /* fds, ids, pins; handle.h */
	struct xl_fib *fib;
	struct xl_region_table *_Atomic regions; /* published; region.h */
	struct xl_timers timers;

	/* While set, an XDP program that fails the checks of BPF_PROG_LOAD is kept as one that
	 * cannot run: xl_prog.refused says why. Whoever loads a whole object sets it. */
	bool keep_refused;
	struct xl_verify_policy verify;
	/* Where the workers that run this runtime's programs report their quiescent points; what
	 * control replaces is freed by it. NULL (in tests): control and programs take turns. */
	struct xl_epoch *epoch;
	uint64_t workers[XL_EPOCH_WORKERS_MAX / 64]; /* bit per worker number that is taken */
};

int xl_runtime_create(const struct xl_runtime_opts *opts, struct xl_runtime **out_rt);
/* Drops all objects. Fds that were handed out stay open but mean nothing any more. */
void xl_runtime_destroy(struct xl_runtime *rt);

/* A number in rt->epoch for a thread that runs programs at the same time as others change maps; it
 * goes online and offline itself. Programs and inner maps that were replaced are kept for the
 * workers that are online. Errors: -EBUSY all numbers are taken. Thread: any. */
int xl_runtime_worker_join(struct xl_runtime *rt, uint32_t *out_worker);
void xl_runtime_worker_leave(struct xl_runtime *rt, uint32_t worker);

/* Makes @obj findable: gives it an id, and enters a map's values into the regions. From then on
 * its last xl_obj_put() takes it out again. Errors: as xl_handle_publish(). Thread: control. */
int xl_runtime_publish(struct xl_runtime *rt, struct xl_obj *obj);

/* Puts a new reference to the object with this id into @out_obj. -ENOENT. Thread: control. */
int xl_runtime_obj_by_id(struct xl_runtime *rt, enum xl_obj_kind kind, uint32_t id,
			 struct xl_obj **out_obj);

#endif
