/* Claims about the context and the three pointers that a program moves; the figures are those
 * measured on kernel 6.18. helpers_kernel_test.c sweeps the same against the running kernel. */
#include "xdp-runtime/xdp_ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PACKET_LEN 54

static uint8_t buf[4096];

static struct xl_frame packet_of(uint32_t len)
{
	uint8_t packet[3520];
	struct xl_frame f;

	for (uint32_t i = 0; i < len; i++)
		packet[i] = (uint8_t)(i + 1);
	memset(buf, 0xee, sizeof(buf));
	xl_frame_init(&f, buf, sizeof(buf), packet, len);
	return f;
}

static void only_whole_fields_may_be_read(void **state)
{
	for (uint32_t off = 0; off < 40; off++)
		for (uint32_t size = 1; size <= 8; size *= 2)
			assert_int_equal(xl_xdp_ctx_valid(off, size, BPF_XDP_DEVMAP),
					 size == 4 && off % 4 == 0 && off < 24);
	assert_false(xl_xdp_ctx_valid(UINT32_MAX - 3, 4, BPF_XDP));
}

static void egress_ifindex_is_for_devmap_programs(void **state)
{
	const uint32_t off = offsetof(struct xdp_md, egress_ifindex);

	assert_true(xl_xdp_ctx_valid(off, 4, BPF_XDP_DEVMAP));
	assert_false(xl_xdp_ctx_valid(off, 4, BPF_XDP));
	assert_false(xl_xdp_ctx_valid(off, 4, BPF_XDP_CPUMAP));
	assert_false(xl_xdp_ctx_valid(off, 4, 0));
}

static void context_reads_give_whole_pointers_and_the_frames_numbers(void **state)
{
	struct xl_frame f = packet_of(PACKET_LEN);

	f.ifindex = 7;
	f.rx_queue = 3;
	f.egress_ifindex = 9;
	assert_int_equal(xl_xdp_adjust_meta(&f, -8), 0);
	assert_ptr_equal((void *)xl_xdp_ctx_read(&f, offsetof(struct xdp_md, data)), f.data);
	assert_ptr_equal((void *)xl_xdp_ctx_read(&f, offsetof(struct xdp_md, data_end)),
			 f.data_end);
	assert_ptr_equal((void *)xl_xdp_ctx_read(&f, offsetof(struct xdp_md, data_meta)),
			 f.data - 8);
	assert_int_equal(xl_xdp_ctx_read(&f, offsetof(struct xdp_md, ingress_ifindex)), 7);
	assert_int_equal(xl_xdp_ctx_read(&f, offsetof(struct xdp_md, rx_queue_index)), 3);
	assert_int_equal(xl_xdp_ctx_read(&f, offsetof(struct xdp_md, egress_ifindex)), 9);
}

static void head_goes_back_216_bytes_and_leaves_an_ethernet_header(void **state)
{
	struct xl_frame f = packet_of(PACKET_LEN);

	assert_int_equal(xl_xdp_adjust_head(&f, -217), -EINVAL);
	assert_int_equal(xl_xdp_adjust_head(&f, INT32_MIN), -EINVAL);
	assert_int_equal(xl_xdp_adjust_head(&f, INT32_MAX), -EINVAL);
	assert_int_equal(xl_xdp_adjust_head(&f, PACKET_LEN - 13), -EINVAL);
	assert_int_equal(xl_frame_linear_len(&f), PACKET_LEN);
	assert_int_equal(xl_xdp_adjust_head(&f, -216), 0);
	assert_int_equal(xl_frame_linear_len(&f), PACKET_LEN + 216);
	assert_int_equal(f.data[216], 1);
	assert_int_equal(xl_xdp_adjust_head(&f, 216 + PACKET_LEN - 14), 0);
	assert_int_equal(xl_frame_linear_len(&f), 14);
	assert_int_equal(f.data[0], PACKET_LEN - 14 + 1);
}

static void metadata_travels_with_the_head_and_takes_its_room(void **state)
{
	struct xl_frame f = packet_of(PACKET_LEN);

	assert_int_equal(xl_xdp_adjust_meta(&f, -8), 0);
	memcpy(f.data_meta, "metadata", 8);
	assert_int_equal(xl_xdp_adjust_head(&f, -209), -EINVAL);
	assert_int_equal(xl_xdp_adjust_head(&f, -208), 0);
	assert_int_equal(xl_frame_meta_len(&f), 8);
	assert_memory_equal(f.data_meta, "metadata", 8);
	assert_int_equal(xl_xdp_adjust_head(&f, 4), 0);
	assert_memory_equal(f.data_meta, "metadata", 8);
}

static void metadata_comes_in_words_up_to_252_bytes(void **state)
{
	struct xl_frame f = packet_of(1000);

	assert_int_equal(xl_xdp_adjust_meta(&f, 4), -EINVAL);
	assert_int_equal(xl_xdp_adjust_meta(&f, -3), -EACCES);
	assert_int_equal(xl_xdp_adjust_meta(&f, -220), -EINVAL);
	assert_int_equal(xl_xdp_adjust_meta(&f, -216), 0);
	assert_int_equal(xl_xdp_adjust_meta(&f, 216), 0);
	assert_int_equal(xl_xdp_adjust_head(&f, 100), 0);
	assert_int_equal(xl_xdp_adjust_meta(&f, -256), -EACCES);
	assert_int_equal(xl_xdp_adjust_meta(&f, -252), 0);
	assert_int_equal(xl_xdp_adjust_meta(&f, -4), -EACCES);
	assert_int_equal(xl_frame_meta_len(&f), 252);
}

static void tail_grows_to_3520_bytes_of_zeroes_and_shrinks_to_14(void **state)
{
	struct xl_frame f = packet_of(PACKET_LEN);

	assert_int_equal(xl_xdp_adjust_tail(&f, 3520 - PACKET_LEN + 1), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, INT32_MAX), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, INT32_MIN), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, 3520 - PACKET_LEN), 0);
	for (uint32_t i = PACKET_LEN; i < 3520; i++)
		assert_int_equal(f.data[i], 0);
	assert_int_equal(xl_xdp_adjust_tail(&f, -3520 + 13), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, -3520 + 14), 0);
	assert_int_equal(xl_frame_linear_len(&f), 14);
}

static void tail_takes_fragments_away_before_the_linear_part(void **state)
{
	uint8_t a[100], b[100];
	struct xl_frag frags[2] = { { a, 100, 100 }, { b, 50, 100 } };
	struct xl_frame f = packet_of(200);

	f.frags = frags;
	f.n_frags = 2;
	memset(b, 0xff, sizeof(b));
	assert_int_equal(xl_xdp_adjust_tail(&f, 51), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, 50), 0);
	assert_int_equal(xl_frame_len(&f), 400);
	assert_int_equal(b[50], 0);
	assert_int_equal(b[99], 0);
	assert_int_equal(xl_xdp_adjust_tail(&f, -387), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, INT32_MIN), 0);
	assert_int_equal(xl_frame_len(&f), 400);
	assert_int_equal(xl_xdp_adjust_tail(&f, INT32_MIN + 1), -EINVAL);
	assert_int_equal(xl_xdp_adjust_tail(&f, -40), 0);
	assert_int_equal(frags[1].len, 60);
	assert_int_equal(xl_xdp_adjust_tail(&f, -60), 0);
	assert_int_equal(f.n_frags, 1);
	assert_int_equal(xl_xdp_adjust_tail(&f, -110), 0);
	assert_int_equal(f.n_frags, 0);
	assert_int_equal(xl_frame_linear_len(&f), 190);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_fields_may_be_read),
		cmocka_unit_test(egress_ifindex_is_for_devmap_programs),
		cmocka_unit_test(context_reads_give_whole_pointers_and_the_frames_numbers),
		cmocka_unit_test(head_goes_back_216_bytes_and_leaves_an_ethernet_header),
		cmocka_unit_test(metadata_travels_with_the_head_and_takes_its_room),
		cmocka_unit_test(metadata_comes_in_words_up_to_252_bytes),
		cmocka_unit_test(tail_grows_to_3520_bytes_of_zeroes_and_shrinks_to_14),
		cmocka_unit_test(tail_takes_fragments_away_before_the_linear_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
