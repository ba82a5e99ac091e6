/* Claims about the table of helpers and about what needs no kernel to be judged: sinks, clocks,
 * redirect targets, callbacks. */
#include "xdp-runtime/helpers/helpers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/percpu.h"
#include "maps/map.h"
#include "xdp-runtime/dynptr.h"
#include "xdp-runtime/helpers/kfuncs.h"
#include "xdp-runtime/run.h"

#define PACKET_LEN 60

static uint8_t buf[4096];
static struct xl_frame frame;
static struct xl_run run;
static struct xl_map *map;

static int set_up(void **state)
{
	static const uint8_t packet[PACKET_LEN] = { 1, 2, 3 };

	xl_frame_init(&frame, buf, sizeof(buf), packet, sizeof(packet));
	frame.time_ns = 123456789;
	xl_run_init(&run, NULL);
	run.frame = &frame;
	xl_run = &run;
	map = NULL;
	return 0;
}

static int tear_down(void **state)
{
	xl_run = NULL;
	xl_map_put(map);
	return 0;
}

static void make_map(enum bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t n)
{
	const union bpf_attr attr = {
		.map_type = type, .key_size = key_size, .value_size = value_size, .max_entries = n
	};
	const struct xl_map_env env = { .n_cpus = 2, .seed = 1 };

	assert_int_equal(xl_map_create(&attr, &env, NULL, &map, NULL), 0);
}

static uint64_t call(int32_t func, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return xl_helper_of(func)->fn(r1, r2, r3, r4, r5);
}
#define CALL(func, ...) CALL_(func, __VA_ARGS__, 0, 0, 0, 0, 0)
#define CALL_(func, a, b, c, d, e, ...)                                                   \
	call(BPF_FUNC_##func, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), \
	     (uint64_t)(e))

/* The table. */

static void rows_are_whole_and_named_as_in_the_kernel(void **state)
{
	uint32_t n = 0;

	for (int32_t id = 0; id < xl_helper_end(); id++) {
		const struct xl_helper *row = xl_helper_of(id);

		if (!row)
			continue;
		n++;
		assert_string_equal(row->name, xl_helper_name(id));
		assert_non_null(row->since);
		assert_true(row->fn || id == BPF_FUNC_tail_call);
		for (int i = 0; i < 5; i++) {
			const bool sized = row->arg[i] == XL_ARG_MEM ||
					   row->arg[i] == XL_ARG_MEM_OR_NULL ||
					   row->arg[i] == XL_ARG_UNINIT_MEM;
			const enum xl_arg next = i < 4 ? row->arg[i + 1] : XL_ARG_NONE;
			const bool fixed = row->arg[i] == XL_ARG_FIXED_MEM ||
					   row->arg[i] == XL_ARG_FIXED_UNINIT_MEM;

			assert_true(!sized || next == XL_ARG_CONST_SIZE ||
				    next == XL_ARG_CONST_SIZE_OR_ZERO);
			assert_true(!fixed || row->fixed_size);
			/* Arguments have no holes. */
			assert_true(row->arg[i] != XL_ARG_NONE || next == XL_ARG_NONE);
			assert_true(row->arg[i] != XL_ARG_FUNC || row->calls_back);
		}
	}
	assert_true(n >= 37);
}

static void helpers_without_a_row_have_a_name(void **state)
{
	assert_null(xl_helper_of(BPF_FUNC_probe_read_user));
	assert_string_equal(xl_helper_name(BPF_FUNC_probe_read_user), "bpf_probe_read_user");
	assert_string_equal(xl_helper_name(211), "bpf_cgrp_storage_delete");
	assert_null(xl_helper_name(212));
	assert_null(xl_helper_name(0));
	assert_null(xl_helper_name(-1));
	assert_null(xl_helper_name(INT32_MAX));
	assert_null(xl_helper_of(0));
	assert_null(xl_helper_of(-1));
	assert_null(xl_helper_of(INT32_MIN));
	assert_null(xl_helper_of(xl_helper_end()));
}

/* Place and time. */

static void replay_has_one_clock(void **state)
{
	run.clock = xl_run_clock_frame;
	assert_int_equal(CALL(ktime_get_ns, 0), 123456789);
	assert_int_equal(CALL(ktime_get_boot_ns, 0), 123456789);
	assert_int_equal(CALL(ktime_get_coarse_ns, 0), 123456789);
	assert_int_equal(CALL(ktime_get_tai_ns, 0), 123456789);
	assert_int_equal(CALL(get_numa_node_id, 0), 0);
	assert_int_equal(CALL(jiffies64, 0), xl_clock_jiffies64(123456789, 250));
}

static void live_clocks_are_the_machines(void **state)
{
	const uint64_t before = xl_clock_mono_ns(), now = CALL(ktime_get_ns, 0);
	const uint64_t coarse = CALL(ktime_get_coarse_ns, 0);

	assert_in_range(now, before, xl_clock_mono_ns());
	assert_in_range(coarse, before - XL_NSEC_PER_SEC, xl_clock_mono_ns());
	assert_true(CALL(ktime_get_boot_ns, 0) >= before);
	assert_true(CALL(ktime_get_tai_ns, 0) / XL_NSEC_PER_SEC + 1 >= (uint64_t)time(NULL));
}

static void the_cpu_is_the_threads_and_randomness_repeats(void **state)
{
	uint64_t first;

	xl_cpu = 3;
	assert_int_equal(CALL(get_smp_processor_id, 0), 3);
	xl_cpu = 0;
	first = CALL(get_prandom_u32, 0);
	assert_true(first <= UINT32_MAX);
	assert_int_not_equal(CALL(get_prandom_u32, 0), first);
	xl_run_init(&run, NULL);
	assert_int_equal(CALL(get_prandom_u32, 0), first);
}

/* Redirects. */

static void a_redirect_names_its_port(void **state)
{
	assert_int_equal(CALL(redirect, 7, 0), XDP_REDIRECT);
	assert_int_equal(run.redirect.kind, XL_REDIRECT_IFINDEX);
	assert_int_equal(run.redirect.ifindex, 7);
	assert_int_equal(CALL(redirect, 8, 1), XDP_ABORTED);
	assert_int_equal(run.redirect.ifindex, 7);
}

static void a_redirect_to_a_map_names_map_key_and_port(void **state)
{
	const uint32_t key = 2, ifindex = 9;
	const uintptr_t m = (make_map(BPF_MAP_TYPE_DEVMAP, 4, 4, 4), (uintptr_t)map);

	map->obj.id = 55;
	assert_int_equal(xl_map_sys_update(map, &key, &ifindex, NULL, 0), 0);
	assert_int_equal(CALL(redirect_map, m, 2, 0), XDP_REDIRECT);
	assert_int_equal(run.redirect.kind, XL_REDIRECT_DEVMAP);
	assert_int_equal(run.redirect.map_id, 55);
	assert_int_equal(run.redirect.key, 2);
	assert_int_equal(run.redirect.ifindex, 9);
	/* Bad flags change nothing; a miss forgets the target and gives its own verdict. */
	assert_int_equal(CALL(redirect_map, m, 2, 4), XDP_ABORTED);
	assert_int_equal(run.redirect.kind, XL_REDIRECT_DEVMAP);
	assert_int_equal(CALL(redirect_map, m, 3, XDP_PASS), XDP_PASS);
	assert_int_equal(run.redirect.kind, XL_REDIRECT_NONE);
	assert_int_equal(CALL(redirect_map, m, 3, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS),
			 XDP_REDIRECT);
	assert_int_equal(run.redirect.kind, XL_REDIRECT_DEVMAP_ALL);
	assert_int_equal(run.redirect.flags, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
}

/* Sinks. */

static char traced[2048];
static size_t traced_len;

static void take_trace(void *arg, const char *text, size_t len)
{
	assert_ptr_equal(arg, traced);
	memcpy(traced, text, len);
	traced_len = len;
}

/* What %s and %pI4 may read. */
static char memory[64] = "frame\0\x0a\0\0\x01";

static size_t readable_memory(const struct xl_run *r, uintptr_t addr, size_t len)
{
	const uintptr_t base = (uintptr_t)memory, end = base + sizeof(memory);

	if (addr < base || addr >= end)
		return 0;
	return len < end - addr ? len : end - addr;
}

static void trace_printk_hands_its_text_over(void **state)
{
	static const char fmt[] = "%s has %d bytes, %pI4\n";
	const uintptr_t who = (uintptr_t)memory, ip = (uintptr_t)memory + 6;
	uint64_t len;

	assert_int_equal((int64_t)CALL(trace_printk, (uintptr_t) "x", 1, 0, 0, 0), -EINVAL);
	run.sinks = (struct xl_run_sinks){ .arg = traced, .trace = take_trace };
	run.readable = readable_memory;
	len = CALL(trace_printk, (uintptr_t)fmt, sizeof(fmt), who, 60, ip);
	assert_int_equal(len, traced_len);
	assert_int_equal(len, strlen("frame has 60 bytes, 10.0.0.1\n"));
	assert_memory_equal(traced, "frame has 60 bytes, 10.0.0.1\n", len);
	/* What cannot be read is empty, or zero. */
	run.readable = NULL;
	CALL(trace_printk, (uintptr_t)fmt, sizeof(fmt), who, 60, ip);
	assert_memory_equal(traced, " has 60 bytes, 0.0.0.0\n", traced_len);
}

static void trace_text_ends_at_1023_bytes_and_addresses_stay_hidden(void **state)
{
	static const char fmt[] = "%2000d", address[] = "%p %px";

	run.sinks = (struct xl_run_sinks){ .arg = traced, .trace = take_trace };
	assert_int_equal(CALL(trace_printk, (uintptr_t)fmt, sizeof(fmt), 1), 2000);
	assert_int_equal(traced_len, 1023);
	CALL(trace_printk, (uintptr_t)address, sizeof(address), (uintptr_t)fmt, 0x1234);
	assert_memory_equal(traced, "(____ptrval____) 0000000000001234", traced_len);
}

static struct {
	struct xl_map *map;
	uint32_t index, len, packet_len, n;
	int answer;
} event;

static int take_event(void *arg, struct xl_map *from, uint32_t index, const void *data,
		      uint32_t len, const struct xl_frame *f, uint32_t packet_len)
{
	assert_ptr_equal(f, &frame);
	assert_memory_equal(data, "data", len);
	event.map = from;
	event.index = index;
	event.len = len;
	event.packet_len = packet_len;
	event.n++;
	return event.answer;
}

static void perf_events_carry_data_and_packet_to_this_cpus_slot(void **state)
{
	const uintptr_t m = (make_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4), (uintptr_t)map);
	const uint64_t here = BPF_F_CURRENT_CPU, packet = UINT64_C(1) << 32;
	const uintptr_t data = (uintptr_t) "data";

	memset(&event, 0, sizeof(event));
	assert_int_equal((int64_t)CALL(perf_event_output, 0, m, here, data, 4), -ENOENT);
	run.sinks.perf_event = take_event;
	xl_cpu = 3;
	assert_int_equal(CALL(perf_event_output, 0, m, here | PACKET_LEN * packet, data, 4), 0);
	xl_cpu = 0;
	assert_ptr_equal(event.map, map);
	assert_int_equal(event.index, 3);
	assert_int_equal(event.len, 4);
	assert_int_equal(event.packet_len, PACKET_LEN);
	event.answer = -ENOSPC;
	assert_int_equal((int64_t)CALL(perf_event_output, 0, m, 2, data, 0), -ENOSPC);
	assert_int_equal(event.index, 2);
	assert_int_equal((int64_t)CALL(perf_event_output, 0, m, 4, data, 4), -E2BIG);
	assert_int_equal((int64_t)CALL(perf_event_output, 0, m, (PACKET_LEN + 1) * packet, data, 4),
			 -EFAULT);
	assert_int_equal((int64_t)CALL(perf_event_output, 0, m, packet << 20, data, 4), -EINVAL);
	assert_int_equal(event.n, 2);
}

/* Callbacks. */

static struct {
	uint32_t n;
	uint64_t stop_at; /* the call with this number returns 1; 0: none does */
	uint32_t fault_at;
	bool deletes;
	uint64_t sum; /* of what r1 or the key was */
} calls;

static uint64_t count_call(struct xl_run *r, uint64_t func, uint64_t r1, uint64_t r2, uint64_t r3,
			   uint64_t r4, uint64_t r5)
{
	uint32_t key;

	assert_int_equal(func, 77);
	calls.n++;
	if (r->lent) {
		/* bpf_for_each_map_elem: map, key, value, ctx */
		assert_ptr_equal((void *)r1, map);
		assert_ptr_equal((void *)r2, r->lent->base);
		assert_int_equal(r->lent->size, sizeof(key));
		assert_int_equal(r4, 42);
		memcpy(&key, (void *)r2, sizeof(key));
		assert_ptr_equal((void *)r3, xl_map_lookup(map, &key));
		calls.sum += key;
		if (calls.deletes)
			assert_int_equal(xl_map_delete(map, &key), 0);
	} else {
		assert_int_equal(r2, 42);
		calls.sum += r1;
	}
	if (calls.n == calls.fault_at)
		r->fault.kind = XL_FAULT_ACCESS;
	return calls.n == calls.stop_at;
}

static void loop_counts_and_stops_as_in_the_kernel(void **state)
{
	memset(&calls, 0, sizeof(calls));
	run.call = count_call;
	assert_int_equal(CALL(loop, 10, 77, 42, 0), 10);
	assert_int_equal(calls.n, 10);
	assert_int_equal(calls.sum, 45);
	assert_int_equal(CALL(loop, 0, 77, 42, 0), 0);
	assert_int_equal((int64_t)CALL(loop, 1, 77, 42, 1), -EINVAL);
	assert_int_equal(CALL(loop, (1 << 23) + 1, 77, 42, 0), 0xfffffff9);
	assert_int_equal(calls.n, 10);
	calls.n = 0;
	calls.stop_at = 3;
	assert_int_equal(CALL(loop, 10, 77, 42, 0), 3);
	calls.n = 0;
	calls.stop_at = 0;
	calls.fault_at = 4;
	CALL(loop, 10, 77, 42, 0);
	assert_int_equal(calls.n, 4);
}

static void each_element_is_visited_once_also_while_it_is_deleted(void **state)
{
	const uintptr_t m = (make_map(BPF_MAP_TYPE_HASH, 4, 8, 100), (uintptr_t)map);
	const uint64_t value = 5;

	memset(&calls, 0, sizeof(calls));
	run.call = count_call;
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 0);
	for (uint32_t key = 0; key < 100; key++)
		assert_int_equal(xl_map_update(map, &key, &value, 0), 0);
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 100);
	assert_int_equal(calls.n, 100);
	assert_int_equal(calls.sum, 4950);
	calls.stop_at = 107;
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 7);
	calls.deletes = true;
	calls.stop_at = 0;
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 100);
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 0);
	assert_int_equal((int64_t)CALL(for_each_map_elem, m, 77, 42, 1), -EINVAL);
	assert_null(run.lent);
}

static void arrays_are_walked_whole(void **state)
{
	const uintptr_t m = (make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 10), (uintptr_t)map);

	memset(&calls, 0, sizeof(calls));
	run.call = count_call;
	assert_int_equal(CALL(for_each_map_elem, m, 77, 42, 0), 10);
	assert_int_equal(calls.sum, 45);
}

static void kfuncs_are_rows_found_by_name(void **state)
{
	for (int32_t i = XL_KFUNC_FIRST; i < xl_kfunc_end(); i++) {
		assert_int_equal(xl_kfunc_number(xl_helper_of(i)->name), i);
		assert_string_equal(xl_helper_name(i), xl_helper_of(i)->name);
	}
	assert_int_equal(xl_kfunc_number("bpf_dynptr_size___mine"),
			 xl_kfunc_number("bpf_dynptr_size"));
	assert_int_equal(xl_kfunc_number("bpf_dynptr_siz"), -1);
	assert_int_equal(xl_kfunc_number(""), -1);
	assert_null(xl_helper_of(xl_kfunc_end()));
	assert_null(xl_helper_of(INT32_MAX));
}

/* What lies on a program's stack may be anything. */
static void a_forged_dynptr_reaches_nothing_but_the_packet(void **state)
{
	static const uint32_t words[] = { 0, 1, PACKET_LEN - 4, PACKET_LEN, 0xffff, UINT32_MAX };
	const int32_t slice = xl_kfunc_number("bpf_dynptr_slice");
	uint8_t buffer[4];

	for (size_t i = 0; i < 6 * 6 * 6; i++) {
		const struct xl_dynptr d = { .data = (uintptr_t)&frame,
					     .size = (words[i % 6] & XL_DYNPTR_SIZE_MAX) |
						     XL_DYNPTR_XDP << XL_DYNPTR_TYPE_SHIFT,
					     .offset = words[i / 6 % 6] };
		const uint64_t off = words[i / 36], at = d.offset + off;
		const bool fits = off + 4 <= xl_dynptr_size(&d) && at + 4 <= PACKET_LEN;
		uint64_t p = call(slice, (uintptr_t)&d, off, 0, 4, 0);

		assert_int_equal(p, fits ? (uintptr_t)frame.data + at : 0);
		p = call(BPF_FUNC_dynptr_read, (uintptr_t)buffer, 4, (uintptr_t)&d, off, 0);
		assert_int_equal((int64_t)p == 0, fits);
	}
}

/* nf_flow_table_bpf.c; the kernel that tests run on may be built without it. */
static void no_flow_is_found(void **state)
{
	static const struct {
		uint64_t size;
		int error;
	} cases[] = { { 4, -ENOENT }, { 5, -EINVAL }, { 36, -EINVAL }, { 3, 77 }, { 0, 77 } };
	const int32_t lookup = xl_kfunc_number("bpf_xdp_flow_lookup");
	const struct bpf_fib_lookup tuple = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t opts[9] = { 77 };

		assert_int_equal(call(lookup, (uintptr_t)&frame, (uintptr_t)&tuple, (uintptr_t)opts,
				      cases[i].size, 0),
				 0);
		assert_int_equal(opts[0], cases[i].error);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(rows_are_whole_and_named_as_in_the_kernel),
		TEST(helpers_without_a_row_have_a_name),
		TEST(replay_has_one_clock),
		TEST(live_clocks_are_the_machines),
		TEST(the_cpu_is_the_threads_and_randomness_repeats),
		TEST(a_redirect_names_its_port),
		TEST(a_redirect_to_a_map_names_map_key_and_port),
		TEST(trace_printk_hands_its_text_over),
		TEST(trace_text_ends_at_1023_bytes_and_addresses_stay_hidden),
		TEST(perf_events_carry_data_and_packet_to_this_cpus_slot),
		TEST(loop_counts_and_stops_as_in_the_kernel),
		TEST(each_element_is_visited_once_also_while_it_is_deleted),
		TEST(arrays_are_walked_whole),
		TEST(kfuncs_are_rows_found_by_name),
		TEST(no_flow_is_found),
		TEST(a_forged_dynptr_reaches_nothing_but_the_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
