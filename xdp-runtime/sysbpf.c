/* The table of bpf(2) commands, and what all handlers share; see sysbpf.h, sysbpf_call.h.
 *
 * Each row says where the fields of a command end: what lies beyond must be zero, so that a
 * caller who asks for something newer than we know gets an error and not half of it.
 */
#include "xdp-runtime/sysbpf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/handle.h"
#include "xdp-runtime/sysbpf_call.h"
#include "xdp-runtime/vlog.h"

#define ATTR_SIZE_MAX 4096 /* the kernel's: "silly large" beyond a page */

struct command {
	const char *name;
	xl_sys_fn *fn;
	uint32_t end; /* of its last field; bytes */
	bool reaps;   /* first gives back what closed fds held: it tells, or needs room */
};

#define END(field) (offsetof(union xl_bpf_attr, field) + sizeof(((union xl_bpf_attr *)0)->field))

static const struct command command[] = {
	[BPF_MAP_CREATE] = { "MAP_CREATE", xl_sys_map_create, END(map_create.excl_prog_hash_size),
			     true },
	[BPF_MAP_LOOKUP_ELEM] = { "MAP_LOOKUP_ELEM", xl_sys_map_lookup_elem, END(u.flags) },
	[BPF_MAP_UPDATE_ELEM] = { "MAP_UPDATE_ELEM", xl_sys_map_update_elem, END(u.flags) },
	[BPF_MAP_DELETE_ELEM] = { "MAP_DELETE_ELEM", xl_sys_map_delete_elem, END(u.key) },
	[BPF_MAP_GET_NEXT_KEY] = { "MAP_GET_NEXT_KEY", xl_sys_map_get_next_key, END(u.next_key) },
	[BPF_PROG_LOAD] = { "PROG_LOAD", xl_sys_prog_load, END(prog_load.keyring_id), true },
	[BPF_OBJ_PIN] = { "OBJ_PIN", xl_sys_obj_pin, END(obj.path_fd) },
	[BPF_OBJ_GET] = { "OBJ_GET", xl_sys_obj_get, END(obj.path_fd), true },
	[BPF_PROG_TEST_RUN] = { "PROG_TEST_RUN", xl_sys_prog_test_run, END(u.test.batch_size) },
	[BPF_PROG_GET_NEXT_ID] = { "PROG_GET_NEXT_ID", xl_sys_prog_get_next_id, END(u.next_id),
				   true },
	[BPF_MAP_GET_NEXT_ID] = { "MAP_GET_NEXT_ID", xl_sys_map_get_next_id, END(u.next_id), true },
	[BPF_PROG_GET_FD_BY_ID] = { "PROG_GET_FD_BY_ID", xl_sys_prog_get_fd_by_id, END(u.prog_id),
				    true },
	[BPF_MAP_GET_FD_BY_ID] = { "MAP_GET_FD_BY_ID", xl_sys_map_get_fd_by_id, END(u.open_flags),
				   true },
	[BPF_OBJ_GET_INFO_BY_FD] = { "OBJ_GET_INFO_BY_FD", xl_sys_obj_get_info_by_fd,
				     END(u.info.info) },
	[BPF_BTF_LOAD] = { "BTF_LOAD", xl_sys_btf_load, END(btf_load.btf_token_fd), true },
	[BPF_BTF_GET_FD_BY_ID] = { "BTF_GET_FD_BY_ID", xl_sys_btf_get_fd_by_id,
				   END(fd_by_id.token_fd), true },
	[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = { "MAP_LOOKUP_AND_DELETE_ELEM",
					     xl_sys_map_lookup_and_delete_elem, END(u.flags) },
	[BPF_MAP_FREEZE] = { "MAP_FREEZE", xl_sys_map_freeze, END(u.map_fd) },
	[BPF_BTF_GET_NEXT_ID] = { "BTF_GET_NEXT_ID", xl_sys_btf_get_next_id, END(u.next_id), true },
	[BPF_MAP_LOOKUP_BATCH] = { "MAP_LOOKUP_BATCH", xl_sys_map_lookup_batch,
				   END(u.batch.flags) },
	[BPF_MAP_LOOKUP_AND_DELETE_BATCH] = { "MAP_LOOKUP_AND_DELETE_BATCH",
					      xl_sys_map_lookup_and_delete_batch,
					      END(u.batch.flags) },
	[BPF_MAP_UPDATE_BATCH] = { "MAP_UPDATE_BATCH", xl_sys_map_update_batch,
				   END(u.batch.flags) },
	[BPF_MAP_DELETE_BATCH] = { "MAP_DELETE_BATCH", xl_sys_map_delete_batch,
				   END(u.batch.flags) },
	[BPF_LINK_CREATE] = { "LINK_CREATE", xl_sys_link_create, END(link_create.uprobe_multi_pid),
			      true },
	[BPF_LINK_UPDATE] = { "LINK_UPDATE", xl_sys_link_update, END(u.link_update.old_prog_fd) },
	[BPF_LINK_GET_FD_BY_ID] = { "LINK_GET_FD_BY_ID", xl_sys_link_get_fd_by_id, END(u.link_id),
				    true },
	[BPF_LINK_GET_NEXT_ID] = { "LINK_GET_NEXT_ID", xl_sys_link_get_next_id, END(u.next_id),
				   true },
	[BPF_LINK_DETACH] = { "LINK_DETACH", xl_sys_link_detach, END(u.link_detach.link_fd) },
	[BPF_PROG_BIND_MAP] = { "PROG_BIND_MAP", xl_sys_prog_bind_map, END(u.prog_bind_map.flags) },
};

/* Copies the attributes in: what the caller's are short of ours is zero, what they are longer
 * must be. */
static int attr_in(struct xl_sys *s, uint64_t uattr, uint32_t size)
{
	int zero;

	if (size > ATTR_SIZE_MAX)
		return -E2BIG;
	if (size > XL_ATTR_SIZE) {
		zero = xl_sys_is_zero(s, uattr + XL_ATTR_SIZE, size - XL_ATTR_SIZE);
		if (zero <= 0)
			return zero ? zero : -E2BIG;
		size = XL_ATTR_SIZE;
	}
	s->uattr = uattr;
	s->size = size;
	memset(&s->attr, 0, sizeof(s->attr));
	return xl_sys_in(s, s->attr.raw, uattr, size);
}

static bool rest_is_zero(const union xl_bpf_attr *attr, uint32_t end)
{
	while (end < XL_ATTR_SIZE && !attr->raw[end])
		end++;
	return end == XL_ATTR_SIZE;
}

long xl_sysbpf(struct xl_runtime *rt, struct xl_caller *c, int cmd, uint64_t attr, uint32_t size)
{
	struct xl_sys s = { .rt = rt, .c = c };
	const struct command *row;
	int err = attr_in(&s, attr, size);

	if (err)
		return err;
	if (cmd < 0 || (size_t)cmd >= sizeof(command) / sizeof(command[0]) || !command[cmd].fn)
		return -EINVAL;
	row = &command[cmd];
	if (!rest_is_zero(&s.attr, row->end))
		return -EINVAL;
	if (row->reaps) {
		pthread_mutex_lock(&rt->lock);
		xl_handles_reap(rt->handles);
		pthread_mutex_unlock(&rt->lock);
	}
	return row->fn(&s);
}

/* Shared by the handlers. */

int xl_sys_attr_out(struct xl_sys *s, size_t off, uint32_t value)
{
	return xl_sys_out(s, s->uattr + off, &value, sizeof(value));
}

int xl_sys_dup_in(struct xl_sys *s, uint64_t src, size_t n, void **out)
{
	void *copy = malloc(n ? n : 1);

	if (!copy)
		return -ENOMEM;
	if (xl_sys_in(s, copy, src, n)) {
		free(copy);
		return -EFAULT;
	}
	*out = copy;
	return 0;
}

int xl_sys_is_zero(struct xl_sys *s, uint64_t src, size_t n)
{
	uint8_t buf[256];
	size_t part;

	for (; n; src += part, n -= part) {
		part = n < sizeof(buf) ? n : sizeof(buf);
		if (xl_sys_in(s, buf, src, part))
			return -EFAULT;
		for (size_t i = 0; i < part; i++)
			if (buf[i])
				return 0;
	}
	return 1;
}

int xl_sys_any_obj(struct xl_sys *s, int fd, struct xl_obj **out_obj, int *out_accmode)
{
	struct xl_caller_fd stat;
	struct xl_obj *obj;
	int err = s->c->fd_stat(s->c, fd, &stat);

	if (err)
		return err;
	pthread_mutex_lock(&s->rt->lock);
	obj = xl_handle_by_ino(s->rt->handles, stat.dev, stat.ino);
	if (obj && !xl_obj_tryget(obj))
		obj = NULL;
	pthread_mutex_unlock(&s->rt->lock);
	if (!obj)
		return -EINVAL;
	*out_obj = obj;
	if (out_accmode)
		*out_accmode = stat.accmode;
	return 0;
}

int xl_sys_obj(struct xl_sys *s, int fd, enum xl_obj_kind kind, struct xl_obj **out_obj,
	       int *out_accmode)
{
	struct xl_obj *obj;
	int err = xl_sys_any_obj(s, fd, &obj, out_accmode);

	if (err)
		return err;
	if (obj->kind != kind) {
		xl_obj_put(obj);
		return -EINVAL;
	}
	*out_obj = obj;
	return 0;
}

long xl_sys_new_fd(struct xl_sys *s, struct xl_obj *obj, int accmode)
{
	int fd;

	pthread_mutex_lock(&s->rt->lock);
	fd = xl_handle_open(s->rt->handles, obj, accmode);
	pthread_mutex_unlock(&s->rt->lock);
	return fd < 0 ? fd : s->c->install_fd(s->c, fd);
}

int xl_sys_accmode(uint32_t flags)
{
	switch (flags & (BPF_F_RDONLY | BPF_F_WRONLY)) {
	case BPF_F_RDONLY | BPF_F_WRONLY:
		return -EINVAL;
	case BPF_F_RDONLY:
		return O_RDONLY;
	case BPF_F_WRONLY:
		return O_WRONLY;
	}
	return O_RDWR;
}

/* Not isalnum(): that asks the locale. */
static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

int xl_sys_name(const char *src, char dst[BPF_OBJ_NAME_LEN])
{
	size_t i;

	memset(dst, 0, BPF_OBJ_NAME_LEN);
	for (i = 0; i < BPF_OBJ_NAME_LEN && src[i]; i++) {
		if (!is_name_char(src[i]))
			return -EINVAL;
		dst[i] = src[i];
	}
	return i == BPF_OBJ_NAME_LEN ? -EINVAL : 0;
}

bool xl_sys_log_ok(uint32_t level, uint64_t buf, uint32_t size)
{
	const uint32_t known = 1 | 2 | 4 | 8; /* BPF_LOG_LEVEL1, 2, STATS, FIXED */

	return !buf == !size && (!buf || level) && !(level & ~known) && size <= UINT32_MAX >> 2;
}

#define LOG_FIXED 8 /* BPF_LOG_FIXED */

int xl_sys_log_out(struct xl_sys *s, const struct xl_vlog *log, uint64_t buf, uint32_t size,
		   size_t true_size_off)
{
	const uint32_t need = log->level ? (uint32_t)log->len + 1 : 0;
	const char *text = log->buf ? log->buf : "";
	uint32_t n = (uint32_t)log->len;

	if (buf && need) {
		if (need > size)
			n = size - 1;
		if (!(log->level & LOG_FIXED))
			text += log->len - n;
		if (xl_sys_out(s, buf, text, n) || xl_sys_out(s, buf + n, "", 1))
			return -EFAULT;
	}
	if (s->size >= true_size_off + sizeof(uint32_t) && xl_sys_attr_out(s, true_size_off, need))
		return -EFAULT;
	return buf && need > size ? -ENOSPC : 0;
}
