/* The real kernel's copy of a runtime's programs and maps: the oracle.
 *
 * Takes programs of a runtime as they were loaded, makes maps of the same kind and contents in the
 * kernel, loads the programs there (helpers for time, CPU and random numbers replaced by calls of
 * an appended function which reads them from a map that we fill, so that both sides see the same)
 * and runs frames through BPF_PROG_TEST_RUN. Needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON.
 *
 * Thread: control; pins itself to a CPU while running.
 */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/frame.h"

struct xl_map;
struct xl_prog;
struct xl_run;
struct xl_runtime;
struct xl_twin;

/* Copies @prog, the maps that it uses and all programs and maps reachable from those.
 * Errors    -EPERM without privilege, -EACCES/-EINVAL/… of the kernel's verifier, with its last
 *           log lines in @e
 */
int xl_twin_create(struct xl_runtime *rt, struct xl_prog *prog, struct xl_twin **out_twin,
		   struct xl_err *e);
void xl_twin_destroy(struct xl_twin *twin);

/* Runs the kernel's copy on a packet (without its headroom and metadata).
 *
 * @run      tells clock, prandom state and CPU to present; call it before our own run
 * @frame    ifindex and rx_queue are presented if the kernel has such a port, else lo and 0
 * @out      at least @out_size bytes; *out_len is the kernel's length
 * Errors    -errno of BPF_PROG_TEST_RUN: -EINVAL for packets under 14 bytes or too long
 */
int xl_twin_run(struct xl_twin *twin, const struct xl_run *run, const struct xl_frame *frame,
		void *out, uint32_t out_size, uint32_t *out_len, uint32_t *out_retval);

/* Compares the contents of all maps with the kernel's copies.
 * Returns   true if equal; else @text says map, key and both values. */
bool xl_twin_maps_equal(struct xl_twin *twin, char *text, uint32_t text_size);

#endif
