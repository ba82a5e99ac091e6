/* Claims about ring buffers, decided by the running kernel: the same programs, made at random, on
 * a ring of each side; what they return and what a reader then finds are compared, record by
 * record with header and position. The reader is the same code for both: it maps the ring as
 * readers do. Also: what a program cannot do to a ring, which the kernel refuses to load.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/interp/interp_test_kernel.h"

#include <cmocka.h>

#define PAGE	   4096
#define PACKET_LEN 64
#define HELD_MAX   3
#define INSNS_MAX  512

static uint64_t random_state = 7;

static uint32_t next_random(uint32_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33) % n;
}

/* A ring as its reader sees it. */
struct view {
	_Atomic uint64_t *consumer;
	const uint8_t *rest; /* producer page and data */
	size_t size;
};

struct ring {
	struct xl_map *ours;
	int fd; /* the kernel's */
	struct view view[2];
};

static struct view map_ring(int fd, uint32_t size)
{
	struct view v = { .size = size };

	v.consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(v.consumer != MAP_FAILED);
	v.rest = mmap(NULL, PAGE + 2 * (size_t)size, PROT_READ, MAP_SHARED, fd, PAGE);
	assert_true(v.rest != MAP_FAILED);
	return v;
}

static uint64_t producer_of(const struct view *v)
{
	uint64_t pos;

	memcpy(&pos, v->rest, sizeof(pos));
	return pos;
}

static struct ring new_ring(struct rig *rig, uint32_t size)
{
	struct ring r = { .ours = rig_map(rig, BPF_MAP_TYPE_RINGBUF, 0, 0, size, 0) };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_RINGBUF;
	attr.max_entries = size;
	r.fd = (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
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
		munmap((void *)r->view[i].rest, PAGE + 2 * r->view[i].size);
	}
	close(r->fd);
}

/* A program under construction: {r1 = the ring} is written with zeros and filled in per side. */
struct code {
	struct bpf_insn insn[INSNS_MAX];
	uint32_t n;
	uint32_t map_at[16], n_maps;
};

#define ADD(c, ...)                                                                \
	do {                                                                       \
		const struct bpf_insn add_[] = { __VA_ARGS__ };                    \
		assert_true((c)->n + sizeof(add_) / sizeof(add_[0]) <= INSNS_MAX); \
		memcpy(&(c)->insn[(c)->n], add_, sizeof(add_));                    \
		(c)->n += sizeof(add_) / sizeof(add_[0]);                          \
	} while (0)

static void add_map(struct code *c)
{
	c->map_at[c->n_maps++] = c->n;
	ADD(c, LD_IMM64(1, 0, 0));
}

static void set_map(struct code *c, uint8_t kind, uint64_t value)
{
	const struct bpf_insn pair[] = { LD_IMM64(1, kind, value) };

	for (uint32_t i = 0; i < c->n_maps; i++)
		memcpy(&c->insn[c->map_at[i]], pair, sizeof(pair));
}

/* Reserves into stack slot @slot and fills the record's first 8 bytes if it has them. */
static void add_reserve(struct code *c, uint32_t slot, uint32_t size, int32_t flags)
{
	const int16_t at = (int16_t)(-8 * (int)(slot + 1));

	add_map(c);
	ADD(c, MOV(2, (int32_t)size), MOV(3, flags), CALL_HELPER(BPF_FUNC_ringbuf_reserve),
	    STX(BPF_DW, 10, at, 0));
	if (size >= 8)
		ADD(c, JMP_K(BPF_JEQ, 0, 0, 1), ST(BPF_DW, 0, 0, (int32_t)next_random(1000000)));
}

static void add_release(struct code *c, uint32_t slot)
{
	static const int32_t flags[] = { 0, BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP, 4 };
	const int16_t at = (int16_t)(-8 * (int)(slot + 1));

	ADD(c, LDX(BPF_DW, 1, 10, at), JMP_K(BPF_JEQ, 1, 0, 2), MOV(2, flags[next_random(4)]),
	    CALL_HELPER(next_random(3) ? BPF_FUNC_ringbuf_submit : BPF_FUNC_ringbuf_discard));
}

/* r9 = r9 * 31 + r0 */
static void add_note(struct code *c)
{
	ADD(c, ALU64_K(BPF_MUL, 9, 31), ALU64_X(BPF_ADD, 9, 0));
}

static void add_output(struct code *c)
{
	static const int32_t flags[] = { 0, 0, 0, BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP, 3, 4, 8 };

	for (int i = 0; i < 8; i++)
		ADD(c, ST(BPF_DW, 10, (int16_t)(-8 * (i + 1)), (int32_t)next_random(1U << 30)));
	add_map(c);
	ADD(c, MOVX(2, 10), ALU64_K(BPF_ADD, 2, -64), MOV(3, (int32_t)next_random(65)),
	    MOV(4, flags[next_random(8)]), CALL_HELPER(BPF_FUNC_ringbuf_output));
	add_note(c);
}

static void add_query(struct code *c)
{
	add_map(c);
	ADD(c, MOV(2, (int32_t)next_random(6)), CALL_HELPER(BPF_FUNC_ringbuf_query));
	add_note(c);
}

static uint32_t draw_size(uint32_t ring_size)
{
	const uint32_t edges[] = { 0,
				   1,
				   7,
				   8,
				   9,
				   16,
				   100,
				   ring_size / 2 - 8,
				   ring_size / 2,
				   ring_size - 16,
				   ring_size - 9,
				   ring_size - 8,
				   ring_size - 7,
				   ring_size,
				   0x3fffffff };

	return next_random(3) ? next_random(600)
			      : edges[next_random(sizeof(edges) / sizeof(edges[0]))];
}

#define DYNPTR_AT(i) (-128 - 16 * (int)((i) + 1)) /* from r10; before them 8 bytes to write */

static void add_dynptr_call(struct code *c, uint32_t i, bool write, uint32_t off)
{
	const int dynptr_reg = write ? 1 : 3;

	ADD(c, MOVX(dynptr_reg, 10), ALU64_K(BPF_ADD, dynptr_reg, DYNPTR_AT(i)));
	if (write)
		ADD(c, MOV(2, (int32_t)off), MOVX(3, 10), ALU64_K(BPF_ADD, 3, -128), MOV(4, 8));
	else
		ADD(c, MOVX(1, 10), ALU64_K(BPF_ADD, 1, -128), MOV(2, 8), MOV(4, (int32_t)off));
	ADD(c, MOV(5, 0), CALL_HELPER(write ? BPF_FUNC_dynptr_write : BPF_FUNC_dynptr_read));
	add_note(c);
}

/* Reserves by dynptr, and writes to the record, reads and looks where there may be none. */
static void add_reserve_dynptr(struct code *c, uint32_t i, uint32_t size, int32_t flags)
{
	add_map(c);
	ADD(c, ST(BPF_DW, 10, -128, (int32_t)next_random(1000000)), MOV(2, (int32_t)size),
	    MOV(3, flags), MOVX(4, 10), ALU64_K(BPF_ADD, 4, DYNPTR_AT(i)),
	    CALL_HELPER(BPF_FUNC_ringbuf_reserve_dynptr));
	add_note(c);
	add_dynptr_call(c, i, true, 0);
	add_dynptr_call(c, i, true, 8 + next_random(size + 1));
	add_dynptr_call(c, i, false, next_random(2) ? 0 : next_random(size + 9));
	ADD(c, MOVX(1, 10), ALU64_K(BPF_ADD, 1, DYNPTR_AT(i)),
	    MOV(2, next_random(3) ? 0 : (int32_t)next_random(size + 9)), MOV(3, 4),
	    CALL_HELPER(BPF_FUNC_dynptr_data), JMP_K(BPF_JEQ, 0, 0, 2), ST(BPF_W, 0, 0, 77),
	    ALU64_K(BPF_ADD, 9, 1));
}

static void add_release_dynptr(struct code *c, uint32_t i)
{
	ADD(c, MOVX(1, 10), ALU64_K(BPF_ADD, 1, DYNPTR_AT(i)), MOV(2, 0),
	    CALL_HELPER(next_random(3) ? BPF_FUNC_ringbuf_submit_dynptr
				       : BPF_FUNC_ringbuf_discard_dynptr));
}

static void draw_code(struct code *c, uint32_t ring_size)
{
	const uint32_t n_held = 1 + next_random(HELD_MAX), first = next_random(n_held);
	const uint32_t n_dynptrs = next_random(HELD_MAX);

	c->n = c->n_maps = 0;
	ADD(c, MOV(9, 0));
	for (uint32_t i = next_random(3); i; i--)
		add_output(c);
	for (uint32_t i = 0; i < n_held; i++)
		add_reserve(c, i, draw_size(ring_size), next_random(10) ? 0 : 1);
	for (uint32_t i = 0; i < n_dynptrs; i++)
		add_reserve_dynptr(c, i, draw_size(ring_size), next_random(10) ? 0 : 1);
	add_query(c);
	for (uint32_t i = 0; i < n_held; i++)
		add_release(c, (first + i) % n_held);
	for (uint32_t i = 0; i < n_dynptrs; i++)
		add_release_dynptr(c, n_dynptrs - 1 - i);
	add_query(c);
	ADD(c, MOVX(0, 9), EXIT_INSN);
}

static uint32_t run_kernel(struct code *c, int map_fd)
{
	uint8_t packet[PACKET_LEN] = { 0 };
	static char log[1 << 16];
	uint32_t ret = 0;
	int fd;

	set_map(c, BPF_PSEUDO_MAP_FD, (uint32_t)map_fd);
	fd = kernel_load(c->insn, c->n, log, sizeof(log));
	if (fd < 0)
		fail_msg("the kernel refuses the program: %d\n%s", fd, log);
	assert_int_equal(kernel_run(fd, packet, sizeof(packet), &ret), 0);
	close(fd);
	return ret;
}

static struct xl_verdict run_ours(struct rig *rig, struct code *c, struct xl_map *map)
{
	const uint8_t packet[PACKET_LEN] = { 0 };
	struct xl_verdict v;
	struct xl_prog prog;

	set_map(c, 0, (uintptr_t)map);
	assert_int_equal(rig_load(rig, &prog, c->insn, c->n), 0);
	v = rig_run(rig, &prog, packet, sizeof(packet));
	rig_unload(&prog);
	return v;
}

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Compares all records that are there; bytes as far as programs here write them. */
static void compare_records(const struct ring *r)
{
	uint64_t pos = *r->view[0].consumer, end = producer_of(&r->view[0]);
	const uint32_t mask = (uint32_t)r->view[0].size - 1;

	assert_int_equal(pos, *r->view[1].consumer);
	assert_int_equal(end, producer_of(&r->view[1]));
	while (pos < end) {
		const uint8_t *ours = r->view[0].rest + PAGE + (pos & mask);
		const uint8_t *kernel = r->view[1].rest + PAGE + (pos & mask);
		const uint32_t len = u32_at(ours) & ~BPF_RINGBUF_DISCARD_BIT;

		assert_memory_equal(ours, kernel, BPF_RINGBUF_HDR_SZ);
		if (len >= 8)
			assert_memory_equal(ours + 8, kernel + 8, 8);
		pos += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7U;
	}
}

/* Reads up to @n records on both sides. */
static void consume(const struct ring *r, uint32_t n)
{
	uint64_t pos = *r->view[0].consumer;

	for (; n && pos < producer_of(&r->view[0]); n--) {
		const uint8_t *at = r->view[0].rest + PAGE + (pos & (r->view[0].size - 1));

		pos += ((u32_at(at) & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7U;
	}
	*r->view[0].consumer = pos;
	*r->view[1].consumer = pos;
}

static void random_programs_leave_what_the_kernels_do(void **state)
{
	static const uint32_t sizes[] = { PAGE, 2 * PAGE, 16 * PAGE };
	static struct code code;
	static struct rig rig;

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct ring ring;

		rig_init(&rig);
		ring = new_ring(&rig, sizes[s]);
		for (int round = 0; round < 400; round++) {
			struct xl_verdict v;
			uint32_t kernel;

			draw_code(&code, sizes[s]);
			kernel = run_kernel(&code, ring.fd);
			v = run_ours(&rig, &code, ring.ours);
			assert_false(v.faulted);
			assert_int_equal(v.retval, kernel);
			compare_records(&ring);
			if (next_random(2))
				consume(&ring, next_random(20));
		}
		free_ring(&ring);
		rig_fini(&rig);
	}
}

static void output_arrives_whole(void **state)
{
	static struct code code;
	static struct rig rig;
	struct ring ring;

	rig_init(&rig);
	ring = new_ring(&rig, PAGE);
	for (int round = 0; round < 300; round++) {
		const uint64_t pos = *ring.view[0].consumer;

		code.n = code.n_maps = 0;
		ADD(&code, MOV(9, 0));
		add_output(&code);
		ADD(&code, MOVX(0, 9), EXIT_INSN);
		assert_int_equal(run_kernel(&code, ring.fd),
				 run_ours(&rig, &code, ring.ours).retval);
		if (producer_of(&ring.view[0]) != pos) {
			const uint8_t *at = ring.view[0].rest + PAGE + (pos & (PAGE - 1));

			assert_memory_equal(at, ring.view[1].rest + PAGE + (pos & (PAGE - 1)),
					    u32_at(at) + BPF_RINGBUF_HDR_SZ);
		}
		consume(&ring, 1);
	}
	free_ring(&ring);
	rig_fini(&rig);
}

/* Loads that the kernel refuses; ours stops the program. */

struct wrong {
	const char *name, *says; /* part of the fault's text; NULL: no fault */
	struct bpf_insn insn[32];
	uint32_t n;
};

#define RESERVE(size) \
	LD_IMM64(1, 0, 0), MOV(2, size), MOV(3, 0), CALL_HELPER(BPF_FUNC_ringbuf_reserve)
#define RESERVE_DYNPTR(size)                                                               \
	LD_IMM64(1, 0, 0), MOV(2, size), MOV(3, 0), MOVX(4, 10), ALU64_K(BPF_ADD, 4, -16), \
		CALL_HELPER(BPF_FUNC_ringbuf_reserve_dynptr)
#define END MOV(0, XDP_PASS), EXIT_INSN
#define WRONG(name, says, ...)                                                               \
	{                                                                                    \
		name, says, { __VA_ARGS__ },                                                 \
			sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn) \
	}

static void check_wrong(const struct wrong *w)
{
	static struct rig rig;
	struct code code = { .n = w->n };
	struct xl_verdict v;
	struct ring ring;
	char text[256];
	int fd;

	rig_init(&rig);
	ring = new_ring(&rig, PAGE);
	memcpy(code.insn, w->insn, sizeof(w->insn));
	if (w->insn[0].code == (BPF_LD | BPF_IMM | BPF_DW))
		code.n_maps = 1;
	set_map(&code, BPF_PSEUDO_MAP_FD, (uint32_t)ring.fd);
	fd = kernel_load(code.insn, code.n, NULL, 0);
	assert_true(fd < 0);
	v = run_ours(&rig, &code, ring.ours);
	assert_int_equal(v.faulted, w->says != NULL);
	if (w->says) {
		rig.run.fault.prog = NULL;
		xl_fault_describe(&rig.run.fault, text, sizeof(text));
		if (!strstr(text, w->says))
			fail_msg("%s: \"%s\"", w->name, text);
	}
	/* Nothing is held any more: the ring has no unfinished record. */
	assert_int_equal(rig.run.n_held, 0);
	if (producer_of(&ring.view[0]))
		assert_false(u32_at(ring.view[0].rest + PAGE) & BPF_RINGBUF_BUSY_BIT);
	free_ring(&ring);
	rig_fini(&rig);
}

static void what_the_kernel_refuses_is_stopped(void **state)
{
	const struct wrong wrongs[] = {
		WRONG("write before the record", "record-8 of ring buffer m: it has 16 bytes",
		      RESERVE(16), JMP_K(BPF_JEQ, 0, 0, 3), ST(BPF_DW, 0, -8, 0), MOVX(1, 0),
		      MOV(2, 0), END),
		WRONG("write behind the record", "record+16 of ring buffer m", RESERVE(16),
		      JMP_K(BPF_JEQ, 0, 0, 1), ST(BPF_B, 0, 16, 0), END),
		WRONG("write over the end", "record+12", RESERVE(16), JMP_K(BPF_JEQ, 0, 0, 1),
		      ST(BPF_DW, 0, 12, 0), END),
		WRONG("use after submit", "", RESERVE(16), JMP_K(BPF_JEQ, 0, 0, 5), MOVX(6, 0),
		      MOVX(1, 0), MOV(2, 0), CALL_HELPER(BPF_FUNC_ringbuf_submit),
		      ST(BPF_DW, 6, 0, 0), END),
		WRONG("submit twice", "the start of a reserved record is expected", RESERVE(16),
		      JMP_K(BPF_JEQ, 0, 0, 7), MOVX(6, 0), MOVX(1, 0), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit), MOVX(1, 6), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit), END),
		WRONG("submit the middle", "not record+8 of ring buffer m", RESERVE(16),
		      JMP_K(BPF_JEQ, 0, 0, 4), MOVX(1, 0), ALU64_K(BPF_ADD, 1, 8), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit), END),
		WRONG("submit NULL", "not NULL", MOV(1, 0), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit), END),
		WRONG("keep it", NULL, RESERVE(16), END),
		WRONG("keep it by dynptr", NULL, RESERVE_DYNPTR(16), END),
		WRONG("submit what is no dynptr", "what lies there is no dynptr", MOVX(1, 10),
		      ST(BPF_DW, 10, -16, 4711), ST(BPF_DW, 10, -8, 8 | 2 << 28),
		      ALU64_K(BPF_ADD, 1, -16), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit_dynptr), END),
		WRONG("make it longer", "what lies there is no dynptr", RESERVE_DYNPTR(16),
		      ST(BPF_W, 10, -8, 17 | 2 << 28), MOVX(1, 10), ALU64_K(BPF_ADD, 1, -16),
		      MOV(2, 0), MOV(3, 1), CALL_HELPER(BPF_FUNC_dynptr_data), END),
		WRONG("submit a clone, too", "what lies there is no dynptr", RESERVE_DYNPTR(16),
		      LDX(BPF_DW, 6, 10, -16), LDX(BPF_DW, 7, 10, -8), MOVX(1, 10),
		      ALU64_K(BPF_ADD, 1, -16), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit_dynptr), STX(BPF_DW, 10, -16, 6),
		      STX(BPF_DW, 10, -8, 7), MOVX(1, 10), ALU64_K(BPF_ADD, 1, -16), MOV(2, 0),
		      CALL_HELPER(BPF_FUNC_ringbuf_submit_dynptr), END),
	};

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		check_wrong(&wrongs[i]);
}

struct heard {
	uint32_t n, len;
	uint64_t first;
	bool take;
};

static bool hear(void *arg, struct xl_map *map, const void *data, uint32_t len)
{
	struct heard *h = arg;

	h->n++;
	h->len = len;
	memcpy(&h->first, data, sizeof(h->first));
	return h->take;
}

static void a_reader_in_process_hears_each_record_and_makes_room(void **state)
{
	static struct code code;
	static struct rig rig;
	struct heard heard = { .take = true };
	struct ring ring;

	rig_init(&rig);
	rig.run.sinks.arg = &heard;
	rig.run.sinks.ringbuf = hear;
	ring = new_ring(&rig, PAGE);
	ADD(&code, RESERVE(1000), JMP_K(BPF_JEQ, 0, 0, 5), ST(BPF_DW, 0, 0, 4711), MOVX(1, 0),
	    MOV(2, 0), CALL_HELPER(BPF_FUNC_ringbuf_submit), MOV(9, 1), MOV(0, 2), EXIT_INSN);
	code.n_maps = 1;
	for (uint32_t i = 1; i <= 20; i++) {
		run_ours(&rig, &code, ring.ours);
		assert_int_equal(heard.n, i);
		assert_int_equal(heard.len, 1000);
		assert_int_equal(heard.first, 4711);
		assert_int_equal(*ring.view[0].consumer, producer_of(&ring.view[0]));
	}
	heard.take = false;
	for (uint32_t i = 0; i < 20; i++)
		run_ours(&rig, &code, ring.ours);
	assert_int_equal(heard.n, 20 + 4); /* then it is full */
	free_ring(&ring);
	rig_fini(&rig);
}

/* A reader that writes where it should not can spoil its records, but nothing else. */
static void a_hostile_reader_cannot_lead_the_writer_astray(void **state)
{
	static struct code code;
	static struct rig rig;
	struct ring ring;

	rig_init(&rig);
	ring = new_ring(&rig, PAGE);
	for (int round = 0; round < 3000; round++) {
		uint32_t *words = ring.ours->mem.base;

		draw_code(&code, PAGE);
		assert_false(run_ours(&rig, &code, ring.ours).faulted);
		for (int i = 0; i < 40; i++)
			words[next_random(4 * PAGE / 4)] =
				next_random(2) ? next_random(5000) : UINT32_MAX;
		words[0] = next_random(10000);
		words[1] = next_random(2) ? 0 : UINT32_MAX;
	}
	free_ring(&ring);
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_programs_leave_what_the_kernels_do),
		cmocka_unit_test(output_arrives_whole),
		cmocka_unit_test(what_the_kernel_refuses_is_stopped),
		cmocka_unit_test(a_reader_in_process_hears_each_record_and_makes_room),
		cmocka_unit_test(a_hostile_reader_cannot_lead_the_writer_astray),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs the kernel's bpf(2), which is not usable here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
