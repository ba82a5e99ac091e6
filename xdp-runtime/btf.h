/* BTF that came in by BPF_BTF_LOAD or from an object: checked once, then safe to walk.
 *
 * libbpf trusts BTF more than an input deserves, so xl_btf_check() comes first, always: after it
 * each type id, name and member of the blob lies inside the blob and no type contains itself.
 *
 * Source: kernel/bpf/btf.c (btf_parse_hdr, btf_check_all_metas, env_resolve).
 */
#ifndef XL_XDP_RUNTIME_BTF_H
#define XL_XDP_RUNTIME_BTF_H

#include <stddef.h>
#include <stdint.h>

#include "base/obj.h"
#include "xdp-runtime/vlog.h"

struct btf; /* libbpf's */

struct xl_btf {
	struct xl_obj obj; /* first */
	void *data;
	uint32_t size;
	char name[16];	 /* BPF_OBJ_NAME_LEN; mostly "" */
	struct btf *btf; /* libbpf's view of data */
};

static inline struct xl_btf *xl_btf_of(struct xl_obj *obj)
{
	return (struct xl_btf *)obj;
}

/* For a section of an object as the compiler left it, too: a DATASEC whose size and offsets are
 * still 0, or which names extern VARs and FUNCs (.ksyms, .kconfig), is fine here, since libbpf
 * fills that in before it loads the BTF.
 *
 * Errors  -EINVAL, -E2BIG, -EEXIST a type in itself, -ENOTSUPP, -ENOMEM, with the reason in @log (may be NULL). Ids in @data may refer to
 * nothing but @data. Never reads outside of it. */
int xl_btf_check(const void *data, size_t size, struct xl_vlog *log);
/* The same, but also takes what is safe though the kernel does not: functions whose arguments have
 * no names. An object with such BTF loads in the kernel all the same, without its BTF. */
int xl_btf_check_safe(const void *data, size_t size, struct xl_vlog *log);

/* Checks and takes a copy. Owns: one reference is the caller's. */
int xl_btf_create(const void *data, size_t size, struct xl_vlog *log, struct xl_btf **out_btf);

#endif
