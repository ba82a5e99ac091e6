/* The real kernel's copy of a runtime's programs and maps: the oracle.
 *
 * Takes programs of a runtime as they were loaded, makes maps of the same kind and contents in the
 * kernel, loads the programs there and runs packets through BPF_PROG_TEST_RUN. Helpers for time
 * and random numbers (and for the CPU, where we cannot run on the wanted one) are replaced by code
 * that reads a map which we fill from our own helpers, so that both sides see the same.
 * Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; with CAP_SYS_ADMIN it works in a network namespace
 * of its own, where ports have the numbers that the programs expect.
 *
 *   twin.c        this file's functions: the order of things, running
 *   twin_reach.c  which programs and maps are copied
 *   twin_load.c   programs and BTF into the kernel
 *   twin_code.c   a program's instructions for the kernel
 *   twin_map.c    a map's copy: attributes, contents in
 *   twin_table.c  a map's copy: contents out
 *   twin_queue.c  likewise for queues and stacks
 *   twin_ring.c   likewise for ring buffers
 *   twin_cmp.c    both sides' contents compared
 *   twin_btf.c    what BTF says about bytes of a value
 *   twin_net.c    the network namespace and its ports
 *   twin_fib.c    routes and neighbours in it
 *
 * Thread: control, all calls from one thread, which stays pinned to a CPU until the end.
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
struct xl_twin;

/* Copies @progs, the maps that they use and all programs and maps reachable from those, with the
 * contents that the maps have now. The thread's xl_cpu is the CPU that programs shall see.
 *
 * Errors    -EPERM without privilege; -EACCES, -EINVAL, … of the kernel's verifier, with its last
 *           log line in @e; -ENOMEM, -E2BIG, … for maps that the kernel does not make
 * Owns      the programs and maps must outlive the twin
 */
int xl_twin_create(struct xl_prog *const *progs, uint32_t n_progs, struct xl_twin **out_twin,
		   struct xl_err *e);
void xl_twin_destroy(struct xl_twin *twin);

/* What the kernel's copies cannot do as ours can: "devmap tx_port: no port 77 in the kernel".
 * Returns   the text, NULL when there are no more. Borrowed from the twin. */
const char *xl_twin_note(const struct xl_twin *twin, uint32_t i);

/* Shows the kernel's copies the time, random numbers and CPU of @run on @frame. To be called
 * before our own run, which changes the generator's state. Several programs that run on one packet
 * (a chain) go on from where the one before left the generator. */
void xl_twin_present(struct xl_twin *twin, struct xl_run *run, struct xl_frame *frame);

struct xl_twin_packet {
	const uint8_t *data; /* meta_len bytes of metadata, then the packet */
	uint32_t len;	     /* of the packet, fragments included */
	uint32_t linear_len; /* of its first part: len, or less if the rest comes in fragments */
	uint32_t meta_len;   /* a multiple of 4, at most 216 (chosen by the program before) */
	uint32_t ifindex;    /* presented if the kernel has such a port, else lo */
	uint32_t rx_queue;
};

/* Runs the kernel's copy of progs[@which].
 *
 * @out      borrowed until the next run; ifindex and rx_queue as given
 * Errors    -EINVAL packets under 14 bytes, devmap and cpumap programs; -E2BIG first parts above
 *           XL_LINEAR_MAX, packets above XL_FRAGMENTED_MAX; -errno of BPF_PROG_TEST_RUN
 */
int xl_twin_run(struct xl_twin *twin, uint32_t which, const struct xl_twin_packet *in,
		struct xl_twin_packet *out, uint32_t *out_retval);

/* The first difference between a map and the kernel's copy of it. */
struct xl_twin_map_diff {
	const struct xl_map *map; /* borrowed from the runtime */
	uint32_t key_size, value_size;
	uint8_t *key;		/* key_size bytes */
	uint8_t *ours, *kernel; /* value_size bytes; NULL: no such entry on that side */
	int cpu;		/* slot of a per-CPU value, as the programs count; else -1 */
	uint32_t off;		/* first byte that differs, when both are there */
	char field[96];		/* that byte's member by BTF ("stats.packets"), or "" */
};

/* Compares the contents of all maps that programs can write to with the kernel's copies.
 *
 * Returns   true if equal; else @out is filled and goes to xl_twin_map_diff_fini() later.
 *           Maps of which the contents cannot be compared count as equal, and there is a note.
 * Errors    in @e, with false, when the kernel cannot be asked; then out->map is NULL
 */
bool xl_twin_maps_equal(struct xl_twin *twin, struct xl_twin_map_diff *out, struct xl_err *e);
void xl_twin_map_diff_fini(struct xl_twin_map_diff *diff);

/* Makes the kernel's maps equal to ours: after a packet that only we could run. */
int xl_twin_maps_sync(struct xl_twin *twin, struct xl_err *e);

/* Bytes that xl_twin_maps_equal() reads from the kernel at most: what it costs. */
uint64_t xl_twin_maps_bytes(const struct xl_twin *twin);

#endif
