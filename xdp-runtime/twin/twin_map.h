/* The kernel's copies of maps. Private to twin*.c. */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_MAP_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "xdp-runtime/twin/twin.h"

/* How per-CPU slots of the two sides correspond: slot for slot, but when we cannot run on the CPU
 * that programs shall see, `ours` and `real` change places. */
struct xl_twin_cpus {
	uint32_t n_ours, n_kernel; /* slots */
	uint32_t ours;		   /* what programs see */
	uint32_t real;		   /* where the kernel's copy runs */
};

/* The kernel's slot of our slot @i, or -1 if it has none. */
static inline int64_t xl_twin_slot(const struct xl_twin_cpus *cpus, uint32_t i)
{
	uint32_t slot = i == cpus->ours ? cpus->real : i == cpus->real ? cpus->ours : i;

	return slot < cpus->n_kernel ? (int64_t)slot : -1;
}

struct xl_twin_map {
	struct xl_map *map;	 /* borrowed */
	int fd;			 /* of the kernel's copy */
	bool noted;		 /* it has been said that contents cannot be compared */
	bool lost;		 /* a packet that only we could run has changed ours for good */
	uint64_t *ring_consumer; /* ring buffers: the kernel's memory, else NULL */
	const uint8_t *ring;
};

/* Bytes of a value as the kernel's bpf(2) copies it. */
size_t xl_twin_value_size(const struct xl_map *map, const struct xl_twin_cpus *cpus);

/* Creates a kernel map with the attributes of @map.
 *
 * @btf_fd   kernel BTF with the map's key and value types, or -1; left out if the kernel does not
 *           want BTF for this type
 * @inner_fd a kernel map like those inside, or -1
 * Returns   the fd, or -errno with @e
 */
int xl_twin_map_create(const struct xl_map *map, int btf_fd, int inner_fd, struct xl_err *e);

/* The kernel's objects for ours, where an element is one. */
struct xl_twin_objs {
	void *arg;
	int (*map_fd)(void *arg, uint32_t map_id);   /* -1: no copy */
	int (*prog_fd)(void *arg, uint32_t prog_id); /* -1: no copy */
	/* Makes sure that a port exists. -ENODEV */
	int (*port)(void *arg, uint32_t ifindex);
	/* Keeps @fd open as long as the maps live. Returns 0; -ENOMEM, then it is closed. */
	int (*keep_fd)(void *arg, int fd);
	/* Takes a sentence about an element that the kernel's copy lacks. */
	__attribute__((format(printf, 2, 3))) void (*note)(void *arg, const char *fmt, ...);
};

/* Copies the contents of @tm->map into the kernel's copy, and freezes that if ours is frozen.
 * Errors    -errno with @e: the kernel refuses an element which ours holds */
int xl_twin_map_fill(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
		     const struct xl_twin_objs *objs, struct xl_err *e);

/* One entry of plain bytes into the kernel's copy, or out of it.
 * @value    as our control side has it
 * @kvalue   scratch of xl_twin_value_size() bytes */
int xl_twin_map_put(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus, const void *key,
		    const uint8_t *value, uint8_t *kvalue);
int xl_twin_map_remove(const struct xl_twin_map *tm, const void *key);

/* Whether programs can change the map's contents, so that they are worth comparing. */
bool xl_twin_map_comparable(const struct xl_map *map);

/* One map of xl_twin_maps_equal(). Returns 1 equal, 0 different with @out, -errno with @e.
 * @out_why  set to a reason when contents cannot be compared (and 1 is returned) */
int xl_twin_map_compare(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
			struct xl_twin_map_diff *out, const char **out_why, struct xl_err *e);

/* Makes the kernel's copy of a comparable map equal to ours. */
int xl_twin_map_sync(struct xl_twin_map *tm, const struct xl_twin_cpus *cpus, struct xl_err *e);

/* twin_queue.c */

bool xl_twin_is_queue(const struct xl_map *map);
/* Makes the kernel's copy of a queue or stack hold what ours does. */
int xl_twin_queue_copy(const struct xl_twin_map *tm);

/* twin_ring.c */

bool xl_twin_is_ring(const struct xl_map *map);
/* Maps the kernel's copy. -errno */
int xl_twin_ring_map(struct xl_twin_map *tm);
void xl_twin_ring_unmap(struct xl_twin_map *tm);
/* Lets the kernel's copy be read as far as ours was. */
void xl_twin_ring_consume(const struct xl_twin_map *tm);
/* After a packet that the kernel has not seen: sets tm->lost if it has written records. */
void xl_twin_ring_lose(struct xl_twin_map *tm);
/* Returns 1 equal, 0 different with @out, -ENOMEM. */
int xl_twin_ring_compare(const struct xl_twin_map *tm, struct xl_twin_map_diff *out);

/* twin_btf.c */

/* Clears the bytes of @value that bpf(2) does not show as programs see them: locks, timers,
 * kernel pointers, lists. */
void xl_twin_value_mask(const struct xl_map *map, uint8_t *value);
bool xl_twin_value_has_mask(const struct xl_map *map);
/* Writes the path of the member at byte @off of a value: "stats.packets", "ports[3]", "". */
void xl_twin_value_field(const struct xl_map *map, uint32_t off, char *buf, size_t size);

#endif
