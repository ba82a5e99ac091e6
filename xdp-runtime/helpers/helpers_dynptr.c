/* hot */
/* Helpers and kernel functions on dynptrs; see dynptr.h.
 *
 * Arguments of the kinds XL_ARG_DYNPTR have been looked at, so what they point to can be touched.
 * Kernel functions that return an int leave the upper half of r0 zero, where helpers extend the
 * sign: that is what programs see.
 *
 * Source: bpf_dynptr_*() in kernel/bpf/helpers.c; bpf_dynptr_from_xdp() and bpf_xdp_pointer() in
 * net/core/filter.c, v6.18.
 */
#include "xdp-runtime/dynptr.h"

#include "base/frame.h"
#include "xdp-runtime/helpers/helpers_fn.h"
#include "xdp-runtime/run.h"

#define CHUNK 256u /* bytes that are moved at once between two packets; chosen: the kernel's */

static uint64_t set_null(uint64_t dynptr, int err)
{
	xl_dynptr_put(dynptr, (struct xl_dynptr){ 0 });
	return (uint32_t)err;
}

static void init(uint64_t dynptr, enum xl_dynptr_type type, uint64_t data, uint32_t size)
{
	xl_dynptr_put(dynptr, xl_dynptr_of(type, (void *)(uintptr_t)data, size));
}

/* Where @len bytes at @off of the packet lie in one piece; NULL: nowhere. */
static uint8_t *packet_at(const struct xl_frame *f, uint64_t off, uint32_t len)
{
	uint8_t *part = f->data;
	uint32_t part_len = xl_frame_linear_len(f);

	if (off > 0xffff || len > 0xffff || off + len > xl_frame_len(f))
		return NULL;
	for (uint32_t i = 0; off >= part_len && i < f->n_frags; i++) {
		off -= part_len;
		part = f->frags[i].addr;
		part_len = f->frags[i].len;
	}
	return off + len <= part_len ? part + off : NULL;
}

static int move_packet(struct xl_frame *f, uint64_t off, void *buf, uint32_t len, bool write)
{
	if (off > 0xffff || len > 0xffff)
		return -EFAULT;
	return write ? xl_frame_write(f, (uint32_t)off, buf, len)
		     : xl_frame_read(f, (uint32_t)off, buf, len);
}

static int read_from(const struct xl_dynptr *d, uint32_t off, void *buf, uint32_t len,
		     uint64_t flags)
{
	int err;

	if (!d->data || flags)
		return -EINVAL;
	err = xl_dynptr_check(d, off, len);
	if (err)
		return err;
	if (xl_dynptr_type(d) == XL_DYNPTR_XDP)
		return move_packet(xl_run->frame, (uint64_t)d->offset + off, buf, len, false);
	memmove(buf, (const uint8_t *)(uintptr_t)d->data + d->offset + off, len);
	return 0;
}

static int write_to(const struct xl_dynptr *d, uint32_t off, void *buf, uint32_t len,
		    uint64_t flags)
{
	int err;

	if (!d->data || xl_dynptr_is_rdonly(d))
		return -EINVAL;
	err = xl_dynptr_check(d, off, len);
	if (err)
		return err;
	if (flags)
		return -EINVAL;
	if (xl_dynptr_type(d) == XL_DYNPTR_XDP)
		return move_packet(xl_run->frame, (uint64_t)d->offset + off, buf, len, true);
	memmove((uint8_t *)(uintptr_t)d->data + d->offset + off, buf, len);
	return 0;
}

/* A place where the program finds @len bytes; @buf if they had to be copied there; 0: none. */
static uint64_t slice(const struct xl_dynptr *d, uint32_t off, uint64_t buf, uint32_t len)
{
	uint8_t *at;

	if (!d->data || xl_dynptr_check(d, off, len))
		return 0;
	if (xl_dynptr_type(d) != XL_DYNPTR_XDP)
		return d->data + d->offset + off;
	at = packet_at(xl_run->frame, (uint64_t)d->offset + off, len);
	if (at || !buf)
		return (uintptr_t)at;
	move_packet(xl_run->frame, (uint64_t)d->offset + off, (void *)(uintptr_t)buf, len, false);
	return buf;
}

/* Helpers. */

uint64_t xl_helper_dynptr_from_mem(uint64_t data, uint64_t size, uint64_t flags, uint64_t dynptr,
				   uint64_t r5)
{
	const int err = (uint32_t)size > XL_DYNPTR_SIZE_MAX ? -E2BIG : flags ? -EINVAL : 0;

	if (err)
		return xl_helper_int((int)set_null(dynptr, err));
	init(dynptr, XL_DYNPTR_LOCAL, data, (uint32_t)size);
	return 0;
}

uint64_t xl_helper_dynptr_read(uint64_t buf, uint64_t len, uint64_t dynptr, uint64_t off,
			       uint64_t flags)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return xl_helper_int(
		read_from(&d, (uint32_t)off, (void *)(uintptr_t)buf, (uint32_t)len, flags));
}

uint64_t xl_helper_dynptr_write(uint64_t dynptr, uint64_t off, uint64_t buf, uint64_t len,
				uint64_t flags)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return xl_helper_int(
		write_to(&d, (uint32_t)off, (void *)(uintptr_t)buf, (uint32_t)len, flags));
}

uint64_t xl_helper_dynptr_data(uint64_t dynptr, uint64_t off, uint64_t len, uint64_t r4,
			       uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	if (!d.data || xl_dynptr_check(&d, (uint32_t)off, (uint32_t)len) ||
	    xl_dynptr_is_rdonly(&d) || xl_dynptr_type(&d) == XL_DYNPTR_XDP)
		return 0;
	return d.data + d.offset + (uint32_t)off;
}

/* Kernel functions. */

uint64_t xl_kfunc_dynptr_from_xdp(uint64_t ctx, uint64_t flags, uint64_t dynptr, uint64_t r4,
				  uint64_t r5)
{
	if (flags)
		return set_null(dynptr, -EINVAL);
	init(dynptr, XL_DYNPTR_XDP, (uintptr_t)xl_run->frame, xl_frame_len(xl_run->frame));
	return 0;
}

uint64_t xl_kfunc_dynptr_slice(uint64_t dynptr, uint64_t off, uint64_t buf, uint64_t len,
			       uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return slice(&d, (uint32_t)off, buf, (uint32_t)len);
}

uint64_t xl_kfunc_dynptr_slice_rdwr(uint64_t dynptr, uint64_t off, uint64_t buf, uint64_t len,
				    uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return xl_dynptr_is_rdonly(&d) ? 0 : slice(&d, (uint32_t)off, buf, (uint32_t)len);
}

uint64_t xl_kfunc_dynptr_adjust(uint64_t dynptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const uint32_t start = (uint32_t)r2, end = (uint32_t)r3;
	struct xl_dynptr d = xl_dynptr_get(dynptr);

	if (!d.data || start > end)
		return (uint32_t)-EINVAL;
	if (end > xl_dynptr_size(&d))
		return (uint32_t)-ERANGE;
	d.size = (d.size & ~XL_DYNPTR_SIZE_MAX) | (end - start);
	d.offset += start;
	xl_dynptr_put(dynptr, d);
	return 0;
}

uint64_t xl_kfunc_dynptr_is_null(uint64_t dynptr, uint64_t r2, uint64_t r3, uint64_t r4,
				 uint64_t r5)
{
	return !xl_dynptr_get(dynptr).data;
}

uint64_t xl_kfunc_dynptr_is_rdonly(uint64_t dynptr, uint64_t r2, uint64_t r3, uint64_t r4,
				   uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return d.data && xl_dynptr_is_rdonly(&d);
}

uint64_t xl_kfunc_dynptr_size(uint64_t dynptr, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	return d.data ? xl_dynptr_size(&d) : (uint32_t)-EINVAL;
}

uint64_t xl_kfunc_dynptr_clone(uint64_t dynptr, uint64_t clone, uint64_t r3, uint64_t r4,
			       uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);

	if (!d.data)
		return set_null(clone, -EINVAL);
	xl_dynptr_put(clone, d);
	return 0;
}

uint64_t xl_kfunc_dynptr_copy(uint64_t to, uint64_t to_off, uint64_t from, uint64_t from_off,
			      uint64_t r5)
{
	const struct xl_dynptr dst = xl_dynptr_get(to), src = xl_dynptr_get(from);
	const uint32_t at = (uint32_t)to_off, of = (uint32_t)from_off, len = (uint32_t)r5;
	uint8_t chunk[CHUNK];
	uint64_t src_at, dst_at;
	int err = 0;

	src_at = slice(&src, of, 0, len);
	dst_at = xl_dynptr_is_rdonly(&dst) ? 0 : slice(&dst, at, 0, len);
	if (src_at)
		return (uint32_t)write_to(&dst, at, (void *)(uintptr_t)src_at, len, 0);
	if (dst_at)
		return (uint32_t)read_from(&src, of, (void *)(uintptr_t)dst_at, len, 0);
	if (xl_dynptr_check(&dst, at, len) || xl_dynptr_check(&src, of, len))
		return (uint32_t)-E2BIG;
	for (uint32_t done = 0, n; done < len && !err; done += n) {
		n = len - done < CHUNK ? len - done : CHUNK;
		err = read_from(&src, of + done, chunk, n, 0);
		err = err ? err : write_to(&dst, at + done, chunk, n, 0);
	}
	return (uint32_t)err;
}

uint64_t xl_kfunc_dynptr_memset(uint64_t dynptr, uint64_t r2, uint64_t r3, uint64_t value,
				uint64_t r5)
{
	const struct xl_dynptr d = xl_dynptr_get(dynptr);
	const uint32_t off = (uint32_t)r2, len = (uint32_t)r3;
	uint8_t chunk[CHUNK];
	int err;

	if (xl_dynptr_is_rdonly(&d))
		return (uint32_t)-EINVAL;
	err = xl_dynptr_check(&d, off, len);
	memset(chunk, (int)(value & 0xff), sizeof(chunk));
	for (uint32_t done = 0, n; done < len && !err; done += n) {
		n = len - done < CHUNK ? len - done : CHUNK;
		err = write_to(&d, off + done, chunk, n, 0);
	}
	return (uint32_t)err;
}
