/* bpf(2) on maps: creation and single elements; batches are in sysbpf_batch.c.
 *
 * Checks come in the kernel's order: flags, fd, permission of the fd, key, then the element.
 *
 * Source: kernel/bpf/syscall.c, v6.18 (map_create, map_lookup_elem and its neighbours).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/map_btf.h"
#include "xdp-runtime/sysbpf_call.h"
#include "xdp-runtime/sysbpf_map.h"

/* MAP_CREATE. */

/* BPF tokens delegate privileges; we ask for none, so nothing can be one. */
static int check_token(struct xl_sys *s)
{
	struct xl_caller_fd fd;

	if (!(s->attr.u.map_flags & BPF_F_TOKEN_FD))
		return 0;
	return s->c->fd_stat(s->c, s->attr.map_create.map_token_fd, &fd) ? -EBADF : -EINVAL;
}

static int check_btf_attr(const union bpf_attr *attr)
{
	/* A kernel struct as value is for struct_ops maps, which are not served. */
	if (attr->btf_vmlinux_value_type_id)
		return -EINVAL;
	return attr->btf_key_type_id && !attr->btf_value_type_id ? -EINVAL : 0;
}

/* Gives the map its BTF, once all ids are found to fit. */
static int take_btf(struct xl_sys *s, struct xl_map *map)
{
	const union bpf_attr *attr = &s->attr.u;
	struct xl_obj *btf;
	int err;

	if (!attr->btf_key_type_id && !attr->btf_value_type_id)
		return 0;
	err = xl_sys_obj(s, (int)attr->btf_fd, XL_OBJ_BTF, &btf, NULL);
	if (err)
		return err;
	err = xl_map_btf_check(map, xl_btf_of(btf), attr->btf_key_type_id, attr->btf_value_type_id);
	if (err) {
		xl_obj_put(btf);
		return err;
	}
	map->btf = btf;
	map->btf_key_type_id = attr->btf_key_type_id;
	map->btf_value_type_id = attr->btf_value_type_id;
	xl_map_btf_find_fields(map);
	return 0;
}

/* Binding a map to one program's digest needs signed programs, which are not served. */
static int check_excl(const union xl_bpf_attr *attr)
{
	if (attr->map_create.excl_prog_hash)
		return attr->map_create.excl_prog_hash_size == 32 ? -EOPNOTSUPP : -EINVAL;
	return attr->map_create.excl_prog_hash_size ? -EINVAL : 0;
}

static int create(struct xl_sys *s, struct xl_map **out_map)
{
	const struct xl_map_ops *ops = xl_map_ops_of(s->attr.u.map_type);
	struct xl_obj *inner = NULL;
	int inner_err = 0, err;

	if (ops && ops->value_kind == XL_VALUE_MAP_FD)
		inner_err = xl_sys_obj(s, (int)s->attr.u.inner_map_fd, XL_OBJ_MAP, &inner, NULL);
	err = xl_map_create(&s->attr.u, &s->rt->map_env, inner ? xl_map_of(inner) : NULL, out_map,
			    NULL);
	xl_obj_put(inner);
	/* All else was right: now the fd's own error is the answer. */
	return err == -EBADF ? inner_err : err;
}

long xl_sys_map_create(struct xl_sys *s)
{
	union bpf_attr *attr = &s->attr.u;
	struct xl_map *map;
	int accmode;
	long ret = check_token(s);

	if (ret)
		return ret;
	ret = check_btf_attr(attr);
	if (ret)
		return ret;
	accmode = xl_sys_accmode(attr->map_flags);
	if (accmode < 0)
		return accmode;
	ret = create(s, &map);
	if (ret)
		return ret;
	ret = take_btf(s, map);
	if (!ret)
		ret = check_excl(&s->attr);
	if (!ret)
		ret = xl_runtime_publish(s->rt, &map->obj);
	if (!ret)
		ret = xl_sys_new_fd(s, &map->obj, accmode);
	xl_map_put(map);
	return ret;
}

/* Elements. */

int xl_sys_map(struct xl_sys *s, int fd, uint32_t need, struct xl_map **out_map)
{
	struct xl_obj *obj;
	struct xl_map *map;
	int accmode, err = xl_sys_obj(s, fd, XL_OBJ_MAP, &obj, &accmode);

	if (err)
		return err;
	map = xl_map_of(obj);
	if (((need & XL_SYS_READ) && accmode == O_WRONLY) ||
	    ((need & XL_SYS_WRITE) &&
	     (accmode == O_RDONLY || atomic_load_explicit(&map->frozen, memory_order_acquire)))) {
		xl_map_put(map);
		return -EPERM;
	}
	*out_map = map;
	return 0;
}

int xl_sys_check_lock_flag(const struct xl_map *map, uint64_t flags)
{
	if (!(flags & BPF_F_LOCK))
		return 0;
	return map->lock_off >= 0 ? 0 : -EINVAL;
}

/* The key, in new memory; NULL stays NULL for maps without keys. */
static int key_in(struct xl_sys *s, const struct xl_map *map, uint64_t addr, void **out_key)
{
	*out_key = NULL;
	if (map->key_size)
		return xl_sys_dup_in(s, addr, map->key_size, out_key);
	return addr ? -EINVAL : 0;
}

typedef int read_fn(struct xl_map *map, const void *key, void *value, uint64_t flags);

static int read_elem(struct xl_sys *s, struct xl_map *map, read_fn *read)
{
	const union bpf_attr *attr = &s->attr.u;
	const size_t size = xl_map_value_size_sys(map);
	const bool asks = map->ops->peek_asks && read == xl_map_sys_lookup;
	void *key, *value;
	int err;

	err = xl_sys_check_lock_flag(map, attr->flags);
	if (err)
		return err;
	err = key_in(s, map, attr->key, &key);
	if (err)
		return err;
	err = -ENOMEM;
	value = malloc(size ? size : 1);
	if (!value)
		goto out;
	err = asks ? xl_sys_in(s, value, attr->value, size) : 0;
	if (!err)
		err = read(map, key, value, attr->flags);
	if (!err && !asks)
		err = xl_sys_out(s, attr->value, value, size);
	free(value);
out:
	free(key);
	return err;
}

long xl_sys_map_lookup_elem(struct xl_sys *s)
{
	struct xl_map *map;
	int err;

	if (s->attr.u.flags & ~(uint64_t)BPF_F_LOCK)
		return -EINVAL;
	err = xl_sys_map(s, (int)s->attr.u.map_fd, XL_SYS_READ, &map);
	if (err)
		return err;
	err = read_elem(s, map, xl_map_sys_lookup);
	xl_map_put(map);
	return err;
}

long xl_sys_map_lookup_and_delete_elem(struct xl_sys *s)
{
	struct xl_map *map;
	int err;

	if (s->attr.u.flags & ~(uint64_t)BPF_F_LOCK)
		return -EINVAL;
	err = xl_sys_map(s, (int)s->attr.u.map_fd, XL_SYS_READ | XL_SYS_WRITE, &map);
	if (err)
		return err;
	err = read_elem(s, map, xl_map_sys_lookup_and_delete);
	xl_map_put(map);
	return err;
}

static int update_elem(struct xl_sys *s, struct xl_map *map)
{
	const union bpf_attr *attr = &s->attr.u;
	void *key, *value;
	int err;

	err = xl_sys_check_lock_flag(map, attr->flags);
	if (err)
		return err;
	err = key_in(s, map, attr->key, &key);
	if (err)
		return err;
	err = xl_sys_dup_in(s, attr->value, xl_map_value_size_sys(map), &value);
	if (!err) {
		err = xl_sys_map_store(s, map, key, value, attr->flags);
		free(value);
	}
	free(key);
	return err;
}

long xl_sys_map_update_elem(struct xl_sys *s)
{
	struct xl_map *map;
	int err = xl_sys_map(s, (int)s->attr.u.map_fd, XL_SYS_WRITE, &map);

	if (err)
		return err;
	err = update_elem(s, map);
	xl_map_put(map);
	return err;
}

long xl_sys_map_delete_elem(struct xl_sys *s)
{
	struct xl_map *map;
	void *key;
	int err = xl_sys_map(s, (int)s->attr.u.map_fd, XL_SYS_WRITE, &map);

	if (err)
		return err;
	err = key_in(s, map, s->attr.u.key, &key);
	if (!err) {
		err = xl_map_sys_delete(map, key);
		free(key);
	}
	xl_map_put(map);
	return err;
}

static int next_key(struct xl_sys *s, struct xl_map *map)
{
	void *key = NULL, *next;
	int err = 0;

	if (s->attr.u.key)
		err = key_in(s, map, s->attr.u.key, &key);
	if (err)
		return err;
	next = malloc(map->key_size ? map->key_size : 1);
	err = next ? xl_map_next_key(map, key, next) : -ENOMEM;
	if (!err)
		err = xl_sys_out(s, s->attr.u.next_key, next, map->key_size);
	free(next);
	free(key);
	return err;
}

long xl_sys_map_get_next_key(struct xl_sys *s)
{
	struct xl_map *map;
	int err = xl_sys_map(s, (int)s->attr.u.map_fd, XL_SYS_READ, &map);

	if (err)
		return err;
	err = next_key(s, map);
	xl_map_put(map);
	return err;
}

/* Programs go on writing; callers do not, neither by bpf(2) nor through new mappings. */
long xl_sys_map_freeze(struct xl_sys *s)
{
	struct xl_map *map;
	int accmode, err;
	struct xl_obj *obj;

	err = xl_sys_obj(s, (int)s->attr.u.map_fd, XL_OBJ_MAP, &obj, &accmode);
	if (err)
		return err;
	map = xl_map_of(obj);
	if (xl_map_btf_fields(map))
		err = -ENOTSUPP;
	else if (accmode == O_RDONLY || atomic_exchange(&map->frozen, true))
		err = -EPERM; /* a frozen map's fds may not write, nor freeze */
	if (!err && map->mem.fd >= 0)
		fcntl(map->mem.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	xl_map_put(map);
	return err;
}
