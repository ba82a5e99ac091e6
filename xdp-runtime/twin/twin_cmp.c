/* Contents of a map against the kernel's copy: told, or made equal.
 *
 * Both sides are read whole, sorted by key and walked together, so that the first difference is
 * the same from run to run whatever the order of iteration. Values are compared slot by slot, up
 * to value_size, with locks and timers masked, since bpf(2) shows those as zeros.
 *
 * Source: kernel/bpf/hashtab.c, kernel/bpf/bpf_lru_list.c (when an LRU map begins to evict).
 */
#include "xdp-runtime/twin/twin_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "maps/map.h"

bool xl_twin_map_comparable(const struct xl_map *map)
{
	if (xl_twin_is_queue(map) || xl_twin_is_ring(map))
		return true;
	return map->ops->value_kind == XL_VALUE_BYTES && map->ops->next_key && map->key_size &&
	       !map->ops->no_prog_access && !map->rdonly_prog;
}

/* How many entries an LRU map may hold before the kernel begins to evict. A CPU takes free elements
 * from the common store in batches, and evicts when a batch is no longer to be had, although the
 * map is not full; with BPF_F_NO_COMMON_LRU each CPU has its share and no more. */
static uint32_t lru_room(const struct xl_map *map, const struct xl_twin_cpus *cpus)
{
	uint32_t batch = 128; /* LOCAL_FREE_TARGET */
	uint32_t fair = map->max_entries / cpus->n_kernel / 2;
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	if (map->flags & BPF_F_NO_COMMON_LRU)
		return map->max_entries / cpus->n_kernel;
	/* Since 6.16 small maps are shared out fairly. */
	if (!uname(&uts) && sscanf(uts.release, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 16)) && fair < batch)
		batch = fair ? fair : 1;
	/* Another batch may lie with the CPU where the map was filled. */
	return map->max_entries > 2 * batch ? map->max_entries - 2 * batch : 0;
}

static bool evicts(const struct xl_map *map, const struct xl_twin_cpus *cpus, size_t n)
{
	return (map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH) &&
	       n >= lru_room(map, cpus);
}

static uint8_t *copy_of(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (copy && bytes)
		memcpy(copy, bytes, n);
	return copy;
}

/* Fills @out with a difference. @ours, @kernel: one slot's bytes, or NULL. */
static int tell(const struct xl_map *map, const uint8_t *key, const uint8_t *ours,
		const uint8_t *kernel, int cpu, uint32_t off, struct xl_twin_map_diff *out)
{
	*out = (struct xl_twin_map_diff){ .map = map,
					  .key_size = map->key_size,
					  .value_size = map->value_size,
					  .cpu = cpu,
					  .off = off };
	out->key = copy_of(key, map->key_size);
	out->ours = ours ? copy_of(ours, map->value_size) : NULL;
	out->kernel = kernel ? copy_of(kernel, map->value_size) : NULL;
	if (!out->key || (ours && !out->ours) || (kernel && !out->kernel)) {
		xl_twin_map_diff_fini(out);
		return -ENOMEM;
	}
	if (ours && kernel)
		xl_twin_value_field(map, off, out->field, sizeof(out->field));
	return 0;
}

void xl_twin_map_diff_fini(struct xl_twin_map_diff *diff)
{
	free(diff->key);
	free(diff->ours);
	free(diff->kernel);
	*diff = (struct xl_twin_map_diff){ 0 };
}

/* Compares one slot's bytes. Returns 1 equal, 0 different, -ENOMEM. */
static int compare_slot(const struct xl_map *map, bool mask, const uint8_t *key, uint8_t *ours,
			uint8_t *kernel, int cpu, struct xl_twin_map_diff *out)
{
	uint32_t off = 0;
	int err;

	if (mask) {
		xl_twin_value_mask(map, ours);
		xl_twin_value_mask(map, kernel);
	}
	if (!memcmp(ours, kernel, map->value_size))
		return 1;
	while (ours[off] == kernel[off])
		off++;
	err = tell(map, key, ours, kernel, cpu, off, out);
	return err ? err : 0;
}

static int compare_values(const struct xl_map *map, const struct xl_twin_cpus *cpus, bool mask,
			  const uint8_t *key, uint8_t *ours, uint8_t *kernel,
			  struct xl_twin_map_diff *out)
{
	if (!map->ops->per_cpu)
		return compare_slot(map, mask, key, ours, kernel, -1, out);
	for (uint32_t i = 0; i < cpus->n_ours; i++) {
		int64_t slot = xl_twin_slot(cpus, i);
		int same = 1;

		if (slot >= 0)
			same = compare_slot(map, mask, key, ours + (size_t)i * map->value_stride,
					    kernel + slot * map->value_stride, (int)i, out);
		if (same != 1)
			return same;
	}
	return 1;
}

/* One map on both sides, while it is walked. */
struct walk {
	const struct xl_twin_map *tm;
	const struct xl_twin_cpus *cpus;
	struct xl_twin_table ours, kernel;
	bool mask;		       /* values have bytes that are not compared */
	struct xl_twin_map_diff *diff; /* compare */
	uint8_t *kvalue;	       /* sync */
};

/* Calls @visit for each key with the record of either side, NULL where it has none, as long as
 * that returns 1; returns what the last one did. */
static int walk(struct walk *w, int (*visit)(struct walk *w, uint8_t *ours, uint8_t *kernel))
{
	size_t i = 0, k = 0;
	int ret = 1;

	while (ret == 1 && (i < w->ours.n || k < w->kernel.n)) {
		uint8_t *a = i < w->ours.n ? xl_twin_record(&w->ours, i) : NULL;
		uint8_t *b = k < w->kernel.n ? xl_twin_record(&w->kernel, k) : NULL;
		int order = !a ? 1 : !b ? -1 : memcmp(a, b, w->tm->map->key_size);

		ret = visit(w, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		i += order <= 0;
		k += order >= 0;
	}
	return ret;
}

/* Returns 1 equal, 0 different, -ENOMEM. */
static int compare_entry(struct walk *w, uint8_t *ours, uint8_t *kernel)
{
	const struct xl_map *map = w->tm->map;
	/* Of an entry that only one side has, the running CPU's slot is shown. */
	const bool per_cpu = map->ops->per_cpu;
	const size_t our_slot = per_cpu ? (size_t)w->cpus->ours * map->value_stride : 0;
	const size_t kernel_slot = per_cpu ? (size_t)w->cpus->real * map->value_stride : 0;
	const int cpu = per_cpu ? (int)w->cpus->ours : -1;

	if (!kernel)
		return tell(map, ours, ours + map->key_size + our_slot, NULL, cpu, 0, w->diff);
	if (!ours)
		return tell(map, kernel, NULL, kernel + map->key_size + kernel_slot, cpu, 0,
			    w->diff);
	return compare_values(map, w->cpus, xl_twin_value_has_mask(map), ours, ours + map->key_size,
			      kernel + map->key_size, w->diff);
}

int xl_twin_map_compare(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
			struct xl_twin_map_diff *out, const char **out_why, struct xl_err *e)
{
	struct walk w = {
		.tm = tm, .cpus = cpus, .diff = out, .mask = xl_twin_value_has_mask(tm->map)
	};
	int ret;

	*out_why = tm->lost ? "it has records of skipped packets" : NULL;
	if (tm->lost)
		return 1;
	if (xl_twin_is_ring(tm->map))
		return xl_twin_ring_compare(tm, out);
	ret = xl_twin_tables_read(tm, cpus, &w.ours, &w.kernel);
	if (!ret && evicts(tm->map, cpus, w.ours.n > w.kernel.n ? w.ours.n : w.kernel.n)) {
		*out_why = "it is nearly full, and the kernel evicts as it likes";
		ret = 1;
	} else if (!ret) {
		ret = walk(&w, compare_entry);
	}
	if (ret < 0)
		xl_err_set(e, ret, "map %s: cannot be compared with the kernel's copy: %s",
			   tm->map->name, strerror(-ret));
	xl_twin_table_fini(&w.ours);
	xl_twin_table_fini(&w.kernel);
	return ret;
}

/* Returns 1, or -errno. */
static int sync_entry(struct walk *w, uint8_t *ours, uint8_t *kernel)
{
	const struct xl_map *map = w->tm->map;
	int err;

	if (!ours)
		err = xl_twin_map_remove(w->tm, kernel);
	else
		err = xl_twin_map_put(w->tm, w->cpus, ours, ours + map->key_size, w->kvalue);
	return err ? err : 1;
}

/* As sync_entry, but leaves alone what is equal. */
static int sync_changed(struct walk *w, uint8_t *ours, uint8_t *kernel)
{
	struct xl_twin_map_diff diff = { 0 };
	int same = 0;

	w->diff = &diff;
	if (ours && kernel)
		same = compare_entry(w, ours, kernel);
	xl_twin_map_diff_fini(&diff);
	return same ? same : sync_entry(w, ours, kernel);
}

int xl_twin_map_sync(struct xl_twin_map *tm, const struct xl_twin_cpus *cpus, struct xl_err *e)
{
	struct walk w = { .tm = tm, .cpus = cpus, .mask = xl_twin_value_has_mask(tm->map) };
	int ret;

	if (xl_twin_is_ring(tm->map)) {
		xl_twin_ring_lose(tm);
		return 0;
	}
	if (xl_twin_is_queue(tm->map))
		return xl_twin_queue_copy(tm);
	ret = xl_twin_tables_read(tm, cpus, &w.ours, &w.kernel);
	if (!ret) {
		w.kvalue = calloc(1, xl_twin_value_size(tm->map, cpus) + 8);
		ret = w.kvalue ? walk(&w, sync_changed) : -ENOMEM;
	}
	if (ret < 0)
		xl_err_set(e, ret, "map %s: the kernel's copy cannot be brought up to date: %s",
			   tm->map->name, strerror(-ret));
	free(w.kvalue);
	xl_twin_table_fini(&w.ours);
	xl_twin_table_fini(&w.kernel);
	return ret < 0 ? ret : 0;
}
