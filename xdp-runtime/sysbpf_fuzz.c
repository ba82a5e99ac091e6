/* bpf(2) calls of any kind, one after the other.
 *
 * The input is a list of steps: calls whose attributes are put together from raw words, fds that
 * earlier calls gave, and addresses in or out of an arena; writes to the arena; closes. The caller
 * can reach nothing but the arena, so that what a call writes hurts nobody.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/engine.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf_call.h"

#define ARENA_SIZE 16384u
#define ARENA_ADDR UINT64_C(0x100000) /* the caller's address of its first byte */
#define FDS_MAX	   64u
#define STEPS_MAX  200u
#define INSN_LIMIT 4000u /* of a test run: programs that loop are stopped soon */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t arena[ARENA_SIZE];

/* What is left of the input; reads as zero behind its end. */
struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static uint32_t word(struct input *in, int n_bytes)
{
	uint32_t w = 0;

	for (int i = 0; i < n_bytes; i++)
		w |= (uint32_t)byte(in) << 8 * i;
	return w;
}

/* The caller: an address space that is the arena, and our own fds. */

static uint8_t *in_arena(uint64_t addr, size_t n)
{
	if (addr < ARENA_ADDR || addr - ARENA_ADDR > ARENA_SIZE ||
	    n > ARENA_SIZE - (addr - ARENA_ADDR))
		return NULL;
	return arena + (addr - ARENA_ADDR);
}

static int copy_in(struct xl_caller *c, void *dst, uint64_t src, size_t n)
{
	const uint8_t *from = in_arena(src, n);

	if (n && !from)
		return -EFAULT;
	if (n)
		memcpy(dst, from, n);
	return 0;
}

static int copy_out(struct xl_caller *c, uint64_t dst, const void *src, size_t n)
{
	uint8_t *to = in_arena(dst, n);

	if (n && !to)
		return -EFAULT;
	if (n)
		memcpy(to, src, n);
	return 0;
}

static ssize_t copy_in_str(struct xl_caller *c, char *dst, uint64_t src, size_t size)
{
	const uint8_t *from = in_arena(src, 1);
	size_t len, room;

	if (!from)
		return -EFAULT;
	room = (size_t)(arena + ARENA_SIZE - from);
	len = strnlen((const char *)from, room < size - 1 ? room : size - 1);
	if (len == room && len < size - 1)
		return -EFAULT;
	memcpy(dst, from, len);
	dst[len] = '\0';
	return (ssize_t)len;
}

static int resolve_path(struct xl_caller *c, uint64_t path, char *out, size_t size)
{
	ssize_t n = copy_in_str(c, out, path, size);

	return n < 0 ? (int)n : n ? 0 : -ENOENT;
}

/* Runs programs for a short while only. */
static void run_bounded(struct xl_run *run, struct xl_prog *prog, struct xl_burst *burst,
			struct xl_verdict *out)
{
	run->insn_limit = INSN_LIMIT;
	xl_interp.run(run, prog, burst, out);
}

/* Steps. */

static const uint8_t cmds[] = {
	BPF_MAP_CREATE,	      BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,
	BPF_MAP_DELETE_ELEM,  BPF_MAP_GET_NEXT_KEY, BPF_PROG_LOAD,
	BPF_OBJ_PIN,	      BPF_OBJ_GET,	    BPF_PROG_TEST_RUN,
	BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID,  BPF_PROG_GET_FD_BY_ID,
	BPF_MAP_GET_FD_BY_ID, BPF_BTF_LOAD,	    BPF_OBJ_GET_INFO_BY_FD,
	BPF_BTF_GET_FD_BY_ID, BPF_MAP_FREEZE,	    BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_BTF_GET_NEXT_ID,  BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH,
	BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_LINK_CREATE,
	BPF_LINK_UPDATE,      BPF_LINK_DETACH,	    BPF_LINK_GET_FD_BY_ID,
	BPF_LINK_GET_NEXT_ID, BPF_PROG_BIND_MAP,    BPF_RAW_TRACEPOINT_OPEN,
};
#define N_CMDS	   ((uint8_t)sizeof(cmds))
#define STEP_WRITE N_CMDS
#define STEP_CLOSE (N_CMDS + 1)
#define N_STEPS	   (N_CMDS + 2)

struct fuzz {
	struct xl_runtime *rt;
	struct xl_caller caller;
	int fds[FDS_MAX];
	uint32_t n_fds;
};

/* Ways to fill a field of the attributes. */
enum { RAW, SMALL, FD, ADDR, BAD_ADDR, BYTE, N_WAYS };

static void fill_field(struct fuzz *f, struct input *in, union xl_bpf_attr *attr)
{
	const uint32_t off = byte(in) % XL_ATTR_SIZE, way = byte(in) % N_WAYS;
	uint64_t value = 0;
	size_t size = 4;

	switch (way) {
	case RAW:
		value = word(in, 4);
		break;
	case SMALL:
		value = byte(in);
		break;
	case FD:
		value = f->n_fds ? (uint32_t)f->fds[byte(in) % f->n_fds] : 0;
		break;
	case ADDR:
		value = ARENA_ADDR + word(in, 2) % ARENA_SIZE;
		size = 8;
		break;
	case BAD_ADDR:
		value = byte(in) & 1 ? ARENA_ADDR + ARENA_SIZE - byte(in) : ~(uint64_t)byte(in);
		size = 8;
		break;
	case BYTE:
		value = byte(in);
		size = 1;
		break;
	}
	if (off + size <= sizeof(*attr))
		memcpy(attr->raw + off, &value, size);
}

/* Keeps what is legal but large, and what only takes time, small. */
static void tame(int cmd, union xl_bpf_attr *attr)
{
	if (cmd == BPF_MAP_CREATE) {
		attr->u.key_size %= 600;
		attr->u.value_size %= 2000;
		attr->u.max_entries %= 300;
	}
	if (cmd == BPF_PROG_TEST_RUN)
		attr->u.test.repeat %= 3;
}

/* Calls whose success is a new fd. */
static bool gives_fd(int cmd)
{
	return cmd == BPF_MAP_CREATE || cmd == BPF_PROG_LOAD || cmd == BPF_OBJ_GET ||
	       cmd == BPF_PROG_GET_FD_BY_ID || cmd == BPF_MAP_GET_FD_BY_ID || cmd == BPF_BTF_LOAD ||
	       cmd == BPF_BTF_GET_FD_BY_ID || cmd == BPF_LINK_CREATE ||
	       cmd == BPF_LINK_GET_FD_BY_ID;
}

static void step_call(struct fuzz *f, struct input *in, int cmd)
{
	const uint32_t n_fields = byte(in) % 24, cut = byte(in);
	union xl_bpf_attr attr;
	long ret;

	memset(&attr, 0, sizeof(attr));
	for (uint32_t i = 0; i < n_fields; i++)
		fill_field(f, in, &attr);
	tame(cmd, &attr);
	/* The attributes lie at the start of the arena, where calls write results back. */
	memcpy(arena, &attr, sizeof(attr));
	ret = xl_sysbpf(f->rt, &f->caller, cmd, ARENA_ADDR,
			cut ? (uint32_t)cut : (uint32_t)sizeof(attr));
	if (ret < 0)
		return;
	if (!gives_fd(cmd)) {
		if (ret)
			abort();
		return;
	}
	if (f->n_fds < FDS_MAX)
		f->fds[f->n_fds++] = (int)ret;
	else
		close((int)ret);
}

static void step_write(struct input *in)
{
	uint32_t at = word(in, 2) % ARENA_SIZE;

	for (uint32_t n = byte(in); n; n--)
		arena[at++ % ARENA_SIZE] = byte(in);
}

static void step_close(struct fuzz *f, struct input *in)
{
	uint32_t i;

	if (!f->n_fds)
		return;
	i = byte(in) % f->n_fds;
	close(f->fds[i]);
	f->fds[i] = f->fds[--f->n_fds];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xl_engine engine = { "bounded", xl_interp.prepare, xl_interp.release,
					  run_bounded };
	const struct xl_runtime_opts opts = { .n_cpus = 2, .seed = 1, .engine = &engine };
	struct input in = { data, size };
	struct fuzz f = { 0 };
	uint8_t step;

	memset(arena, 0, sizeof(arena));
	if (xl_runtime_create(&opts, &f.rt))
		abort();
	f.rt->keep_refused = byte(&in) & 1;
	xl_caller_self(&f.caller);
	f.caller.copy_in = copy_in;
	f.caller.copy_out = copy_out;
	f.caller.copy_in_str = copy_in_str;
	f.caller.resolve_path = resolve_path;
	for (uint32_t n = 0; n < STEPS_MAX && in.left; n++) {
		step = byte(&in) % N_STEPS;
		if (step == STEP_WRITE)
			step_write(&in);
		else if (step == STEP_CLOSE)
			step_close(&f, &in);
		else
			step_call(&f, &in, cmds[step]);
	}
	while (f.n_fds)
		close(f.fds[--f.n_fds]);
	xl_runtime_destroy(f.rt);
	return 0;
}
