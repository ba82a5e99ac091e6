/* Helper calls on both sides; see helper_calls_test.h. */
#include "xdp-runtime/helpers/helper_calls_test.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "xdp-runtime/helpers/helpers.h"

#define INSNS_MAX  (XT_CALLS_MAX * 24 + 16)
#define R0_OFF	   XT_IO_SIZE
#define VALUE_SIZE (XT_IO_SIZE + XT_CALLS_MAX * 8)
#define LINEAR_MAX 3520u /* of a page, without headroom and skb_shared_info */
#define LOG_SIZE   65536

uint32_t xt_random(void)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(state >> 32);
}

void xt_packet(struct xt_state *s, uint32_t len)
{
	assert(len <= XT_PACKET_SIZE);
	memset(s->packet, 0, sizeof(s->packet));
	for (uint32_t i = 0; i < len; i++)
		s->packet[i] = (uint8_t)(i * 7 + i / 256);
	s->len = len;
	s->meta_len = 0;
}

struct xt_map xt_map_create(const union bpf_attr *attr)
{
	const struct xl_map_env env = { .n_cpus = xl_percpu_n_possible(), .seed = 1 };
	union bpf_attr copy = *attr;
	struct xt_map map;

	map.fd = (int)xl_kernel_bpf(BPF_MAP_CREATE, &copy, sizeof(copy));
	assert_true(map.fd >= 0);
	assert_int_equal(xl_map_create(attr, &env, NULL, &map.ours, NULL), 0);
	return map;
}

void xt_map_destroy(struct xt_map *map)
{
	close(map->fd);
	xl_map_put(map->ours);
}

void xt_map_update(const struct xt_map *map, const void *key, const void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map->fd };

	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	assert_int_equal(xl_kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	assert_int_equal(xl_map_sys_update(map->ours, key, value, NULL, 0), 0);
}

/* The kernel's side. */

struct builder {
	struct bpf_insn insn[INSNS_MAX];
	uint32_t n;
};

static void add(struct builder *b, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	assert(b->n < INSNS_MAX);
	b->insn[b->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm
	};
}

static void load_imm64(struct builder *b, uint8_t reg, uint8_t kind, uint32_t low, uint32_t high)
{
	add(b, BPF_LD | BPF_IMM | BPF_DW, reg, kind, 0, (int32_t)low);
	add(b, 0, 0, 0, 0, (int32_t)high);
}

/* What instructions name. */
struct fds {
	int io, text;
};

static void load_arg(struct builder *b, uint8_t reg, const struct xt_env *env,
		     const struct fds *fds, const struct xt_arg *arg)
{
	switch (arg->kind) {
	case XT_IMM:
		load_imm64(b, reg, 0, (uint32_t)arg->v, (uint32_t)(arg->v >> 32));
		break;
	case XT_CTX:
		add(b, BPF_ALU64 | BPF_MOV | BPF_X, reg, BPF_REG_6, 0, 0);
		break;
	case XT_IO:
		load_imm64(b, reg, BPF_PSEUDO_MAP_VALUE, (uint32_t)fds->io, (uint32_t)arg->v);
		break;
	case XT_MAP:
		load_imm64(b, reg, BPF_PSEUDO_MAP_FD, (uint32_t)env->maps[arg->v].fd, 0);
		break;
	case XT_TEXT:
		load_imm64(b, reg, BPF_PSEUDO_MAP_VALUE, (uint32_t)fds->text, 0);
		break;
	}
}

static void build_store(struct builder *b, const struct xt_env *env, const struct fds *fds,
			const struct xt_call *call)
{
	load_arg(b, BPF_REG_1, env, fds, &call->arg[0]);
	load_arg(b, BPF_REG_2, env, fds, &call->arg[1]);
	add(b, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_2, 0, 0);
}

static void build(struct builder *b, const struct xt_env *env, const struct fds *fds,
		  const struct xt_call *calls, uint32_t n)
{
	b->n = 0;
	add(b, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		const struct xl_helper *row = xl_helper_of(calls[i].func);

		if (calls[i].func == XT_STORE) {
			build_store(b, env, fds, &calls[i]);
			continue;
		}
		for (uint8_t a = 0; a < 5; a++)
			load_arg(b, BPF_REG_1 + a, env, fds, &calls[i].arg[a]);
		add(b, BPF_JMP | BPF_CALL, 0, 0, 0, calls[i].func);
		if (row->ret == XL_RET_MAP_VALUE_OR_NULL) {
			add(b, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0);
			add(b, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1);
			add(b, BPF_JMP | BPF_JA, 0, 0, 1, 0);
			add(b, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_0, 0, 0);
		}
		load_imm64(b, BPF_REG_9, BPF_PSEUDO_MAP_VALUE, (uint32_t)fds->io, R0_OFF + 8 * i);
		add(b, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_9, BPF_REG_0, 0, 0);
	}
	add(b, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS);
	add(b, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A map of one value, which is its memory. -1 without @value. */
static int make_map(const void *value, uint32_t size, bool rdonly)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = size,
				.max_entries = 1,
				.map_flags = rdonly ? BPF_F_RDONLY_PROG : 0 };
	const uint32_t key = 0;
	int fd;

	if (!value)
		return -1;
	fd = (int)xl_kernel_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	assert_true(fd >= 0);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	assert_int_equal(xl_kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	if (rdonly)
		assert_int_equal(xl_kernel_bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)), 0);
	return fd;
}

static void read_map(int fd, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };
	const uint32_t key = 0;

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	assert_int_equal(xl_kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)), 0);
}

static int load(const struct builder *b, bool quiet)
{
	static char log[LOG_SIZE];
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)b->insn;
	attr.insn_cnt = b->n;
	attr.license = (uintptr_t) "GPL";
	attr.prog_flags = BPF_F_XDP_HAS_FRAGS;
	fd = (int)xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0 || quiet)
		return fd;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	fprintf(stderr, "%s\n", log);
	return fd;
}

static void test_run(int fd, const struct xt_env *env, const struct xt_state *in,
		     struct xt_state *out)
{
	struct xdp_md md = { .data_end = in->len, .ingress_ifindex = env->ifindex };
	static uint8_t bytes[XT_PACKET_SIZE + 256];
	union bpf_attr attr;
	long ret;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uintptr_t)in->packet;
	attr.test.data_size_in = in->len;
	attr.test.data_out = (uintptr_t)bytes;
	attr.test.data_size_out = sizeof(bytes);
	attr.test.ctx_in = attr.test.ctx_out = (uintptr_t)&md;
	attr.test.ctx_size_in = attr.test.ctx_size_out = sizeof(md);
	ret = xl_kernel_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	if (ret)
		fail_msg("test run of %u bytes: %ld", in->len, ret);
	out->meta_len = md.data;
	out->len = attr.test.data_size_out - md.data;
	memset(out->packet, 0, sizeof(out->packet));
	memcpy(out->packet, bytes + md.data, out->len);
}

static void forget_pointers(struct xt_state *s, const struct xt_call *calls, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (calls[i].func == XT_STORE)
			memset(s->io + calls[i].arg[0].v, 0, 8);
}

bool xt_run_kernel(const struct xt_env *env, const struct xt_call *calls, uint32_t n,
		   const struct xt_state *in, struct xt_state *out)
{
	static uint8_t value[VALUE_SIZE];
	static struct builder b;
	struct fds fds;
	int fd;

	memset(value, 0, sizeof(value));
	memcpy(value, in->io, XT_IO_SIZE);
	fds.io = make_map(value, sizeof(value), false);
	fds.text = make_map(env->text, env->text ? (uint32_t)strlen(env->text) + 1 : 0, true);
	build(&b, env, &fds, calls, n);
	fd = load(&b, env->quiet);
	if (fd >= 0) {
		test_run(fd, env, in, out);
		read_map(fds.io, value);
		memcpy(out->io, value, XT_IO_SIZE);
		memcpy(out->r0, value + R0_OFF, sizeof(out->r0));
		forget_pointers(out, calls, n);
		close(fd);
	}
	close(fds.io);
	if (fds.text >= 0)
		close(fds.text);
	return fd >= 0;
}

/* Our side. */

static const uint8_t *our_io;

static size_t readable(const struct xl_run *run, uintptr_t addr, size_t len)
{
	const uintptr_t base = (uintptr_t)our_io;

	if (addr < base || addr >= base + XT_IO_SIZE)
		return 0;
	return len < base + XT_IO_SIZE - addr ? len : base + XT_IO_SIZE - addr;
}

/* As the kernel lays packets out: one page with head and tailroom, then whole pages. */
static void lay_out(struct xl_frame *f, const struct xt_state *in)
{
	static uint8_t linear[4096], pages[XL_FRAGS_MAX][4096];
	static struct xl_frag frags[XL_FRAGS_MAX];
	uint32_t off = in->len < LINEAR_MAX ? in->len : LINEAR_MAX;

	memset(linear, 0, sizeof(linear)); /* the kernel's buffer is fresh: headroom reads 0 */
	xl_frame_init(f, linear, sizeof(linear), in->packet, off);
	f->frags = frags;
	for (uint32_t n; off < in->len; off += n) {
		struct xl_frag *frag = &frags[f->n_frags];

		n = in->len - off < 4096 ? in->len - off : 4096;
		*frag = (struct xl_frag){ pages[f->n_frags++], n, 4096 };
		memcpy(frag->addr, in->packet + off, n);
	}
}

static uint64_t our_arg(const struct xt_env *env, struct xt_state *out, const struct xt_arg *arg)
{
	switch (arg->kind) {
	case XT_IMM:
		return arg->v;
	case XT_CTX:
		return 0;
	case XT_IO:
		return (uintptr_t)(out->io + arg->v);
	case XT_MAP:
		return (uintptr_t)env->maps[arg->v].ours;
	case XT_TEXT:
		return (uintptr_t)env->text;
	}
	return 0;
}

static uint64_t our_call(const struct xt_env *env, const struct xt_call *call, struct xt_state *out)
{
	const struct xl_helper *row = xl_helper_of(call->func);
	uint64_t r[5], r0;
	uint32_t value;

	for (int a = 0; a < 5; a++)
		r[a] = our_arg(env, out, &call->arg[a]);
	if (call->func == XT_STORE) {
		memcpy((void *)(uintptr_t)r[0], &r[1], sizeof(r[1]));
		return 0;
	}
	r0 = row->fn(r[0], r[1], r[2], r[3], r[4]);
	if (row->ret != XL_RET_MAP_VALUE_OR_NULL)
		return r0;
	if (!r0)
		return UINT64_MAX;
	memcpy(&value, (const void *)(uintptr_t)r0, sizeof(value));
	return value;
}

void xt_run_ours(struct xt_env *env, const struct xt_call *calls, uint32_t n,
		 const struct xt_state *in, struct xt_state *out)
{
	struct xl_frame frame;
	struct xl_run run;

	lay_out(&frame, in);
	frame.ifindex = env->ifindex ? env->ifindex : 1;
	xl_run_init(&run, env->rt);
	run.frame = &frame;
	run.readable = readable;
	run.sinks = env->sinks;
	xl_run = &run;
	memset(out, 0, sizeof(*out));
	memcpy(out->io, in->io, XT_IO_SIZE);
	our_io = out->io;
	for (uint32_t i = 0; i < n; i++)
		out->r0[i] = our_call(env, &calls[i], out);
	xl_run = NULL;
	forget_pointers(out, calls, n);
	env->redirect = run.redirect;
	out->len = xl_frame_len(&frame);
	out->meta_len = xl_frame_meta_len(&frame);
	assert_int_equal(xl_frame_read(&frame, 0, out->packet, out->len), 0);
}

/* Comparison. */

static void describe(const struct xt_call *calls, uint32_t n)
{
	static const char *const kind[] = { "", "ctx", "io+", "map", "text+" };

	for (uint32_t i = 0; i < n; i++) {
		fprintf(stderr, "  %s(",
			calls[i].func ? xl_helper_of(calls[i].func)->name : "store");
		for (int a = 0; a < 5; a++)
			fprintf(stderr, "%s%s%lld", a ? ", " : "", kind[calls[i].arg[a].kind],
				(long long)calls[i].arg[a].v);
		fprintf(stderr, ")\n");
	}
}

void xt_compare(struct xt_env *env, const struct xt_call *calls, uint32_t n,
		const struct xt_state *in)
{
	static struct xt_state kernel, ours;
	const char *what = NULL;

	if (!xt_run_kernel(env, calls, n, in, &kernel)) {
		describe(calls, n);
		fail_msg("the kernel refuses the program");
	}
	xt_run_ours(env, calls, n, in, &ours);
	for (uint32_t i = 0; i < n; i++)
		if (kernel.r0[i] != ours.r0[i]) {
			fprintf(stderr, "call %u: kernel 0x%llx, ours 0x%llx\n", i,
				(unsigned long long)kernel.r0[i], (unsigned long long)ours.r0[i]);
			what = "results";
		}
	for (uint32_t i = 0; i < XT_IO_SIZE && !what; i++)
		if (kernel.io[i] != ours.io[i]) {
			fprintf(stderr, "io+%u: kernel %u, ours %u\n", i, kernel.io[i], ours.io[i]);
			what = "io memory";
		}
	if (!what && (kernel.len != ours.len || kernel.meta_len != ours.meta_len)) {
		fprintf(stderr, "length %u and %u, metadata %u and %u\n", kernel.len, ours.len,
			kernel.meta_len, ours.meta_len);
		what = "lengths";
	}
	if (!what && memcmp(kernel.packet, ours.packet, kernel.len))
		what = "packet bytes";
	if (what) {
		if (env->note)
			fprintf(stderr, "%s\n", env->note);
		fprintf(stderr, "packet of %u bytes:\n", in->len);
		describe(calls, n);
		fail_msg("%s differ", what);
	}
}
