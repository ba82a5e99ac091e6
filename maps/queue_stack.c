/* Queues and stacks: values without keys.
 *
 * A ring of max_entries values; a queue gives the oldest, a stack the newest. Programs push, pop
 * and peek by copy, so no pointer into the ring leaves this file and a mutex is all it takes.
 *
 * Semantics: kernel/bpf/queue_stack_maps.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct queue {
	pthread_mutex_t lock;
	uint32_t oldest; /* index of the oldest value */
	uint32_t n;	 /* values */
};

static void *nth(const struct xl_map *map, const struct queue *q, uint32_t n)
{
	uint64_t index = (uint64_t)q->oldest + n;

	if (index >= map->max_entries)
		index -= map->max_entries;
	return (uint8_t *)map->mem.base + index * map->value_stride;
}

static void drop_oldest(const struct xl_map *map, struct queue *q)
{
	q->oldest = q->oldest + 1 == map->max_entries ? 0 : q->oldest + 1;
	q->n--;
}

static int push(struct xl_map *map, const void *value, uint64_t flags)
{
	struct queue *q = map->priv;
	int err = 0;

	/* BPF_EXIST: make room by dropping the oldest. */
	if (flags & BPF_NOEXIST || flags > BPF_EXIST)
		return -EINVAL;
	pthread_mutex_lock(&q->lock);
	if (q->n == map->max_entries && flags == BPF_EXIST)
		drop_oldest(map, q);
	if (q->n == map->max_entries)
		err = -E2BIG;
	else
		memcpy(nth(map, q, q->n++), value, map->value_size);
	pthread_mutex_unlock(&q->lock);
	return err;
}

static int take(struct xl_map *map, void *value, bool newest, bool remove)
{
	struct queue *q = map->priv;
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (!q->n) {
		memset(value, 0, map->value_size);
		err = -ENOENT;
	} else {
		memcpy(value, nth(map, q, newest ? q->n - 1 : 0), map->value_size);
		if (remove && newest)
			q->n--;
		else if (remove)
			drop_oldest(map, q);
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

static int queue_pop(struct xl_map *map, void *value)
{
	return take(map, value, false, true);
}

static int queue_peek(struct xl_map *map, void *value)
{
	return take(map, value, false, false);
}

static int stack_pop(struct xl_map *map, void *value)
{
	return take(map, value, true, true);
}

static int stack_peek(struct xl_map *map, void *value)
{
	return take(map, value, true, false);
}

/* The control side has the same operations under other names. */

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	return map->ops->peek(map, out_value);
}

static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	return push(map, value, flags);
}

static int sys_lookup_and_delete(struct xl_map *map, const void *key, void *out_value,
				 uint64_t flags)
{
	return map->ops->pop(map, out_value);
}

static int delete (struct xl_map *map, const void *key)
{
	return -EINVAL;
}

static int next_key(struct xl_map *map, const void *key, void *out_next)
{
	return -EINVAL;
}

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	if (!attr->max_entries || !attr->value_size)
		return xl_err_set(e, -EINVAL, "a queue or stack needs max_entries and value_size");
	if (attr->key_size)
		return xl_err_set(e, -EINVAL, "key_size of a queue or stack is 0, not %u",
				  attr->key_size);
	if (attr->value_size > XL_KMALLOC_MAX)
		return xl_err_set(e, -E2BIG, "value_size of a queue or stack is at most 4 MiB");
	return 0;
}

static int alloc(struct xl_map *map)
{
	struct queue *q;
	int err = xl_mem_create("bpf-map", (size_t)map->max_entries * map->value_stride, &map->mem);

	if (err)
		return err;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	pthread_mutex_init(&q->lock, NULL);
	map->priv = q;
	return 0;
}

static void queue_free(struct xl_map *map)
{
	struct queue *q = map->priv;

	pthread_mutex_destroy(&q->lock);
	free(q);
}

#define QUEUE_OPS                                                                                  \
	.no_prog_access = true, .allowed_flags = BPF_F_NUMA_NODE | XL_MAP_ACCESS_FLAGS,            \
	.check = check, .alloc = alloc, .free = queue_free, .meta_equal = xl_map_meta_equal_basic, \
	.push = push, .delete = delete, .sys_lookup = sys_lookup, .sys_update = sys_update,        \
	.sys_lookup_and_delete = sys_lookup_and_delete, .next_key = next_key

const struct xl_map_ops xl_queue_ops = {
	.name = "queue",
	QUEUE_OPS,
	.pop = queue_pop,
	.peek = queue_peek,
};

const struct xl_map_ops xl_stack_ops = {
	.name = "stack",
	QUEUE_OPS,
	.pop = stack_pop,
	.peek = stack_peek,
};
