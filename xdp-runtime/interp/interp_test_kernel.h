/* Programs and packets on the real kernel, for the interpreter's tests. */
#ifndef XL_XDP_RUNTIME_INTERP_TEST_KERNEL_H
#define XL_XDP_RUNTIME_INTERP_TEST_KERNEL_H

#include "base/kernel_bpf.h"

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
