/* BPF_PROG_TEST_RUN for XDP programs.
 *
 * The kernel gives a program one page: headroom, the metadata and what fits of the packet,
 * tailroom. What does not fit, or what the context says is beyond data_end, goes into fragments of
 * a page each. Repeated runs go on with the packet as the one before left it.
 *
 * Source: bpf_prog_test_run_xdp(), net/bpf/test_run.c, v6.18.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/epoch.h"
#include "base/frame.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/sysbpf_call.h"

#define PAGE	    4096u
#define LO_IFINDEX  1u /* where frames come from, unless the context says otherwise */
#define XDP_MD_SIZE sizeof(struct xdp_md)

/* One test run under way. */
struct test {
	struct xl_sys *s;
	struct xl_prog *prog;
	bool has_ctx;
	struct xdp_md ctx;
	uint32_t meta_len;
	uint32_t linear_len; /* metadata and the first part of the packet */
	uint8_t *page;
	uint8_t *frag_pages; /* XL_FRAGS_MAX at most, one after the other; NULL: none */
	struct xl_frag frags[XL_FRAGS_MAX];
	struct xl_frame frame;
	uint32_t retval, duration_ns;
};

static bool meta_ok(uint32_t len)
{
	return len % 4 == 0 && len <= XL_HEADROOM - XL_HEADROOM_RESERVED && len <= 255;
}

static int check_flags(const struct test *t)
{
	const union bpf_attr *attr = &t->s->attr.u;

	if (t->prog->expected_attach_type == BPF_XDP_DEVMAP ||
	    t->prog->expected_attach_type == BPF_XDP_CPUMAP)
		return -EINVAL;
	if (attr->test.flags & ~(uint32_t)BPF_F_TEST_XDP_LIVE_FRAMES)
		return -EINVAL;
	/* Live frames go out to devices; there are none here. */
	if (attr->test.flags)
		return -EOPNOTSUPP;
	return attr->test.batch_size ? -EINVAL : 0;
}

static int ctx_in(struct test *t)
{
	const union bpf_attr *attr = &t->s->attr.u;
	uint32_t size = attr->test.ctx_size_in;
	int zero;

	t->has_ctx = attr->test.ctx_in || attr->test.ctx_out;
	if (!attr->test.ctx_in)
		return 0;
	if (size > PAGE)
		return -E2BIG;
	if (size > XDP_MD_SIZE) {
		zero = xl_sys_is_zero(t->s, attr->test.ctx_in + XDP_MD_SIZE, size - XDP_MD_SIZE);
		if (zero <= 0)
			return zero ? zero : -E2BIG;
		size = XDP_MD_SIZE;
	}
	return xl_sys_in(t->s, &t->ctx, attr->test.ctx_in, size);
}

/* Finds how the input is divided into metadata, linear part and fragments. */
static int divide(struct test *t)
{
	const uint32_t size = t->s->attr.u.test.data_size_in;
	uint32_t room;

	t->linear_len = size;
	if (t->has_ctx) {
		if (t->ctx.data_meta || t->ctx.data_end > size || t->ctx.data > t->ctx.data_end ||
		    !meta_ok(t->ctx.data))
			return -EINVAL;
		t->meta_len = t->ctx.data;
		t->linear_len = t->ctx.data_end;
	}
	room = PAGE - (XL_HEADROOM - t->meta_len) - XL_TAIL_RESERVED;
	if (t->linear_len > room)
		t->linear_len = room;
	return size - t->meta_len < XL_ETH_HLEN ? -EINVAL : 0;
}

static int linear_in(struct test *t)
{
	uint8_t *start;

	t->page = aligned_alloc(64, PAGE);
	if (!t->page)
		return -ENOMEM;
	memset(t->page, 0, PAGE);
	xl_frame_init(&t->frame, t->page, PAGE, NULL, 0);
	start = t->frame.data - t->meta_len;
	t->frame.data_meta = start;
	t->frame.data_end = start + t->linear_len;
	t->frame.ifindex = LO_IFINDEX;
	return xl_sys_in(t->s, start, t->s->attr.u.test.data_in, t->linear_len);
}

/* Where the frame came from, as the context has it. */
static int set_origin(struct test *t)
{
	if (!t->has_ctx)
		return 0;
	if (t->ctx.egress_ifindex || (!t->ctx.ingress_ifindex && t->ctx.rx_queue_index))
		return -EINVAL;
	if (t->ctx.ingress_ifindex) {
		t->frame.ifindex = t->ctx.ingress_ifindex;
		t->frame.rx_queue = t->ctx.rx_queue_index;
	}
	return 0;
}

static int frags_in(struct test *t)
{
	const union bpf_attr *attr = &t->s->attr.u;
	uint32_t left = attr->test.data_size_in - t->linear_len;
	uint64_t src = attr->test.data_in + t->linear_len;
	const uint32_t n = left / PAGE + (left % PAGE != 0);
	struct xl_frag *frag;

	if (!left)
		return 0;
	if (n > XL_FRAGS_MAX)
		return -ENOMEM;
	t->frag_pages = calloc(n, PAGE);
	if (!t->frag_pages)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		frag = &t->frags[i];
		frag->addr = t->frag_pages + (size_t)i * PAGE;
		frag->size = PAGE;
		frag->len = left < PAGE ? left : PAGE;
		if (xl_sys_in(t->s, frag->addr, src, frag->len))
			return -EFAULT;
		src += frag->len;
		left -= frag->len;
	}
	t->frame.frags = t->frags;
	t->frame.n_frags = n;
	return 0;
}

static int run(struct test *t)
{
	const uint32_t repeat = t->s->attr.u.test.repeat ? t->s->attr.u.test.repeat : 1;
	struct xl_burst burst = { .n = 1, .frame = { &t->frame } };
	struct xl_runtime *rt = t->s->rt;
	struct xl_verdict verdict = { 0 };
	struct xl_run state;
	uint32_t worker;
	uint64_t start;
	int err = xl_runtime_worker_join(rt, &worker);

	if (err)
		return err;
	xl_run_init(&state, rt);
	xl_epoch_online(rt->epoch, worker);
	start = xl_clock_mono_ns();
	for (uint32_t i = 0; i < repeat; i++) {
		t->prog->engine->run(&state, t->prog, &burst, &verdict);
		xl_epoch_quiescent(rt->epoch, worker);
	}
	start = (xl_clock_mono_ns() - start) / repeat;
	xl_epoch_offline(rt->epoch, worker);
	xl_runtime_worker_leave(rt, worker);
	t->retval = verdict.retval;
	t->duration_ns = start > UINT32_MAX ? UINT32_MAX : (uint32_t)start;
	return 0;
}

/* Writes @size bytes of metadata and packet. What there is no room for is missing at the end of
 * the linear part, in front of the fragments: so does the kernel.
 * Errors  -ENOSPC not even the fragments fit: nothing is written */
static int data_out(struct test *t, uint64_t dst, uint32_t size)
{
	const uint32_t in_frags = xl_frame_len(&t->frame) - xl_frame_linear_len(&t->frame);
	uint32_t len = size - in_frags;

	if (size < in_frags)
		return -ENOSPC;
	if (xl_sys_out(t->s, dst, t->frame.data_meta, len))
		return -EFAULT;
	for (uint32_t i = 0; i < t->frame.n_frags; i++) {
		dst += len;
		len = t->frame.frags[i].len;
		if (xl_sys_out(t->s, dst, t->frame.frags[i].addr, len))
			return -EFAULT;
	}
	return 0;
}

static int results_out(struct test *t)
{
	const union bpf_attr *attr = &t->s->attr.u;
	const uint32_t room = attr->test.data_size_out;
	const uint32_t size = xl_frame_len(&t->frame) + xl_frame_meta_len(&t->frame);
	const uint32_t n = room && size > room ? room : size;
	int err = 0;

	if (attr->test.data_out)
		err = data_out(t, attr->test.data_out, n);
	if (err)
		return err;
	if (xl_sys_attr_out(t->s, offsetof(union bpf_attr, test.data_size_out), size) ||
	    xl_sys_attr_out(t->s, offsetof(union bpf_attr, test.retval), t->retval) ||
	    xl_sys_attr_out(t->s, offsetof(union bpf_attr, test.duration), t->duration_ns))
		return -EFAULT;
	return n < size ? -ENOSPC : 0;
}

static int ctx_out(struct test *t)
{
	const union bpf_attr *attr = &t->s->attr.u;
	const uint32_t room = attr->test.ctx_size_out;

	if (!attr->test.ctx_out)
		return 0;
	t->ctx.data = xl_frame_meta_len(&t->frame);
	t->ctx.data_end = (uint32_t)(t->frame.data_end - t->frame.data_meta);
	if (xl_sys_out(t->s, attr->test.ctx_out, &t->ctx, room < XDP_MD_SIZE ? room : XDP_MD_SIZE))
		return -EFAULT;
	if (xl_sys_attr_out(t->s, offsetof(union bpf_attr, test.ctx_size_out), XDP_MD_SIZE))
		return -EFAULT;
	return room < XDP_MD_SIZE ? -ENOSPC : 0;
}

static int test_xdp(struct test *t)
{
	int err = check_flags(t);

	if (!err)
		err = ctx_in(t);
	if (!err)
		err = divide(t);
	if (!err)
		err = linear_in(t);
	if (!err)
		err = set_origin(t);
	if (!err)
		err = frags_in(t);
	if (!err)
		err = run(t);
	if (!err)
		err = results_out(t);
	if (!err)
		err = ctx_out(t);
	free(t->page);
	free(t->frag_pages);
	return err;
}

long xl_sys_prog_test_run(struct xl_sys *s)
{
	const union bpf_attr *attr = &s->attr.u;
	struct test t = { .s = s };
	struct xl_obj *obj;
	int err;

	if (!attr->test.ctx_size_in != !attr->test.ctx_in ||
	    !attr->test.ctx_size_out != !attr->test.ctx_out)
		return -EINVAL;
	err = xl_sys_obj(s, (int)attr->test.prog_fd, XL_OBJ_PROG, &obj, NULL);
	if (err)
		return err;
	t.prog = xl_prog_of(obj);
	if (!xl_prog_type_of(t.prog->type)->runs)
		err = -ENOTSUPP;
	else
		err = t.prog->refused ? -EINVAL : test_xdp(&t);
	xl_obj_put(obj);
	return err;
}
