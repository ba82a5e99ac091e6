/* Ring buffers; see ringbuf.h.
 *
 * Readers may have the memory mapped and could write into it, so nothing that is read from there
 * is trusted to be more than wrong: this side's positions are kept apart and only published.
 *
 * Semantics: kernel/bpf/ringbuf.c, v6.18.
 */
#include "maps/ringbuf.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "maps/map_types.h"

#define PAGE	    4096u /* of the layout, whatever this machine's pages are */
#define HEADER_SIZE BPF_RINGBUF_HDR_SZ
#define RECORD_MAX  (UINT32_MAX / 4)
#define SAMPLE_MAX  ((1u << 24) - 1) /* of a user ring buffer: what a dynptr can have */
#define PAGES_AHEAD 3u		     /* before the data, as the kernel counts for its `page` */

struct header {
	_Atomic uint32_t len; /* BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT */
	uint32_t page;	      /* from the start of the kernel's struct to this header */
};
_Static_assert(sizeof(struct header) == HEADER_SIZE, "header of a record");

struct ring {
	pthread_mutex_t lock; /* writers reserve one at a time */
	uint64_t producer;    /* position behind the last record */
	uint64_t pending;     /* position of the first record that may be unfinished */

	/* Of a user ring buffer. */
	atomic_flag draining; /* a program reads */
	uint64_t consumer;    /* position of the next record; its reader writes */
};

static _Atomic uint64_t *consumer_of(const struct xl_map *map)
{
	return map->mem.base;
}

static _Atomic uint64_t *producer_of(const struct xl_map *map)
{
	return (_Atomic uint64_t *)((uint8_t *)map->mem.base + PAGE);
}

static struct header *header_at(const struct xl_map *map, uint64_t pos)
{
	return (struct header *)((uint8_t *)map->mem.base + 2 * PAGE +
				 (pos & (map->max_entries - 1)));
}

/* Bytes that a record takes, header and all. */
static uint64_t room_of(uint64_t size)
{
	return (size + HEADER_SIZE + 7) & ~UINT64_C(7);
}

/* Where the record at @pos ends, if it is finished and what it says can be true; else @pos. */
static uint64_t behind(const struct xl_map *map, uint64_t pos, uint64_t producer)
{
	/* acquire pairs with the release in xl_ringbuf_commit(): the record is whole. */
	const uint32_t len = atomic_load_explicit(&header_at(map, pos)->len, memory_order_acquire);
	const uint64_t room = room_of(len & ~BPF_RINGBUF_DISCARD_BIT);

	return len & BPF_RINGBUF_BUSY_BIT || room > producer - pos ? pos : pos + room;
}

/* The first record from @pos on that is not finished, or the end. */
static uint64_t first_unfinished(const struct xl_map *map, uint64_t pos, uint64_t producer)
{
	uint64_t next = pos;

	do {
		pos = next;
		if (pos == producer)
			break;
		next = behind(map, pos, producer);
	} while (next != pos);
	return pos;
}

void *xl_ringbuf_reserve(struct xl_map *map, uint64_t size)
{
	/* acquire pairs with the reader's release: it has done with what is before. */
	const uint64_t consumer = atomic_load_explicit(consumer_of(map), memory_order_acquire);
	const uint64_t room = room_of(size), mask = map->max_entries - 1;
	struct ring *ring = map->priv;
	struct header *header = NULL;
	uint64_t end;

	if (size > RECORD_MAX || room > map->max_entries)
		return NULL;
	pthread_mutex_lock(&ring->lock);
	ring->pending = first_unfinished(map, ring->pending, ring->producer);
	end = ring->producer + room;
	if (end - consumer <= mask && end - ring->pending <= mask) {
		header = header_at(map, ring->producer);
		header->page = PAGES_AHEAD + (uint32_t)((ring->producer & mask) / PAGE);
		atomic_store_explicit(&header->len, (uint32_t)size | BPF_RINGBUF_BUSY_BIT,
				      memory_order_relaxed);
		ring->producer = end;
		/* release pairs with the reader's acquire: it finds the header. */
		atomic_store_explicit(producer_of(map), end, memory_order_release);
	}
	pthread_mutex_unlock(&ring->lock);
	return header ? header + 1 : NULL;
}

void xl_ringbuf_commit(struct xl_map *map, void *record, bool discard)
{
	struct header *header = (struct header *)record - 1;
	uint32_t len = atomic_load_explicit(&header->len, memory_order_relaxed);

	len &= ~BPF_RINGBUF_BUSY_BIT;
	if (discard)
		len |= BPF_RINGBUF_DISCARD_BIT;
	atomic_store_explicit(&header->len, len, memory_order_release);
}

uint64_t xl_ringbuf_query(const struct xl_map *map, uint64_t what)
{
	const uint64_t consumer = atomic_load_explicit(consumer_of(map), memory_order_acquire);
	const uint64_t producer = atomic_load_explicit(producer_of(map), memory_order_acquire);

	switch (what) {
	case BPF_RB_AVAIL_DATA:
		return producer - consumer;
	case BPF_RB_RING_SIZE:
		return map->max_entries;
	case BPF_RB_CONS_POS:
		return consumer;
	case BPF_RB_PROD_POS:
		return producer;
	default:
		return 0;
	}
}

void xl_ringbuf_skip(struct xl_map *map)
{
	struct ring *ring = map->priv;

	pthread_mutex_lock(&ring->lock);
	ring->pending = first_unfinished(map, ring->pending, ring->producer);
	atomic_store_explicit(consumer_of(map), ring->pending, memory_order_release);
	pthread_mutex_unlock(&ring->lock);
}

bool xl_user_ringbuf_begin(struct xl_map *map)
{
	struct ring *ring = map->priv;

	/* acquire pairs with the release in xl_user_ringbuf_end(): the last reader's position. */
	return !atomic_flag_test_and_set_explicit(&ring->draining, memory_order_acquire);
}

void xl_user_ringbuf_end(struct xl_map *map)
{
	struct ring *ring = map->priv;

	atomic_flag_clear_explicit(&ring->draining, memory_order_release);
}

static void advance(struct xl_map *map, uint64_t room)
{
	struct ring *ring = map->priv;

	ring->consumer += room;
	/* release pairs with the producer's acquire: it may write there again. */
	atomic_store_explicit(consumer_of(map), ring->consumer, memory_order_release);
}

int xl_user_ringbuf_peek(struct xl_map *map, void **out_record, uint32_t *out_size)
{
	const struct ring *ring = map->priv;
	/* acquire, here and of the length, pairs with the producer's release. */
	const uint64_t producer = atomic_load_explicit(producer_of(map), memory_order_acquire);
	uint64_t room;
	uint32_t len, size;

	if (producer % 8)
		return -EINVAL;
	if (ring->consumer >= producer)
		return -ENODATA;
	len = atomic_load_explicit(&header_at(map, ring->consumer)->len, memory_order_acquire);
	size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	room = room_of(size);
	if (room > producer - ring->consumer)
		return -EINVAL;
	if (room > map->max_entries || size > SAMPLE_MAX)
		return -E2BIG;
	if (len & BPF_RINGBUF_DISCARD_BIT) {
		advance(map, room);
		return -EAGAIN;
	}
	if (len & BPF_RINGBUF_BUSY_BIT)
		return -ENODATA;
	*out_record = header_at(map, ring->consumer + HEADER_SIZE);
	*out_size = size;
	return 0;
}

void xl_user_ringbuf_release(struct xl_map *map, uint32_t size)
{
	advance(map, room_of(size));
}

/* The control side has no elements: it maps the memory. */

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	return -ENOTSUPP;
}

static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	return -ENOTSUPP;
}

static int delete (struct xl_map *map, const void *key)
{
	return -ENOTSUPP;
}

static int next_key(struct xl_map *map, const void *key, void *out_next)
{
	return -ENOTSUPP;
}

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	const uint32_t size = attr->max_entries;

	if (attr->key_size || attr->value_size)
		return xl_err_set(e, -EINVAL, "key_size and value_size of a ring buffer are 0");
	if (!size || size & (size - 1) || size % PAGE)
		return xl_err_set(
			e, -EINVAL,
			"max_entries of a ring buffer are its bytes, a power of two and at "
			"least %u, not %u",
			PAGE, size);
	return 0;
}

static int alloc(struct xl_map *map)
{
	const size_t size = 2 * PAGE + 2 * (size_t)map->max_entries;
	struct ring *ring;
	int err = xl_mem_create("bpf-map", size, &map->mem);

	if (err)
		return err;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	pthread_mutex_init(&ring->lock, NULL);
	atomic_flag_clear(&ring->draining);
	map->priv = ring;
	return 0;
}

static void ringbuf_free(struct xl_map *map)
{
	struct ring *ring = map->priv;

	pthread_mutex_destroy(&ring->lock);
	free(ring);
}

#define RINGBUF_OPS                                                                               \
	.no_prog_access = true, .allowed_flags = BPF_F_NUMA_NODE, .check = check, .alloc = alloc, \
	.free = ringbuf_free, .meta_equal = xl_map_meta_equal_basic, .delete = delete,            \
	.sys_lookup = sys_lookup, .sys_update = sys_update, .next_key = next_key

const struct xl_map_ops xl_ringbuf_ops = {
	.name = "ringbuf",
	RINGBUF_OPS,
};

/* From user space to programs: the memory is the same. */
const struct xl_map_ops xl_user_ringbuf_ops = {
	.name = "user_ringbuf",
	RINGBUF_OPS,
};
