/* Claim: what bpf(2) says about our maps is what the kernel says about its own.
 *
 * The same random steps of the control side are taken on a kernel map and on ours; answers, errno
 * and contents are compared. Left out: the order of keys in a hash, and LRU maps so full that
 * something is evicted (small ones evict early in the kernel).
 */
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "maps/map_test_steps.h"

#define N_STEPS	     3000
#define N_STEPS_SLOW 300 /* where the kernel waits for threads or a grace period each time */
#define KEYS_MAX     512
#define BAD_FD	     0x7ffffff0

static const struct shape lru_shapes[] = {
	{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 100000, 0, 100 },
	{ BPF_MAP_TYPE_LRU_HASH, 8, 8, 100000, BPF_F_NO_COMMON_LRU, 100 },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 20000, 0, 100 },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 12, 4, 20000, BPF_F_NO_COMMON_LRU, 100 },
};

/* Types that the model does not know, and flags that are for programs or for fds, which change
 * nothing here. */
static const struct shape more_shapes[] = {
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 1, 100, BPF_F_ZERO_SEED },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 13, 10000, BPF_F_ZERO_SEED },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0 },
	{ BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0 },
	{ BPF_MAP_TYPE_SOCKMAP, 4, 4, 5, 0 },
	{ BPF_MAP_TYPE_SOCKMAP, 4, 8, 5, 0 },
	{ BPF_MAP_TYPE_SOCKHASH, 4, 4, 5, 0 },
	{ BPF_MAP_TYPE_SOCKHASH, 9, 8, 5, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 8, 7, BPF_F_RDONLY_PROG },
	{ BPF_MAP_TYPE_ARRAY, 4, 8, 7, BPF_F_INNER_MAP },
	{ BPF_MAP_TYPE_ARRAY, 4, 8, 7, BPF_F_NUMA_NODE },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 5, BPF_F_WRONLY_PROG },
	{ BPF_MAP_TYPE_HASH, 4, 8, 8, BPF_F_RDONLY_PROG },
	{ BPF_MAP_TYPE_HASH, 4, 8, 8, BPF_F_NUMA_NODE | BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 4, 40, BPF_F_NO_PREALLOC | BPF_F_WRONLY_PROG },
	{ BPF_MAP_TYPE_QUEUE, 0, 4, 7, BPF_F_RDONLY_PROG },
	{ BPF_MAP_TYPE_STACK, 0, 4, 7, BPF_F_WRONLY_PROG },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 5, BPF_F_PRESERVE_ELEMS },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 6, BPF_F_ZERO_SEED },
};

struct pair {
	const struct shape *shape;
	struct xl_map *ours;
	int kernel;
	uint32_t n_cpus;
	struct step_objs objs;
	int obj_fds[STEP_OBJS]; /* the kernel's objects */
	struct xl_obj progs[STEP_OBJS];
	struct step step;
	unsigned n_steps;
	uint8_t out_ours[STEP_VALUE_MAX], out_kernel[STEP_VALUE_MAX];
};

static int kernel_map(const struct shape *shape, int inner_fd)
{
	union bpf_attr attr;

	shape_attr(shape, &attr);
	attr.inner_map_fd = (uint32_t)inner_fd;
	return (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int kernel_prog(enum bpf_map_type for_map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "MIT";
	if (for_map == BPF_MAP_TYPE_CPUMAP)
		attr.expected_attach_type = BPF_XDP_CPUMAP;
	else if (for_map != BPF_MAP_TYPE_PROG_ARRAY)
		attr.expected_attach_type = BPF_XDP_DEVMAP;
	return (int)xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
	};

	return (int)syscall(__NR_perf_event_open, &attr, -1, 0, -1, 0);
}

/* What the kernel does not take, for three reasons. */
static int no_fit_for_sockmap(uint32_t i)
{
	return i == 0 ? perf_event() : i == 1 ? socket(AF_XDP, SOCK_RAW, 0) : BAD_FD;
}

static int kernel_object(enum bpf_map_type type, uint32_t i)
{
	switch (xl_map_ops_of(type)->value_kind) {
	case XL_VALUE_BYTES:
		return -1;
	case XL_VALUE_MAP_FD:
		return kernel_map(&inner_shape, 0);
	case XL_VALUE_FOREIGN_FD:
		if (type == BPF_MAP_TYPE_SOCKMAP || type == BPF_MAP_TYPE_SOCKHASH)
			return no_fit_for_sockmap(i);
		return type == BPF_MAP_TYPE_XSKMAP ? socket(AF_XDP, SOCK_RAW, 0) : perf_event();
	default:
		return kernel_prog(type);
	}
}

/* Programs and maps both have their id at the same place of their info. */
static uint32_t kernel_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	assert_int_equal(xl_kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	_Static_assert(offsetof(struct bpf_prog_info, id) == offsetof(struct bpf_map_info, id),
		       "ids of programs and maps");
	return info.id;
}

static struct xl_map *our_map(const struct shape *shape, uint32_t n_cpus, struct xl_map *inner)
{
	const struct xl_map_env env = { .n_cpus = n_cpus, .seed = 42 };
	union bpf_attr attr;
	struct xl_map *map;

	shape_attr(shape, &attr);
	assert_int_equal(xl_map_create(&attr, &env, inner, &map, NULL), 0);
	return map;
}

static void no_release(struct xl_obj *obj)
{
}

static void pair_init(struct pair *p, const struct shape *shape)
{
	const enum xl_map_value_kind kind = xl_map_ops_of(shape->type)->value_kind;
	const bool of_maps = kind == XL_VALUE_MAP_FD;

	p->shape = shape;
	p->n_steps = 0;
	p->n_cpus = xl_percpu_n_possible();
	for (uint32_t i = 0; i < STEP_OBJS; i++) {
		p->obj_fds[i] = kernel_object(shape->type, i);
		p->objs.fd[i] = (uint32_t)p->obj_fds[i];
		xl_obj_init(&p->progs[i], XL_OBJ_PROG, no_release);
		p->objs.obj[i] =
			of_maps ? &our_map(&inner_shape, p->n_cpus, NULL)->obj : &p->progs[i];
		if (kind != XL_VALUE_BYTES && kind != XL_VALUE_FOREIGN_FD)
			p->objs.obj[i]->id = kernel_id(p->obj_fds[i]);
	}
	p->kernel = kernel_map(shape, p->obj_fds[0]);
	assert_true(p->kernel >= 0);
	p->ours = our_map(shape, p->n_cpus, of_maps ? xl_map_of(p->objs.obj[0]) : NULL);
}

static void pair_fini(struct pair *p)
{
	close(p->kernel);
	xl_map_put(p->ours);
	for (uint32_t i = 0; i < STEP_OBJS; i++) {
		if (p->obj_fds[i] >= 0)
			close(p->obj_fds[i]);
		xl_obj_put(p->objs.obj[i]);
	}
}

/* The value with the kernel's fds in it. */
static const void *kernel_value(const struct pair *p, uint32_t words[2])
{
	const enum xl_map_value_kind kind = xl_map_ops_of(p->shape->type)->value_kind;
	uint32_t fd = p->step.obj < 0 ? BAD_FD : (uint32_t)p->obj_fds[p->step.obj];

	if (kind == XL_VALUE_BYTES)
		return p->step.value;
	if (kind == XL_VALUE_FOREIGN_FD && p->step.obj < 0)
		fd = UINT32_MAX;
	words[0] = fd;
	words[1] = 0;
	if (kind == XL_VALUE_DEVMAP || kind == XL_VALUE_CPUMAP) {
		words[0] = p->step.number;
		words[1] = p->step.obj == -2 ? 0 : fd;
	}
	return words;
}

static long step_kernel(struct pair *p)
{
	static const int cmds[] = {
		[STEP_LOOKUP] = BPF_MAP_LOOKUP_ELEM, [STEP_UPDATE] = BPF_MAP_UPDATE_ELEM,
		[STEP_DELETE] = BPF_MAP_DELETE_ELEM, [STEP_TAKE] = BPF_MAP_LOOKUP_AND_DELETE_ELEM,
		[STEP_NEXT] = BPF_MAP_GET_NEXT_KEY,
	};
	union bpf_attr attr;
	uint32_t words[2];

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)p->kernel;
	if (p->shape->key_size && !(p->step.op == STEP_NEXT && p->step.no_key))
		attr.key = (uintptr_t)p->step.key;
	attr.value = p->step.op == STEP_UPDATE ? (uintptr_t)kernel_value(p, words)
					       : (uintptr_t)p->out_kernel;
	if (p->step.op == STEP_DELETE)
		attr.value = 0;
	attr.flags = p->step.flags;
	return xl_kernel_bpf(cmds[p->step.op], &attr, sizeof(attr));
}

static bool ordered(const struct shape *shape)
{
	const struct xl_map_ops *ops = xl_map_ops_of(shape->type);

	return ops->next_key == xl_map_ops_of(BPF_MAP_TYPE_ARRAY)->next_key ||
	       shape->type == BPF_MAP_TYPE_LPM_TRIE;
}

static void expect(const struct pair *p, bool ok, const char *what, long ours, long kernel)
{
	if (!ok)
		fail_msg("%s, key %u, value %u, flags 0x%x: step %u (op %d, flags 0x%llx, obj %d, "
			 "number %u): %s: ours %ld, kernel %ld",
			 xl_map_type_name(p->shape->type), p->shape->key_size, p->shape->value_size,
			 p->shape->flags, p->n_steps, (int)p->step.op,
			 (unsigned long long)p->step.flags, p->step.obj, p->step.number, what, ours,
			 kernel);
}

static void step_both(struct pair *p)
{
	size_t size = step_out_size(p->shape, p->n_cpus, p->step.op);
	long ours, kernel;

	if (p->ours->ops->peek_asks) {
		memcpy(p->out_ours, p->step.value, p->shape->value_size);
		memcpy(p->out_kernel, p->step.value, p->shape->value_size);
	}
	ours = step_ours(p->ours, p->shape, &p->step, &p->objs, p->out_ours);
	kernel = step_kernel(p);
	expect(p, ours == kernel, "answer", ours, kernel);
	if (!ours && !(p->step.op == STEP_NEXT && !ordered(p->shape)))
		expect(p, !memcmp(p->out_ours, p->out_kernel, size), "bytes", p->out_ours[0],
		       p->out_kernel[0]);
	p->n_steps++;
}

/* Keys of one side, in its order. */
static uint32_t walk(struct pair *p, bool kernel, uint8_t keys[][STEP_KEY_MAX])
{
	uint32_t n = 0;
	long err;

	p->step.op = STEP_NEXT;
	p->step.flags = 0;
	p->step.no_key = true;
	for (;; n++) {
		assert_true(n < KEYS_MAX);
		err = kernel ? step_kernel(p)
			     : step_ours(p->ours, p->shape, &p->step, &p->objs, p->out_kernel);
		if (err)
			return n;
		memcpy(keys[n], p->out_kernel, p->shape->key_size);
		memcpy(p->step.key, p->out_kernel, p->shape->key_size);
		p->step.no_key = false;
	}
}

static void compare_contents(struct pair *p)
{
	static uint8_t kernel[KEYS_MAX][STEP_KEY_MAX], ours[KEYS_MAX][STEP_KEY_MAX];
	uint32_t n_kernel, n_ours;

	if (!p->shape->key_size)
		return;
	n_kernel = walk(p, true, kernel);
	n_ours = walk(p, false, ours);
	expect(p, n_ours == n_kernel, "number of entries", n_ours, n_kernel);
	for (uint32_t i = 0; i < n_kernel; i++) {
		if (ordered(p->shape))
			expect(p, !memcmp(ours[i], kernel[i], p->shape->key_size), "order", i, i);
		p->step.op = STEP_LOOKUP;
		memcpy(p->step.key, kernel[i], p->shape->key_size);
		step_both(p);
	}
}

static void try_shape(const struct shape *shape, uint64_t seed)
{
	static struct pair p;
	struct source source = { .state = seed };
	const enum xl_map_value_kind kind = xl_map_ops_of(shape->type)->value_kind;
	const bool slow = kind == XL_VALUE_CPUMAP || kind == XL_VALUE_MAP_FD;
	const unsigned n_steps = slow ? N_STEPS_SLOW : N_STEPS;

	pair_init(&p, shape);
	for (unsigned n = 0; n < n_steps; n++) {
		step_draw(&source, shape, p.n_cpus, false, &p.step);
		if (p.step.op == STEP_NEXT && !ordered(shape))
			p.step.no_key = true;
		step_both(&p);
		if (n % 100 == 0)
			compare_contents(&p);
	}
	compare_contents(&p);
	pair_fini(&p);
}

static void every_type_answers_as_the_kernel_does(void **state)
{
	for (size_t i = 0; i < N_SHAPES; i++)
		if (!shape_is_lru(&shapes[i]))
			try_shape(&shapes[i], i + 1);
}

static void flags_and_other_types_answer_as_the_kernel_does(void **state)
{
	for (size_t i = 0; i < sizeof(more_shapes) / sizeof(more_shapes[0]); i++)
		try_shape(&more_shapes[i], i + 1);
}

static void lru_maps_answer_as_the_kernel_does_until_full(void **state)
{
	for (size_t i = 0; i < sizeof(lru_shapes) / sizeof(lru_shapes[0]); i++)
		try_shape(&lru_shapes[i], i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_answers_as_the_kernel_does),
		cmocka_unit_test(flags_and_other_types_answer_as_the_kernel_does),
		cmocka_unit_test(lru_maps_answer_as_the_kernel_does_until_full),
	};

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs the kernel's bpf(2), which is not usable here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
