/* hot */
/* Frames; see frame.h. */
#include "base/frame.h"

#include <assert.h>
#include <string.h>

uint32_t xl_frame_len(const struct xl_frame *f)
{
	uint32_t len = xl_frame_linear_len(f);

	for (uint32_t i = 0; i < f->n_frags; i++)
		len += f->frags[i].len;
	return len;
}

enum dir { READ, WRITE };

static int copy(const struct xl_frame *f, uint32_t off, void *buf, uint32_t len, enum dir dir)
{
	uint8_t *part = f->data, *out = buf;
	uint32_t part_len = xl_frame_linear_len(f), i = 0, n;
	const uint32_t total = xl_frame_len(f);

	if (off > total || len > total - off)
		return -EINVAL;
	while (len) {
		if (off < part_len) {
			n = part_len - off < len ? part_len - off : len;
			if (dir == READ)
				memmove(out, part + off, n);
			else
				memmove(part + off, out, n);
			out += n;
			len -= n;
			off += n;
		}
		off -= part_len;
		if (!len)
			break;
		assert(i < f->n_frags);
		part = f->frags[i].addr;
		part_len = f->frags[i++].len;
	}
	return 0;
}

int xl_frame_read(const struct xl_frame *f, uint32_t off, void *buf, uint32_t len)
{
	return copy(f, off, buf, len, READ);
}

int xl_frame_write(struct xl_frame *f, uint32_t off, const void *buf, uint32_t len)
{
	return copy(f, off, (void *)buf, len, WRITE);
}

size_t xl_frame_buf_size(uint32_t len)
{
	const size_t need = (size_t)XL_HEADROOM + len + XL_TAIL_RESERVED;

	return need <= 4096 ? 4096 : (need + 63) & ~(size_t)63;
}

void xl_frame_init(struct xl_frame *f, void *buf, size_t buf_size, const void *packet, uint32_t len)
{
	assert(buf_size >= (size_t)XL_HEADROOM + len + XL_TAIL_RESERVED);
	*f = (struct xl_frame){
		.hard_start = buf,
		.data_meta = (uint8_t *)buf + XL_HEADROOM,
		.data = (uint8_t *)buf + XL_HEADROOM,
		.data_end = (uint8_t *)buf + XL_HEADROOM + len,
		.hard_end = (uint8_t *)buf + buf_size - XL_TAIL_RESERVED,
	};
	if (len)
		memcpy(f->data, packet, len);
}

static uint32_t n_frags_of(uint32_t len)
{
	return len <= XL_LINEAR_MAX ? 0 : (len - XL_LINEAR_MAX + XL_FRAG_SIZE - 1) / XL_FRAG_SIZE;
}

size_t xl_frame_frags_buf_size(uint32_t len)
{
	return (size_t)XL_FRAG_SIZE * (1 + n_frags_of(len));
}

void xl_frame_init_frags(struct xl_frame *f, void *buf, size_t buf_size, struct xl_frag *frags,
			 const void *packet, uint32_t len)
{
	uint32_t linear_len = len < XL_LINEAR_MAX ? len : XL_LINEAR_MAX;
	const uint8_t *rest = (const uint8_t *)packet + linear_len;

	assert(len <= XL_FRAGMENTED_MAX && buf_size >= xl_frame_frags_buf_size(len));
	xl_frame_init(f, buf, XL_FRAG_SIZE, packet, linear_len);
	f->n_frags = n_frags_of(len);
	f->frags = f->n_frags ? frags : NULL;
	len -= linear_len;
	for (uint32_t i = 0; i < f->n_frags; i++) {
		frags[i].addr = (uint8_t *)buf + (size_t)XL_FRAG_SIZE * (i + 1);
		frags[i].size = XL_FRAG_SIZE;
		frags[i].len = len < XL_FRAG_SIZE ? len : XL_FRAG_SIZE;
		memcpy(frags[i].addr, rest, frags[i].len);
		rest += frags[i].len;
		len -= frags[i].len;
	}
}
