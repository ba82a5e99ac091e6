/* The kernel's copy of a map: its attributes, and contents in.
 *
 * Plain values are copied entry by entry in our order of iteration. Elements that are objects
 * (programs, maps, ports, CPUs, sockets) become the kernel's copies of those; what the kernel does
 * not have is left out and noted.
 *
 * Source: bpf(2); map_create() in kernel/bpf/syscall.c.
 */
#include "xdp-runtime/twin/twin_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

/* Flags of the fd or of the node, which do not change what a program sees. */
#define DROPPED_FLAGS (BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_NUMA_NODE)

size_t xl_twin_value_size(const struct xl_map *map, const struct xl_twin_cpus *cpus)
{
	return map->ops->per_cpu ? (size_t)map->value_stride * cpus->n_kernel : map->value_size;
}

static void map_attr(const struct xl_map *map, int inner_fd, union bpf_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->map_type = map->type;
	attr->key_size = map->key_size;
	attr->value_size = map->value_size;
	attr->max_entries = map->max_entries;
	/* Some types set flags of their own (a devmap is BPF_F_RDONLY_PROG), which nobody may ask
	 * for. */
	attr->map_flags = map->flags & map->ops->allowed_flags & ~(uint32_t)DROPPED_FLAGS;
	attr->map_extra = map->map_extra;
	memcpy(attr->map_name, map->name, sizeof(attr->map_name));
	if (inner_fd >= 0)
		attr->inner_map_fd = (uint32_t)inner_fd;
}

int xl_twin_map_create(const struct xl_map *map, int btf_fd, int inner_fd, struct xl_err *e)
{
	union bpf_attr attr;
	long fd = -EINVAL;

	if (btf_fd >= 0 && map->btf_value_type_id) {
		map_attr(map, inner_fd, &attr);
		attr.btf_fd = (uint32_t)btf_fd;
		attr.btf_key_type_id = map->btf_key_type_id;
		attr.btf_value_type_id = map->btf_value_type_id;
		fd = xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	}
	if (fd < 0) {
		map_attr(map, inner_fd, &attr);
		fd = xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	}
	if (fd < 0)
		return xl_err_set(e, (int)fd,
				  "map %s (%s, %u entries): the kernel does not make it: %s",
				  map->name, map->ops->name, map->max_entries, strerror((int)-fd));
	return (int)fd;
}

static int kernel_elem(int cmd, const struct xl_twin_map *tm, const void *key, const void *kvalue)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)tm->fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)kvalue;
	return (int)xl_kernel_bpf(cmd, &attr, sizeof(attr));
}

int xl_twin_map_put(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus, const void *key,
		    const uint8_t *value, uint8_t *kvalue)
{
	const struct xl_map *map = tm->map;

	if (!map->ops->per_cpu)
		return kernel_elem(BPF_MAP_UPDATE_ELEM, tm, key, value);
	memset(kvalue, 0, xl_twin_value_size(map, cpus));
	for (uint32_t i = 0; i < cpus->n_ours; i++) {
		int64_t slot = xl_twin_slot(cpus, i);

		if (slot >= 0)
			memcpy(kvalue + slot * map->value_stride,
			       value + (size_t)i * map->value_stride, map->value_size);
	}
	return kernel_elem(BPF_MAP_UPDATE_ELEM, tm, key, kvalue);
}

int xl_twin_map_remove(const struct xl_twin_map *tm, const void *key)
{
	return kernel_elem(BPF_MAP_DELETE_ELEM, tm, key, NULL);
}

/* What the filling functions share. */
struct fill {
	const struct xl_twin_map *tm;
	struct xl_map *map;
	const struct xl_twin_cpus *cpus;
	const struct xl_twin_objs *objs;
	uint8_t *key, *next, *value; /* ours, as the control side has them */
	uint8_t *kvalue;	     /* the kernel's */
	struct xl_err *e;
};

static int kernel_update(const struct fill *f, const void *kvalue)
{
	return kernel_elem(BPF_MAP_UPDATE_ELEM, f->tm, f->key, kvalue);
}

static uint32_t u32_at(const uint8_t *bytes)
{
	uint32_t v;

	memcpy(&v, bytes, sizeof(v));
	return v;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

static bool is_array(const struct xl_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int fill_bytes(const struct fill *f)
{
	/* A new array is zero already, and may be large. */
	if (is_array(f->map) && all_zero(f->value, xl_map_value_size_sys(f->map)))
		return 0;
	return xl_twin_map_put(f->tm, f->cpus, f->key, f->value, f->kvalue);
}

static int fill_prog(const struct fill *f)
{
	int fd = f->objs->prog_fd(f->objs->arg, u32_at(f->value));

	if (fd < 0) {
		f->objs->note(f->objs->arg, "map %s: program in slot %u has no copy in the kernel",
			      f->map->name, u32_at(f->key));
		return 0;
	}
	return kernel_update(f, &fd);
}

static int fill_map(const struct fill *f)
{
	int fd = f->objs->map_fd(f->objs->arg, u32_at(f->value));

	if (fd < 0) {
		f->objs->note(f->objs->arg, "map %s: an inner map has no copy in the kernel",
			      f->map->name);
		return 0;
	}
	return kernel_update(f, &fd);
}

/* struct bpf_devmap_val and struct bpf_cpumap_val: a number, then a program's id or fd. */
static int fill_number_and_prog(const struct fill *f)
{
	if (f->map->value_size >= 8 && u32_at(f->value + 4)) {
		int fd = f->objs->prog_fd(f->objs->arg, u32_at(f->value + 4));

		if (fd < 0)
			f->objs->note(f->objs->arg,
				      "map %s: program of an entry has no copy in the kernel",
				      f->map->name);
		fd = fd < 0 ? 0 : fd;
		memcpy(f->value + 4, &fd, sizeof(fd));
	}
	return kernel_update(f, f->value);
}

static int fill_devmap(const struct fill *f)
{
	uint32_t ifindex = u32_at(f->value);

	if (f->objs->port(f->objs->arg, ifindex)) {
		f->objs->note(f->objs->arg, "map %s: the kernel has no port %u", f->map->name,
			      ifindex);
		return 0;
	}
	return fill_number_and_prog(f);
}

static int fill_cpumap(const struct fill *f)
{
	int err = fill_number_and_prog(f);

	if (err == -ENODEV || err == -E2BIG) {
		f->objs->note(f->objs->arg, "map %s: the kernel has no CPU %u", f->map->name,
			      u32_at(f->key));
		return 0;
	}
	return err;
}

/* An fd of somebody's AF_XDP socket: programs see only that there is one. */
static int fill_foreign_fd(const struct fill *f)
{
	int err, fd;

	if (f->map->type != BPF_MAP_TYPE_XSKMAP) {
		f->objs->note(f->objs->arg, "map %s: entries are not copied", f->map->name);
		return 0;
	}
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A socket leaves its maps when it is closed. */
	err = f->objs->keep_fd(f->objs->arg, fd);
	return err ? err : kernel_update(f, &fd);
}

static int (*const fill_one[])(const struct fill *f) = {
	[XL_VALUE_BYTES] = fill_bytes,	 [XL_VALUE_PROG_FD] = fill_prog,
	[XL_VALUE_MAP_FD] = fill_map,	 [XL_VALUE_DEVMAP] = fill_devmap,
	[XL_VALUE_CPUMAP] = fill_cpumap, [XL_VALUE_FOREIGN_FD] = fill_foreign_fd,
};

/* Reads our entry for f->key. -ENOENT: there is none; slots of arrays of objects may be empty. */
static int read_entry(const struct fill *f)
{
	/* bpf(2) does not show sockets: whether one is there, programs know. */
	if (f->map->ops->value_kind == XL_VALUE_FOREIGN_FD)
		return xl_map_lookup(f->map, f->key) ? 0 : -ENOENT;
	return xl_map_sys_lookup(f->map, f->key, f->value, 0);
}

static int fill_all(const struct fill *f)
{
	struct xl_map *map = f->map;
	int err = xl_map_next_key(map, NULL, f->key);

	while (!err) {
		err = read_entry(f);
		if (!err)
			err = fill_one[map->ops->value_kind](f);
		if (err && err != -ENOENT)
			return xl_err_set(f->e, err,
					  "map %s: the kernel's copy does not take an entry: %s",
					  map->name, strerror(-err));
		err = xl_map_next_key(map, f->key, f->next);
		memcpy(f->key, f->next, map->key_size);
	}
	return 0;
}

static int freeze(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	return (int)xl_kernel_bpf(BPF_MAP_FREEZE, &attr, sizeof(attr));
}

int xl_twin_map_fill(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
		     const struct xl_twin_objs *objs, struct xl_err *e)
{
	struct xl_map *map = tm->map;
	struct fill f = { .tm = tm, .map = map, .cpus = cpus, .objs = objs, .e = e };
	int err = -ENOMEM;

	if (xl_twin_is_queue(map))
		return xl_twin_queue_copy(tm);
	if (!map->ops->next_key || !map->key_size)
		return 0;
	f.key = calloc(1, map->key_size);
	f.next = calloc(1, map->key_size);
	f.value = calloc(1, xl_map_value_size_sys(map) + 8);
	f.kvalue = calloc(1, xl_twin_value_size(map, cpus) + 8);
	if (f.key && f.next && f.value && f.kvalue)
		err = fill_all(&f);
	if (!err && map->frozen)
		err = freeze(tm->fd);
	free(f.key);
	free(f.next);
	free(f.value);
	free(f.kvalue);
	return err;
}
