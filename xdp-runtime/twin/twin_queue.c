/* Queues and stacks, which can only be read by emptying them: all is taken out and put back.
 *
 * Records of such a table have no key; they stand in the order in which they came out.
 * Source: kernel/bpf/queue_stack_maps.c.
 */
#include "xdp-runtime/twin/twin_table.h"

#include <errno.h>
#include <string.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"

bool xl_twin_is_queue(const struct xl_map *map)
{
	return map->type == BPF_MAP_TYPE_QUEUE || map->type == BPF_MAP_TYPE_STACK;
}

/* One side of a queue. */
struct side {
	struct xl_map *map;
	int fd; /* of the kernel's copy; -1: ours */
};

static int kernel_elem(int cmd, int fd, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.value = (uintptr_t)value;
	return (int)xl_kernel_bpf(cmd, &attr, sizeof(attr));
}

static int pop(const struct side *s, void *out_value)
{
	return s->fd < 0 ? xl_map_sys_lookup_and_delete(s->map, NULL, out_value, 0)
			 : kernel_elem(BPF_MAP_LOOKUP_AND_DELETE_ELEM, s->fd, out_value);
}

static int push(const struct side *s, const void *value)
{
	return s->fd < 0 ? xl_map_sys_update(s->map, NULL, value, NULL, BPF_ANY)
			 : kernel_elem(BPF_MAP_UPDATE_ELEM, s->fd, value);
}

static int push_all(const struct side *s, const struct xl_twin_table *t)
{
	const bool is_stack = s->map->type == BPF_MAP_TYPE_STACK;
	int err = 0;

	for (size_t i = 0; i < t->n && !err; i++) {
		size_t at = is_stack ? t->n - 1 - i : i;

		err = push(s, t->records + at * t->record_size);
	}
	return err;
}

static int pop_all(const struct side *s, struct xl_twin_table *t)
{
	int err = 0;

	while (!err) {
		uint8_t *rec = xl_twin_table_next(t);

		err = rec ? pop(s, rec) : -ENOMEM;
		if (!err)
			t->n++;
	}
	return err == -ENOENT ? 0 : err;
}

static int read_side(const struct side *s, struct xl_twin_table *t)
{
	int err = pop_all(s, t), put_back = push_all(s, t);

	return err ? err : put_back;
}

int xl_twin_queue_read(const struct xl_twin_map *tm, bool kernel, struct xl_twin_table *t)
{
	const struct side side = { .map = tm->map, .fd = kernel ? tm->fd : -1 };

	return read_side(&side, t);
}

int xl_twin_queue_copy(const struct xl_twin_map *tm)
{
	const struct side ours = { .map = tm->map, .fd = -1 };
	const struct side kernel = { .map = tm->map, .fd = tm->fd };
	struct xl_twin_table t, old;
	int err;

	xl_twin_table_init(&t, 0, tm->map->value_size);
	xl_twin_table_init(&old, 0, tm->map->value_size);
	err = read_side(&ours, &t);
	if (!err)
		err = pop_all(&kernel, &old);
	if (!err)
		err = push_all(&kernel, &t);
	xl_twin_table_fini(&t);
	xl_twin_table_fini(&old);
	return err;
}
