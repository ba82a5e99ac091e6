/* Claims about SYN cookies, decided by the running kernel. Its secret is its own, so what is
 * compared is what a cookie is for: the MSS that comes with it, errors, and that an ACK which answers
 * it is taken, by the side that made it and by nobody else. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/kernel_bpf.h"
#include "xdp-runtime/helpers/helper_calls_test.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/runtime.h"

#define IP_AT  0
#define TCP_AT 64
#define ROUNDS 300

static const int32_t gen_of[] = { BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
				  BPF_FUNC_tcp_raw_gen_syncookie_ipv6 };
static const int32_t check_of[] = { BPF_FUNC_tcp_raw_check_syncookie_ipv4,
				    BPF_FUNC_tcp_raw_check_syncookie_ipv6 };

static struct xt_state in, out;
static struct xt_env env;

/* Headers of any bytes. */
static void random_headers(void)
{
	memset(&in, 0, sizeof(in));
	xt_packet(&in, 64);
	for (uint32_t i = 0; i < 128; i++)
		in.io[i] = (uint8_t)xt_random();
}

/* Options as programs meet them, and broken ones. */
static void draw_options(uint8_t *options)
{
	static const uint8_t some[][4] = { { 2, 4, 5, 180 }, { 2, 4, 2, 0 },  { 2, 4, 0, 0 },
					   { 2, 4, 35, 0 },  { 1, 1, 1, 1 },  { 4, 2, 1, 1 },
					   { 0, 2, 4, 5 },   { 2, 3, 5, 5 },  { 3, 3, 7, 1 },
					   { 2, 40, 1, 1 },  { 8, 1, 1, 1 },  { 1, 2, 4, 5 },
					   { 2, 4, 4, 196 }, { 2, 4, 5, 140 } };

	for (uint32_t i = 0; i < 10; i++)
		memcpy(options + 4 * (size_t)i, some[xt_random() % 14], 4);
}

static uint64_t call(bool ours, int32_t func, uint32_t th_len)
{
	const struct xt_call c = { func, { IO(IP_AT), IO(TCP_AT), IMM(th_len) } };

	if (ours)
		xt_run_ours(&env, &c, 1, &in, &out);
	else
		assert_true(xt_run_kernel(&env, &c, 1, &in, &out));
	return out.r0[0];
}

static void lengths_and_options_give_the_mss_or_the_error_that_the_kernel_gives(void **state)
{
	static const uint32_t lens[] = { 0, 12, 19, 20, 21, 24, 28, 40, 60, 64 };

	for (int round = 0; round < ROUNDS; round++) {
		const int32_t func = gen_of[round % 2];
		const uint32_t len = lens[xt_random() % 10];
		uint64_t kernel, ours;

		random_headers();
		draw_options(in.io + TCP_AT + 20);
		if (round % 8)
			in.io[TCP_AT + 12] = (uint8_t)(len / 4 << 4);
		kernel = call(false, func, len);
		ours = call(true, func, len);
		if ((int64_t)kernel < 0)
			assert_int_equal(ours, kernel);
		else
			assert_int_equal(ours >> 32, kernel >> 32);
	}
}

/* Makes of the SYN in the headers the ACK that answers @cookie. */
static void make_ack(uint32_t cookie)
{
	uint32_t seq, word;

	memcpy(&seq, in.io + TCP_AT + 4, 4);
	word = htonl(ntohl(seq) + 1);
	memcpy(in.io + TCP_AT + 4, &word, 4);
	word = htonl(cookie + 1);
	memcpy(in.io + TCP_AT + 8, &word, 4);
	in.io[TCP_AT + 13] = 0x10;
}

static void what_a_side_made_it_takes_and_the_other_one_does_not(void **state)
{
	for (int round = 0; round < 40; round++) {
		const bool ours = round / 2 % 2;
		uint64_t cookie;

		random_headers();
		in.io[TCP_AT + 12] = 5 << 4;
		cookie = call(ours, gen_of[round % 2], 20);
		assert_true((int64_t)cookie > 0);
		make_ack((uint32_t)cookie);
		assert_int_equal(call(ours, check_of[round % 2], 0), 0);
		assert_int_equal((int64_t)call(!ours, check_of[round % 2], 0), -EACCES);
		in.io[TCP_AT] ^= 1; /* another port */
		assert_int_equal((int64_t)call(ours, check_of[round % 2], 0), -EACCES);
	}
}

static void any_headers_are_no_cookie(void **state)
{
	for (int round = 0; round < 40; round++) {
		struct xt_call c = { check_of[round % 2], { IO(IP_AT), IO(TCP_AT) } };

		random_headers();
		xt_compare(&env, &c, 1, &in);
	}
}

/* Ours only: time and secrets. */

static uint64_t now_ns;

static uint64_t clock_of_test(const struct xl_run *run)
{
	return now_ns;
}

static uint64_t call_at(uint64_t ns, struct xl_runtime *rt, int32_t func)
{
	struct xl_run run;
	uint64_t result;

	xl_run_init(&run, rt);
	run.clock = clock_of_test;
	now_ns = ns;
	xl_run = &run;
	result = xl_helper_of(func)->fn((uintptr_t)in.io + IP_AT, (uintptr_t)in.io + TCP_AT, 20, 0,
					0);
	xl_run = NULL;
	return result;
}

static void cookies_last_into_the_next_minute(void **state)
{
	const uint64_t minute = 60 * XL_NSEC_PER_SEC, start = 7 * minute;

	random_headers();
	in.io[TCP_AT + 12] = 5 << 4;
	make_ack((uint32_t)call_at(start, NULL, gen_of[0]));
	in.io[TCP_AT + 12] = 5 << 4;
	assert_int_equal(call_at(start, NULL, check_of[0]), 0);
	assert_int_equal(call_at(start + 2 * minute - 1, NULL, check_of[0]), 0);
	assert_int_equal((int64_t)call_at(start + 2 * minute, NULL, check_of[0]), -EACCES);
	assert_int_equal((int64_t)call_at(start - minute, NULL, check_of[0]), -EACCES);
}

static void each_runtime_has_its_own_secret(void **state)
{
	struct xl_runtime *a, *b;

	assert_int_equal(xl_runtime_create(&(struct xl_runtime_opts){ .seed = 1 }, &a), 0);
	assert_int_equal(xl_runtime_create(&(struct xl_runtime_opts){ .seed = 2 }, &b), 0);
	random_headers();
	in.io[TCP_AT + 12] = 5 << 4;
	make_ack((uint32_t)call_at(0, a, gen_of[0]));
	assert_int_equal(call_at(0, a, check_of[0]), 0);
	assert_int_equal((int64_t)call_at(0, b, check_of[0]), -EACCES);
	xl_runtime_destroy(a);
	xl_runtime_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			lengths_and_options_give_the_mss_or_the_error_that_the_kernel_gives),
		cmocka_unit_test(what_a_side_made_it_takes_and_the_other_one_does_not),
		cmocka_unit_test(any_headers_are_no_cookie),
		cmocka_unit_test(cookies_last_into_the_next_minute),
		cmocka_unit_test(each_runtime_has_its_own_secret),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
