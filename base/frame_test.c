/* Claims about frames. */
#include "base/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_new_frame_has_headroom_and_the_kernels_tailroom(void **state)
{
	uint8_t buf[4096], packet[60] = { 1, 2, 3 };
	struct xl_frame f;

	assert_int_equal(xl_frame_buf_size(sizeof(packet)), sizeof(buf));
	xl_frame_init(&f, buf, sizeof(buf), packet, sizeof(packet));
	assert_int_equal(f.data - f.hard_start, XL_HEADROOM);
	assert_int_equal(xl_frame_linear_len(&f), sizeof(packet));
	assert_int_equal(xl_frame_meta_len(&f), 0);
	/* The kernel lets a frame grow to 3520 bytes of data (measured on 6.18). */
	assert_int_equal(f.hard_end - f.data, 3520);
	assert_memory_equal(f.data, packet, sizeof(packet));
}

static void reads_and_writes_cross_fragments_and_refuse_what_lies_outside(void **state)
{
	uint8_t buf[4096], a[10], b[5], out[35], packet[20], pattern[35];
	struct xl_frag frags[2] = { { a, 10, 10 }, { b, 5, 5 } };
	struct xl_frame f;

	for (int i = 0; i < 35; i++)
		pattern[i] = (uint8_t)i;
	memset(packet, 0, sizeof(packet));
	xl_frame_init(&f, buf, sizeof(buf), packet, sizeof(packet));
	f.frags = frags;
	f.n_frags = 2;
	assert_int_equal(xl_frame_len(&f), 35);
	assert_int_equal(xl_frame_write(&f, 0, pattern, 35), 0);
	assert_int_equal(a[0], 20);
	assert_int_equal(b[4], 34);
	for (uint32_t off = 0; off <= 35; off++)
		for (uint32_t len = 0; len <= 35 - off; len++) {
			assert_int_equal(xl_frame_read(&f, off, out, len), 0);
			assert_memory_equal(out, pattern + off, len);
		}
	assert_int_equal(xl_frame_read(&f, 0, out, 36), -EINVAL);
	assert_int_equal(xl_frame_read(&f, 36, out, 0), -EINVAL);
	assert_int_equal(xl_frame_read(&f, UINT32_MAX, out, 2), -EINVAL);
}

static void a_long_packet_goes_on_in_fragments_of_a_page(void **state)
{
	static uint8_t packet[XL_FRAGMENTED_MAX], out[XL_FRAGMENTED_MAX];
	static const uint32_t lens[] = {
		0, 60, XL_LINEAR_MAX, XL_LINEAR_MAX + 1, XL_LINEAR_MAX + 4096, 60000, sizeof(packet)
	};
	static const uint32_t n_frags[] = { 0, 0, 0, 1, 1, 14, XL_FRAGS_MAX };
	struct xl_frag frags[XL_FRAGS_MAX];
	struct xl_frame f;

	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		const size_t size = xl_frame_frags_buf_size(lens[i]);
		uint8_t *buf = malloc(size);

		assert_non_null(buf);
		xl_frame_init_frags(&f, buf, size, frags, packet, lens[i]);
		assert_int_equal(f.n_frags, n_frags[i]);
		assert_int_equal(f.hard_end - f.data, XL_LINEAR_MAX);
		assert_int_equal(xl_frame_len(&f), lens[i]);
		assert_int_equal(xl_frame_read(&f, 0, out, lens[i]), 0);
		assert_memory_equal(out, packet, lens[i]);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_frame_has_headroom_and_the_kernels_tailroom),
		cmocka_unit_test(a_long_packet_goes_on_in_fragments_of_a_page),
		cmocka_unit_test(reads_and_writes_cross_fragments_and_refuse_what_lies_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
