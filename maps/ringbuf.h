/* The program side of ring buffers: records of any size, from many writers to one reader.
 *
 * A writer reserves room, fills it and commits or discards it. The reader sees records in the
 * order of their reservation, and none behind one that is still being filled.
 *
 * The map's memory is laid out as the kernel's, so that readers map it and find what they expect:
 *
 *   | consumer page | producer page | data: size | the same size again |
 *     u64 position    u64 position    records: u32 length and bits, u32 page, bytes; of 8
 *
 * Positions only grow; position modulo size is where a record starts, in the first half. What runs
 * over its end lies in the second half, where the kernel maps the first half again.
 *
 * Source: kernel/bpf/ringbuf.c, v6.18.
 */
#ifndef XL_MAPS_RINGBUF_H
#define XL_MAPS_RINGBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "maps/map.h"

/* A record of @size bytes, aligned to 8; NULL when there is no room for it. Its bytes are what
 * happened to be there.
 * Owns      the caller, until xl_ringbuf_commit(). Thread: any, as for all here. */
void *xl_ringbuf_reserve(struct xl_map *map, uint64_t size);

/* Ends the writing of @record, which xl_ringbuf_reserve() gave. @discard: readers skip it. */
void xl_ringbuf_commit(struct xl_map *map, void *record, bool discard);

/* What bpf_ringbuf_query() answers to BPF_RB_*; 0 to other questions. */
uint64_t xl_ringbuf_query(const struct xl_map *map, uint64_t what);

/* Reads all records up to the first that is still being written, in place of a reader who does
 * not exist. */
void xl_ringbuf_skip(struct xl_map *map);

#endif
