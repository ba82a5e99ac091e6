/* bpf(2) on objects of any kind: ids, fds by id, pins; and BTF_LOAD.
 *
 * Source: kernel/bpf/syscall.c, kernel/bpf/inode.c, btf_new_fd() in kernel/bpf/btf.c; v6.18.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "xdp-runtime/btf.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/sysbpf_call.h"
#include "xdp-runtime/vlog.h"

#define BTF_SIZE_MAX (16u << 20) /* BTF_MAX_SIZE: 16 MiB less one in practice */

/* Ids. */

static long next_id(struct xl_sys *s, enum xl_obj_kind kind)
{
	uint32_t id;

	if (s->attr.u.start_id >= INT_MAX)
		return -EINVAL;
	pthread_mutex_lock(&s->rt->lock);
	id = xl_handle_next_id(s->rt->handles, kind, s->attr.u.start_id);
	pthread_mutex_unlock(&s->rt->lock);
	if (!id)
		return -ENOENT;
	return xl_sys_attr_out(s, offsetof(union bpf_attr, next_id), id);
}

long xl_sys_prog_get_next_id(struct xl_sys *s)
{
	return next_id(s, XL_OBJ_PROG);
}

long xl_sys_map_get_next_id(struct xl_sys *s)
{
	return next_id(s, XL_OBJ_MAP);
}

long xl_sys_btf_get_next_id(struct xl_sys *s)
{
	return next_id(s, XL_OBJ_BTF);
}

long xl_sys_link_get_next_id(struct xl_sys *s)
{
	return next_id(s, XL_OBJ_LINK);
}

static long fd_by_id(struct xl_sys *s, enum xl_obj_kind kind, int accmode)
{
	struct xl_obj *obj;
	long ret = xl_runtime_obj_by_id(s->rt, kind, s->attr.u.prog_id, &obj);

	if (ret)
		return ret;
	ret = xl_sys_new_fd(s, obj, accmode);
	xl_obj_put(obj);
	return ret;
}

long xl_sys_prog_get_fd_by_id(struct xl_sys *s)
{
	return fd_by_id(s, XL_OBJ_PROG, O_RDWR);
}

long xl_sys_link_get_fd_by_id(struct xl_sys *s)
{
	return fd_by_id(s, XL_OBJ_LINK, O_RDWR);
}

long xl_sys_map_get_fd_by_id(struct xl_sys *s)
{
	const uint32_t flags = s->attr.u.open_flags;
	const int accmode = xl_sys_accmode(flags);

	if (flags & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY))
		return -EINVAL;
	return accmode < 0 ? accmode : fd_by_id(s, XL_OBJ_MAP, accmode);
}

long xl_sys_btf_get_fd_by_id(struct xl_sys *s)
{
	struct xl_caller_fd fd;

	if (s->attr.u.open_flags & ~(uint32_t)BPF_F_TOKEN_FD)
		return -EINVAL;
	if (s->attr.u.open_flags) /* there are no tokens */
		return s->c->fd_stat(s->c, s->attr.fd_by_id.token_fd, &fd) ? -EBADF : -EINVAL;
	return fd_by_id(s, XL_OBJ_BTF, O_RDONLY);
}

/* Pins. */

/* Paths that start at an fd of the caller's are for file systems; ours are names. */
static int check_path_fd(const struct xl_sys *s)
{
	if (s->attr.u.file_flags & BPF_F_PATH_FD)
		return -EOPNOTSUPP;
	return s->attr.obj.path_fd ? -EINVAL : 0;
}

long xl_sys_obj_pin(struct xl_sys *s)
{
	char path[PATH_MAX];
	struct xl_obj *obj;
	int err;

	if (s->attr.u.file_flags & ~(uint32_t)BPF_F_PATH_FD)
		return -EINVAL;
	err = check_path_fd(s);
	if (err)
		return err;
	if (xl_sys_any_obj(s, (int)s->attr.u.bpf_fd, &obj, NULL))
		return -EINVAL; /* for every kind of wrong fd */
	err = obj->kind == XL_OBJ_BTF ? -EINVAL : 0;
	if (!err)
		err = s->c->resolve_path(s->c, s->attr.u.pathname, path, sizeof(path));
	if (!err) {
		pthread_mutex_lock(&s->rt->lock);
		err = xl_handle_pin(s->rt->handles, path, obj);
		pthread_mutex_unlock(&s->rt->lock);
	}
	xl_obj_put(obj);
	return err;
}

static int pinned(struct xl_sys *s, const char *path, struct xl_obj **out_obj)
{
	struct xl_obj *obj;
	int err = -ENOENT;

	pthread_mutex_lock(&s->rt->lock);
	obj = xl_handle_pinned(s->rt->handles, path);
	if (obj) {
		*out_obj = xl_obj_get(obj); /* the pin holds one */
		err = 0;
	}
	pthread_mutex_unlock(&s->rt->lock);
	return err;
}

long xl_sys_obj_get(struct xl_sys *s)
{
	const uint32_t flags = s->attr.u.file_flags;
	char path[PATH_MAX];
	struct xl_obj *obj;
	int accmode;
	long ret;

	if (s->attr.u.bpf_fd || flags & ~(uint32_t)(BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_PATH_FD))
		return -EINVAL;
	ret = check_path_fd(s);
	if (ret)
		return ret;
	accmode = xl_sys_accmode(flags);
	if (accmode < 0)
		return accmode;
	ret = s->c->resolve_path(s->c, s->attr.u.pathname, path, sizeof(path));
	if (!ret)
		ret = pinned(s, path, &obj);
	if (ret)
		return ret;
	if (obj->kind == XL_OBJ_LINK && accmode != O_RDWR)
		ret = -EINVAL;
	else
		ret = xl_sys_new_fd(s, obj, obj->kind == XL_OBJ_MAP ? accmode : O_RDWR);
	xl_obj_put(obj);
	return ret;
}

/* BTF. */

static int check_btf_token(struct xl_sys *s)
{
	struct xl_caller_fd fd;

	if (s->attr.btf_load.btf_flags & ~(uint32_t)BPF_F_TOKEN_FD)
		return -EINVAL;
	if (!s->attr.btf_load.btf_flags)
		return 0;
	return s->c->fd_stat(s->c, s->attr.btf_load.btf_token_fd, &fd) ? -EBADF : -EINVAL;
}

static long publish_btf(struct xl_sys *s, struct xl_btf *btf)
{
	long ret = xl_runtime_publish(s->rt, &btf->obj);

	if (!ret)
		ret = xl_sys_new_fd(s, &btf->obj, O_RDONLY);
	xl_obj_put(&btf->obj);
	return ret;
}

long xl_sys_btf_load(struct xl_sys *s)
{
	const union bpf_attr *attr = &s->attr.u;
	struct xl_btf *btf = NULL;
	struct xl_vlog log;
	void *data;
	int log_err, err = check_btf_token(s);

	if (err)
		return err;
	if (attr->btf_size > BTF_SIZE_MAX)
		return -E2BIG;
	if (!xl_sys_log_ok(attr->btf_log_level, attr->btf_log_buf, attr->btf_log_size))
		return -EINVAL;
	err = xl_sys_dup_in(s, attr->btf, attr->btf_size, &data);
	if (err)
		return err;
	xl_vlog_init(&log, attr->btf_log_level);
	err = xl_btf_create(data, attr->btf_size, &log, &btf);
	free(data);
	log_err = xl_sys_log_out(s, &log, attr->btf_log_buf, attr->btf_log_size,
				 offsetof(union xl_bpf_attr, btf_load.btf_log_true_size));
	xl_vlog_fini(&log);
	if (!err && log_err) {
		xl_obj_put(&btf->obj);
		return log_err;
	}
	return err ? (log_err ? log_err : err) : publish_btf(s, btf);
}
