/* Helpers and kfuncs on dynptrs of the packet; see dynptr.h.
 *
 * Source: bpf_dynptr_*() of kernel/bpf/helpers.c, bpf_dynptr_from_xdp() and bpf_xdp_pointer() of
 * net/core/filter.c, v6.18.
 */
#include "xdp-runtime/dynptr.h"

#include <errno.h>
#include <string.h>

#include "xdp-runtime/helpers_fn.h"
#include "xdp-runtime/run.h"

#define PACKET_MAX 0xffffu /* bpf_xdp_pointer() looks at no range beyond */

/* A copy: what the program has there need not be aligned. */
static struct xl_dynptr dynptr_at(uint64_t addr)
{
	struct xl_dynptr d;

	memcpy(&d, (const void *)(uintptr_t)addr, sizeof(d));
	return d;
}

static void put(uint64_t addr, const struct xl_dynptr *d)
{
	memcpy((void *)(uintptr_t)addr, d, sizeof(*d));
}

/* -E2BIG unless [@off, @off + @len) lies in the dynptr. */
static int check_range(const struct xl_dynptr *d, uint32_t off, uint32_t len)
{
	return len > d->size || off > d->size - len ? -E2BIG : 0;
}

/* The same range in the packet, which may have become shorter since the dynptr was made. */
static int packet_range(const struct xl_dynptr *d, uint32_t off, uint32_t len, uint32_t *out_at)
{
	const uint64_t at = (uint64_t)d->offset + off;

	if (at > PACKET_MAX || len > PACKET_MAX)
		return -EFAULT;
	*out_at = (uint32_t)at;
	return at + len > xl_frame_len(xl_run->frame) ? -EINVAL : 0;
}

uint64_t xl_kfunc_dynptr_from_xdp(uint64_t ctx, uint64_t flags, uint64_t ptr, uint64_t r4,
				  uint64_t r5)
{
	struct xl_dynptr d = { 0 };

	if (!flags)
		d = (struct xl_dynptr){ .kind = XL_DYNPTR_XDP,
					.size = xl_frame_len(xl_run->frame) };
	put(ptr, &d);
	return xl_helper_int(flags ? -EINVAL : 0);
}

uint64_t xl_kfunc_dynptr_slice(uint64_t ptr, uint64_t r2, uint64_t buffer, uint64_t r4, uint64_t r5)
{
	const struct xl_dynptr d = dynptr_at(ptr);
	const struct xl_frame *frame = xl_run->frame;
	const uint32_t off = (uint32_t)r2, len = (uint32_t)r4;
	uint32_t at;

	if (d.kind != XL_DYNPTR_XDP || check_range(&d, off, len))
		return 0;
	/* A packet that has shrunk since: the kernel gives the buffer, with what lay behind it. */
	if (packet_range(&d, off, len, &at))
		return buffer;
	if (at + len <= xl_frame_linear_len(frame))
		return (uintptr_t)(frame->data + at);
	if (buffer)
		xl_frame_read(frame, at, (void *)(uintptr_t)buffer, len);
	return buffer;
}

uint64_t xl_kfunc_dynptr_slice_rdwr(uint64_t ptr, uint64_t off, uint64_t buffer, uint64_t len,
				    uint64_t r5)
{
	return xl_kfunc_dynptr_slice(ptr, off, buffer, len, r5);
}

uint64_t xl_kfunc_dynptr_adjust(uint64_t ptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const uint32_t start = (uint32_t)r2, end = (uint32_t)r3;
	struct xl_dynptr d = dynptr_at(ptr);

	if (d.kind == XL_DYNPTR_NULL || start > end)
		return xl_helper_int(-EINVAL);
	if (start > d.size || end > d.size)
		return xl_helper_int(-ERANGE);
	d.offset += start;
	d.size = end - start;
	put(ptr, &d);
	return 0;
}

uint64_t xl_kfunc_dynptr_is_null(uint64_t ptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return dynptr_at(ptr).kind == XL_DYNPTR_NULL;
}

uint64_t xl_kfunc_dynptr_is_rdonly(uint64_t ptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return 0; /* those of a packet in XDP never are */
}

uint64_t xl_kfunc_dynptr_size(uint64_t ptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const struct xl_dynptr d = dynptr_at(ptr);

	return d.kind == XL_DYNPTR_NULL ? (uint32_t)-EINVAL : d.size; /* a u32 in the kernel */
}

uint64_t xl_kfunc_dynptr_clone(uint64_t ptr, uint64_t clone, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const struct xl_dynptr d = dynptr_at(ptr);

	put(clone, &d);
	return xl_helper_int(d.kind == XL_DYNPTR_NULL ? -EINVAL : 0);
}

uint64_t xl_helper_dynptr_read(uint64_t dst, uint64_t r2, uint64_t ptr, uint64_t r4, uint64_t flags)
{
	const struct xl_dynptr d = dynptr_at(ptr);
	const uint32_t len = (uint32_t)r2, off = (uint32_t)r4;
	uint32_t at;
	int err;

	if (d.kind != XL_DYNPTR_XDP || flags)
		return xl_helper_int(-EINVAL);
	err = check_range(&d, off, len);
	if (!err)
		err = packet_range(&d, off, len, &at);
	if (!err)
		err = xl_frame_read(xl_run->frame, at, (void *)(uintptr_t)dst, len);
	return xl_helper_int(err);
}

uint64_t xl_helper_dynptr_write(uint64_t ptr, uint64_t r2, uint64_t src, uint64_t r4,
				uint64_t flags)
{
	const struct xl_dynptr d = dynptr_at(ptr);
	const uint32_t off = (uint32_t)r2, len = (uint32_t)r4;
	uint32_t at;
	int err;

	if (d.kind != XL_DYNPTR_XDP)
		return xl_helper_int(-EINVAL);
	err = check_range(&d, off, len);
	if (!err && flags)
		err = -EINVAL;
	if (!err)
		err = packet_range(&d, off, len, &at);
	if (!err)
		err = xl_frame_write(xl_run->frame, at, (const void *)(uintptr_t)src, len);
	return xl_helper_int(err);
}

/* Only memory has an address of its own; of a packet there are slices. */
uint64_t xl_helper_dynptr_data(uint64_t ptr, uint64_t off, uint64_t len, uint64_t r4, uint64_t r5)
{
	return 0;
}
