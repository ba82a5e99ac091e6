/* Random programs do the same in the interpreter and in the kernel's JIT.
 *
 * A program loads nine registers and 64 bytes of stack from the packet, works on them, and stores
 * them back, so that the packet shows all that it did. The verifier knows none of the values, so it
 * removes nothing. Functions work on their arguments and their own stack, or on their caller's.
 *
 * Atomics that fetch work on a map value, which the verifier does not follow. On the stack it does:
 * 6.18 may there prune a path that differs, because it does not carry the need for precision
 * through the fetch, and then cut a branch that is taken (seen here once in 3,200 programs).
 */
#include <setjmp.h>
#include <stdio.h>

#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/interp/interp_test_kernel.h"

#include <cmocka.h>

#define N_PROGS	    3000
#define N_PACKETS   4
#define PACKET_LEN  208 /* registers, stack and map value, all stored at the end */
#define REGS	    9	/* r0..r8 hold numbers, r9 the packet */
#define STACK_BYTES 64	/* at r10-64 */
#define VALUE_BYTES 64	/* of the map */
#define INSNS_MAX   2000
#define UNITS_MAX   64
#define DEPTH_MAX   3 /* functions that may call further */

static uint64_t rng_state;

static uint64_t rng(void)
{
	/* splitmix64 */
	uint64_t z = (rng_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(rng() % n);
}

/* Numbers as they come up in trouble: small, all ones, extremes, anything. */
static uint64_t interesting(void)
{
	static const uint64_t special[] = { 0,
					    1,
					    UINT64_MAX,
					    INT64_MIN,
					    INT64_MAX,
					    INT32_MAX,
					    UINT32_MAX,
					    0x80000000,
					    0xffffffff80000000,
					    0x8000,
					    0x80,
					    0x100000000,
					    7,
					    63,
					    32,
					    0xff00ff00ff00 };

	switch (below(4)) {
	case 0:
		return special[below(sizeof(special) / sizeof(special[0]))];
	case 1:
		return below(256) - 128;
	case 2:
		return (uint32_t)rng();
	}
	return rng();
}

/* A block of memory that a function may use. */
struct area {
	uint8_t base_reg;
	int16_t start; /* offset from the register */
	uint32_t size;
	bool aligned;
};

struct gen {
	struct bpf_insn insn[INSNS_MAX];
	uint32_t n;
	bool has_acquire; /* the kernel knows load-acquire and store-release */
	uint32_t call[16], callee[16], n_calls;
	uint32_t value[128], n_values; /* where the address of the map value is loaded */
	/* Of the function in the making. */
	struct area area[2];
	uint32_t n_areas, n_regs, depth;
};

static void emit(struct gen *g, struct bpf_insn insn)
{
	assert_true(g->n < INSNS_MAX);
	g->insn[g->n++] = insn;
}

static uint8_t reg(const struct gen *g)
{
	return (uint8_t)below(g->n_regs);
}

static void gen_alu(struct gen *g)
{
	static const uint8_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND,
				       BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH };
	const uint8_t op = ops[below(sizeof(ops))], class = below(2) ? BPF_ALU64 : BPF_ALU;
	const bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	const bool is_div = op == BPF_DIV || op == BPF_MOD;
	const int16_t off = is_div ? (int16_t)below(2) : 0;
	int32_t imm = (int32_t)interesting();

	if (is_shift)
		imm = (int32_t)below(class == BPF_ALU64 ? 64 : 32);
	else if (is_div && !imm)
		imm = -1;
	if (below(2))
		emit(g, INSN(class | op | BPF_K, reg(g), 0, off, imm));
	else
		emit(g, INSN(class | op | BPF_X, reg(g), reg(g), off, 0));
}

static void gen_unary(struct gen *g)
{
	static const int16_t extend[] = { 8, 16, 32 };
	static const int32_t width[] = { 16, 32, 64 };
	const int32_t bits = width[below(3)];

	switch (below(7)) {
	case 0:
		return emit(g, INSN(BPF_ALU64 | BPF_NEG, reg(g), 0, 0, 0));
	case 1:
		return emit(g, INSN(BPF_ALU | BPF_NEG, reg(g), 0, 0, 0));
	case 2:
		return emit(g,
			    INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg(g), reg(g), extend[below(3)], 0));
	case 3:
		return emit(g,
			    INSN(BPF_ALU | BPF_MOV | BPF_X, reg(g), reg(g), extend[below(2)], 0));
	case 4:
		return emit(g, INSN(BPF_ALU64 | BPF_END, reg(g), 0, 0, bits));
	case 5:
		return emit(g, INSN(BPF_ALU | BPF_END | BPF_TO_LE, reg(g), 0, 0, bits));
	default:
		return emit(g, INSN(BPF_ALU | BPF_END | BPF_TO_BE, reg(g), 0, 0, bits));
	}
}

static void gen_imm64(struct gen *g)
{
	const struct bpf_insn pair[] = { LD_IMM64(reg(g), 0, interesting()) };

	emit(g, pair[0]);
	emit(g, pair[1]);
}

static const uint8_t size_code[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

static int16_t place(const struct area *a, uint32_t bytes)
{
	uint32_t off = below(a->size - bytes + 1);

	if (a->aligned)
		off -= off % bytes;
	return (int16_t)(a->start + (int16_t)off);
}

static void gen_memory(struct gen *g)
{
	const struct area *a = &g->area[below(g->n_areas)];
	const uint32_t log_bytes = below(4), bytes = 1u << log_bytes;
	const uint8_t size = size_code[log_bytes];
	const int16_t off = place(a, bytes);

	switch (below(4)) {
	case 0:
		return emit(g, ST(size, a->base_reg, off, (int32_t)interesting()));
	case 1:
		return emit(g, STX(size, a->base_reg, off, reg(g)));
	case 2:
		if (size != BPF_DW)
			return emit(g, LDSX(size, reg(g), a->base_reg, off));
	}
	emit(g, LDX(size, reg(g), a->base_reg, off));
}

static void gen_acquire(struct gen *g)
{
	const struct area *a = &g->area[0];
	const uint32_t log_bytes = below(4);
	const uint8_t code = BPF_STX | BPF_ATOMIC | size_code[log_bytes];
	const int16_t off = place(a, 1u << log_bytes);

	if (below(2))
		emit(g, INSN(code, reg(g), a->base_reg, off, BPF_LOAD_ACQ));
	else
		emit(g, INSN(code, a->base_reg, reg(g), off, BPF_STORE_REL));
}

static void gen_atomic(struct gen *g)
{
	static const int32_t ops[] = { BPF_ADD, BPF_OR, BPF_AND, BPF_XOR };
	const struct area *a = &g->area[0];
	const uint32_t log_bytes = 2 + below(2);

	emit(g, ATOMIC(size_code[log_bytes], ops[below(4)], a->base_reg, place(a, 1u << log_bytes),
		       reg(g)));
}

/* Puts the address of the map value into @dst; compare() fills it in for each side. */
static void gen_value_address(struct gen *g, uint8_t dst)
{
	const struct bpf_insn pair[] = { LD_IMM64(dst, 0, 0) };

	assert_true(g->n_values < sizeof(g->value) / sizeof(g->value[0]));
	g->value[g->n_values++] = g->n;
	emit(g, pair[0]);
	emit(g, pair[1]);
}

/* Uses r8 for the address, and gives it a number again.
 *
 * RFC 9669 has a 32-bit comparison zero-extend r0. The kernel adds an instruction for that only
 * where it thinks that it matters, and 6.18 may overlook a use behind a pruned path; so the
 * program does it itself. */
static void gen_fetch(struct gen *g)
{
	static const int32_t ops[] = { BPF_ADD | BPF_FETCH, BPF_OR | BPF_FETCH, BPF_AND | BPF_FETCH,
				       BPF_XOR | BPF_FETCH, BPF_XCHG,		BPF_CMPXCHG };
	const uint32_t log_bytes = 2 + below(2), bytes = 1u << log_bytes;
	const int32_t op = ops[below(6)];

	gen_value_address(g, 8);
	emit(g, ATOMIC(size_code[log_bytes], op, 8, (int16_t)(bytes * below(VALUE_BYTES / bytes)),
		       (uint8_t)below(8)));
	if (op == BPF_CMPXCHG && bytes == 4)
		emit(g, ALU32_X(BPF_MOV, 0, 0));
	emit(g, LDX(BPF_DW, 8, 10, -8));
}

/* A conditional jump, or one around a goto, to a later unit; gen_body() sets where. */
static void gen_jump(struct gen *g)
{
	static const uint8_t ops[] = { BPF_JEQ,	 BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				       BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET };
	const uint8_t op = ops[below(sizeof(ops))], class = below(2) ? BPF_JMP : BPF_JMP32;

	if (below(2))
		emit(g, INSN(class | op | BPF_K, reg(g), 0, 0, (int32_t)interesting()));
	else
		emit(g, INSN(class | op | BPF_X, reg(g), reg(g), 0, 0));
}

static void set_target(struct bpf_insn *insn, uint32_t at, uint32_t target)
{
	const int32_t distance = (int32_t)target - (int32_t)at - 1;

	if (insn->code == (BPF_JMP32 | BPF_JA))
		insn->imm = distance;
	else
		insn->off = (int16_t)distance;
}

/* Reloads r1..r5, which a call leaves unreadable. */
static void gen_call(struct gen *g)
{
	const bool by_pointer = below(2);

	if (g->n_calls == sizeof(g->call) / sizeof(g->call[0]))
		return;
	if (by_pointer) {
		emit(g, MOVX(1, 10));
		emit(g, ALU64_K(BPF_ADD, 1, -STACK_BYTES));
	}
	g->callee[g->n_calls] = 2 * (g->depth + 1) + by_pointer;
	g->call[g->n_calls++] = g->n;
	emit(g, CALL_FN(0));
	for (uint8_t r = 1; r <= 5; r++)
		emit(g, LDX(BPF_DW, r, 10, (int16_t)(-8 * r)));
}

static void gen_unit(struct gen *g)
{
	const uint32_t kind = below(100);

	if (kind < 45)
		gen_alu(g);
	else if (kind < 60)
		gen_unary(g);
	else if (kind < 64)
		gen_imm64(g);
	else if (kind < 84)
		gen_memory(g);
	else if (kind < 87)
		gen_atomic(g);
	else if (kind < 89 && g->has_acquire)
		gen_acquire(g);
	else if (kind < 94)
		gen_fetch(g);
	else if (g->depth < DEPTH_MAX && kind < 96)
		gen_call(g);
	else
		gen_alu(g);
}

static void gen_body(struct gen *g)
{
	const uint32_t n_units = 5 + below(UNITS_MAX - 5);
	uint32_t start[UNITS_MAX + 1], jump[2 * UNITS_MAX], to_unit[2 * UNITS_MAX], n_jumps = 0;

	for (uint32_t unit = 0; unit < n_units; unit++) {
		start[unit] = g->n;
		if (below(8)) {
			gen_unit(g);
			continue;
		}
		gen_jump(g);
		if (below(3)) {
			to_unit[n_jumps] = unit + 1 + below(n_units - unit);
			jump[n_jumps++] = g->n - 1;
		} else {
			to_unit[n_jumps] = unit + 1;
			jump[n_jumps++] = g->n - 1;
			to_unit[n_jumps] = unit + 1 + below(n_units - unit);
			jump[n_jumps++] = g->n;
			emit(g, below(2) ? GOTO(0) : GOTOL(0));
		}
	}
	start[n_units] = g->n;
	for (uint32_t i = 0; i < n_jumps; i++)
		set_target(&g->insn[jump[i]], jump[i], start[to_unit[i]]);
}

static void gen_main(struct gen *g)
{
	g->depth = 0;
	g->n_regs = REGS;
	g->n_areas = 2;
	g->area[0] = (struct area){ 10, -STACK_BYTES, STACK_BYTES, true };
	g->area[1] = (struct area){ 9, 0, PACKET_LEN, false };
	emit(g, LDX(BPF_W, 2, 1, offsetof(struct xdp_md, data_end)));
	emit(g, LDX(BPF_W, 9, 1, offsetof(struct xdp_md, data)));
	emit(g, MOVX(3, 9));
	emit(g, ALU64_K(BPF_ADD, 3, PACKET_LEN));
	emit(g, JMP_X(BPF_JLE, 3, 2, 2));
	emit(g, MOV(0, 12345));
	emit(g, EXIT_INSN);
	for (int16_t i = 0; i < STACK_BYTES / 8; i++) {
		emit(g, LDX(BPF_DW, 0, 9, (int16_t)(72 + 8 * i)));
		emit(g, STX(BPF_DW, 10, (int16_t)(-STACK_BYTES + 8 * i), 0));
	}
	gen_value_address(g, 8);
	for (int16_t i = 0; i < VALUE_BYTES / 8; i++) {
		emit(g, LDX(BPF_DW, 0, 9, (int16_t)(136 + 8 * i)));
		emit(g, STX(BPF_DW, 8, (int16_t)(8 * i), 0));
	}
	for (uint8_t r = 0; r < REGS; r++)
		emit(g, LDX(BPF_DW, r, 9, (int16_t)(8 * r)));
	gen_body(g);
	for (uint8_t r = 0; r < REGS; r++)
		emit(g, STX(BPF_DW, 9, (int16_t)(8 * r), r));
	for (int16_t i = 0; i < STACK_BYTES / 8; i++) {
		emit(g, LDX(BPF_DW, 0, 10, (int16_t)(-STACK_BYTES + 8 * i)));
		emit(g, STX(BPF_DW, 9, (int16_t)(72 + 8 * i), 0));
	}
	gen_value_address(g, 8);
	for (int16_t i = 0; i < VALUE_BYTES / 8; i++) {
		emit(g, LDX(BPF_DW, 0, 8, (int16_t)(8 * i)));
		emit(g, STX(BPF_DW, 9, (int16_t)(136 + 8 * i), 0));
	}
	emit(g, MOVX(0, 7));
	emit(g, EXIT_INSN);
}

/* Function 2 * depth works on numbers, 2 * depth + 1 on 64 bytes that r1 points to. */
static void gen_function(struct gen *g, uint32_t function)
{
	g->depth = function / 2;
	g->n_regs = REGS;
	g->n_areas = 1;
	g->area[0] = (struct area){ 10, -STACK_BYTES, STACK_BYTES, true };
	if (function % 2) {
		emit(g, MOVX(9, 1));
		emit(g, MOVX(1, 2));
		g->area[g->n_areas++] = (struct area){ 9, 0, STACK_BYTES, true };
	}
	emit(g, MOVX(0, 5));
	for (uint8_t r = 6; r < REGS; r++)
		emit(g, MOVX(r, r - 4));
	for (int16_t i = 0; i < STACK_BYTES / 8; i++)
		emit(g, STX(BPF_DW, 10, (int16_t)(-STACK_BYTES + 8 * i), (uint8_t)(1 + i % 5)));
	gen_body(g);
	emit(g, EXIT_INSN);
}

static void gen_program(struct gen *g, uint64_t seed)
{
	uint32_t start[2 * DEPTH_MAX + 2] = { 0 };

	rng_state = seed;
	g->n = 0;
	g->n_calls = 0;
	g->n_values = 0;
	gen_main(g);
	/* Calls of functions that are made later come up while this runs. */
	for (uint32_t function = 2; function < 2 * DEPTH_MAX + 2; function++)
		for (uint32_t i = 0; i < g->n_calls; i++)
			if (g->callee[i] == function) {
				if (!start[function]) {
					start[function] = g->n;
					gen_function(g, function);
				}
				g->insn[g->call[i]].imm =
					(int32_t)start[function] - (int32_t)g->call[i] - 1;
			}
}

static void print_program(const struct gen *g)
{
	char text[128];

	for (uint32_t i = 0; i < g->n; i++) {
		xl_insn_text(&g->insn[i], text, sizeof(text));
		fprintf(stderr, "%4u: %s\n", i, text);
		i += (uint32_t)xl_insn_is_ld_imm64(&g->insn[i]);
	}
}

static void set_value_address(struct gen *g, uint8_t kind, uint64_t address)
{
	const struct bpf_insn pair[] = { LD_IMM64(0, kind, address) };

	for (uint32_t i = 0; i < g->n_values; i++) {
		struct bpf_insn *insn = &g->insn[g->value[i]];

		insn[0].src_reg = kind;
		insn[0].imm = pair[0].imm;
		insn[1].imm = pair[1].imm;
	}
}

static const char *word_name(uint32_t word)
{
	static char name[32];

	if (word < REGS)
		snprintf(name, sizeof(name), "r%u", word);
	else if (word < REGS + STACK_BYTES / 8)
		snprintf(name, sizeof(name), "stack word %u", word - REGS);
	else
		snprintf(name, sizeof(name), "value word %u", word - REGS - STACK_BYTES / 8);
	return name;
}

static void compare_on_packets(struct rig *rig, const struct gen *g, int fd, uint64_t seed)
{
	struct xl_prog prog;

	assert_int_equal(rig_load(rig, &prog, g->insn, g->n), 0);
	for (uint32_t i = 0; i < N_PACKETS; i++) {
		uint64_t packet[PACKET_LEN / 8], theirs[PACKET_LEN / 8];
		struct xl_verdict ours;
		uint32_t retval = 0;
		char why[512];

		for (uint32_t word = 0; word < PACKET_LEN / 8; word++)
			packet[word] = interesting();
		memcpy(theirs, packet, sizeof(packet));
		assert_int_equal(kernel_run(fd, theirs, sizeof(theirs), &retval), 0);
		ours = rig_run(rig, &prog, packet, sizeof(packet));
		if (ours.faulted) {
			print_program(g);
			xl_fault_describe(&rig->run.fault, why, sizeof(why));
			fail_msg("seed %llu: %s", (unsigned long long)seed, why);
		}
		if (ours.retval == retval && !memcmp(rig->frame.data, theirs, sizeof(theirs)))
			continue;
		print_program(g);
		for (uint32_t word = 0; word < PACKET_LEN / 8; word++) {
			uint64_t mine;

			memcpy(&mine, rig->frame.data + 8 * word, 8);
			fprintf(stderr, "%s: in %016llx ours %016llx kernel %016llx\n",
				word_name(word), (unsigned long long)packet[word],
				(unsigned long long)mine, (unsigned long long)theirs[word]);
		}
		fail_msg("seed %llu: r0 is %u here, %u in the kernel", (unsigned long long)seed,
			 ours.retval, retval);
	}
	rig_unload(&prog);
}

static bool kernel_has_acquire(void)
{
	const struct bpf_insn insns[] = {
		ST(BPF_DW, 10, -8, 0),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 10, -8, BPF_LOAD_ACQ),
		EXIT_INSN,
	};
	const int fd = kernel_load(insns, 3, NULL, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* An array with one value, which programs may address directly. */
static int kernel_value_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = VALUE_BYTES;
	attr.max_entries = 1;
	return (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Returns whether the kernel took the program. */
static bool compare(struct rig *rig, struct gen *g, int map_fd, uint64_t seed)
{
	static char log[1 << 16];
	const uint32_t key = 0;
	int fd;

	gen_program(g, seed);
	set_value_address(g, BPF_PSEUDO_MAP_VALUE, (uint32_t)map_fd);
	fd = kernel_load(g->insn, g->n, NULL, 0);
	/* Too many paths for the verifier; anything else is a fault of ours. */
	if (fd == -E2BIG)
		return false;
	if (fd < 0) {
		print_program(g);
		kernel_load(g->insn, g->n, log, sizeof(log));
		fail_msg("seed %llu: %d: %s", (unsigned long long)seed, fd, log);
	}
	set_value_address(g, 0, (uintptr_t)xl_map_lookup(rig->maps[0], &key));
	compare_on_packets(rig, g, fd, seed);
	close(fd);
	return true;
}

static void random_programs_do_what_the_kernels_jit_does(void **state)
{
	static struct gen g;
	static struct rig rig;
	const int map_fd = kernel_value_map();
	uint32_t n_accepted = 0;

	rig_init(&rig);
	assert_non_null(rig_map(&rig, BPF_MAP_TYPE_ARRAY, 4, VALUE_BYTES, 1, 0));
	g.has_acquire = kernel_has_acquire();
	for (uint64_t seed = 1; seed <= N_PROGS; seed++)
		n_accepted += compare(&rig, &g, map_fd, seed);
	rig_fini(&rig);
	close(map_fd);
	assert_true(n_accepted > N_PROGS * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_programs_do_what_the_kernels_jit_does),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: no kernel BPF here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
