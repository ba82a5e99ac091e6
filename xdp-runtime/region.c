/* hot */
/* Search of map regions; see region.h. The control side is region_table.c. */
#include "xdp-runtime/region.h"

#include <stdatomic.h>

#include "xdp-runtime/runtime.h"

const struct xl_region_entry *xl_region_find(const struct xl_runtime *rt, uintptr_t addr)
{
	/* acquire pairs with the release in region_table.c: the entries are there. */
	const struct xl_region_table *table =
		atomic_load_explicit(&rt->regions, memory_order_acquire);
	uint32_t lo = 0, hi = table ? table->n : 0;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;
		const struct xl_region *r = &table->entry[mid].region;

		if (addr < r->base)
			hi = mid;
		else if (addr - r->base >= r->size)
			lo = mid + 1;
		else
			return &table->entry[mid];
	}
	return NULL;
}

struct xl_map *xl_region_map(const struct xl_runtime *rt, uintptr_t ptr)
{
	const struct xl_region_entry *e = xl_region_find(rt, ptr);

	return e && e->is_head && ptr == (uintptr_t)e->map ? e->map : NULL;
}
