/* The kernel's user API as this project knows it: <linux/bpf.h> and <linux/if_xdp.h>, and
 * what Debian 12's copies of them (6.1) lack. Only names that the kernel defines live here;
 * each line says since which kernel.
 *
 * Source: include/uapi/linux/bpf.h, include/uapi/linux/if_xdp.h, v6.18.
 */
#ifndef XL_BASE_UAPI_H
#define XL_BASE_UAPI_H

#include <linux/bpf.h>

/* Not for user space, but bpf(2) lets it out. Source: include/linux/errno.h. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* 6.6: load with sign extension */
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ  0x100 /* 6.15: load-acquire and store-release, in imm of an atomic */
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6) /* 6.3 */
#endif
#ifndef BPF_F_TEST_REG_INVARIANTS
#define BPF_F_TEST_REG_INVARIANTS (1U << 7) /* 6.8 */
#endif
#ifndef BPF_F_PATH_FD
#define BPF_F_PATH_FD (1U << 14) /* 6.5 */
#endif
#ifndef BPF_F_VTYPE_BTF_OBJ_FD
#define BPF_F_VTYPE_BTF_OBJ_FD (1U << 15) /* 6.9 */
#endif
#ifndef BPF_F_TOKEN_FD
#define BPF_F_TOKEN_FD (1U << 16) /* 6.9 */
#endif
#ifndef BPF_F_SEGV_ON_FAULT
#define BPF_F_SEGV_ON_FAULT (1U << 17) /* 6.9 */
#endif
#ifndef BPF_F_NO_USER_CONV
#define BPF_F_NO_USER_CONV (1U << 18) /* 6.9 */
#endif
#ifndef BPF_FIB_LOOKUP_MARK
#define BPF_FIB_LOOKUP_MARK (1U << 5) /* 6.10 */
#endif

#endif
