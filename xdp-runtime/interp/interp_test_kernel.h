/* Programs and packets on the real kernel, for the interpreter's tests. */
#ifndef XL_XDP_RUNTIME_INTERP_TEST_KERNEL_H
#define XL_XDP_RUNTIME_INTERP_TEST_KERNEL_H

#include <linux/btf.h>
#include <stdlib.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/insn.h"

/* An fd or -errno; @log may be NULL. */
static inline int kernel_load(const struct bpf_insn *insns, uint32_t n, char *log,
			      uint32_t log_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = log_size;
	attr.log_level = log ? 1 : 0;
	return (int)xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* The kernel allows callbacks, and tail calls from functions, only where BTF describes those: "static int f()"
 * is enough, for all of them. */
static inline int kernel_btf(void)
{
	static const struct {
		struct btf_header header;
		struct btf_type integer;
		uint32_t encoding;
		struct btf_type proto, func;
		char strings[7];
	} __attribute__((packed)) btf = {
		.header = { .magic = BTF_MAGIC,
			    .version = BTF_VERSION,
			    .hdr_len = sizeof(struct btf_header),
			    .type_len = 3 * sizeof(struct btf_type) + 4,
			    .str_off = 3 * sizeof(struct btf_type) + 4,
			    .str_len = 7 },
		.integer = { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.proto = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
		.func = { .name_off = 5, .info = BTF_KIND_FUNC << 24, .type = 2 },
		.strings = "\0int\0f",
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)&btf;
	attr.btf_size = sizeof(btf);
	return (int)xl_kernel_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

/* As kernel_load(), for programs with functions. */
static inline int kernel_load_functions(const struct bpf_insn *insn, uint32_t n, char *log,
					uint32_t log_size)
{
	struct bpf_func_info info[16];
	uint32_t *start, n_starts;
	union bpf_attr attr;
	int btf, fd;

	if (xl_insn_check(insn, n, NULL, &start, &n_starts))
		return -EINVAL;
	btf = kernel_btf();
	for (uint32_t i = 0; i < n_starts; i++)
		info[i] = (struct bpf_func_info){ .insn_off = start[i], .type_id = 3 };
	free(start);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insn;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = log_size;
	attr.log_level = 1;
	attr.prog_btf_fd = (uint32_t)btf;
	attr.func_info = (uintptr_t)info;
	attr.func_info_cnt = n_starts;
	attr.func_info_rec_size = sizeof(info[0]);
	fd = (int)xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	close(btf);
	return fd;
}

/* Runs @packet in place; its length must stay. 0 or -errno. */
static inline int kernel_run(int fd, void *packet, uint32_t len, uint32_t *out_retval)
{
	union bpf_attr attr;
	long err;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = len;
	attr.test.data_out = (uintptr_t)packet;
	attr.test.data_size_out = len;
	attr.test.repeat = 1;
	err = xl_kernel_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
	if (err < 0)
		return (int)err;
	*out_retval = attr.test.retval;
	return attr.test.data_size_out == len ? 0 : -EMSGSIZE;
}

#endif
