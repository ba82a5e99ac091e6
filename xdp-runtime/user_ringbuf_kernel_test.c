/* Claims about user ring buffers, decided by the running kernel: the same producer writes the same
 * records, and the same nonsense, to a ring of each side; what a program that drains them sees, does
 * to them and leaves is compared. Also: what a callback cannot do, which the kernel refuses to load.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/interp/interp_test_kernel.h"

#include <cmocka.h>

#define PAGE	    4096
#define PACKET_LEN  64
#define HEADER	    BPF_RINGBUF_HDR_SZ
#define SAMPLES_MAX (128 * 1024)
#define STOP	    0xff /* first byte of a sample that ends the draining */

static uint64_t random_state = 11;

static uint32_t next_random(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

/* A ring as its producer sees it. */
struct view {
	const uint64_t *consumer;
	uint8_t *rest; /* producer page and data */
};

struct ring {
	struct xl_map *ours;
	int fd; /* the kernel's */
	uint32_t size;
	struct view view[2];
};

static struct view map_ring(int fd, uint32_t size)
{
	struct view v;

	v.consumer = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(v.consumer != MAP_FAILED);
	v.rest = mmap(NULL, PAGE + 2 * (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	assert_true(v.rest != MAP_FAILED);
	return v;
}

static int kernel_ring(enum bpf_map_type type, uint32_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.max_entries = size;
	return (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static struct ring new_ring(struct rig *rig, uint32_t size)
{
	struct ring r = { .size = size };

	r.ours = rig_map(rig, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, size, 0);
	r.fd = kernel_ring(BPF_MAP_TYPE_USER_RINGBUF, size);
	assert_non_null(r.ours);
	assert_true(r.fd >= 0);
	r.view[0] = map_ring(r.ours->mem.fd, size);
	r.view[1] = map_ring(r.fd, size);
	return r;
}

static void free_ring(struct ring *r)
{
	for (int i = 0; i < 2; i++) {
		munmap((void *)r->view[i].consumer, PAGE);
		munmap(r->view[i].rest, PAGE + 2 * (size_t)r->size);
	}
	close(r->fd);
}

static uint8_t *data_at(const struct ring *r, int side, uint64_t pos)
{
	return r->view[side].rest + PAGE + (pos & (r->size - 1));
}

static void set_producer(const struct ring *r, uint64_t pos)
{
	memcpy(r->view[0].rest, &pos, sizeof(pos));
	memcpy(r->view[1].rest, &pos, sizeof(pos));
}

/* Writes a header and @n_bytes that differ; returns the position behind what it says it is. */
static uint64_t put_record(const struct ring *r, uint64_t pos, uint32_t len, uint32_t n_bytes)
{
	const uint32_t header[2] = { len, 0 };
	const uint32_t size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	memcpy(data_at(r, 0, pos), header, HEADER);
	memcpy(data_at(r, 1, pos), header, HEADER);
	for (uint32_t i = 0; i < n_bytes; i++) {
		const uint8_t byte = (uint8_t)next_random(i ? 256 : 64);

		data_at(r, 0, pos + HEADER)[i] = byte;
		data_at(r, 1, pos + HEADER)[i] = byte;
	}
	return pos + (((uint64_t)size + HEADER + 7) & ~UINT64_C(7));
}

/* The program: drains with @flags, and answers with all that the callback noted in r10-16. The
 * callback reads the sample, writes to it by helper and by pointer, and ends where it says STOP. */

/* *(u64 *)r7 = *(u64 *)r7 * 31 + @reg; uses r8. */
#define NOTE(reg)                                                                \
	LDX(BPF_DW, 8, 7, 0), ALU64_K(BPF_MUL, 8, 31), ALU64_X(BPF_ADD, 8, reg), \
		STX(BPF_DW, 7, 0, 8)

#define DRAIN(flags)                                                                               \
	LD_IMM64(1, 0, 0), LD_FUNC(2, 14), ST(BPF_DW, 10, -16, 0), MOVX(3, 10),                    \
		ALU64_K(BPF_ADD, 3, -16), MOV(4, flags), CALL_HELPER(BPF_FUNC_user_ringbuf_drain), \
		MOVX(7, 10), ALU64_K(BPF_ADD, 7, -16), NOTE(0), MOVX(0, 8), EXIT_INSN

#define CALLBACK                                                                                   \
	MOVX(6, 1), MOVX(7, 2), ST(BPF_DW, 10, -8, 0), MOVX(1, 10), ALU64_K(BPF_ADD, 1, -8),       \
		MOV(2, 8), MOVX(3, 6), MOV(4, 0), MOV(5, 0), CALL_HELPER(BPF_FUNC_dynptr_read),    \
		NOTE(0), LDX(BPF_DW, 1, 10, -8), NOTE(1), MOVX(1, 6), MOV(2, 4), MOVX(3, 10),      \
		ALU64_K(BPF_ADD, 3, -8), MOV(4, 2), MOV(5, 0), CALL_HELPER(BPF_FUNC_dynptr_write), \
		NOTE(0), MOVX(1, 6), MOV(2, 0), MOV(3, 3), CALL_HELPER(BPF_FUNC_dynptr_data),      \
		JMP_K(BPF_JEQ, 0, 0, 3), LDX(BPF_B, 1, 0, 2), ALU64_K(BPF_ADD, 1, 1),              \
		STX(BPF_B, 0, 2, 1), MOV(0, 0), LDX(BPF_B, 1, 10, -8), JMP_K(BPF_JNE, 1, STOP, 1), \
		MOV(0, 1), EXIT_INSN

struct code {
	struct bpf_insn insn[96];
	uint32_t n;
};
#define CODE(...)                        \
	((struct code){ { __VA_ARGS__ }, \
			sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) })

/* Each load of r1 is one of the ring. */
static void set_map(struct code *c, uint8_t kind, uint64_t value)
{
	const struct bpf_insn pair[] = { LD_IMM64(1, kind, value) };

	for (uint32_t i = 0; i + 1 < c->n; i++)
		if (c->insn[i].code == pair[0].code && c->insn[i].dst_reg == 1)
			memcpy(&c->insn[i], pair, sizeof(pair));
}

static int load_kernel(struct code c, int map_fd)
{
	static char log[1 << 16];
	int fd;

	set_map(&c, BPF_PSEUDO_MAP_FD, (uint32_t)map_fd);
	fd = kernel_load_functions(c.insn, c.n, log, sizeof(log));
	if (fd < 0 && getenv("XL_TEST_VERBOSE"))
		fprintf(stderr, "%s\n", log);
	return fd;
}

static uint32_t run_kernel(const struct code *c, int map_fd)
{
	uint8_t packet[PACKET_LEN] = { 0 };
	const int fd = load_kernel(*c, map_fd);
	uint32_t ret = 0;

	assert_true(fd >= 0);
	assert_int_equal(kernel_run(fd, packet, sizeof(packet), &ret), 0);
	close(fd);
	return ret;
}

static struct xl_verdict run_ours(struct rig *rig, struct code c, struct xl_map *map)
{
	const uint8_t packet[PACKET_LEN] = { 0 };
	struct xl_verdict v;
	struct xl_prog prog;

	set_map(&c, 0, (uintptr_t)map);
	assert_int_equal(rig_load(rig, &prog, c.insn, c.n), 0);
	v = rig_run(rig, &prog, packet, sizeof(packet));
	rig_unload(&prog);
	return v;
}

/* Runs @c on both sides; returns what it answers. */
static uint32_t run_both(struct rig *rig, const struct code *c, const struct ring *r)
{
	const uint32_t kernel = run_kernel(c, r->fd);
	const struct xl_verdict v = run_ours(rig, *c, r->ours);

	assert_false(v.faulted);
	assert_int_equal(v.retval, kernel);
	assert_int_equal(*r->view[0].consumer, *r->view[1].consumer);
	return kernel;
}

/* Writes some records and perhaps something that cannot be, from @pos on. */
static void produce(const struct ring *r, uint64_t pos)
{
	static const uint32_t lens[] = { 0, 1, 2, 3, 7, 8, 9, 16, 100 };
	const uint64_t start = pos;
	uint32_t len;

	for (uint32_t n = next_random(8); n; n--) {
		len = next_random(3) ? lens[next_random(9)] : next_random(600);
		if (pos + len + 2 * HEADER - start > r->size)
			break;
		if (next_random(12) && len) {
			pos = put_record(r, pos, len, len);
			continue;
		}
		switch (next_random(5)) {
		case 0: /* ends here */
			put_record(r, pos, len, len);
			data_at(r, 0, pos + HEADER)[0] = data_at(r, 1, pos + HEADER)[0] = STOP;
			pos = put_record(r, pos, len, 0);
			break;
		case 1:
			pos = put_record(r, pos, len | BPF_RINGBUF_DISCARD_BIT, len);
			break;
		case 2:
			pos = put_record(r, pos, len | BPF_RINGBUF_BUSY_BIT, len);
			break;
		case 3:
			pos = put_record(r, pos,
					 len | BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT, len);
			break;
		default: /* longer than the producer says, or than the ring is */
			put_record(r, pos, next_random(2) ? r->size : UINT32_MAX >> 2, 0);
			pos += next_random(2) ? 2 * r->size : HEADER;
			n = 1; /* nobody reads on */
		}
	}
	set_producer(r, next_random(30) ? pos : pos + 4);
}

/* Of the records from @pos on that have been read. */
static void compare_samples(const struct ring *r, uint64_t pos)
{
	uint32_t len;

	while (pos < *r->view[0].consumer) {
		memcpy(&len, data_at(r, 0, pos), sizeof(len));
		len &= ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		assert_memory_equal(data_at(r, 0, pos + HEADER), data_at(r, 1, pos + HEADER), len);
		pos += (len + HEADER + 7) & ~7U;
	}
}

static void programs_see_what_the_kernels_do(void **state)
{
	static const uint32_t sizes[] = { PAGE, 4 * PAGE };
	static const int32_t flags[] = { 0, 0, 0, BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP, 4, -1 };
	static struct rig rig;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint32_t n_moved = 0;
		struct ring r;

		rig_init(&rig);
		r = new_ring(&rig, sizes[s]);
		for (int round = 0; round < 600; round++) {
			const struct code c = CODE(DRAIN(flags[next_random(7)]), CALLBACK);
			const uint64_t start = *r.view[0].consumer;

			produce(&r, start);
			run_both(&rig, &c, &r);
			n_moved += *r.view[0].consumer != start;
			compare_samples(&r, start);
		}
		assert_true(n_moved > 300);
		free_ring(&r);
		rig_fini(&rig);
	}
}

/* Counts in r10-16. */
#define COUNTING \
	LDX(BPF_DW, 1, 2, 0), ALU64_K(BPF_ADD, 1, 1), STX(BPF_DW, 2, 0, 1), MOV(0, 0), EXIT_INSN

static void one_call_drains_so_many_and_no_more(void **state)
{
	const uint32_t n = SAMPLES_MAX + 100, size = 2 << 20;
	const struct code c = CODE(DRAIN(0), COUNTING);
	static struct rig rig;
	uint64_t pos = 0;
	struct ring r;

	rig_init(&rig);
	r = new_ring(&rig, size);
	for (uint32_t i = 0; i < n; i++)
		pos = put_record(&r, pos, i % 100 ? 0 : BPF_RINGBUF_DISCARD_BIT, 0);
	set_producer(&r, pos);
	run_both(&rig, &c, &r);
	assert_int_equal(*r.view[0].consumer, (uint64_t)SAMPLES_MAX * HEADER);
	run_both(&rig, &c, &r);
	assert_int_equal(*r.view[0].consumer, pos);
	free_ring(&r);
	rig_fini(&rig);
}

static void a_sample_is_no_longer_than_a_dynptr(void **state)
{
	const uint32_t size = 32 << 20;
	const struct code c = CODE(DRAIN(0), CALLBACK);
	static struct rig rig;
	struct ring r;

	rig_init(&rig);
	r = new_ring(&rig, size);
	set_producer(&r, put_record(&r, 0, (1 << 24) - 1, 100));
	run_both(&rig, &c, &r);
	assert_int_not_equal(*r.view[0].consumer, 0);
	set_producer(&r, put_record(&r, *r.view[0].consumer, 1 << 24, 100));
	run_both(&rig, &c, &r);
	assert_int_not_equal(*r.view[0].consumer, *(uint64_t *)r.view[0].rest);
	free_ring(&r);
	rig_fini(&rig);
}

/* Programs that the kernel refuses; ours stops them, and the ring can be drained again. */

struct wrong {
	const char *name, *says; /* part of the fault's text */
	struct code code;
};

#define DYNPTR_DATA(reg) MOVX(1, reg), MOV(2, 0), MOV(3, 8), CALL_HELPER(BPF_FUNC_dynptr_data)
#define END		 MOV(0, 0), EXIT_INSN

static void check_wrong(const struct wrong *w)
{
	const struct code count = CODE(DRAIN(0), COUNTING);
	static struct rig rig;
	struct xl_verdict v;
	struct ring r;
	char text[256];

	rig_init(&rig);
	r = new_ring(&rig, PAGE);
	set_producer(&r, put_record(&r, 0, 16, 16));
	if (load_kernel(w->code, r.fd) >= 0)
		fail_msg("%s: the kernel takes it", w->name);
	v = run_ours(&rig, w->code, r.ours);
	rig.run.fault.prog = NULL;
	xl_fault_describe(&rig.run.fault, text, sizeof(text));
	if (!v.faulted || !strstr(text, w->says))
		fail_msg("%s: \"%s\"", w->name, text);
	assert_null(rig.run.lent);
	set_producer(&r, put_record(&r, *r.view[0].consumer, 16, 16));
	assert_int_equal(run_ours(&rig, count, r.ours).retval, 31 + 1);
	free_ring(&r);
	rig_fini(&rig);
}

static void what_the_kernel_refuses_is_stopped(void **state)
{
	const struct wrong wrongs[] = {
		{ "read the dynptr", "a dynptr, which is for helpers",
		  CODE(DRAIN(0), LDX(BPF_DW, 3, 1, 0), STX(BPF_DW, 2, 0, 3), END) },
		{ "write the dynptr", "write of 8 bytes at a dynptr",
		  CODE(DRAIN(0), ST(BPF_DW, 1, 0, 0), END) },
		{ "write over the end of the sample", "sample+16: it has 16 bytes",
		  CODE(DRAIN(0), MOVX(6, 1), DYNPTR_DATA(6), JMP_K(BPF_JEQ, 0, 0, 1),
		       ST(BPF_B, 0, 16, 1), END) },
		{ "submit it as a record", "a dynptr of a reserved record is expected",
		  CODE(DRAIN(0), MOV(2, 0), CALL_HELPER(BPF_FUNC_ringbuf_submit_dynptr), END) },
		{ "keep the sample", "",
		  CODE(LD_IMM64(1, 0, 0), LD_FUNC(2, 9), ST(BPF_DW, 10, -16, 0), MOVX(3, 10),
		       ALU64_K(BPF_ADD, 3, -16), MOV(4, 0),
		       CALL_HELPER(BPF_FUNC_user_ringbuf_drain), LDX(BPF_DW, 1, 10, -16),
		       LDX(BPF_DW, 0, 1, 0), EXIT_INSN, MOVX(7, 2), MOVX(6, 1), DYNPTR_DATA(6),
		       STX(BPF_DW, 7, 0, 0), END) },
	};

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		check_wrong(&wrongs[i]);
}

static void only_user_rings_are_drained(void **state)
{
	const struct code c = CODE(DRAIN(0), COUNTING);
	const int fd = kernel_ring(BPF_MAP_TYPE_RINGBUF, PAGE);
	static struct rig rig;
	struct xl_map *map;

	rig_init(&rig);
	map = rig_map(&rig, BPF_MAP_TYPE_RINGBUF, 0, 0, PAGE, 0);
	assert_true(load_kernel(c, fd) < 0);
	assert_true(run_ours(&rig, c, map).faulted);
	assert_non_null(strstr(rig.run.fault.detail, "cannot pass map_type 27"));
	close(fd);
	rig_fini(&rig);
}

static void a_callback_cannot_drain_the_same_ring(void **state)
{
	const struct code c =
		CODE(DRAIN(0), MOVX(7, 2), LD_IMM64(1, 0, 0), LD_FUNC(2, 10), MOV(3, 0), MOV(4, 0),
		     CALL_HELPER(BPF_FUNC_user_ringbuf_drain), NOTE(0), END, END);
	static struct rig rig;
	struct ring r;

	rig_init(&rig);
	r = new_ring(&rig, PAGE);
	set_producer(&r, put_record(&r, 0, 16, 16));
	assert_int_equal(run_both(&rig, &c, &r), (uint32_t)(-EBUSY * 31 + 1));
	free_ring(&r);
	rig_fini(&rig);
}

/* Who writes where it should not can spoil its records, but nothing else. */
static void a_hostile_producer_cannot_lead_the_reader_astray(void **state)
{
	const struct code c = CODE(DRAIN(0), CALLBACK);
	static struct rig rig;
	struct ring r;

	rig_init(&rig);
	r = new_ring(&rig, PAGE);
	for (int round = 0; round < 3000; round++) {
		uint32_t *words = r.ours->mem.base;

		for (int i = 0; i < 40; i++)
			words[next_random(4 * PAGE / 4)] =
				next_random(2) ? next_random(5000) : next_random(UINT32_MAX);
		words[0] = next_random(UINT32_MAX);
		words[PAGE / 4] = (uint32_t)*r.view[0].consumer + next_random(9000);
		assert_false(run_ours(&rig, c, r.ours).faulted);
	}
	free_ring(&r);
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_see_what_the_kernels_do),
		cmocka_unit_test(one_call_drains_so_many_and_no_more),
		cmocka_unit_test(a_sample_is_no_longer_than_a_dynptr),
		cmocka_unit_test(what_the_kernel_refuses_is_stopped),
		cmocka_unit_test(only_user_rings_are_drained),
		cmocka_unit_test(a_callback_cannot_drain_the_same_ring),
		cmocka_unit_test(a_hostile_producer_cannot_lead_the_reader_astray),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs the kernel's bpf(2), which is not usable here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
