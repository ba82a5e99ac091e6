/* BTF under check: what the passes share; private to btf_check.c and btf_refs.c. */
#ifndef XL_XDP_RUNTIME_BTF_CHECK_H
#define XL_XDP_RUNTIME_BTF_CHECK_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/uapi.h"
#include "xdp-runtime/vlog.h"

struct xl_btf_check {
	const uint8_t *types; /* type section */
	uint32_t types_size;
	const char *strs;
	uint32_t strs_size;
	uint32_t n;	/* types, void included: ids are 0..n-1 */
	uint32_t *off;	/* [n] where in the type section */
	bool only_safe; /* what libbpf can walk, not all that the kernel asks */
	struct xl_vlog *log;
};

/* One type with its header read. Parts behind the header are read one by one: nothing says that
 * the blob is aligned. */
struct xl_btf_type {
	uint32_t id, kind, vlen;
	bool kflag;
	struct btf_type h;
	const uint8_t *tail;
};

/* The type of an id below c->n whose header was found to lie in the blob. */
struct xl_btf_type xl_btf_type_at(const struct xl_btf_check *c, uint32_t id);

/* Says why a type is refused; gives back -EINVAL. */
int xl_btf_refuse(const struct xl_btf_check *c, const struct xl_btf_type *t, const char *why);

/* Whether @off is in the strings, and either 0 or that of an identifier. */
bool xl_btf_name_or_none(const struct xl_btf_check *c, uint32_t off);

/* Third pass: what types refer to, once each is good by itself. -EINVAL, -E2BIG, -EEXIST, -ENOMEM */
int xl_btf_check_refs(const struct xl_btf_check *c);

#endif
