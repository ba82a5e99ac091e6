/* hot */
/* Which map an address belongs to: what lets an engine check each access of a program.
 *
 * A sorted array of the value regions of all live maps of a runtime, and of the map heads
 * themselves (a pointer to a struct xl_map is a legal argument, but not legal memory). Control
 * publishes a new array when a map comes or goes; readers search it without a lock. The old one
 * is freed at once, or after an epoch where rt->epoch says that workers run beside control.
 */
#ifndef XL_XDP_RUNTIME_REGION_H
#define XL_XDP_RUNTIME_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/epoch.h"
#include "maps/map.h"

struct xl_runtime;

struct xl_region_entry {
	struct xl_region region;
	struct xl_map *map;
	bool is_head; /* region is the struct xl_map itself */
};

struct xl_region_table {
	struct xl_epoch_deferred deferred; /* how a replaced table goes */
	uint32_t n;
	struct xl_region_entry entry[]; /* ascending by base, disjoint */
};

/* Enters and removes a map; when the last one goes, so does the table.
 * Thread: control, with rt->lock held. -ENOMEM. */
int xl_region_add(struct xl_runtime *rt, struct xl_map *map);
void xl_region_remove(struct xl_runtime *rt, struct xl_map *map);

/* The entry that holds @addr, or NULL. Thread: any; valid until the map goes. */
const struct xl_region_entry *xl_region_find(const struct xl_runtime *rt, uintptr_t addr);

/* Whether @ptr is a live map of this runtime. */
struct xl_map *xl_region_map(const struct xl_runtime *rt, uintptr_t ptr);

#endif
