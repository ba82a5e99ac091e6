/* Claims about writing pcapng: libpcap reads it back; what libpcap drops is checked byte by byte. */
#include "capture/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/xl-pcapng-XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	return unlink(path);
}

static const uint8_t packet[61] = { 0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45 };

static void write_two(struct xl_pcapng *ng, struct xl_err *e)
{
	struct xl_pcapng_packet p = {
		.time_ns = UINT64_C(1700000000123456789),
		.data = packet,
		.len = sizeof(packet),
		.packet_id = 7,
		.has_verdict = true,
		.verdict = 3,
		.has_queue = true,
		.queue = 2,
		.comment = "insn 1: bad",
	};

	assert_int_equal(xl_pcapng_interface(ng, "tx", e), 0);
	assert_int_equal(xl_pcapng_write(ng, &p, e), 0);
	assert_int_equal(xl_pcapng_interface(ng, "redirect:4", e), 1);
	p.interface = 1;
	p.time_ns += 1;
	p.len = 60;
	p.comment = NULL;
	assert_int_equal(xl_pcapng_write(ng, &p, e), 0);
}

static void what_is_written_reads_back(void **state)
{
	struct xl_err e = { 0 };
	struct xl_pcapng *ng;
	struct xl_capture *cap;
	struct xl_packet p;

	assert_int_equal(xl_pcapng_create(path, "xdpland test", &ng, &e), 0);
	write_two(ng, &e);
	assert_int_equal(xl_pcapng_close(ng, &e), 0);
	assert_int_equal(xl_capture_open(path, &cap, &e), 0);
	assert_int_equal(xl_capture_next(cap, &p, &e), 1);
	assert_int_equal(p.time_ns, UINT64_C(1700000000123456789));
	assert_int_equal(p.len, sizeof(packet));
	assert_memory_equal(p.data, packet, sizeof(packet));
	assert_int_equal(xl_capture_next(cap, &p, &e), 1);
	assert_int_equal(p.time_ns, UINT64_C(1700000000123456790));
	assert_int_equal(p.len, 60);
	assert_int_equal(xl_capture_next(cap, &p, &e), 0);
	xl_capture_close(cap);
}

/* The options of the first packet block, as the draft's figures lay them out. */
static void options_have_the_drafts_layout(void **state)
{
	static const uint8_t options[] = {
		1, 0, 11, 0, 'i', 'n', 's', 'n', ' ', '1', ':', ' ', 'b', 'a', 'd', 0, /* comment */
		5, 0, 8,  0, 7,	  0,   0,   0,	 0,   0,   0,	0, /* packetid */
		6, 0, 4,  0, 2,	  0,   0,   0,			   /* queue */
		7, 0, 9,  0, 2,	  3,   0,   0,	 0,   0,   0,	0,   0,	  0,   0,   0, /* verdict */
		0, 0, 0,  0,							       /* end */
	};
	uint8_t file[1024];
	struct xl_err e = { 0 };
	struct xl_pcapng *ng;
	FILE *stream;
	size_t len;

	assert_int_equal(xl_pcapng_create(path, "xdpland test", &ng, &e), 0);
	write_two(ng, &e);
	assert_int_equal(xl_pcapng_close(ng, &e), 0);
	stream = fopen(path, "re");
	len = fread(file, 1, sizeof(file), stream);
	fclose(stream);
	assert_int_equal(len % 4, 0);
	assert_non_null(memmem(file, len, options, sizeof(options)));
	assert_non_null(memmem(file, len, "\x02\x00\x0a\x00redirect:4", 14));
}

static void a_full_disk_is_noticed(void **state)
{
	struct xl_err e = { 0 };
	struct xl_pcapng *ng;
	struct xl_pcapng_packet p = { .data = packet, .len = sizeof(packet) };
	int err = 0;

	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(xl_pcapng_create("/dev/full", "xdpland test", &ng, &e), 0);
	assert_int_equal(xl_pcapng_interface(ng, "pass", &e), 0);
	for (int i = 0; i < 10000 && !err; i++)
		err = xl_pcapng_write(ng, &p, &e);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(xl_pcapng_close(ng, &e), -ENOSPC);
	assert_string_equal(e.text, "/dev/full: cannot write: No space left on device");

	e = (struct xl_err){ 0 };
	assert_int_equal(xl_pcapng_create("/dev/full", "xdpland test", &ng, &e), 0);
	assert_int_equal(xl_pcapng_close(ng, &e), -ENOSPC);
}

static void an_unknown_interface_is_refused(void **state)
{
	struct xl_err e = { 0 };
	struct xl_pcapng *ng;
	struct xl_pcapng_packet p = { .data = packet, .len = sizeof(packet) };

	assert_int_equal(xl_pcapng_create(path, "xdpland test", &ng, &e), 0);
	assert_int_equal(xl_pcapng_write(ng, &p, &e), -EINVAL);
	assert_int_equal(xl_pcapng_close(ng, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(options_have_the_drafts_layout),
		cmocka_unit_test(a_full_disk_is_noticed),
		cmocka_unit_test(an_unknown_interface_is_refused),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
