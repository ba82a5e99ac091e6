/* Ring buffers. Both sides have the kernel's layout: a page with the consumer's position, one with
 * the producer's, then the data, twice in a row. Records are compared where they lie, headers and
 * all; who reads ours moves the kernel's consumer along.
 *
 * The producer's side of the kernel's copy cannot be written, so records of a packet that only we
 * could run are missing there for good: from then on such a map is left alone.
 *
 * Source: kernel/bpf/ringbuf.c.
 */
#include "xdp-runtime/twin/twin_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "maps/map.h"

#define PAGE	   4096u /* of the layout */
#define DIFFERENCE 64u	 /* chosen: bytes of it that are told */

bool xl_twin_is_ring(const struct xl_map *map)
{
	return map->type == BPF_MAP_TYPE_RINGBUF;
}

/* The producer's page and the data, which is all that may be mapped of it in one piece. */
static size_t ring_size(const struct xl_map *map)
{
	return PAGE + 2 * (size_t)map->max_entries;
}

int xl_twin_ring_map(struct xl_twin_map *tm)
{
	void *consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, tm->fd, 0);
	void *ring;

	if (consumer == MAP_FAILED)
		return -errno;
	tm->ring_consumer = consumer;
	ring = mmap(NULL, ring_size(tm->map), PROT_READ, MAP_SHARED, tm->fd, PAGE);
	if (ring == MAP_FAILED)
		return -errno;
	tm->ring = ring;
	return 0;
}

void xl_twin_ring_unmap(struct xl_twin_map *tm)
{
	if (tm->ring)
		munmap((void *)tm->ring, ring_size(tm->map));
	if (tm->ring_consumer)
		munmap(tm->ring_consumer, PAGE);
}

void xl_twin_ring_consume(const struct xl_twin_map *tm)
{
	const uint64_t *ours = tm->map->mem.base;

	__atomic_store_n(tm->ring_consumer, __atomic_load_n(ours, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

static uint64_t producer(const uint8_t *ring)
{
	return __atomic_load_n((const uint64_t *)ring, __ATOMIC_ACQUIRE);
}

static const uint8_t *our_ring(const struct xl_twin_map *tm)
{
	return (const uint8_t *)tm->map->mem.base + PAGE;
}

void xl_twin_ring_lose(struct xl_twin_map *tm)
{
	tm->lost |= producer(our_ring(tm)) != producer(tm->ring);
}

static uint8_t *copy_of(const uint8_t *bytes)
{
	uint8_t *copy = malloc(DIFFERENCE);

	if (copy)
		memcpy(copy, bytes, DIFFERENCE);
	return copy;
}

int xl_twin_ring_compare(const struct xl_twin_map *tm, struct xl_twin_map_diff *out)
{
	const uint8_t *ours = our_ring(tm), *kernel = tm->ring;
	const uint64_t a = producer(ours), b = producer(kernel);
	uint64_t used = a > b ? a : b, off = 0, from;

	used = used < tm->map->max_entries ? used : tm->map->max_entries;
	ours += PAGE;
	kernel += PAGE;
	if (a == b && !memcmp(ours, kernel, used))
		return 1;
	while (off < used && ours[off] == kernel[off])
		off++;
	/* There is room behind the last byte: the data come again there. */
	from = off / DIFFERENCE * DIFFERENCE;
	*out = (struct xl_twin_map_diff){ .map = tm->map,
					  .value_size = DIFFERENCE,
					  .key = calloc(1, 1),
					  .ours = copy_of(ours + from),
					  .kernel = copy_of(kernel + from),
					  .cpu = -1,
					  .off = (uint32_t)(off - from) };
	if (out->key && out->ours && out->kernel)
		return 0;
	xl_twin_map_diff_fini(out);
	return -ENOMEM;
}
