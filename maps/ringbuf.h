/* The program side of ring buffers: records of any size, from many writers to one reader. And of
 * user ring buffers, where user space writes and programs read.
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
 * In a user ring buffer a record whose header lies at the very end starts at the front, as the
 * kernel has it.
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

/* User ring buffers: one program at a time reads, from begin to end.
 * Returns   whether it may; false: another one does */
bool xl_user_ringbuf_begin(struct xl_map *map);
void xl_user_ringbuf_end(struct xl_map *map);

/* The next record, of @out_size bytes, which stays until it is released. Others may write to it at
 * any time.
 * Errors    -ENODATA there is none, or it is still being written; -EAGAIN it was discarded and is
 *           passed over: ask again; -EINVAL, -E2BIG the producer wrote nonsense */
int xl_user_ringbuf_peek(struct xl_map *map, void **out_record, uint32_t *out_size);
void xl_user_ringbuf_release(struct xl_map *map, uint32_t size);

#endif
