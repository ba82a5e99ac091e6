/* Claims about reading captures. */
#include "capture/capture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO  0xa1b23c4du

struct bytes {
	uint8_t data[4096];
	size_t len;
};

static void put(struct bytes *b, const void *data, size_t len)
{
	assert_true(b->len + len <= sizeof(b->data));
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void put_header(struct bytes *b, uint32_t magic, uint32_t link_type)
{
	const uint32_t words[6] = { magic, 2 | 4 << 16, 0, 0, 65535, link_type };

	put(b, words, sizeof(words));
}

static void put_packet(struct bytes *b, uint32_t sec, uint32_t frac, uint32_t len, uint32_t wire)
{
	const uint32_t words[4] = { sec, frac, len, wire };
	uint8_t data[256];

	memset(data, (int)len, sizeof(data));
	put(b, words, sizeof(words));
	put(b, data, len);
}

static int memfd_of(const struct bytes *b)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_int_equal(write(fd, b->data, b->len), b->len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct xl_capture *open_bytes(const struct bytes *b)
{
	struct xl_capture *cap;
	struct xl_err e = { 0 };

	if (xl_capture_open_fd(memfd_of(b), "in.pcap", &cap, &e))
		fail_msg("%s", e.text);
	return cap;
}

static void times_are_in_nanoseconds_whatever_the_file_has(void **state)
{
	const struct {
		uint32_t magic, frac;
		uint64_t ns;
	} rows[] = { { MAGIC_MICRO, 123456, 123456000 }, { MAGIC_NANO, 123456789, 123456789 } };

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = { .len = 0 };
		struct xl_packet p;
		struct xl_capture *cap;

		put_header(&b, rows[i].magic, 1);
		put_packet(&b, 1700000000, rows[i].frac, 60, 60);
		put_packet(&b, 4000000000u, 0, 60, 60); /* after 2038 */
		cap = open_bytes(&b);
		assert_int_equal(xl_capture_next(cap, &p, NULL), 1);
		assert_int_equal(p.time_ns, UINT64_C(1700000000000000000) + rows[i].ns);
		assert_int_equal(xl_capture_next(cap, &p, NULL), 1);
		assert_int_equal(p.time_ns, UINT64_C(4000000000000000000));
		assert_int_equal(xl_capture_next(cap, &p, NULL), 0);
		xl_capture_close(cap);
	}
}

static void a_snapped_packet_tells_both_lengths(void **state)
{
	struct bytes b = { .len = 0 };
	struct xl_capture *cap;
	struct xl_packet p;

	put_header(&b, MAGIC_MICRO, 1);
	put_packet(&b, 1, 2, 96, 1514);
	cap = open_bytes(&b);
	assert_int_equal(xl_capture_next(cap, &p, NULL), 1);
	assert_int_equal(p.len, 96);
	assert_int_equal(p.wire_len, 1514);
	assert_int_equal(p.data[95], 96);
	xl_capture_close(cap);
}

static void packets_before_the_damage_come_out_and_the_place_is_named(void **state)
{
	struct bytes b = { .len = 0 };
	struct xl_err e = { 0 };
	struct xl_capture *cap;
	struct xl_packet p;

	put_header(&b, MAGIC_MICRO, 1);
	put_packet(&b, 1, 0, 60, 60);
	put_packet(&b, 2, 0, 61, 61);
	put_packet(&b, 3, 0, 62, 62);
	b.len -= 7;
	cap = open_bytes(&b);
	assert_int_equal(xl_capture_next(cap, &p, &e), 1);
	assert_int_equal(xl_capture_next(cap, &p, &e), 1);
	assert_int_equal(xl_capture_next(cap, &p, &e), -EINVAL);
	assert_string_equal(e.text,
			    "in.pcap: cannot read on after packet 2, at byte 177: truncated dump "
			    "file; tried to read 62 captured bytes, only got 55");
	/* The end of it. */
	assert_int_equal(xl_capture_next(cap, &p, &e), 0);
	xl_capture_close(cap);
}

static void what_is_no_ethernet_capture_is_refused_in_words(void **state)
{
	const struct {
		uint32_t magic, link_type;
		size_t len;
		const char *text;
	} rows[] = {
		{ 0x464c457f, 1, 24, "in.pcap: not a pcap or pcapng file: unknown file format" },
		{ MAGIC_MICRO, 1, 0, "in.pcap: is empty: not a pcap or pcapng file" },
		{ MAGIC_MICRO, 1, 3, "in.pcap: not a pcap or pcapng file: truncated dump file; " },
		{ MAGIC_MICRO, 113, 24, "in.pcap: link type LINUX_SLL (113) is not Ethernet" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = { .len = 0 };
		struct xl_err e = { 0 };
		struct xl_capture *cap = NULL;

		put_header(&b, rows[i].magic, rows[i].link_type);
		b.len = rows[i].len;
		assert_int_equal(xl_capture_open_fd(memfd_of(&b), "in.pcap", &cap, &e), -EINVAL);
		assert_null(cap);
		assert_memory_equal(e.text, rows[i].text, strlen(rows[i].text));
	}
}

static void a_missing_file_is_the_systems_error(void **state)
{
	struct xl_capture *cap;
	struct xl_err e = { 0 };

	assert_int_equal(xl_capture_open("/nonexistent/in.pcap", &cap, &e), -ENOENT);
	assert_string_equal(e.text, "/nonexistent/in.pcap: cannot open: No such file or directory");
	e = (struct xl_err){ 0 };
	assert_int_equal(xl_capture_open("/", &cap, &e), -EISDIR);
}

static void a_file_can_be_read_again(void **state)
{
	struct bytes b = { .len = 0 };
	struct xl_capture *cap;
	struct xl_packet p;
	uint64_t done, size;

	put_header(&b, MAGIC_NANO, 1);
	put_packet(&b, 1, 0, 60, 60);
	put_packet(&b, 2, 0, 61, 61);
	cap = open_bytes(&b);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(xl_capture_next(cap, &p, NULL), 1);
		assert_int_equal(p.len, 60);
		xl_capture_progress(cap, &done, &size);
		assert_int_equal(done, 24 + 16 + 60);
		assert_int_equal(size, b.len);
		assert_int_equal(xl_capture_next(cap, &p, NULL), 1);
		assert_int_equal(xl_capture_next(cap, &p, NULL), 0);
		assert_int_equal(xl_capture_rewind(cap, NULL), 0);
	}
	xl_capture_close(cap);
}

static void a_pipe_is_counted_but_cannot_be_read_again(void **state)
{
	struct bytes b = { .len = 0 };
	struct xl_err e = { 0 };
	struct xl_capture *cap;
	struct xl_packet p;
	uint64_t done, size;
	int fds[2];

	put_header(&b, MAGIC_NANO, 1);
	put_packet(&b, 1, 0, 60, 60);
	put_packet(&b, 2, 0, 61, 61);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], b.data, b.len - 3), b.len - 3);
	close(fds[1]);
	assert_int_equal(xl_capture_open_fd(fds[0], "pipe", &cap, &e), 0);
	assert_int_equal(xl_capture_next(cap, &p, &e), 1);
	xl_capture_progress(cap, &done, &size);
	assert_int_equal(done, 24 + 16 + 60);
	assert_int_equal(size, 0);
	assert_int_equal(xl_capture_rewind(cap, &e), -ESPIPE);
	e = (struct xl_err){ 0 };
	assert_int_equal(xl_capture_next(cap, &p, &e), -EINVAL);
	assert_non_null(strstr(e.text, "after packet 1, at byte 100: "));
	xl_capture_close(cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_in_nanoseconds_whatever_the_file_has),
		cmocka_unit_test(a_snapped_packet_tells_both_lengths),
		cmocka_unit_test(packets_before_the_damage_come_out_and_the_place_is_named),
		cmocka_unit_test(what_is_no_ethernet_capture_is_refused_in_words),
		cmocka_unit_test(a_missing_file_is_the_systems_error),
		cmocka_unit_test(a_file_can_be_read_again),
		cmocka_unit_test(a_pipe_is_counted_but_cannot_be_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
