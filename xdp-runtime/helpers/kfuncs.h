/* Kernel functions that programs call by BTF name (kfuncs): rows as those of helpers.
 *
 * What an object file says by an extern symbol becomes a call with a number of ours, from
 * XL_KFUNC_FIRST on; from there on it is a helper like any other, and xl_helper_of() knows it. The
 * kernel's numbers are those of its BTF and differ from kernel to kernel.
 *
 * Source: net/core/filter.c, kernel/bpf/helpers.c, net/netfilter/nf_conntrack_bpf.c, v6.18.
 */
#ifndef XL_XDP_RUNTIME_KFUNCS_H
#define XL_XDP_RUNTIME_KFUNCS_H

#include "xdp-runtime/helpers/helpers.h"

#define XL_KFUNC_FIRST 0x10000000 /* chosen: far from the kernel's helpers and from XL_POISON */

/* Of a weak one that is not served, in a program that asks before it calls: such a call loads, and
 * cannot be executed. */
#define XL_KFUNC_ABSENT (XL_KFUNC_FIRST - 1)

/* The number for a kfunc by its name, of which "___" and what follows is ignored, as libbpf does;
 * -1 if it is not served. */
int32_t xl_kfunc_number(const char *name);
/* The row of a number; NULL if there is none. */
const struct xl_helper *xl_kfunc_of(int32_t number);
/* One more than the last number. */
int32_t xl_kfunc_end(void);

#endif
