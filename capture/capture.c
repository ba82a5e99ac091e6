/* Reading captures with libpcap; see capture.h.
 *
 * libpcap reads from a stdio stream, and says where it stands only through that stream. So that
 * a pipe can be counted too, the stream is one of our own over a file descriptor: ftello() on it
 * is the number of bytes that libpcap has consumed, for files and pipes alike.
 *
 * Source: pcap_fopen_offline(3pcap), fopencookie(3).
 */
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/dlt.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NSEC_PER_SEC   UINT64_C(1000000000)
#define STREAM_BUF_LEN (256 << 10) /* chosen: few system calls, still in the L2 cache */

struct xl_capture {
	int fd;
	off64_t n_read; /* bytes that the stream took from fd */
	int read_err;	/* -errno of a failed read(2) */
	FILE *stream;	/* closed by pcap_close() */
	pcap_t *pcap;	/* NULL while nothing is open */
	uint64_t n_packets;
	uint64_t size; /* of the file, 0 if unknown */
	bool can_rewind;
	bool is_damaged; /* what follows damage means nothing */
	char *name;	 /* as given, "standard input" for "-" */
};

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	struct xl_capture *cap = cookie;
	ssize_t n;

	do
		n = read(cap->fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		cap->read_err = -errno;
	else
		cap->n_read += n;
	return n;
}

/* Only tells where the stream is; the stream itself accounts for what it has buffered. */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
	struct xl_capture *cap = cookie;

	if (whence != SEEK_CUR || *offset != 0) {
		errno = ESPIPE;
		return -1;
	}
	*offset = cap->n_read;
	return 0;
}

static uint64_t position(const struct xl_capture *cap)
{
	off_t at = cap->stream ? ftello(cap->stream) : 0;

	return at < 0 ? (uint64_t)cap->n_read : (uint64_t)at;
}

static int check_link_type(struct xl_capture *cap, struct xl_err *e)
{
	const int type = pcap_datalink(cap->pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	return xl_err_set(e, -EINVAL,
			  "%s: link type %s (%d) is not Ethernet, which is what XDP programs get; "
			  "capture on one Ethernet interface, not on 'any'",
			  cap->name, name ? name : "?", type);
}

/* Opens libpcap's view of fd from its current position. */
static int start(struct xl_capture *cap, struct xl_err *e)
{
	const cookie_io_functions_t io = { .read = stream_read, .seek = stream_seek };
	char text[PCAP_ERRBUF_SIZE] = "";

	cap->n_read = 0;
	cap->n_packets = 0;
	cap->read_err = 0;
	cap->is_damaged = false;
	cap->stream = fopencookie(cap, "r", io);
	if (!cap->stream)
		return xl_err_set(e, -ENOMEM, "%s: out of memory", cap->name);
	setvbuf(cap->stream, NULL, _IOFBF, STREAM_BUF_LEN);
	cap->pcap = pcap_fopen_offline_with_tstamp_precision(cap->stream,
							     PCAP_TSTAMP_PRECISION_NANO, text);
	if (cap->pcap)
		return check_link_type(cap, e);
	fclose(cap->stream);
	cap->stream = NULL;
	if (cap->read_err)
		return xl_err_set(e, cap->read_err, "%s: cannot read: %s", cap->name,
				  strerror(-cap->read_err));
	if (!cap->n_read)
		return xl_err_set(e, -EINVAL, "%s: is empty: not a pcap or pcapng file", cap->name);
	return xl_err_set(e, -EINVAL, "%s: not a pcap or pcapng file: %s", cap->name, text);
}

static void stop(struct xl_capture *cap)
{
	if (cap->pcap)
		pcap_close(cap->pcap); /* closes the stream too */
	cap->pcap = NULL;
	cap->stream = NULL;
}

int xl_capture_open_fd(int fd, const char *name, struct xl_capture **out_cap, struct xl_err *e)
{
	struct xl_capture *cap = calloc(1, sizeof(*cap));
	struct stat st;
	int err = -ENOMEM;

	if (cap)
		cap->name = strdup(name);
	if (!cap || !cap->name) {
		xl_err_set(e, err, "%s: out of memory", name);
		close(fd);
		goto err_cap;
	}
	cap->fd = fd;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		cap->size = (uint64_t)st.st_size;
		/* Standard input may be a file that somebody has read a part of. */
		cap->can_rewind = lseek(fd, 0, SEEK_CUR) == 0;
	}
	err = start(cap, e);
	if (err) {
		xl_capture_close(cap);
		return err;
	}
	*out_cap = cap;
	return 0;
err_cap:
	free(cap);
	return err;
}

int xl_capture_open(const char *path, struct xl_capture **out_cap, struct xl_err *e)
{
	const bool is_stdin = !strcmp(path, "-");
	const int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				: open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return xl_err_set(e, -errno, "%s: cannot open: %s", path, strerror(errno));
	return xl_capture_open_fd(fd, is_stdin ? "standard input" : path, out_cap, e);
}

/* Classic pcap has 32-bit seconds, unsigned by its definition; libpcap gives them signed. */
static uint64_t time_ns_of(const struct timeval *ts)
{
	uint64_t sec = (uint64_t)ts->tv_sec, ns;

	if (ts->tv_sec < 0)
		sec = (uint32_t)ts->tv_sec;
	ns = ts->tv_usec < 0 ? 0 : (uint64_t)ts->tv_usec; /* nanoseconds, as asked for */
	if (sec > (UINT64_MAX - ns) / NSEC_PER_SEC)
		return UINT64_MAX;
	return sec * NSEC_PER_SEC + ns;
}

int xl_capture_next(struct xl_capture *cap, struct xl_packet *out_packet, struct xl_err *e)
{
	const uint64_t before = position(cap);
	struct pcap_pkthdr *header;
	const u_char *data;
	int ret = PCAP_ERROR_BREAK;

	if (cap->pcap && !cap->is_damaged)
		ret = pcap_next_ex(cap->pcap, &header, &data);
	if (ret == 1) {
		cap->n_packets++;
		*out_packet = (struct xl_packet){
			.time_ns = time_ns_of(&header->ts),
			.data = data,
			.len = header->caplen,
			.wire_len = header->len > header->caplen ? header->len : header->caplen,
		};
		return 1;
	}
	if (ret == PCAP_ERROR_BREAK && !cap->read_err)
		return 0;
	cap->is_damaged = true;
	if (cap->read_err)
		return xl_err_set(e, cap->read_err, "%s: cannot read on after packet %ju: %s",
				  cap->name, (uintmax_t)cap->n_packets, strerror(-cap->read_err));
	return xl_err_set(e, -EINVAL, "%s: cannot read on after packet %ju, at byte %ju: %s",
			  cap->name, (uintmax_t)cap->n_packets, (uintmax_t)before,
			  pcap_geterr(cap->pcap));
}

int xl_capture_rewind(struct xl_capture *cap, struct xl_err *e)
{
	if (!cap->can_rewind || lseek(cap->fd, 0, SEEK_SET) < 0)
		return xl_err_set(e, -ESPIPE, "%s: cannot be read twice, it is not a file",
				  cap->name);
	stop(cap);
	return start(cap, e);
}

void xl_capture_progress(const struct xl_capture *cap, uint64_t *out_done, uint64_t *out_size)
{
	*out_done = position(cap);
	*out_size = cap->size;
}

void xl_capture_close(struct xl_capture *cap)
{
	if (!cap)
		return;
	stop(cap);
	close(cap->fd);
	free(cap->name);
	free(cap);
}
