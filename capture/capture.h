/* Capture files: pcap and pcapng in (libpcap), pcapng with verdicts out (ours).
 *
 * Source: draft-ietf-opsawg-pcapng; epb_verdict type 2 is a Linux eBPF XDP verdict.
 */
#ifndef XL_CAPTURE_CAPTURE_H
#define XL_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct xl_capture;

struct xl_packet {
	uint64_t time_ns;    /* since the epoch */
	const uint8_t *data; /* borrowed until the next read */
	uint32_t len;	     /* bytes captured */
	uint32_t wire_len;   /* bytes that were on the wire; > len: cut by the snap length */
};

/* Opens a file, or stdin for "-". Ethernet only.
 * Errors    -ENOENT, -EACCES…; -EINVAL: no capture file, or another link type (named in @e). */
int xl_capture_open(const char *path, struct xl_capture **out_cap, struct xl_err *e);
/* Likewise for an open file, pipe or memfd; takes @fd, also on error. @name is for messages. */
int xl_capture_open_fd(int fd, const char *name, struct xl_capture **out_cap, struct xl_err *e);
/* Returns 1 with the next packet, 0 at the end, -errno with @e for a damaged file: the packets
 * before the damage have been returned, and @e says after which packet and at which byte. */
int xl_capture_next(struct xl_capture *cap, struct xl_packet *out_packet, struct xl_err *e);
/* Back to the first packet (--loop). -ESPIPE for what cannot be read twice. */
int xl_capture_rewind(struct xl_capture *cap, struct xl_err *e);
/* Bytes read so far and size of the file, for progress; size 0 if unknown (a pipe). */
void xl_capture_progress(const struct xl_capture *cap, uint64_t *out_done, uint64_t *out_size);
void xl_capture_close(struct xl_capture *cap);

struct xl_pcapng;

/* Creates (truncates) a file, or stdout for "-", and writes the section header.
 * @app      e.g. "xdpland 0.1.0"; goes into shb_userappl */
int xl_pcapng_create(const char *path, const char *app, struct xl_pcapng **out_ng,
		     struct xl_err *e);
/* Adds an interface; returns its id, >= 0, or -errno. ns resolution, Ethernet. */
int xl_pcapng_interface(struct xl_pcapng *ng, const char *name, struct xl_err *e);

struct xl_pcapng_packet {
	uint32_t interface; /* from xl_pcapng_interface() */
	uint64_t time_ns;
	const uint8_t *data;
	uint32_t len;
	uint64_t packet_id; /* epb_packetid; joins in and out */
	bool has_verdict;
	uint64_t verdict; /* enum xdp_action */
	bool has_queue;
	uint32_t queue;
	const char *comment; /* or NULL */
};
int xl_pcapng_write(struct xl_pcapng *ng, const struct xl_pcapng_packet *p, struct xl_err *e);
/* Flushes and closes; the file is whole only if this returns 0. */
int xl_pcapng_close(struct xl_pcapng *ng, struct xl_err *e);

#endif
