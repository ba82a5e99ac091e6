/* hot */
/* Dynptrs: a program's handle for memory whose size is known at run time only.
 *
 * It lies on the program's stack, where nothing keeps the program from writing over it. So nothing
 * in it is believed: an engine hands one to a helper only after xl_dynptr of the moment has been
 * looked at: it is null, or of the frame that is running, of a record that is held, of memory that the
 * program may touch.
 *
 * Source: struct bpf_dynptr_kern, include/linux/bpf.h; kernel/bpf/helpers.c, v6.18.
 */
#ifndef XL_XDP_RUNTIME_DYNPTR_H
#define XL_XDP_RUNTIME_DYNPTR_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum xl_dynptr_type {
	XL_DYNPTR_INVALID,
	XL_DYNPTR_LOCAL,   /* a map value, or lent by a helper: `data` is its address */
	XL_DYNPTR_RINGBUF, /* a reserved record: `data` is where it starts */
	XL_DYNPTR_XDP = 4, /* the packet: `data` is the address of the running struct xl_frame */
};

#define XL_DYNPTR_SIZE_MAX   ((1u << 24) - 1)
#define XL_DYNPTR_TYPE_SHIFT 28
#define XL_DYNPTR_TYPE_MASK  7u
#define XL_DYNPTR_RDONLY     (1u << 31)

/* 16 bytes, as struct bpf_dynptr. */
struct xl_dynptr {
	uint64_t data; /* 0: null */
	uint32_t size; /* and type, and whether it is read-only */
	uint32_t offset;
};

static inline uint32_t xl_dynptr_size(const struct xl_dynptr *d)
{
	return d->size & XL_DYNPTR_SIZE_MAX;
}

static inline enum xl_dynptr_type xl_dynptr_type(const struct xl_dynptr *d)
{
	return (enum xl_dynptr_type)(d->size >> XL_DYNPTR_TYPE_SHIFT & XL_DYNPTR_TYPE_MASK);
}

static inline bool xl_dynptr_is_rdonly(const struct xl_dynptr *d)
{
	return d->size & XL_DYNPTR_RDONLY;
}

/* In and out of a program's memory, which may be aligned to anything. */
static inline struct xl_dynptr xl_dynptr_get(uint64_t addr)
{
	struct xl_dynptr d;

	memcpy(&d, (const void *)(uintptr_t)addr, sizeof(d));
	return d;
}

static inline void xl_dynptr_put(uint64_t addr, struct xl_dynptr d)
{
	memcpy((void *)(uintptr_t)addr, &d, sizeof(d));
}

static inline struct xl_dynptr xl_dynptr_of(enum xl_dynptr_type type, void *data, uint32_t size)
{
	return (struct xl_dynptr){ .data = (uintptr_t)data,
				   .size = size | (uint32_t)type << XL_DYNPTR_TYPE_SHIFT };
}

/* Whether [@off, @off + @len) lies in it: 0 or -E2BIG. */
static inline int xl_dynptr_check(const struct xl_dynptr *d, uint32_t off, uint32_t len)
{
	const uint32_t size = xl_dynptr_size(d);

	return len > size || off > size - len ? -E2BIG : 0;
}

#endif
