/* Map values that hold fds: what bpf(2) is given as an fd, a map holds as an object.
 *
 * One row per kind of value finds the object. Where there is none that fits, the map is asked all
 * the same, with nothing: it finds wrong flags and keys in the kernel's order, and answers with its
 * own error for "no object" otherwise (map.h, update_obj).
 *
 * Source: bpf_map_update_value(), prog_fd_array_get_ptr(), bpf_map_fd_get_ptr(),
 * __dev_map_alloc_node(), __cpu_map_load_bpf_program(), bpf_prog_map_compatible(); v6.18.
 */
#include <errno.h>
#include <string.h>

#include "xdp-runtime/prog.h"
#include "xdp-runtime/sysbpf_map.h"

bool xl_sys_map_takes_prog(struct xl_sys *s, struct xl_map *map, const struct xl_prog *prog)
{
	const struct xl_map_owner like = {
		.set = true,
		.has_frags = prog->flags & BPF_F_XDP_HAS_FRAGS,
		.prog_type = prog->type,
		.expected_attach_type = prog->expected_attach_type,
	};
	const struct xl_map_owner *owner = &map->owner;
	bool ok;

	pthread_mutex_lock(&s->rt->lock);
	if (!map->owner.set)
		map->owner = like;
	ok = owner->has_frags == like.has_frags && owner->prog_type == like.prog_type;
	/* A tail call goes on in the same place; a devmap's program runs in another one. */
	if (map->type == BPF_MAP_TYPE_PROG_ARRAY)
		ok = ok && owner->expected_attach_type == like.expected_attach_type;
	pthread_mutex_unlock(&s->rt->lock);
	return ok;
}

static int prog_of_fd(struct xl_sys *s, struct xl_map *map, const void *value,
		      struct xl_obj **out_obj)
{
	struct xl_obj *obj;
	int fd, err;

	memcpy(&fd, value, sizeof(fd));
	err = xl_sys_obj(s, fd, XL_OBJ_PROG, &obj, NULL);
	if (err)
		return err;
	if (!xl_sys_map_takes_prog(s, map, xl_prog_of(obj))) {
		xl_obj_put(obj);
		return -EINVAL;
	}
	*out_obj = obj;
	return 0;
}

static int map_of_fd(struct xl_sys *s, struct xl_map *map, const void *value,
		     struct xl_obj **out_obj)
{
	struct xl_obj *obj;
	int fd, err;

	memcpy(&fd, value, sizeof(fd));
	err = xl_sys_obj(s, fd, XL_OBJ_MAP, &obj, NULL);
	if (err)
		return err;
	if (!xl_map_meta_equal(map->inner_meta, xl_map_of(obj))) {
		xl_obj_put(obj);
		return -EINVAL;
	}
	*out_obj = obj;
	return 0;
}

/* An XDP program that was loaded for this kind of map, by a fd > 0 in the value. */
static int xdp_prog_of_fd(struct xl_sys *s, struct xl_map *map, int fd,
			  enum bpf_attach_type attach_type, struct xl_obj **out_obj)
{
	struct xl_prog *prog;
	struct xl_obj *obj;
	int err;

	if (fd <= 0)
		return 0;
	err = xl_sys_obj(s, fd, XL_OBJ_PROG, &obj, NULL);
	if (err)
		return err;
	prog = xl_prog_of(obj);
	if (prog->type != BPF_PROG_TYPE_XDP || prog->expected_attach_type != attach_type ||
	    !xl_sys_map_takes_prog(s, map, prog)) {
		xl_obj_put(obj);
		return -EINVAL;
	}
	*out_obj = obj;
	return 0;
}

static int devmap_prog(struct xl_sys *s, struct xl_map *map, const void *value,
		       struct xl_obj **out_obj)
{
	struct bpf_devmap_val val = { 0 };

	memcpy(&val, value, map->value_size < sizeof(val) ? map->value_size : sizeof(val));
	return xdp_prog_of_fd(s, map, val.bpf_prog.fd, BPF_XDP_DEVMAP, out_obj);
}

static int cpumap_prog(struct xl_sys *s, struct xl_map *map, const void *value,
		       struct xl_obj **out_obj)
{
	struct bpf_cpumap_val val = { 0 };

	memcpy(&val, value, map->value_size < sizeof(val) ? map->value_size : sizeof(val));
	return xdp_prog_of_fd(s, map, val.bpf_prog.fd, BPF_XDP_CPUMAP, out_obj);
}

/* Finds the object that a value names. 0 without an object: the value needs none. */
typedef int value_obj_fn(struct xl_sys *s, struct xl_map *map, const void *value,
			 struct xl_obj **out_obj);

static value_obj_fn *const value_obj[] = {
	[XL_VALUE_PROG_FD] = prog_of_fd, [XL_VALUE_MAP_FD] = map_of_fd,
	[XL_VALUE_DEVMAP] = devmap_prog, [XL_VALUE_CPUMAP] = cpumap_prog,
	[XL_VALUE_FOREIGN_FD] = NULL,
};

int xl_sys_map_store(struct xl_sys *s, struct xl_map *map, const void *key, const void *value,
		     uint64_t flags)
{
	value_obj_fn *find = value_obj[map->ops->value_kind];
	struct xl_obj *obj = NULL;
	int find_err = find ? find(s, map, value, &obj) : 0;
	int err = xl_map_sys_update(map, key, value, obj, flags);

	if (err)
		xl_obj_put(obj);
	/* The map's -EBADF stands for whatever was wrong with the fd. */
	return err == -EBADF && find_err ? find_err : err;
}
