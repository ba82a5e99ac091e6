/* The real kernel's bpf(2), for oracles and tests. Not for the dataplane: that has its own.
 *
 * Source: bpf(2).
 */
#ifndef XL_BASE_KERNEL_BPF_H
#define XL_BASE_KERNEL_BPF_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/percpu.h"
#include "base/uapi.h"

/* Returns >= 0 or -errno. */
static inline long xl_kernel_bpf(int cmd, union bpf_attr *attr, unsigned int size)
{
	long ret = syscall(__NR_bpf, cmd, attr, size);

	return ret < 0 ? -errno : ret;
}

/* Whether this process may load XDP programs into the kernel, and can tell how long the kernel's
 * per-CPU values are. */
static inline bool xl_kernel_bpf_usable(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	long fd;

	if (!xl_percpu_is_kernels())
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	fd = xl_kernel_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return false;
	close((int)fd);
	return true;
}

#endif
