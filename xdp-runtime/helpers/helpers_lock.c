/* hot */
/* Spin locks in map values.
 *
 * A program holds one lock at a time, and gives it back before it ends: what the kernel's verifier
 * proves is looked at here, so that no program can stop another, or the control side, for good.
 * Waiting for a lock has an end, too.
 *
 * Source: bpf_spin_lock(), bpf_spin_unlock(), kernel/bpf/helpers.c; process_spin_lock(),
 * kernel/bpf/verifier.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include "maps/fields.h"
#include "xdp-runtime/run.h"

uint64_t xl_helper_spin_lock(uint64_t lock, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct xl_run *run = xl_run;

	if (run->locked)
		run->complaint = "a lock is held already, and there may be one at a time";
	else if (!xl_spin_lock((_Atomic uint32_t *)(uintptr_t)lock))
		run->complaint = "whoever holds the lock does not give it back";
	else
		run->locked = (void *)(uintptr_t)lock;
	return 0;
}

uint64_t xl_helper_spin_unlock(uint64_t lock, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct xl_run *run = xl_run;

	if (run->locked != (void *)(uintptr_t)lock) {
		run->complaint = "that lock is not held";
		return 0;
	}
	xl_spin_unlock(run->locked);
	run->locked = NULL;
	return 0;
}
