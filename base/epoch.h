/* Quiescent-state reclamation: publish a new version, wait until every worker has passed a
 * quiescent point, free the old.
 *
 * A worker holds nothing across the end of a burst, so one store per burst tells that all
 * older versions are out of its sight. Control never blocks a worker; it waits or defers.
 *
 * Source: the idea is QSBR, as in liburcu's qsbr flavour and DPDK's rte_rcu_qsbr.
 */
#ifndef XL_BASE_EPOCH_H
#define XL_BASE_EPOCH_H

#include <stdatomic.h>
#include <stdint.h>

#define XL_EPOCH_WORKERS_MAX 128

struct xl_epoch {
	_Atomic uint64_t now; /* control writes, workers read */
	struct {
		_Alignas(64) _Atomic uint64_t seen; /* its worker writes; XL_EPOCH_OFFLINE: none */
	} worker[XL_EPOCH_WORKERS_MAX];
	struct xl_epoch_deferred *deferred; /* control only, newest first */
};

#define XL_EPOCH_OFFLINE UINT64_MAX

struct xl_epoch_deferred {
	struct xl_epoch_deferred *next;
	uint64_t since;
	void (*free)(struct xl_epoch_deferred *self);
};

void xl_epoch_init(struct xl_epoch *e);
/* Runs what is deferred. All workers must be offline. */
void xl_epoch_fini(struct xl_epoch *e);

/* Thread: the worker. Between online and offline it may hold published versions. */
void xl_epoch_online(struct xl_epoch *e, uint32_t worker);
void xl_epoch_offline(struct xl_epoch *e, uint32_t worker);

/* Says that this worker holds no version older than now. One load and one store; per burst. */
static inline void xl_epoch_quiescent(struct xl_epoch *e, uint32_t worker)
{
	/* acquire pairs with the release in xl_epoch_wait/defer: what was published before the
	 * epoch moved is what the next burst sees; release: our reads are done by then. */
	uint64_t now = atomic_load_explicit(&e->now, memory_order_acquire);

	atomic_store_explicit(&e->worker[worker].seen, now, memory_order_release);
}

/* Blocks until each online worker has passed a quiescent point. Thread: control. */
void xl_epoch_wait(struct xl_epoch *e);

/* Calls @d->free once each online worker has passed a quiescent point, from a later
 * xl_epoch_defer(), xl_epoch_poll() or xl_epoch_fini(). Never blocks. Thread: control. */
void xl_epoch_defer(struct xl_epoch *e, struct xl_epoch_deferred *d,
		    void (*free)(struct xl_epoch_deferred *self));
void xl_epoch_poll(struct xl_epoch *e);

#endif
