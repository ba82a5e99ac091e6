/* BPF_PROG_TEST_RUN of a runtime against the kernel's: sizes, contexts, results. */
#include "xdp-runtime/sysbpf_test_sides.h"

#define BAD_ADDR UINT64_C(0x10)
#define ROOM	 (128u << 10)

static uint8_t data_in[ROOM], data_out[ROOM];

/* Calls @helper with @arg on the context and returns what it returned. */
static int helper_prog(struct side *side, int32_t helper, int32_t arg)
{
	const struct bpf_insn insns[] = { MOV_IMM(2, arg), CALL(helper), EXIT };
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 3);
	long fd;

	attr.u.prog_flags = BPF_F_XDP_HAS_FRAGS;
	fd = side_call(side, BPF_PROG_LOAD, &attr);
	assert_true(fd >= 0);
	return (int)fd;
}

/* Returns a number. */
static int const_prog(struct side *side, int32_t retval)
{
	const struct bpf_insn insns[] = { MOV_IMM(0, retval), EXIT };
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 2);
	long fd;

	attr.u.prog_flags = BPF_F_XDP_HAS_FRAGS;
	fd = side_call(side, BPF_PROG_LOAD, &attr);
	assert_true(fd >= 0);
	return (int)fd;
}

/* Returns a field of the context. */
static int ctx_prog(struct side *side, int16_t off)
{
	const struct bpf_insn insns[] = { INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 1, off, 0), EXIT };
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 2);
	long fd = side_call(side, BPF_PROG_LOAD, &attr);

	assert_true(fd >= 0);
	return (int)fd;
}

static uint32_t sum(const uint8_t *p, uint32_t n)
{
	uint32_t s = 1;

	for (uint32_t i = 0; i < n; i++)
		s = s * 16777619u ^ p[i];
	return s;
}

static union xl_bpf_attr run_attr(int fd, uint32_t size)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.test.prog_fd = (uint32_t)fd;
	attr.u.test.data_in = (uintptr_t)data_in;
	attr.u.test.data_size_in = size;
	attr.u.test.data_out = (uintptr_t)data_out;
	attr.u.test.data_size_out = ROOM;
	return attr;
}

/* Runs and notes all that comes out but the duration. */
static void test(struct side *side, const char *what, union xl_bpf_attr attr)
{
	const struct xdp_md *ctx = (void *)(uintptr_t)attr.u.test.ctx_out;

	memset(data_out, 0xee, sizeof(data_out));
	note(side, what, side_call(side, BPF_PROG_TEST_RUN, &attr));
	say(side, "ret %d size %u ctx size %u sum %x\n", (int)attr.u.test.retval,
	    attr.u.test.data_size_out, attr.u.test.ctx_size_out, sum(data_out, sizeof(data_out)));
	if (ctx && (uintptr_t)ctx != BAD_ADDR)
		say(side, "ctx %u %u %u %u %u %u\n", ctx->data, ctx->data_end, ctx->data_meta,
		    ctx->ingress_ifindex, ctx->rx_queue_index, ctx->egress_ifindex);
}

static const uint32_t sizes[] = { 0,	13,   14,    15,    60,	   64,	  1500,
				  3000, 3519, 3520,  3521,  3584,  4096,  7616,
				  7617, 9000, 60000, 73000, 73152, 73153, 90000 };
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void sizes_scenario(struct side *side)
{
	int fd = const_prog(side, XDP_TX);
	union xl_bpf_attr attr;
	char what[64];

	for (uint32_t i = 0; i < sizeof(data_in); i++)
		data_in[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < N_SIZES; i++) {
		snprintf(what, sizeof(what), "size %u", sizes[i]);
		test(side, what, run_attr(fd, sizes[i]));
		attr = run_attr(fd, sizes[i]);
		for (size_t o = 0; o < N_SIZES; o++) {
			attr.u.test.data_size_out = sizes[o];
			snprintf(what, sizeof(what), "size %u room %u", sizes[i], sizes[o]);
			test(side, what, attr);
		}
		attr.u.test.data_out = 0;
		test(side, "nothing out", attr);
	}
	attr = run_attr(fd, 64);
	attr.u.test.data_in = 0;
	test(side, "no data", attr);
	attr.u.test.data_in = BAD_ADDR;
	test(side, "bad data", attr);
	attr = run_attr(fd, 64);
	attr.u.test.data_out = BAD_ADDR;
	test(side, "bad out", attr);
	for (uint32_t flag = 1; flag; flag <<= 1) {
		attr = run_attr(fd, 64);
		attr.u.test.flags = flag;
		if (flag != BPF_F_TEST_XDP_LIVE_FRAMES) /* those need devices */
			test(side, "flag", attr);
	}
	attr = run_attr(fd, 64);
	attr.u.test.batch_size = 1;
	test(side, "batch size", attr);
	attr = run_attr(fd, 64);
	attr.u.test.repeat = 1000;
	test(side, "repeat", attr);
	attr.u.test.cpu = 1;
	test(side, "cpu", attr);
	close(fd);
}

static void packets_of_all_sizes_come_back_alike(void **state)
{
	play(sizes_scenario);
}

static void ctx_scenario(struct side *side)
{
	int fds[] = { const_prog(side, XDP_PASS), ctx_prog(side, 12), ctx_prog(side, 16) };
	const uint32_t values[] = { 0, 1, 2, 4, 8, 13, 14, 32, 60, 64, 65, 216, 220, 256, 260 };
	const uint32_t ctx_sizes[] = { 0, 1, 4, 23, 24, 25, 64, 4096, 4097 };
	static uint8_t room[8192];
	struct xdp_md *ctx = (struct xdp_md *)room, out;
	union xl_bpf_attr attr;
	char what[64];

	for (size_t d = 0; d < sizeof(values) / sizeof(values[0]); d++) {
		for (size_t e = 0; e < sizeof(values) / sizeof(values[0]); e++) {
			memset(&out, 0, sizeof(out));
			*ctx = (struct xdp_md){ .data = values[d], .data_end = values[e] };
			attr = run_attr(fds[0], 300);
			attr.u.test.ctx_in = (uintptr_t)ctx;
			attr.u.test.ctx_size_in = sizeof(*ctx);
			attr.u.test.ctx_out = (uintptr_t)&out;
			attr.u.test.ctx_size_out = sizeof(out);
			snprintf(what, sizeof(what), "data %u end %u", values[d], values[e]);
			test(side, what, attr);
		}
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (size_t field = 2; field < 6; field++) {
			memset(&out, 0, sizeof(out));
			*ctx = (struct xdp_md){ .data_end = 64 };
			((uint32_t *)ctx)[field] = values[i];
			/* Any number is a port here, with any number of queues. */
			if (field == 3 && values[i] > 1)
				continue;
			attr = run_attr(fds[field == 3 ? 1 : 2], 64);
			attr.u.test.ctx_in = (uintptr_t)ctx;
			attr.u.test.ctx_size_in = sizeof(*ctx);
			attr.u.test.ctx_out = (uintptr_t)&out;
			attr.u.test.ctx_size_out = sizeof(out);
			snprintf(what, sizeof(what), "field %zu is %u", field, values[i]);
			test(side, what, attr);
		}
	}
	test(side, "default ifindex", run_attr(fds[1], 64));
	test(side, "default queue", run_attr(fds[2], 64));
	for (size_t i = 0; i < sizeof(ctx_sizes) / sizeof(ctx_sizes[0]); i++) {
		for (int fill = 0; fill < 2; fill++) {
			memset(room, 0, sizeof(room));
			memset(&out, 0, sizeof(out));
			ctx->data_end = 64;
			room[40] = (uint8_t)fill;
			attr = run_attr(fds[0], 64);
			attr.u.test.ctx_in = (uintptr_t)ctx;
			attr.u.test.ctx_size_in = ctx_sizes[i];
			snprintf(what, sizeof(what), "ctx size %u fill %d", ctx_sizes[i], fill);
			test(side, what, attr);
			attr.u.test.ctx_size_in = sizeof(*ctx);
			attr.u.test.ctx_out = (uintptr_t)&out;
			attr.u.test.ctx_size_out = ctx_sizes[i];
			test(side, "out", attr);
		}
	}
	attr = run_attr(fds[0], 64);
	attr.u.test.ctx_size_in = 24;
	test(side, "ctx NULL with a size", attr);
	attr.u.test.ctx_in = BAD_ADDR;
	test(side, "ctx bad", attr);
	attr = run_attr(fds[0], 64);
	attr.u.test.ctx_out = BAD_ADDR;
	attr.u.test.ctx_size_out = 24;
	test(side, "ctx out bad", attr);
	attr = run_attr(fds[0], 64);
	attr.u.test.ctx_out = (uintptr_t)&out;
	attr.u.test.ctx_size_out = 24;
	memset(&out, 0, sizeof(out));
	test(side, "ctx out only", attr);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

static void contexts_are_taken_and_given_alike(void **state)
{
	play(ctx_scenario);
}

static void helpers_scenario(struct side *side)
{
	const int32_t helpers[] = { BPF_FUNC_xdp_adjust_head, BPF_FUNC_xdp_adjust_tail,
				    BPF_FUNC_xdp_adjust_meta };
	const int32_t args[] = { 0,   4,   -4,	 14,   -14,  50,   51,	 -32,	-216,  -220,
				 216, 220, -256, 1000, 3000, 3456, 3460, -1486, -1490, 4096 };
	const uint32_t packet_sizes[] = { 14, 64, 1500, 3520, 5000, 9000 };
	union xl_bpf_attr attr;
	struct xdp_md out;
	char what[64];
	int fd;

	for (size_t h = 0; h < 3; h++) {
		for (size_t a = 0; a < sizeof(args) / sizeof(args[0]); a++) {
			fd = helper_prog(side, helpers[h], args[a]);
			for (size_t s = 0; s < sizeof(packet_sizes) / sizeof(packet_sizes[0]);
			     s++) {
				memset(&out, 0, sizeof(out));
				attr = run_attr(fd, packet_sizes[s]);
				attr.u.test.ctx_out = (uintptr_t)&out;
				attr.u.test.ctx_size_out = sizeof(out);
				snprintf(what, sizeof(what), "helper %d arg %d size %u", helpers[h],
					 args[a], packet_sizes[s]);
				test(side, what, attr);
				/* Each takes the kernel milliseconds. */
				attr.u.test.repeat = 3;
				if (a % 4 == 1 && s % 3 == 1)
					test(side, "three times", attr);
			}
			close(fd);
		}
	}
}

static void moved_packets_come_back_alike(void **state)
{
	play(helpers_scenario);
}

static void progs_scenario(struct side *side)
{
	const int32_t retvals[] = { 0, 1, 2, 3, 4, 5, 42, -1 };
	int fd;

	for (size_t i = 0; i < sizeof(retvals) / sizeof(retvals[0]); i++) {
		fd = const_prog(side, retvals[i]);
		test(side, "retval", run_attr(fd, 64));
		close(fd);
	}
	fd = new_prog(side, BPF_XDP_DEVMAP, 0);
	test(side, "for a devmap", run_attr(fd, 64));
	close(fd);
	fd = new_prog(side, BPF_XDP_CPUMAP, 0);
	test(side, "for a cpumap", run_attr(fd, 64));
	close(fd);
}

static void programs_return_alike(void **state)
{
	play(progs_scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_all_sizes_come_back_alike),
		cmocka_unit_test(contexts_are_taken_and_given_alike),
		cmocka_unit_test(moved_packets_come_back_alike),
		cmocka_unit_test(programs_return_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
