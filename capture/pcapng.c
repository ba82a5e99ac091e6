/* Writing pcapng; see capture.h.
 *
 * A file is a section header, and then interface blocks and packet blocks in the order in which
 * they are made. Each block is built in memory and written whole, in the host's byte order, which
 * the section header tells. What is on disk at any time is therefore a readable capture but for
 * its last block.
 *
 * Source: draft-ietf-opsawg-pcapng: section 4.1 (SHB), 4.2 (IDB), 4.3 (EPB), 3.5 (options).
 */
#include "capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum block_type { BLOCK_SHB = 0x0a0d0d0a, BLOCK_IDB = 1, BLOCK_EPB = 6 };
enum option_code {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_NAME = 2,
	OPT_IF_TSRESOL = 9,
	OPT_EPB_PACKETID = 5,
	OPT_EPB_QUEUE = 6,
	OPT_EPB_VERDICT = 7,
};

#define BYTE_ORDER_MAGIC       0x1a2b3c4du
#define LINKTYPE_ETHERNET      1
#define TSRESOL_NANO	       9 /* 10^-9 s */
#define VERDICT_LINUX_EBPF_XDP 2 /* followed by the 64-bit enum xdp_action */
#define SECTION_LENGTH_UNKNOWN UINT64_MAX
#define OPTION_LEN_MAX	       UINT16_MAX
#define STREAM_BUF_LEN	       (256 << 10)

struct xl_pcapng {
	FILE *stream;
	char *name;
	uint32_t n_interfaces;
	int err; /* of the first write that failed; nothing is written after it */
	/* The block being built. */
	uint8_t *block;
	size_t len, size;
};

static int fail(struct xl_pcapng *ng, int err, struct xl_err *e)
{
	ng->err = err;
	return xl_err_set(e, err, "%s: cannot write: %s", ng->name, strerror(-err));
}

/* Appends @len bytes and zeroes up to the next 32-bit boundary. Out of memory is kept in err. */
static void put_bytes(struct xl_pcapng *ng, const void *data, size_t len)
{
	const size_t padded = (len + 3) & ~(size_t)3;

	if (ng->len + padded > ng->size) {
		const size_t size = (ng->len + padded) * 2;
		uint8_t *block = realloc(ng->block, size);

		if (!block) {
			ng->err = -ENOMEM;
			return;
		}
		ng->block = block;
		ng->size = size;
	}
	if (len)
		memcpy(ng->block + ng->len, data, len);
	memset(ng->block + ng->len + len, 0, padded - len);
	ng->len += padded;
}

static void put_u32(struct xl_pcapng *ng, uint32_t value)
{
	put_bytes(ng, &value, sizeof(value));
}

static void put_option(struct xl_pcapng *ng, enum option_code code, const void *data, size_t len)
{
	const uint16_t head[2] = { (uint16_t)code,
				   (uint16_t)(len > OPTION_LEN_MAX ? OPTION_LEN_MAX : len) };

	put_bytes(ng, head, sizeof(head));
	put_bytes(ng, data, head[1]);
}

static void begin_block(struct xl_pcapng *ng, enum block_type type)
{
	ng->len = 0;
	put_u32(ng, type);
	put_u32(ng, 0); /* total length, filled in by end_block() */
}

/* Adds the trailing length and writes the block. */
static int end_block(struct xl_pcapng *ng, struct xl_err *e)
{
	const uint32_t total = (uint32_t)ng->len + 4;

	put_u32(ng, total);
	if (ng->err)
		return fail(ng, ng->err, e);
	memcpy(ng->block + 4, &total, sizeof(total));
	errno = 0;
	if (fwrite(ng->block, 1, ng->len, ng->stream) != ng->len)
		return fail(ng, errno ? -errno : -EIO, e);
	return 0;
}

static int write_section_header(struct xl_pcapng *ng, const char *app, struct xl_err *e)
{
	const uint16_t version[2] = { 1, 0 };
	const uint64_t length = SECTION_LENGTH_UNKNOWN;

	begin_block(ng, BLOCK_SHB);
	put_u32(ng, BYTE_ORDER_MAGIC);
	put_bytes(ng, version, sizeof(version));
	put_bytes(ng, &length, sizeof(length));
	put_option(ng, OPT_SHB_USERAPPL, app, strlen(app));
	put_option(ng, OPT_END, NULL, 0);
	return end_block(ng, e);
}

static void destroy(struct xl_pcapng *ng)
{
	free(ng->block);
	free(ng->name);
	free(ng);
}

int xl_pcapng_create(const char *path, const char *app, struct xl_pcapng **out_ng, struct xl_err *e)
{
	const bool is_stdout = !strcmp(path, "-");
	struct xl_pcapng *ng = calloc(1, sizeof(*ng));
	int err;

	if (!ng)
		return xl_err_set(e, -ENOMEM, "%s: out of memory", path);
	ng->name = strdup(is_stdout ? "standard output" : path);
	if (!ng->name) {
		err = xl_err_set(e, -ENOMEM, "%s: out of memory", path);
		goto err_ng;
	}
	ng->stream = is_stdout ? fdopen(dup(STDOUT_FILENO), "w") : fopen(path, "we");
	if (!ng->stream) {
		err = xl_err_set(e, -errno, "%s: cannot create: %s", ng->name, strerror(errno));
		goto err_ng;
	}
	setvbuf(ng->stream, NULL, _IOFBF, STREAM_BUF_LEN);
	err = write_section_header(ng, app, e);
	if (err)
		goto err_stream;
	*out_ng = ng;
	return 0;
err_stream:
	fclose(ng->stream);
err_ng:
	destroy(ng);
	return err;
}

int xl_pcapng_interface(struct xl_pcapng *ng, const char *name, struct xl_err *e)
{
	const uint16_t link_type[2] = { LINKTYPE_ETHERNET, 0 };
	const uint8_t resolution = TSRESOL_NANO;
	int err;

	if (ng->err)
		return fail(ng, ng->err, e);
	begin_block(ng, BLOCK_IDB);
	put_bytes(ng, link_type, sizeof(link_type));
	put_u32(ng, 0); /* snap length: none */
	put_option(ng, OPT_IF_NAME, name, strlen(name));
	put_option(ng, OPT_IF_TSRESOL, &resolution, sizeof(resolution));
	put_option(ng, OPT_END, NULL, 0);
	err = end_block(ng, e);
	return err ? err : (int)ng->n_interfaces++;
}

static void put_packet_options(struct xl_pcapng *ng, const struct xl_pcapng_packet *p)
{
	uint8_t verdict[1 + sizeof(p->verdict)] = { VERDICT_LINUX_EBPF_XDP };

	if (p->comment)
		put_option(ng, OPT_COMMENT, p->comment, strlen(p->comment));
	put_option(ng, OPT_EPB_PACKETID, &p->packet_id, sizeof(p->packet_id));
	if (p->has_queue)
		put_option(ng, OPT_EPB_QUEUE, &p->queue, sizeof(p->queue));
	if (p->has_verdict) {
		memcpy(verdict + 1, &p->verdict, sizeof(p->verdict));
		put_option(ng, OPT_EPB_VERDICT, verdict, sizeof(verdict));
	}
	put_option(ng, OPT_END, NULL, 0);
}

int xl_pcapng_write(struct xl_pcapng *ng, const struct xl_pcapng_packet *p, struct xl_err *e)
{
	if (ng->err)
		return fail(ng, ng->err, e);
	if (p->interface >= ng->n_interfaces)
		return xl_err_set(e, -EINVAL, "%s: no interface %u", ng->name, p->interface);
	begin_block(ng, BLOCK_EPB);
	put_u32(ng, p->interface);
	put_u32(ng, (uint32_t)(p->time_ns >> 32));
	put_u32(ng, (uint32_t)p->time_ns);
	put_u32(ng, p->len); /* captured */
	put_u32(ng, p->len); /* original */
	put_bytes(ng, p->data, p->len);
	put_packet_options(ng, p);
	return end_block(ng, e);
}

int xl_pcapng_close(struct xl_pcapng *ng, struct xl_err *e)
{
	int err = 0;

	if (!ng)
		return 0;
	if (fclose(ng->stream) && !ng->err)
		ng->err = -errno;
	if (ng->err)
		err = fail(ng, ng->err, e);
	destroy(ng);
	return err;
}
