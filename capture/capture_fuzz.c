/* Fuzzes the capture reader: any bytes, read to the end or the damage. */
#include "capture/capture.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads each byte of each packet, so that ASan sees a packet that is longer than its buffer. */
static uint32_t read_all(struct xl_capture *cap)
{
	struct xl_packet packet;
	struct xl_err e = { 0 };
	uint32_t sum = 0;

	while (xl_capture_next(cap, &packet, &e) == 1)
		for (uint32_t i = 0; i < packet.len; i++)
			sum += packet.data[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int memfd = -1;
	struct xl_capture *cap;
	struct xl_err e = { 0 };
	uint32_t first;

	if (memfd < 0)
		memfd = memfd_create("capture", MFD_CLOEXEC);
	if (ftruncate(memfd, (off_t)size) || pwrite(memfd, data, size, 0) != (ssize_t)size)
		abort();
	lseek(memfd, 0, SEEK_SET);
	if (xl_capture_open_fd(dup(memfd), "fuzz", &cap, &e))
		return 0;
	first = read_all(cap);
	e = (struct xl_err){ 0 };
	/* A second reading finds the same. */
	if (xl_capture_rewind(cap, &e) || read_all(cap) != first)
		abort();
	xl_capture_close(cap);
	return 0;
}
