/* An array of redirect targets: a number and perhaps a program for each index. What devmaps and
 * cpumaps are made of.
 *
 * An element is the 8 bytes of struct bpf_devmap_val or bpf_cpumap_val as a reader sees them (a
 * number, then a program's id), in the map's value memory; the number 0 means empty. They are
 * written as one word, so a reader never sees halves of two elements.
 */
#ifndef XL_MAPS_TARGET_ARRAY_H
#define XL_MAPS_TARGET_ARRAY_H

#include "maps/map.h"

/* As given by the control side: a number, and a program's fd if the value has room for one. */
struct xl_target {
	uint32_t number;
	int32_t fd;
};
_Static_assert(sizeof(struct xl_target) == sizeof(struct bpf_devmap_val), "one word");
_Static_assert(sizeof(struct xl_target) == sizeof(struct bpf_cpumap_val), "one word");

/* @value of a map whose value_size is 4 or 8. */
struct xl_target xl_target_of(const struct xl_map *map, const void *value);
/* Sizes of keys and values. Source: dev_map_alloc_check(), cpu_map_alloc(). */
int xl_target_check(const union bpf_attr *attr, struct xl_err *e);

/* Map ops. */
int xl_target_array_alloc(struct xl_map *map);
void xl_target_array_free(struct xl_map *map);
uint32_t xl_target_array_regions(const struct xl_map *map, struct xl_region *out);
void *xl_target_array_lookup(struct xl_map *map, const void *key);
/* -EINVAL beyond the array; deleting nothing is fine. */
int xl_target_array_delete(struct xl_map *map, const void *key);

/* The number at @index, 0 when empty or beyond the array. */
uint32_t xl_target_array_at(struct xl_map *map, uint64_t index);
/* Fills an element, or empties it when @number is 0; takes the reference of @prog (may be NULL). */
void xl_target_array_set(struct xl_map *map, uint32_t index, uint32_t number, struct xl_obj *prog);

#endif
