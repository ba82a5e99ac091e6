/* Perf event arrays: where bpf_perf_event_output() sends.
 *
 * An event is a thing of the real kernel; the map keeps its fd as a number. What programs output
 * goes to the run's sink, so nothing here is read per frame.
 *
 * Semantics: fd_array_map_* and perf_event_fd_array_* in kernel/bpf/arraymap.c, v6.18; the kernel
 * also checks that the fd is an event.
 */
#include "maps/map_types.h"

#include <errno.h>

#include "maps/lazy.h"

typedef _Atomic uint32_t fd_slot; /* fd + 1; 0: empty */

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	return -ENOTSUPP;
}

static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	fd_slot *fds = map->priv;
	uint32_t index = xl_array_index(key), fd = xl_array_index(value);

	if (flags != BPF_ANY)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if ((int32_t)fd < 0)
		return -EBADF;
	atomic_store_explicit(&fds[index], fd + 1, memory_order_relaxed);
	return 0;
}

static int delete (struct xl_map *map, const void *key)
{
	fd_slot *fds = map->priv;
	uint32_t index = xl_array_index(key);

	if (index >= map->max_entries)
		return -E2BIG;
	return atomic_exchange_explicit(&fds[index], 0, memory_order_relaxed) ? 0 : -ENOENT;
}

static int alloc(struct xl_map *map)
{
	map->priv = xl_lazy_alloc(map->max_entries, sizeof(fd_slot));
	return map->priv ? 0 : -ENOMEM;
}

static void perf_event_array_free(struct xl_map *map)
{
	xl_lazy_free(map->priv, map->max_entries, sizeof(fd_slot));
}

const struct xl_map_ops xl_perf_event_array_ops = {
	.name = "perf_event_array",
	.value_kind = XL_VALUE_FOREIGN_FD,
	.no_prog_access = true,
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_PRESERVE_ELEMS,
	.check = xl_fd_array_check,
	.alloc = alloc,
	.free = perf_event_array_free,
	.meta_equal = xl_map_meta_equal_basic,
	.delete = delete,
	.sys_lookup = sys_lookup,
	.sys_update = sys_update,
	.next_key = xl_array_next_key,
};
