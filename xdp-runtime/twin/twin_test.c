/* The kernel twin against programs written by hand: that it presents what it shall, that it says
 * equal when both sides are, and different when one of them was changed behind its back. */
#include "xdp-runtime/twin/twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "maps/map.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf.h"

#define I(c, d, s, o, i)                                                            \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define MOV_K(d, k)		I(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, k)
#define MOV_X(d, s)		I(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_K(d, k)		I(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, k)
#define ADD_X(d, s)		I(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define HELPER(id)		I(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define CALL(off)		I(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)
#define EXIT			I(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define ST_DW(d, off, s)	I(BPF_STX | BPF_MEM | BPF_DW, d, s, off, 0)
#define ST_W_K(d, off, k)	I(BPF_ST | BPF_MEM | BPF_W, d, 0, off, k)
#define LD_W(d, s, off)		I(BPF_LDX | BPF_MEM | BPF_W, d, s, off, 0)
#define LD_DW(d, s, off)	I(BPF_LDX | BPF_MEM | BPF_DW, d, s, off, 0)
#define JNE_K(d, k, off)	I(BPF_JMP | BPF_JNE | BPF_K, d, 0, off, k)
#define LD64(dst, kind, lo, hi) I(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, lo), I(0, 0, 0, 0, hi)
#define MAP(dst, fd)		LD64(dst, BPF_PSEUDO_MAP_FD, fd, 0)
#define MAP_VALUE(dst, fd, off) LD64(dst, BPF_PSEUDO_MAP_VALUE, fd, off)

#define NOW_NS			UINT64_C(1748858400123456789)

static struct xl_runtime *rt;
static struct xl_run run;
static struct xl_frame frame;
static uint8_t buf[8192];

static long bpf(int cmd, union bpf_attr *attr)
{
	struct xl_caller self;

	xl_caller_self(&self);
	return xl_sysbpf(rt, &self, cmd, (uintptr_t)attr, sizeof(*attr));
}

static struct xl_obj *obj_of(int fd)
{
	struct stat st;
	struct xl_obj *obj;

	assert_int_equal(fstat(fd, &st), 0);
	pthread_mutex_lock(&rt->lock);
	obj = xl_handle_by_ino(rt->handles, st.st_dev, st.st_ino);
	pthread_mutex_unlock(&rt->lock);
	assert_non_null(obj);
	return obj;
}

static int new_map(enum bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t n,
		   uint32_t flags)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = n;
	attr.map_flags = flags;
	snprintf(attr.map_name, sizeof(attr.map_name), "m%d", (int)type);
	fd = bpf(BPF_MAP_CREATE, &attr);
	assert_true(fd >= 0);
	return (int)fd;
}

static struct xl_map *map_of(int fd)
{
	return xl_map_of(obj_of(fd));
}

static void put(int fd, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, &attr), 0);
}

static struct xl_prog *load_n(const struct bpf_insn *insns, uint32_t n, int *out_fd)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "GPL";
	fd = bpf(BPF_PROG_LOAD, &attr);
	assert_true(fd >= 0);
	if (out_fd)
		*out_fd = (int)fd;
	return xl_prog_of(obj_of((int)fd));
}
#define load(...)                                        \
	load_n((const struct bpf_insn[]){ __VA_ARGS__ }, \
	       sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn), NULL)

static struct xl_twin *twin_of(struct xl_prog *prog)
{
	struct xl_err e = { 0 };
	struct xl_twin *twin = NULL;

	if (xl_twin_create(&prog, 1, &twin, &e))
		fail_msg("%s", e.text);
	return twin;
}

static void lay_out(uint32_t len)
{
	uint8_t packet[4096];

	for (uint32_t i = 0; i < len; i++)
		packet[i] = (uint8_t)(i * 7 + 1);
	memset(buf, 0, sizeof(buf));
	xl_frame_init(&frame, buf, xl_frame_buf_size(len), packet, len);
	frame.time_ns = NOW_NS;
	frame.ifindex = 1;
}

/* Runs both sides on a packet of @len bytes; verdicts and bytes must agree. Returns the verdict. */
static uint32_t run_both(struct xl_twin *twin, struct xl_prog *prog, uint32_t len)
{
	struct xl_burst burst = { .n = 1, .frame = { &frame } };
	struct xl_twin_packet in, out;
	struct xl_verdict verdict;
	uint32_t retval;

	in = (struct xl_twin_packet){
		.data = frame.data,
		.len = len,
		.linear_len = len,
		.ifindex = frame.ifindex,
		.rx_queue = frame.rx_queue,
	};
	xl_twin_present(twin, &run, &frame);
	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), 0);
	prog->engine->run(&run, prog, &burst, &verdict);
	assert_false(verdict.faulted);
	assert_int_equal(verdict.retval, retval);
	assert_int_equal(out.len, xl_frame_linear_len(&frame));
	assert_int_equal(out.meta_len, xl_frame_meta_len(&frame));
	assert_memory_equal(out.data, frame.data_meta, out.meta_len + out.len);
	return retval;
}

static void assert_equal(struct xl_twin *twin)
{
	struct xl_twin_map_diff diff;
	struct xl_err e = { 0 };

	if (!xl_twin_maps_equal(twin, &diff, &e))
		fail_msg("map %s differs, byte %u %s", diff.map ? diff.map->name : "?", diff.off,
			 e.text);
	assert_int_equal(e.err, 0);
}

static void assert_differs(struct xl_twin *twin, int map_fd, uint32_t key)
{
	struct xl_twin_map_diff diff;
	struct xl_err e = { 0 };

	assert_false(xl_twin_maps_equal(twin, &diff, &e));
	assert_ptr_equal(diff.map, map_of(map_fd));
	assert_memory_equal(diff.key, &key, diff.map->key_size);
	xl_twin_map_diff_fini(&diff);
	assert_null(diff.key);
}

static int setup_with(uint32_t cpu)
{
	const struct xl_runtime_opts opts = { .seed = 1,
					      .n_cpus =
						      cpu >= xl_percpu_n_possible() ? cpu + 1 : 0 };

	assert_int_equal(xl_runtime_create(&opts, &rt), 0);
	xl_cpu = cpu;
	xl_run_init(&run, rt);
	run.clock = xl_run_clock_frame;
	run.prandom = 42;
	lay_out(60);
	return 0;
}

static int setup(void **state)
{
	return setup_with(0);
}

static int teardown(void **state)
{
	xl_runtime_destroy(rt);
	xl_cpu = 0;
	return 0;
}

/* r0 = helper; array[at] = r0 */
#define KEEP(id, fd, at) HELPER(id), MAP_VALUE(1, fd, (at)*8), ST_DW(1, 0, 0)

static void shows_our_time_and_random_numbers(void **state)
{
	int array = new_map(BPF_MAP_TYPE_ARRAY, 4, 64, 1, 0);
	struct xl_prog *prog =
		load(KEEP(BPF_FUNC_ktime_get_ns, array, 0),
		     KEEP(BPF_FUNC_ktime_get_boot_ns, array, 1), KEEP(BPF_FUNC_jiffies64, array, 2),
		     KEEP(BPF_FUNC_get_prandom_u32, array, 3),
		     KEEP(BPF_FUNC_get_prandom_u32, array, 4),
		     KEEP(BPF_FUNC_get_smp_processor_id, array, 5),
		     KEEP(BPF_FUNC_ktime_get_tai_ns, array, 6), MOV_K(0, XDP_PASS), EXIT);
	struct xl_twin *twin = twin_of(prog);
	uint64_t values[8];
	uint32_t zero = 0;

	for (int i = 0; i < 3; i++) {
		lay_out(60);
		assert_int_equal(run_both(twin, prog, 60), XDP_PASS);
		assert_equal(twin);
	}
	assert_int_equal(xl_map_sys_lookup(map_of(array), &zero, values, 0), 0);
	assert_int_equal(values[0], NOW_NS);
	assert_int_not_equal(values[3], values[4]);
	assert_null(xl_twin_note(twin, 0));
	xl_twin_destroy(twin);
}

static void replaces_calls_in_every_function(void **state)
{
	int array = new_map(BPF_MAP_TYPE_ARRAY, 4, 64, 1, 0);
	struct xl_prog *prog =
		load(HELPER(BPF_FUNC_get_prandom_u32), MOV_X(6, 0), CALL(6), ADD_X(6, 0),
		     MAP_VALUE(1, array, 0), ST_DW(1, 0, 6), MOV_K(0, XDP_DROP), EXIT,
		     /* second: calls the third */
		     HELPER(BPF_FUNC_ktime_get_ns), MOV_X(7, 0), CALL(2), ADD_X(0, 7), EXIT,
		     /* third */
		     HELPER(BPF_FUNC_get_prandom_u32), MOV_X(8, 0), HELPER(BPF_FUNC_jiffies64),
		     ADD_X(0, 8), EXIT);
	struct xl_twin *twin = twin_of(prog);

	assert_int_equal(run_both(twin, prog, 60), XDP_DROP);
	assert_equal(twin);
	assert_null(xl_twin_note(twin, 0));
	xl_twin_destroy(twin);
}

static void jumps_over_replaced_calls_still_fit(void **state)
{
	static struct bpf_insn insns[60000];
	const struct bpf_insn time[] = { HELPER(BPF_FUNC_ktime_get_ns), ADD_X(6, 0) };
	const struct bpf_insn end[] = { MOV_X(0, 6), EXIT };
	struct xl_twin *twin;
	struct xl_prog *prog;
	uint32_t n = 0;

	/* The code behind the end is further away than 16 bits reach. */
	insns[n++] = (struct bpf_insn)MOV_K(6, 0);
	memcpy(&insns[n], time, sizeof(time));
	n += 2;
	while (n < 50000)
		insns[n++] = (struct bpf_insn)ADD_K(6, 1);
	memcpy(&insns[n], time, sizeof(time));
	n += 2;
	memcpy(&insns[n], end, sizeof(end));
	n += 2;
	prog = load_n(insns, n, NULL);
	twin = twin_of(prog);
	assert_int_equal(run_both(twin, prog, 60), (uint32_t)(2 * NOW_NS + 50000 - 3));
	assert_null(xl_twin_note(twin, 0));
	xl_twin_destroy(twin);
}

static void copies_and_compares_each_kind_of_table(void **state)
{
	static const struct {
		enum bpf_map_type type;
		uint32_t flags;
	} kinds[] = {
		{ BPF_MAP_TYPE_ARRAY, 0 },
		{ BPF_MAP_TYPE_PERCPU_ARRAY, 0 },
		{ BPF_MAP_TYPE_HASH, 0 },
		{ BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC },
		{ BPF_MAP_TYPE_PERCPU_HASH, 0 },
		{ BPF_MAP_TYPE_LRU_HASH, 0 },
		{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 0 },
		{ BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU },
		{ BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE },
	};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		int fd = new_map(kinds[k].type, 4, 12, 4096, kinds[k].flags);
		struct xl_prog *prog = load(MAP(1, fd), MOV_K(0, XDP_TX), EXIT);
		struct xl_map *map = map_of(fd);
		uint8_t value[16 * 64];
		struct xl_twin *twin;
		struct xl_err e = { 0 };
		uint32_t key;

		memset(value, 0, sizeof(value));
		assert_true(xl_map_value_size_sys(map) <= sizeof(value));
		for (key = 0; key < 1000; key++) {
			memset(value, (int)(key & 255), xl_map_value_size_sys(map));
			put(fd, &key, value);
		}
		twin = twin_of(prog);
		assert_equal(twin);
		/* One byte of one slot. */
		key = 77;
		assert_int_equal(xl_map_sys_lookup(map, &key, value, 0), 0);
		value[11] ^= 1;
		put(fd, &key, value);
		assert_differs(twin, fd, 77);
		assert_int_equal(xl_twin_maps_sync(twin, &e), 0);
		assert_equal(twin);
		/* One entry more, one less. */
		if (!xl_map_sys_delete(map, &key)) {
			assert_differs(twin, fd, 77);
			assert_int_equal(xl_twin_maps_sync(twin, &e), 0);
			assert_equal(twin);
			key = 1001;
			put(fd, &key, value);
			assert_differs(twin, fd, 1001);
		}
		xl_twin_destroy(twin);
	}
}

static void tries_compare_by_prefix(void **state)
{
	struct {
		uint32_t bits;
		uint8_t addr[4];
	} key = { 9, { 10, 255, 1, 2 } };
	int fd = new_map(BPF_MAP_TYPE_LPM_TRIE, 8, 8, 100, BPF_F_NO_PREALLOC);
	struct xl_prog *prog = load(MAP(1, fd), MOV_K(0, XDP_TX), EXIT);
	struct xl_twin_map_diff diff;
	struct xl_err e = { 0 };
	struct xl_twin *twin;
	uint64_t value = 1;

	put(fd, &key, &value);
	key.bits = 0;
	put(fd, &key, &value);
	key.bits = 32;
	put(fd, &key, &value);
	twin = twin_of(prog);
	assert_equal(twin);
	key.bits = 31;
	put(fd, &key, &value);
	assert_false(xl_twin_maps_equal(twin, &diff, &e));
	assert_non_null(diff.ours);
	assert_null(diff.kernel);
	assert_int_equal(diff.key[0], 31);
	assert_int_equal(diff.key[7], 2);
	xl_twin_map_diff_fini(&diff);
	xl_twin_destroy(twin);
}

static void queues_keep_their_order(void **state)
{
	int queue = new_map(BPF_MAP_TYPE_QUEUE, 0, 4, 8, 0);
	int stack = new_map(BPF_MAP_TYPE_STACK, 0, 4, 8, 0);
	struct xl_prog *prog = load(MAP(1, queue), MAP(1, stack), MOV_K(0, XDP_TX), EXIT);
	struct xl_twin_map_diff diff;
	struct xl_err e = { 0 };
	struct xl_twin *twin;
	uint32_t value;

	for (value = 1; value <= 5; value++) {
		put(queue, NULL, &value);
		put(stack, NULL, &value);
	}
	twin = twin_of(prog);
	assert_equal(twin);
	assert_equal(twin);
	assert_int_equal(xl_map_sys_lookup(map_of(queue), NULL, &value, 0), 0);
	assert_int_equal(value, 1);
	assert_int_equal(xl_map_sys_lookup(map_of(stack), NULL, &value, 0), 0);
	assert_int_equal(value, 5);
	put(stack, NULL, &value);
	assert_false(xl_twin_maps_equal(twin, &diff, &e));
	assert_ptr_equal(diff.map, map_of(stack));
	xl_twin_map_diff_fini(&diff);
	assert_int_equal(xl_twin_maps_sync(twin, &e), 0);
	assert_equal(twin);
	xl_twin_destroy(twin);
}

static void rings_compare_until_only_ours_was_written(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	struct xl_prog *prog = load(ST_W_K(10, -8, 0x1234), ST_W_K(10, -4, 0), MAP(1, fd),
				    MOV_X(2, 10), ADD_K(2, -8), MOV_K(3, 8), MOV_K(4, 0),
				    HELPER(BPF_FUNC_ringbuf_output), MOV_K(0, XDP_PASS), EXIT);
	struct xl_burst burst = { .n = 1, .frame = { &frame } };
	struct xl_twin *twin = twin_of(prog);
	struct xl_twin_map_diff diff;
	struct xl_verdict verdict;
	struct xl_err e = { 0 };

	for (int i = 0; i < 3; i++)
		run_both(twin, prog, 60);
	assert_equal(twin);
	prog->engine->run(&run, prog, &burst, &verdict);
	assert_false(xl_twin_maps_equal(twin, &diff, &e));
	assert_ptr_equal(diff.map, map_of(fd));
	assert_int_equal(diff.off, 3 * 16);
	xl_twin_map_diff_fini(&diff);
	assert_int_equal(xl_twin_maps_sync(twin, &e), 0);
	assert_equal(twin);
	assert_non_null(strstr(xl_twin_note(twin, 0), "skipped packets"));
	xl_twin_destroy(twin);
}

static void tail_calls_reach_copies(void **state)
{
	int progs = new_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0), target;
	const struct bpf_insn drop[] = { MOV_K(0, XDP_DROP), EXIT };
	struct xl_prog *prog;
	struct xl_twin *twin;
	uint32_t key = 2;

	load_n(drop, 2, &target);
	put(progs, &key, &target);
	prog = load(MAP(2, progs), MOV_K(3, 2), HELPER(BPF_FUNC_tail_call), MOV_K(0, XDP_PASS),
		    EXIT);
	twin = twin_of(prog);
	assert_int_equal(run_both(twin, prog, 60), XDP_DROP);
	xl_twin_destroy(twin);
}

/* r0 = ctx->ingress_ifindex * 1000 + ctx->rx_queue_index */
#define PORT_AND_QUEUE                                         \
	LD_W(0, 1, offsetof(struct xdp_md, ingress_ifindex)),  \
		I(BPF_ALU64 | BPF_MUL | BPF_K, 0, 0, 0, 1000), \
		LD_W(2, 1, offsetof(struct xdp_md, rx_queue_index)), ADD_X(0, 2), EXIT

static void shows_our_port_and_queue(void **state)
{
	struct xl_prog *prog = load(PORT_AND_QUEUE);
	struct xl_twin *twin = twin_of(prog);

	assert_int_equal(run_both(twin, prog, 60), 1000);
	lay_out(60);
	frame.ifindex = 77;
	frame.rx_queue = 5;
	assert_int_equal(run_both(twin, prog, 60), 77005);
	assert_null(xl_twin_note(twin, 0));
	xl_twin_destroy(twin);
}

static void says_which_queue_it_cannot_show(void **state)
{
	struct xl_prog *prog = load(PORT_AND_QUEUE);
	struct xl_twin *twin = twin_of(prog);
	struct xl_twin_packet in = { .data = frame.data, .len = 60, .ifindex = 1, .rx_queue = 9 };
	struct xl_twin_packet out;
	uint32_t retval;

	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), 0);
	assert_int_equal(retval, 1000);
	assert_non_null(strstr(xl_twin_note(twin, 0), "queue 9"));
	assert_null(xl_twin_note(twin, 1));
	xl_twin_destroy(twin);
}

static void metadata_is_told_from_the_packet(void **state)
{
	struct xl_prog *prog = load(MOV_X(6, 1), MOV_K(2, -8), HELPER(BPF_FUNC_xdp_adjust_meta),
				    LD_W(1, 6, offsetof(struct xdp_md, data_meta)),
				    LD_W(2, 6, offsetof(struct xdp_md, data)), MOV_X(3, 1),
				    ADD_K(3, 8), I(BPF_JMP | BPF_JGT | BPF_X, 3, 2, 1, 0),
				    ST_W_K(1, 4, 0x5a5a), MOV_K(0, XDP_PASS), EXIT);
	struct xl_twin *twin = twin_of(prog);
	struct xl_twin_packet in, out;
	uint32_t retval;

	run_both(twin, prog, 60);
	assert_int_equal(xl_frame_meta_len(&frame), 8);
	/* A second program finds what the first left. */
	in = (struct xl_twin_packet){
		.data = frame.data_meta, .len = 60, .linear_len = 60, .meta_len = 8, .ifindex = 1
	};
	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), 0);
	assert_int_equal(out.meta_len, 16);
	assert_memory_equal(out.data + 8, frame.data_meta, 8 + 60);
	xl_twin_destroy(twin);
}

static void refuses_what_the_kernel_cannot_run(void **state)
{
	struct xl_prog *prog = load(MOV_K(0, XDP_PASS), EXIT);
	struct xl_twin *twin = twin_of(prog);
	struct xl_twin_packet in = { .data = buf, .len = 13, .linear_len = 13, .ifindex = 1 }, out;
	uint32_t retval;

	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), -EINVAL);
	in.len = in.linear_len = XL_LINEAR_MAX + 1;
	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), -E2BIG);
	in.len = in.linear_len = XL_LINEAR_MAX;
	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), 0);
	in.len = in.linear_len = 14;
	assert_int_equal(xl_twin_run(twin, 0, &in, &out, &retval), 0);
	xl_twin_destroy(twin);
}

static int setup_far_cpu(void **state)
{
	return setup_with(xl_percpu_n_possible() + 3);
}

/* percpu_array[0] += 1, for this CPU */
static void a_cpu_that_is_not_there_still_counts_in_its_slot(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0);
	struct xl_prog *prog = load(ST_W_K(10, -4, 0), MAP(1, fd), MOV_X(2, 10), ADD_K(2, -4),
				    HELPER(BPF_FUNC_map_lookup_elem), JNE_K(0, 0, 2),
				    MOV_K(0, XDP_ABORTED), EXIT, LD_DW(1, 0, 0), ADD_K(1, 1),
				    ST_DW(0, 0, 1), HELPER(BPF_FUNC_get_smp_processor_id), EXIT);
	struct xl_twin *twin = twin_of(prog);

	assert_equal(twin);
	assert_int_equal(run_both(twin, prog, 60), xl_cpu);
	assert_non_null(strstr(xl_twin_note(twin, 0), "CPUs"));
	assert_equal(twin);
	xl_twin_destroy(twin);
}

static void names_the_rule_that_the_kernel_refuses_by(void **state)
{
	/* Ours may check at run time; the kernel wants proof. */
	struct xl_err e = { 0 };
	struct xl_twin *twin = NULL;
	struct xl_prog *prog;

	rt->verify.check_unproven = true;
	prog = load(LD_W(2, 1, offsetof(struct xdp_md, data)),
		    I(BPF_LDX | BPF_MEM | BPF_B, 0, 2, 0, 0), EXIT);
	assert_non_null(prog->unproven);
	assert_int_equal(xl_twin_create(&prog, 1, &twin, &e), -EACCES);
	assert_non_null(strstr(e.text, "packet"));
	assert_null(twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(shows_our_time_and_random_numbers),
		TEST(replaces_calls_in_every_function),
		TEST(jumps_over_replaced_calls_still_fit),
		TEST(copies_and_compares_each_kind_of_table),
		TEST(tries_compare_by_prefix),
		TEST(queues_keep_their_order),
		TEST(rings_compare_until_only_ours_was_written),
		TEST(tail_calls_reach_copies),
		TEST(shows_our_port_and_queue),
		TEST(says_which_queue_it_cannot_show),
		TEST(metadata_is_told_from_the_packet),
		TEST(refuses_what_the_kernel_cannot_run),
		cmocka_unit_test_setup_teardown(a_cpu_that_is_not_there_still_counts_in_its_slot,
						setup_far_cpu, teardown),
		TEST(names_the_rule_that_the_kernel_refuses_by),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "twin_test: skipped, no kernel BPF\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
