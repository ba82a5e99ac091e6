/* All entries of a map, sorted by key, for comparing. Private to twin*.c. */
#ifndef XL_XDP_RUNTIME_KERNEL_TWIN_TABLE_H
#define XL_XDP_RUNTIME_KERNEL_TWIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-runtime/twin/twin_map.h"

/* n records of a key and a value, as bpf(2) shows it on that side. */
struct xl_twin_table {
	uint8_t *records;
	uint32_t *order; /* of records: by key, or as they came if that is the same on both sides */
	size_t n, room;
	size_t key_size, value_size, record_size;
};

/* The @i-th record in order: key_size bytes, then value_size bytes. */
static inline uint8_t *xl_twin_record(const struct xl_twin_table *t, size_t i)
{
	return t->records + t->order[i] * t->record_size;
}

void xl_twin_table_init(struct xl_twin_table *t, size_t key_size, size_t value_size);
/* Room for one more record at the end, which counts when n is raised; NULL without memory. */
uint8_t *xl_twin_table_next(struct xl_twin_table *t);

/* Reads a map and the kernel's copy of it. Bits of LPM keys behind the prefix are cleared.
 * Errors    -ENOMEM, -errno of bpf(2)
 * Owns      xl_twin_table_fini() for both, also after an error */
int xl_twin_tables_read(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
			struct xl_twin_table *ours, struct xl_twin_table *kernel);
void xl_twin_table_fini(struct xl_twin_table *t);

/* twin_queue.c */

/* Reads one side of a queue or stack, which holds the same as before afterwards. */
int xl_twin_queue_read(const struct xl_twin_map *tm, bool kernel, struct xl_twin_table *t);

#endif
