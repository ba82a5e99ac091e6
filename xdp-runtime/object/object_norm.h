/* The normaliser: old and foreign forms of objects become the one form that libbpf 1.1 loads.
 *
 * It stands between the check (elf_check.c, btf.c) and the small changes of object_fix.c. Each
 * repair has a file of its own and works on struct xl_elf_image:
 *
 *   object_legacy.c      reads map definitions of before BTF (section "maps")
 *   object_legacy_btf.c  writes them as definitions in BTF (section ".maps")
 *   object_untyped.c     gives symbols of functions that have no type one
 *
 * What comes out is checked like any file. See docs/adr/0006-normaliser-before-libbpf.md.
 */
#ifndef XL_XDP_RUNTIME_OBJECT_NORM_H
#define XL_XDP_RUNTIME_OBJECT_NORM_H

#include <bpf/btf.h>

#include "base/err.h"
#include "xdp-runtime/object/elf_check.h"
#include "xdp-runtime/object/elf_image.h"

#define XL_LEGACY_NONE UINT32_MAX

/* A map as section "maps" defines it. */
struct xl_legacy_map {
	const char *name; /* of its symbol, in the image that was read */
	uint32_t sym, sec;
	uint64_t off; /* in the section */
	uint32_t type, key_size, value_size, max_entries, flags;
	uint32_t numa_node, pinning;
	uint32_t id, inner_id, inner_slot; /* iproute2's; id 0: none */
	uint32_t inner;			   /* index of the definition of inner maps, or NONE */
};

struct xl_legacy_maps {
	struct xl_legacy_map *map; /* ascending by section and offset */
	uint32_t n;
};

/* What the file said that is not in the image any more. */
struct xl_object_lore {
	struct xl_legacy_maps legacy;
	char *names; /* those of the legacy maps, behind each other */
};

/* Reads them all. Errors: -EINVAL naming section or map, -ENOMEM. Owns: out->map. */
int xl_legacy_read(const struct xl_elf *elf, struct xl_legacy_maps *out, struct xl_err *e);

/* A symbol's name as BTF and the kernel take names: with '_' for what is no letter or digit. */
void xl_legacy_name(const char *name, char *buf, size_t size);

/* Makes the sections of old style go, and .maps and .BTF hold what they held.
 * @btf      of the file, NULL if it has none; borrowed and unchanged */
int xl_legacy_to_btf(const struct xl_elf *elf, const struct btf *btf,
		     const struct xl_legacy_maps *maps, struct xl_elf_image *img, struct xl_err *e);

/* Whether some code belongs to no function; and making it belong to one. */
bool xl_untyped_needed(const struct xl_elf *elf);
int xl_untyped_repair(const struct xl_elf *elf, struct xl_elf_image *img, struct xl_err *e);

/* Replaces *@elf by its normal form, if it has another. @changed: whether it had. */
int xl_norm(struct xl_elf *elf, const struct btf *btf, struct xl_object_lore *lore, bool *changed,
	    struct xl_err *e);
void xl_object_lore_release(struct xl_object_lore *lore);

#endif
