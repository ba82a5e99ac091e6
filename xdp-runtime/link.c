/* LINK_CREATE, LINK_UPDATE and LINK_DETACH for XDP; see link.h. */
#include "xdp-runtime/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <stdlib.h>

#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/sysbpf_call.h"

static void release(struct xl_obj *obj)
{
	struct xl_link *link = xl_link_of(obj);

	xl_prog_put(link->prog);
	free(link);
}

struct xl_link *xl_link_on(struct xl_runtime *rt, uint32_t ifindex)
{
	struct xl_obj *obj;
	uint32_t id = 0;

	while ((id = xl_handle_next_id(rt->handles, XL_OBJ_LINK, id))) {
		obj = xl_handle_by_id(rt->handles, XL_OBJ_LINK, id);
		if (obj && xl_link_of(obj)->ifindex == ifindex)
			return xl_link_of(obj);
	}
	return NULL;
}

/* Programs made for the values of a map cannot stand on a port. */
static int check_prog(const struct xl_prog *prog, uint32_t attach_type)
{
	if (prog->type != BPF_PROG_TYPE_XDP || attach_type != BPF_XDP)
		return -EINVAL;
	if (prog->expected_attach_type == BPF_XDP_DEVMAP ||
	    prog->expected_attach_type == BPF_XDP_CPUMAP)
		return -EINVAL;
	return 0;
}

static int check_target(uint32_t ifindex, uint32_t flags)
{
	if (!ifindex || ifindex > INT_MAX)
		return -EINVAL;
	if (flags & ~(uint32_t)XDP_FLAGS_MODES || (flags & (flags - 1)))
		return -EINVAL;
	return flags & XDP_FLAGS_HW_MODE ? -EOPNOTSUPP : 0;
}

/* Publishes @link on its port, unless there is one already. */
static int attach(struct xl_link *link, uint32_t ifindex)
{
	int err;

	pthread_mutex_lock(&link->rt->lock);
	if (xl_link_on(link->rt, ifindex)) {
		err = -EBUSY;
	} else {
		link->ifindex = ifindex;
		err = xl_runtime_publish(link->rt, &link->obj);
	}
	pthread_mutex_unlock(&link->rt->lock);
	return err;
}

static long create(struct xl_sys *s, struct xl_prog *prog)
{
	const uint32_t ifindex = s->attr.u.link_create.target_ifindex;
	const uint32_t flags = s->attr.u.link_create.flags;
	struct xl_link *link;
	long ret = check_prog(prog, s->attr.u.link_create.attach_type);

	if (!ret)
		ret = check_target(ifindex, flags);
	if (ret)
		return ret;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	xl_obj_init(&link->obj, XL_OBJ_LINK, release);
	link->rt = s->rt;
	link->flags = flags;
	link->prog = xl_prog_of(xl_obj_get(&prog->obj));
	ret = attach(link, ifindex);
	if (!ret)
		ret = xl_sys_new_fd(s, &link->obj, O_RDWR);
	xl_obj_put(&link->obj);
	return ret;
}

long xl_sys_link_create(struct xl_sys *s)
{
	struct xl_obj *prog;
	long ret = xl_sys_obj(s, (int)s->attr.u.link_create.prog_fd, XL_OBJ_PROG, &prog, NULL);

	if (ret)
		return ret;
	ret = create(s, xl_prog_of(prog));
	xl_obj_put(prog);
	return ret;
}

/* Puts @new in the place of the link's program, which must be @expected unless that is NULL. */
static int replace(struct xl_link *link, struct xl_prog *new, const struct xl_prog *expected)
{
	struct xl_prog *old = NULL;
	int err = 0;

	pthread_mutex_lock(&link->rt->lock);
	if (!link->ifindex) {
		err = -ENOLINK;
	} else if (expected && link->prog != expected) {
		err = -EPERM;
	} else if (link->prog->type != new->type ||
		   link->prog->expected_attach_type != new->expected_attach_type) {
		err = -EINVAL;
	} else {
		old = link->prog;
		link->prog = xl_prog_of(xl_obj_get(&new->obj));
	}
	pthread_mutex_unlock(&link->rt->lock);
	xl_prog_put(old);
	return err;
}

static int update(struct xl_sys *s, struct xl_link *link)
{
	const uint32_t flags = s->attr.u.link_update.flags;
	const int old_fd = (int)s->attr.u.link_update.old_prog_fd;
	struct xl_obj *new, *old = NULL;
	int err = xl_sys_obj(s, (int)s->attr.u.link_update.new_prog_fd, XL_OBJ_PROG, &new, NULL);

	if (err)
		return err;
	if (flags & BPF_F_REPLACE)
		err = xl_sys_obj(s, old_fd, XL_OBJ_PROG, &old, NULL);
	else if (old_fd)
		err = -EINVAL;
	if (!err)
		err = replace(link, xl_prog_of(new), old ? xl_prog_of(old) : NULL);
	xl_obj_put(old);
	xl_obj_put(new);
	return err;
}

long xl_sys_link_update(struct xl_sys *s)
{
	struct xl_obj *link;
	int err;

	if (s->attr.u.link_update.flags & ~(uint32_t)BPF_F_REPLACE)
		return -EINVAL;
	err = xl_sys_obj(s, (int)s->attr.u.link_update.link_fd, XL_OBJ_LINK, &link, NULL);
	if (err)
		return err;
	err = update(s, xl_link_of(link));
	xl_obj_put(link);
	return err;
}

long xl_sys_link_detach(struct xl_sys *s)
{
	struct xl_obj *link;
	int err = xl_sys_obj(s, (int)s->attr.u.link_detach.link_fd, XL_OBJ_LINK, &link, NULL);

	if (err)
		return err;
	pthread_mutex_lock(&s->rt->lock);
	xl_link_of(link)->ifindex = 0;
	pthread_mutex_unlock(&s->rt->lock);
	xl_obj_put(link);
	return 0;
}
