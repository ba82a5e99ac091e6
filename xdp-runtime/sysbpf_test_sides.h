/* The same bpf(2) calls to the real kernel and to a runtime, and what each answered.
 *
 * A scenario is a function that makes calls on a side and notes the answers as text; it is played
 * on both sides, and the notes must be equal. Fds and ids differ, so they are noted as "ok".
 */
#ifndef XL_XDP_RUNTIME_SYSBPF_TEST_SIDES_H
#define XL_XDP_RUNTIME_SYSBPF_TEST_SIDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf.h"
#include "xdp-runtime/sysbpf_call.h"

struct side {
	struct xl_runtime *rt; /* NULL: the kernel */
	struct xl_caller caller;
	char *text;
	size_t len, size;
};

static inline long side_bpf(struct side *side, int cmd, void *attr, uint32_t size)
{
	if (!side->rt)
		return xl_kernel_bpf(cmd, attr, size);
	return xl_sysbpf(side->rt, &side->caller, cmd, (uintptr_t)attr, size);
}

static inline long side_call(struct side *side, int cmd, union xl_bpf_attr *attr)
{
	return side_bpf(side, cmd, attr, sizeof(*attr));
}

__attribute__((format(printf, 2, 3))) static inline void say(struct side *side, const char *fmt,
							     ...)
{
	va_list ap;
	int n;

	if (side->size - side->len < 512) {
		side->size = side->size ? side->size * 2 : 4096;
		side->text = realloc(side->text, side->size);
		assert_non_null(side->text);
	}
	va_start(ap, fmt);
	n = vsnprintf(side->text + side->len, side->size - side->len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < side->size - side->len);
	side->len += (size_t)n;
}

/* Notes a result, 0 and fds alike as "ok"; gives it back. */
static inline long note(struct side *side, const char *what, long ret)
{
	if (ret < 0)
		say(side, "%s: %s\n", what, ret == -ENOTSUPP ? "ENOTSUPP" : strerrorname_np(-ret));
	else
		say(side, "%s: ok\n", what);
	return ret;
}

/* The first line in which two texts differ is what a person wants to see. */
static inline void assert_same_text(const char *kernel, const char *ours)
{
	const char *k = kernel, *o = ours, *line_k = k, *line_o = o;

	while (*k && *k == *o) {
		if (*k == '\n') {
			line_k = k + 1;
			line_o = o + 1;
		}
		k++;
		o++;
	}
	if (*k != *o)
		fail_msg("kernel \"%.*s\", ours \"%.*s\"", (int)strcspn(line_k, "\n"), line_k,
			 (int)strcspn(line_o, "\n"), line_o);
}

static inline struct xl_runtime *new_runtime(void)
{
	const struct xl_runtime_opts opts = { .seed = 1 };
	struct xl_runtime *rt;

	assert_int_equal(xl_runtime_create(&opts, &rt), 0);
	return rt;
}

static inline void play(void (*scenario)(struct side *side))
{
	struct side kernel = { 0 }, ours = { .rt = new_runtime() };

	xl_caller_process(&ours.caller, getpid());
	scenario(&kernel);
	scenario(&ours);
	say(&kernel, "end\n");
	say(&ours, "end\n");
	xl_runtime_destroy(ours.rt);
	assert_same_text(kernel.text, ours.text);
	free(kernel.text);
	free(ours.text);
}

/* Short forms of what most scenarios need. Fds are closed by the scenario. */

static inline union xl_bpf_attr map_attr(uint32_t type, uint32_t key_size, uint32_t value_size,
					 uint32_t max_entries)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.map_type = type;
	attr.u.key_size = key_size;
	attr.u.value_size = value_size;
	attr.u.max_entries = max_entries;
	return attr;
}

static inline int new_map(struct side *side, uint32_t type, uint32_t key_size, uint32_t value_size,
			  uint32_t max_entries)
{
	union xl_bpf_attr attr = map_attr(type, key_size, value_size, max_entries);
	long fd = side_call(side, BPF_MAP_CREATE, &attr);

	assert_true(fd >= 0);
	return (int)fd;
}

static inline long elem(struct side *side, int cmd, int fd, const void *key, const void *value,
			uint64_t flags)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.map_fd = (uint32_t)fd;
	attr.u.key = (uintptr_t)key;
	attr.u.value = (uintptr_t)value;
	attr.u.flags = flags;
	return side_call(side, cmd, &attr);
}

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define EXIT		  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LD_MAP(dst, kind, fd, off) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, fd), INSN(0, 0, 0, 0, off)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)

static inline union xl_bpf_attr prog_attr(uint32_t type, const struct bpf_insn *insns, uint32_t n)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.prog_type = type;
	attr.u.insns = (uintptr_t)insns;
	attr.u.insn_cnt = n;
	attr.u.license = (uintptr_t) "GPL";
	return attr;
}

static const struct bpf_insn pass_insns[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* An XDP program that passes everything. */
static inline int new_prog(struct side *side, uint32_t attach_type, uint32_t flags)
{
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	long fd;

	attr.u.expected_attach_type = attach_type;
	attr.u.prog_flags = flags;
	fd = side_call(side, BPF_PROG_LOAD, &attr);
	assert_true(fd >= 0);
	return (int)fd;
}

/* The main() of a test that needs the kernel's word. */
static inline int run_against_kernel(int (*run)(void))
{
	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		return 77;
	}
	return run();
}

#endif
