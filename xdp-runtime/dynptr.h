/* A dynptr: a program's handle on a range of the packet, 16 bytes on its stack.
 *
 * The program cannot look inside, but nothing here proves that: what lies there is taken as
 * input, and each use of it is checked against the packet.
 *
 * Source: struct bpf_dynptr_kern, include/linux/bpf.h; kernel/bpf/helpers.c, v6.18.
 */
#ifndef XL_XDP_RUNTIME_DYNPTR_H
#define XL_XDP_RUNTIME_DYNPTR_H

#include <stdint.h>

enum xl_dynptr_kind { XL_DYNPTR_NULL, XL_DYNPTR_XDP };

struct xl_dynptr {
	uint64_t kind;
	uint32_t size;
	uint32_t offset; /* of its first byte in the packet */
};

#define XL_DYNPTR_SIZE sizeof(struct xl_dynptr)

#endif
