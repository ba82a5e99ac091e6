/* Claims about helpers, decided by the running kernel: same r0, same memory, same packet. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/helpers/helper_calls_test.h"

static struct xt_state in;

static void fill_io(void)
{
	for (uint32_t i = 0; i < XT_IO_SIZE; i += 4) {
		const uint32_t r = xt_random();

		memcpy(in.io + i, &r, 4);
	}
}

/* Lengths at the edges of everything: Ethernet header, linear part, one and more fragments. */
static const uint32_t lens[] = { 14,   15,   16,   54,	 60,   64,   127,  128,	 1000, 1500,
				 2048, 3000, 3519, 3520, 3521, 4000, 7616, 7617, 9000, 12000 };
#define N_LENS (sizeof(lens) / sizeof(lens[0]))

static int32_t interesting_delta(uint32_t len)
{
	static const int32_t fixed[] = { 0,	1,    -1,    3,		-3,	   4,
					 -4,	8,    -8,    14,	-14,	   40,
					 -40,	216,  -216,  217,	-217,	   220,
					 -220,	252,  -252,  256,	-256,	   3520,
					 -3520, 4096, -4096, INT32_MAX, INT32_MIN, INT32_MIN + 1 };
	const uint32_t r = xt_random();

	switch (r % 4) {
	case 0:
		return fixed[xt_random() % (sizeof(fixed) / sizeof(fixed[0]))];
	case 1: /* around what leaves an Ethernet header */
		return (r & 64 ? 1 : -1) * ((int32_t)len - 14 + (int32_t)(xt_random() % 5) - 2);
	case 2: /* around what fills the linear part or the last page */
		return (int32_t)((len <= 3520 ? 3520 : 3520 + 4096) - len + xt_random() % 5) - 2;
	}
	return (int32_t)(xt_random() % 600) - 300;
}

static void adjust_head_meta_and_tail_in_any_order(void **state)
{
	static const int32_t funcs[] = { BPF_FUNC_xdp_adjust_head, BPF_FUNC_xdp_adjust_meta,
					 BPF_FUNC_xdp_adjust_tail };
	struct xt_call calls[XT_CALLS_MAX];
	struct xt_env env = { 0 };

	memset(&in, 0, sizeof(in));
	for (int round = 0; round < 600; round++) {
		const uint32_t len = lens[xt_random() % N_LENS], n = 1 + xt_random() % 8;

		xt_packet(&in, len);
		for (uint32_t i = 0; i < n; i++) {
			int32_t delta = interesting_delta(len);

			if (xt_random() % 2)
				delta &= ~3;
			calls[2 * i] =
				(struct xt_call){ funcs[xt_random() % 3], { CTX, IMM(delta) } };
			calls[2 * i + 1] = (struct xt_call){ BPF_FUNC_xdp_get_buff_len, { CTX } };
		}
		xt_compare(&env, calls, 2 * n, &in);
	}
}

static void csum_diff_of_any_two_buffers(void **state)
{
	static const uint32_t sizes[] = {
		0, 4, 8, 12, 16, 20, 64, 508, 512, 516, 1, 2, 3, 6, 1024
	};
	struct xt_env env = { 0 };

	xt_packet(&in, 64);
	for (int round = 0; round < 500; round++) {
		struct xt_call calls[8];

		fill_io();
		if (round % 4 == 1)
			memset(in.io, 0xff, 1024);
		else if (round % 4 == 2)
			memset(in.io, 0, 3072);
		for (int i = 0; i < 8; i++) {
			uint32_t from = sizes[xt_random() % 15], to = sizes[xt_random() % 15];
			static const uint32_t seeds[] = { 0, 1, 0xffff, 0x10000, UINT32_MAX };
			const uint32_t seed =
				xt_random() % 2 ? seeds[xt_random() % 5] : xt_random();

			calls[i] =
				(struct xt_call){ BPF_FUNC_csum_diff,
						  { from ? IO(xt_random() % 64) : IMM(0), IMM(from),
						    to ? IO(1500 + xt_random() % 64) : IMM(0),
						    IMM(to), IMM(seed) } };
		}
		xt_compare(&env, calls, 8, &in);
	}
}

static void load_and_store_bytes_anywhere(void **state)
{
	struct xt_env env = { 0 };

	for (uint32_t l = 0; l < N_LENS; l++) {
		for (int round = 0; round < 12; round++) {
			struct xt_call calls[8];

			fill_io();
			xt_packet(&in, lens[l]);
			for (int i = 0; i < 8; i++) {
				static const uint32_t far[] = { 0xffff, 0x10000, UINT32_MAX,
								0x8000 };
				const uint32_t size = 1 + xt_random() % 512;
				const uint32_t off =
					i == 7 ? far[xt_random() % 4] : xt_random() % (lens[l] + 8);

				calls[i] = (struct xt_call){
					xt_random() % 2 ? BPF_FUNC_xdp_load_bytes
							: BPF_FUNC_xdp_store_bytes,
					{ CTX, IMM(off), IO(xt_random() % 3000), IMM(size) }
				};
			}
			xt_compare(&env, calls, 8, &in);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adjust_head_meta_and_tail_in_any_order),
		cmocka_unit_test(csum_diff_of_any_two_buffers),
		cmocka_unit_test(load_and_store_bytes_anywhere),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr,
			"helpers_kernel_test: skipped: no permission to load XDP programs\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
