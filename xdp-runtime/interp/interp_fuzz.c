/* Fuzzes the interpreter: any instructions that pass xl_insn_check(), with real maps and helpers,
 * must end and touch nothing but what is theirs.
 *
 * Input: one byte of mode, one of packet length, then instructions. Mode 0: as they are. Mode 1:
 * bent into a program of three functions that passes the check, so that mutations mean something;
 * r6 is the context then, r7 and r8 are functions, r9 is the packet.
 *
 * A 16-byte load of the kinds MAP_FD and MAP_VALUE gives one of the maps below, or a place in its
 * values.
 */
#include <assert.h>
#include <stdint.h>

#include "xdp-runtime/fib/fib.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/interp/interp_test_rig.h"
#include "xdp-runtime/helpers/kfuncs.h"

#define INSNS_MAX  512
#define INSN_LIMIT 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What lies in slot 1 of a map before the program runs. */
enum content { NOTHING, NUMBER, STRINGS, THE_PROGRAM, FIRST_MAP };

static const struct {
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries, flags;
	enum content content;
} shapes[] = {
	{ BPF_MAP_TYPE_ARRAY, 4, 16, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_HASH, 8, 20, 8, 0, NOTHING },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2, 0, NOTHING },
	{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 4, 8, BPF_F_NO_PREALLOC, NOTHING },
	{ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0, THE_PROGRAM },
	{ BPF_MAP_TYPE_QUEUE, 0, 12, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 12, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, NOTHING },
	{ BPF_MAP_TYPE_DEVMAP, 4, 4, 4, 0, NUMBER },
	{ BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0, NUMBER },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0, NUMBER },
	{ BPF_MAP_TYPE_ARRAY, 4, 64, 2, BPF_F_RDONLY_PROG, STRINGS },
	{ BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 2, 0, FIRST_MAP },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 2, 0, FIRST_MAP },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 4, 0, NUMBER },
	{ BPF_MAP_TYPE_XSKMAP, 4, 4, 4, 0, NUMBER },
	{ BPF_MAP_TYPE_STACK, 0, 12, 4, 0, NOTHING },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 4, 0, NOTHING },
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

struct fuzz {
	struct rig rig;
	struct xl_prog prog;
	struct bpf_insn insn[INSNS_MAX];
	uint32_t n;
	struct xl_map *map[N_SHAPES]; /* NULL until the program names it */
};

static struct xl_map *map_of(struct fuzz *f, uint32_t number);

static void fill(struct fuzz *f, struct xl_map *map, enum content content)
{
	static const char strings[64] = "%d %s %p%llx\0abc\0%pI4 %u\n";
	const uint32_t key = 1, number = 7;
	int err = 0;

	switch (content) {
	case NOTHING:
		break;
	case NUMBER:
		err = xl_map_sys_update(map, &key, &number, NULL, BPF_ANY);
		break;
	case STRINGS:
		err = xl_map_sys_update(map, &key, strings, NULL, BPF_ANY);
		break;
	case THE_PROGRAM:
		err = xl_map_sys_update(map, &key, &number, xl_obj_get(&f->prog.obj), BPF_ANY);
		break;
	case FIRST_MAP:
		err = xl_map_sys_update(map, &key, &number, xl_obj_get(&map_of(f, 0)->obj),
					BPF_ANY);
		break;
	}
	assert(!err);
	(void)err;
}

static struct xl_map *map_of(struct fuzz *f, uint32_t number)
{
	const uint32_t i = number % N_SHAPES;
	struct xl_map *inner = shapes[i].content == FIRST_MAP ? map_of(f, 0) : NULL;

	if (f->map[i])
		return f->map[i];
	f->map[i] = rig_map_of(&f->rig, shapes[i].type, shapes[i].key_size, shapes[i].value_size,
			       shapes[i].max_entries, shapes[i].flags, inner);
	assert(f->map[i]);
	fill(f, f->map[i], shapes[i].content);
	return f->map[i];
}

/* After the check, as sysbpf does. */
static void resolve_maps(struct fuzz *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		struct bpf_insn *insn = &f->insn[i];
		struct xl_region region;
		uint64_t address;

		if (!xl_insn_is_ld_imm64(insn))
			continue;
		i++;
		if (insn->src_reg == 0 || insn->src_reg == BPF_PSEUDO_FUNC)
			continue;
		address = (uintptr_t)map_of(f, (uint32_t)insn[0].imm);
		if (insn->src_reg == BPF_PSEUDO_MAP_VALUE &&
		    xl_map_regions(map_of(f, (uint32_t)insn[0].imm), &region))
			address = region.base + (uint32_t)insn[1].imm % region.size;
		insn[0].imm = (int32_t)(uint32_t)address;
		insn[1].imm = (int32_t)(address >> 32);
	}
}

/* Bending. Each instruction becomes the nearest one that the check lets pass. */

static int32_t served_helper(int32_t wish)
{
	const int32_t end = xl_helper_end();
	const uint32_t n_kfuncs = (uint32_t)(xl_kfunc_end() - XL_KFUNC_FIRST);
	int32_t id = (int32_t)((uint32_t)wish % (uint32_t)end);

	/* Negative wishes are for kernel functions. */
	if ((uint32_t)wish >> 31)
		return XL_KFUNC_FIRST + (int32_t)((uint32_t)wish % n_kfuncs);

	while (!xl_helper_of(id))
		id = (id + 1) % end;
	return id;
}

/* A distance from @at to somewhere in [@start, @end). */
static int32_t distance(uint32_t at, int32_t wish, uint32_t start, uint32_t end)
{
	return (int32_t)(start + (uint32_t)wish % (end - start)) - (int32_t)at - 1;
}

static void bend_alu(struct bpf_insn *insn)
{
	static const int16_t extend[] = { 0, 8, 16, 32 };
	const uint8_t class = BPF_CLASS(insn->code), width = class == BPF_ALU64 ? 64 : 32;
	const uint8_t op = BPF_OP(insn->code) > BPF_END ? BPF_MOV : BPF_OP(insn->code);
	const bool k = BPF_SRC(insn->code) == BPF_K;

	if (insn->dst_reg == BPF_REG_10)
		insn->dst_reg = BPF_REG_2;
	insn->code = class | op | BPF_SRC(insn->code);
	if (op == BPF_END || op == BPF_NEG) {
		insn->imm = op == BPF_END ? 16 << ((uint32_t)insn->imm % 3) : 0;
		insn->off = 0;
		insn->src_reg = 0;
		if (op == BPF_NEG || width == 64)
			insn->code &= (uint8_t)~BPF_X;
		return;
	}
	if (op == BPF_MOV && !k)
		insn->off = width == 64 || extend[insn->off & 3] < 32 ? extend[insn->off & 3] : 0;
	else
		insn->off = op == BPF_DIV || op == BPF_MOD ? insn->off & 1 : 0;
	if (!k) {
		insn->imm = 0;
		return;
	}
	insn->src_reg = 0;
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		insn->imm &= width - 1;
	else if ((op == BPF_DIV || op == BPF_MOD) && !insn->imm)
		insn->imm = 1;
}

static void bend_atomic(struct bpf_insn *insn)
{
	static const int32_t ops[] = { BPF_ADD,
				       BPF_OR,
				       BPF_AND,
				       BPF_XOR,
				       BPF_ADD | BPF_FETCH,
				       BPF_OR | BPF_FETCH,
				       BPF_AND | BPF_FETCH,
				       BPF_XOR | BPF_FETCH,
				       BPF_XCHG,
				       BPF_CMPXCHG,
				       BPF_LOAD_ACQ,
				       BPF_STORE_REL };

	insn->imm = ops[(uint32_t)insn->imm % (sizeof(ops) / sizeof(ops[0]))];
	if (BPF_SIZE(insn->code) != BPF_DW && insn->imm != BPF_LOAD_ACQ &&
	    insn->imm != BPF_STORE_REL)
		insn->code = BPF_STX | BPF_ATOMIC | BPF_W;
	if (insn->imm & BPF_FETCH && insn->src_reg == BPF_REG_10)
		insn->src_reg = BPF_REG_3;
	if (insn->imm == BPF_LOAD_ACQ && insn->dst_reg == BPF_REG_10)
		insn->dst_reg = BPF_REG_4;
}

static void bend_memory(struct bpf_insn *insn)
{
	const uint8_t class = BPF_CLASS(insn->code), size = BPF_SIZE(insn->code);

	if (class == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC) {
		bend_atomic(insn);
		return;
	}
	if (class == BPF_LDX && BPF_MODE(insn->code) == BPF_MEMSX && size != BPF_DW)
		insn->code = BPF_LDX | BPF_MEMSX | size;
	else
		insn->code = class | BPF_MEM | size;
	if (class == BPF_LDX && insn->dst_reg == BPF_REG_10)
		insn->dst_reg = BPF_REG_5;
	if (class != BPF_ST)
		insn->imm = 0;
	else
		insn->src_reg = 0;
}

/* Gotos and exits become conditional, so that what follows can be reached. */
static void bend_jump(struct fuzz *f, uint32_t at, uint32_t start, uint32_t end)
{
	struct bpf_insn *insn = &f->insn[at];
	const uint8_t op = BPF_OP(insn->code);

	if (insn->code == (BPF_JMP | BPF_CALL)) {
		insn->dst_reg = 0;
		insn->off = 0;
		insn->src_reg &= BPF_PSEUDO_CALL;
		if (!insn->src_reg)
			insn->imm = served_helper(insn->imm);
		return;
	}
	if (op == BPF_JA || op == BPF_EXIT || op == BPF_CALL || op > BPF_JSLE)
		insn->code = BPF_CLASS(insn->code) | BPF_JNE | BPF_K;
	insn->off = (int16_t)distance(at, insn->off, start, end);
	if (BPF_SRC(insn->code) == BPF_K)
		insn->src_reg = 0;
	else
		insn->imm = 0;
}

/* Returns how many instructions it made. */
static uint32_t bend_ld_imm64(struct fuzz *f, uint32_t at, uint32_t end)
{
	static const uint8_t kinds[] = { 0, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, 0 };
	struct bpf_insn *insn = &f->insn[at];

	if (at + 2 >= end) {
		*insn = MOV(insn->dst_reg % BPF_REG_10, insn->imm);
		return 1;
	}
	insn[0] = INSN(BPF_LD | BPF_IMM | BPF_DW, insn->dst_reg % BPF_REG_10,
		       kinds[insn->src_reg % sizeof(kinds)], 0, insn->imm);
	insn[1] = INSN(0, 0, 0, 0, insn->src_reg == BPF_PSEUDO_MAP_FD ? 0 : insn[1].imm);
	return 2;
}

/* No jump goes to the second half of a 16-byte load. */
static void move_targets(struct fuzz *f, uint32_t start, uint32_t end)
{
	bool second_half[INSNS_MAX] = { false };

	for (uint32_t i = start; i < end; i++)
		if (xl_insn_is_ld_imm64(&f->insn[i]))
			second_half[++i] = true;
	for (uint32_t i = start; i < end; i++) {
		struct bpf_insn *insn = &f->insn[i];
		const uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

		if (!second_half[i] && (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL &&
		    op != BPF_EXIT)
			insn->off += second_half[(int32_t)i + 1 + insn->off];
	}
}

/* Makes [@start, @end) one function; its last instruction becomes an exit. */
static void bend_function(struct fuzz *f, uint32_t start, uint32_t end)
{
	f->insn[end - 1] = EXIT_INSN;
	for (uint32_t i = start; i + 1 < end; i++) {
		struct bpf_insn *insn = &f->insn[i];

		insn->dst_reg %= BPF_REG_10 + 1;
		insn->src_reg %= BPF_REG_10 + 1;
		switch (BPF_CLASS(insn->code)) {
		case BPF_LD:
			i += bend_ld_imm64(f, i, end) - 1;
			break;
		case BPF_LDX:
		case BPF_ST:
		case BPF_STX:
			bend_memory(insn);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			bend_jump(f, i, start, end);
			break;
		default:
			bend_alu(insn);
		}
	}
	move_targets(f, start, end);
}

/* Sets up registers in the first seven instructions and makes three functions of what is there;
 * calls have been bent to "function 1 or 2" and get their distance here. */
static void bend(struct fuzz *f)
{
	const uint32_t second = f->n / 2, third = second + (f->n - second) / 2;
	const struct bpf_insn start[] = {
		MOVX(6, 1),
		LD_FUNC(7, second - 2),
		LD_FUNC(8, third - 4),
		LDX(BPF_W, 9, 1, offsetof(struct xdp_md, data)),
	};
	const uint32_t n_start = sizeof(start) / sizeof(start[0]);

	bend_function(f, n_start, second);
	bend_function(f, second, third);
	bend_function(f, third, f->n);
	memcpy(f->insn, start, sizeof(start));
	for (uint32_t i = n_start; i < f->n; i++) {
		struct bpf_insn *insn = &f->insn[i];

		if (xl_insn_is_ld_imm64(insn))
			i++;
		else if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg)
			insn->imm = (int32_t)(insn->imm & 1 ? second : third) - (int32_t)i - 1;
	}
}

static void check_frame(const struct xl_frame *frame)
{
	assert(frame->hard_start <= frame->data_meta);
	assert(frame->data_meta <= frame->data);
	assert(frame->data <= frame->data_end);
	assert(frame->data_end <= frame->hard_end);
	(void)frame;
}

/* The sinks read what they are given, so that ASan sees it if it is not there. */

static void read_all(const void *data, size_t len)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
}

static void trace(void *arg, const char *text, size_t len)
{
	read_all(text, len);
}

static int perf_event(void *arg, struct xl_map *map, uint32_t index, const void *data, uint32_t len,
		      const struct xl_frame *frame, uint32_t packet_len)
{
	uint8_t packet[4096];

	read_all(data, len);
	return packet_len <= sizeof(packet) ? xl_frame_read(frame, 0, packet, packet_len) : 0;
}

static void run(struct fuzz *f, const uint8_t *packet, uint32_t len)
{
	const size_t size = xl_frame_buf_size(len);
	uint8_t *buf = malloc(size); /* of its own, so that ASan knows its ends */
	struct xl_burst burst = { 1, { &f->rig.frame } };
	struct xl_verdict verdict;
	char why[512];

	xl_frame_init(&f->rig.frame, buf, size, packet, len);
	f->rig.run.insn_limit = INSN_LIMIT;
	f->rig.run.sinks = (struct xl_run_sinks){ .trace = trace, .perf_event = perf_event };
	xl_interp.run(&f->rig.run, &f->prog, &burst, &verdict);
	assert(verdict.action <= XDP_REDIRECT);
	assert(f->rig.run.n_insns <= INSN_LIMIT);
	assert(verdict.faulted == (f->rig.run.fault.kind != XL_FAULT_NONE));
	check_frame(&f->rig.frame);
	xl_fault_describe(&f->rig.run.fault, why, sizeof(why));
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	static struct xl_fib *fib; /* empty, and stays so */
	uint8_t packet[256];

	if (size < 2 || (!fib && xl_fib_create(&fib)))
		return 0;
	memset(f.map, 0, sizeof(f.map));
	f.n = (uint32_t)((size - 2) / sizeof(struct bpf_insn));
	if (f.n > INSNS_MAX)
		f.n = INSNS_MAX;
	memcpy(f.insn, data + 2, f.n * sizeof(struct bpf_insn));
	if (data[0] & 1) {
		if (f.n < 24)
			return 0;
		bend(&f);
	}
	for (uint32_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 7 + data[0]);
	rig_init(&f.rig);
	f.rig.rt.fib = fib;
	if (rig_load(&f.rig, &f.prog, f.insn, f.n) == 0) {
		resolve_maps(&f);
		run(&f, packet, data[1]);
		rig_unload(&f.prog);
	} else {
		/* Bent programs pass, or bending is wrong. */
		assert(!(data[0] & 1));
	}
	rig_fini(&f.rig);
	return 0;
}
