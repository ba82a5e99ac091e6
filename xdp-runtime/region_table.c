/* The table of map regions: its control side; see region.h.
 *
 * A table is immutable once published; a change makes a new one beside it.
 */
#include "xdp-runtime/region.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/epoch.h"
#include "xdp-runtime/runtime.h"

static struct xl_region_table *new_table(uint32_t n)
{
	struct xl_region_table *table = malloc(sizeof(*table) + n * sizeof(table->entry[0]));

	if (table)
		table->n = 0;
	return table;
}

static void free_deferred(struct xl_epoch_deferred *self)
{
	free(xl_container_of(self, struct xl_region_table, deferred));
}

static void publish(struct xl_runtime *rt, struct xl_region_table *table)
{
	struct xl_region_table *old =
		atomic_exchange_explicit(&rt->regions, table, memory_order_acq_rel);

	if (old && rt->epoch)
		xl_epoch_defer(rt->epoch, &old->deferred, free_deferred);
	else
		free(old);
}

/* What @map occupies, at most XL_MAP_REGIONS_MAX + 1 entries. */
static uint32_t entries_of(struct xl_map *map, struct xl_region_entry *out)
{
	struct xl_region regions[XL_MAP_REGIONS_MAX];
	const uint32_t n = xl_map_regions(map, regions);
	uint32_t n_out = 0;

	out[n_out++] = (struct xl_region_entry){
		.region = { (uintptr_t)map, sizeof(*map), sizeof(*map), 0 },
		.map = map,
		.is_head = true,
	};
	for (uint32_t i = 0; i < n; i++)
		if (regions[i].size)
			out[n_out++] = (struct xl_region_entry){ .region = regions[i], .map = map };
	return n_out;
}

/* Puts @entry in its place; @table has room. */
static void insert(struct xl_region_table *table, const struct xl_region_entry *entry)
{
	uint32_t i = table->n++;

	for (; i && table->entry[i - 1].region.base > entry->region.base; i--)
		table->entry[i] = table->entry[i - 1];
	table->entry[i] = *entry;
}

int xl_region_add(struct xl_runtime *rt, struct xl_map *map)
{
	const struct xl_region_table *old =
		atomic_load_explicit(&rt->regions, memory_order_relaxed);
	const uint32_t n_old = old ? old->n : 0;
	struct xl_region_table *table = new_table(n_old + XL_MAP_REGIONS_MAX + 1);
	struct xl_region_entry added[XL_MAP_REGIONS_MAX + 1];
	const uint32_t n_added = entries_of(map, added);

	if (!table)
		return -ENOMEM;
	if (n_old)
		memcpy(table->entry, old->entry, n_old * sizeof(old->entry[0]));
	table->n = n_old;
	for (uint32_t i = 0; i < n_added; i++)
		insert(table, &added[i]);
	publish(rt, table);
	return 0;
}

static void remove_in_place(struct xl_region_table *table, const struct xl_map *map)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table->n; i++)
		if (table->entry[i].map != map)
			table->entry[n++] = table->entry[i];
	table->n = n;
}

void xl_region_remove(struct xl_runtime *rt, struct xl_map *map)
{
	struct xl_region_table *old = atomic_load_explicit(&rt->regions, memory_order_relaxed);
	struct xl_region_table *table;

	if (!old)
		return;
	table = new_table(old->n);
	if (!table) {
		/* A map must be able to go even without memory: at worst a reader that searches
		 * at this moment misses an entry, and its program is stopped. */
		remove_in_place(old, map);
		return;
	}
	memcpy(table->entry, old->entry, old->n * sizeof(old->entry[0]));
	table->n = old->n;
	remove_in_place(table, map);
	if (!table->n) {
		free(table);
		table = NULL;
	}
	publish(rt, table);
}
