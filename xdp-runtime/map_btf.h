/* What the BTF of a map says about its keys and values.
 *
 * Source: map_check_btf() in kernel/bpf/syscall.c and the map_check_btf of the map types, v6.18.
 */
#ifndef XL_XDP_RUNTIME_MAP_BTF_H
#define XL_XDP_RUNTIME_MAP_BTF_H

#include <stdint.h>

#include "maps/map.h"
#include "xdp-runtime/btf.h"

/* Fields of a value that are not bytes: programs use them through helpers only. */
#define XL_FIELD_SPIN_LOCK 1u
#define XL_FIELD_OTHER	   2u /* timers, work queues, lists, trees */

/* Whether @map can have these types for its keys and values.
 * @key_id   0: the keys have no type
 * Errors    -EINVAL sizes or kinds do not fit; -ENOTSUPP the map type takes no BTF; -EACCES,
 *           -EOPNOTSUPP special fields where they cannot be */
int xl_map_btf_check(const struct xl_map *map, const struct xl_btf *btf, uint32_t key_id,
		     uint32_t value_id);

/* XL_FIELD_* of the map's values. */
uint32_t xl_map_btf_fields(const struct xl_map *map);

/* Enters the special fields of the values into @map, whose BTF is set. */
void xl_map_btf_find_fields(struct xl_map *map);

#endif
