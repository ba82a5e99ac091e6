/* Xskmaps: AF_XDP sockets to redirect to, by index.
 *
 * A socket is a thing of the real kernel; the map keeps its fd as a number for who owns the
 * queues. A program that looks an element up gets a struct bpf_xdp_sock, of which it may read
 * the queue's id, and tests it for NULL. The id is the index: that is how these maps are filled.
 *
 * Semantics: net/xdp/xskmap.c, v6.18; the kernel also checks that the fd is an AF_XDP socket.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct xsk_elem {
	struct bpf_xdp_sock sock; /* what programs see */
	uint32_t fd_plus_1;	  /* 0: empty; under lock for writing, else relaxed */
};
_Static_assert(sizeof(struct xsk_elem) == 8, "a slot of value memory");

struct xsk_map {
	pthread_mutex_t lock; /* writers */
};

static struct xsk_elem *element(const struct xl_map *map, uint32_t index)
{
	return (struct xsk_elem *)map->mem.base + index;
}

static bool is_set(const struct xsk_elem *elem)
{
	/* acquire pairs with the release in update(): the id is written. */
	return __atomic_load_n(&elem->fd_plus_1, __ATOMIC_ACQUIRE);
}

static void *lookup(struct xl_map *map, const void *key)
{
	uint32_t index = xl_array_index(key);

	if (index >= map->max_entries || !is_set(element(map, index)))
		return NULL;
	return element(map, index);
}

static bool redirect_target(struct xl_map *map, uint64_t index, uint32_t *out_ifindex)
{
	return index < map->max_entries && is_set(element(map, (uint32_t)index));
}

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	return -EOPNOTSUPP;
}

static int check_update(const struct xsk_elem *elem, uint32_t fd_plus_1, uint64_t flags)
{
	if (elem->fd_plus_1 == fd_plus_1)
		return 0; /* nothing to do, whatever the flags */
	if (elem->fd_plus_1 && flags == BPF_NOEXIST)
		return -EEXIST;
	return !elem->fd_plus_1 && flags == BPF_EXIST ? -ENOENT : 0;
}

static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	struct xsk_map *m = map->priv;
	uint32_t index = xl_array_index(key), fd = xl_array_index(value);
	struct xsk_elem *elem;
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if ((int32_t)fd < 0)
		return -EBADF;
	elem = element(map, index);
	pthread_mutex_lock(&m->lock);
	err = check_update(elem, fd + 1, flags);
	if (!err) {
		__atomic_store_n(&elem->sock.queue_id, index, __ATOMIC_RELAXED);
		__atomic_store_n(&elem->fd_plus_1, fd + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int delete (struct xl_map *map, const void *key)
{
	struct xsk_map *m = map->priv;
	uint32_t index = xl_array_index(key);

	if (index >= map->max_entries)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	__atomic_store_n(&element(map, index)->fd_plus_1, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	if (!attr->max_entries)
		return xl_err_set(e, -EINVAL, "an xskmap needs max_entries");
	if (attr->key_size != 4 || attr->value_size != 4)
		return xl_err_set(e, -EINVAL, "keys and values of an xskmap have 4 bytes");
	return 0;
}

static int alloc(struct xl_map *map)
{
	struct xsk_map *m;
	int err = xl_mem_create("bpf-map", (size_t)map->max_entries * sizeof(struct xsk_elem),
				&map->mem);

	if (err)
		return err;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	pthread_mutex_init(&m->lock, NULL);
	map->rdonly_prog = true; /* a socket is read-only to programs */
	map->priv = m;
	return 0;
}

static void xskmap_free(struct xl_map *map)
{
	struct xsk_map *m = map->priv;

	pthread_mutex_destroy(&m->lock);
	free(m);
}

static uint32_t regions(const struct xl_map *map, struct xl_region *out)
{
	*out = (struct xl_region){
		.base = (uintptr_t)map->mem.base,
		.size = (size_t)map->max_entries * sizeof(struct xsk_elem),
		.stride = sizeof(struct xsk_elem),
		.value_size = sizeof(struct bpf_xdp_sock),
	};
	return 1;
}

const struct xl_map_ops xl_xskmap_ops = {
	.name = "xskmap",
	.value_kind = XL_VALUE_FOREIGN_FD,
	.no_prog_write = true,
	.allowed_flags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY,
	.check = check,
	.alloc = alloc,
	.free = xskmap_free,
	.meta_equal = xl_map_meta_equal_sized,
	.regions = regions,
	.lookup = lookup,
	.delete = delete,
	.redirect_target = redirect_target,
	.sys_lookup = sys_lookup,
	.sys_update = sys_update,
	.next_key = xl_array_next_key,
};
