/* Contents of a map against the kernel's copy.
 *
 * Both sides are read whole, sorted by key and walked together, so that the first difference is
 * the same from run to run whatever the order of iteration. Values are compared slot by slot, up
 * to value_size, with locks and timers masked, since bpf(2) shows those as zeros.
 *
 * Source: kernel/bpf/hashtab.c, kernel/bpf/bpf_lru_list.c (when an LRU map begins to evict).
 */
#include "xdp-runtime/kernel_twin_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"

bool xl_twin_map_comparable(const struct xl_map *map)
{
	return map->ops->value_kind == XL_VALUE_BYTES && map->ops->next_key && map->key_size &&
	       !map->ops->no_prog_access && !map->rdonly_prog;
}

/* All entries of one side: n records of a key and a value. */
struct table {
	uint8_t *records;
	uint32_t *order; /* of records, by key */
	size_t n, room;
	size_t key_size, value_size, record_size;
};

static void table_init(struct table *t, size_t key_size, size_t value_size)
{
	*t = (struct table){ .key_size = key_size,
			     .value_size = value_size,
			     .record_size = key_size + value_size };
}

static void table_fini(struct table *t)
{
	free(t->records);
	free(t->order);
}

static uint8_t *record(const struct table *t, size_t i)
{
	return t->records + t->order[i] * t->record_size;
}

/* Room for one more record at the end, NULL without memory. */
static uint8_t *table_next(struct table *t)
{
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		uint8_t *records = reallocarray(t->records, room, t->record_size);

		if (!records)
			return NULL;
		t->records = records;
		t->room = room;
	}
	return t->records + t->n * t->record_size;
}

/* An LPM key counts up to its prefix length; bits behind it are whatever was given. */
static void canonical_key(const struct xl_map *map, uint8_t *key)
{
	uint32_t bits;

	if (map->type != BPF_MAP_TYPE_LPM_TRIE)
		return;
	memcpy(&bits, key, sizeof(bits));
	for (uint32_t i = 0; i < map->key_size - sizeof(bits); i++) {
		uint32_t used = bits > i * 8 ? bits - i * 8 : 0;

		if (used < 8)
			key[sizeof(bits) + i] &= (uint8_t)(0xff00u >> used);
	}
}

static int read_ours(struct xl_map *map, struct table *t)
{
	const uint8_t *before = NULL;
	uint8_t *key = malloc(map->key_size);
	int err = key ? 0 : -ENOMEM;

	while (!err) {
		uint8_t *rec = table_next(t);

		if (!rec) {
			err = -ENOMEM;
			break;
		}
		err = xl_map_next_key(map, before, rec);
		if (err)
			break;
		memcpy(key, rec, map->key_size);
		before = key;
		err = xl_map_sys_lookup(map, key, rec + t->key_size, 0);
		if (!err)
			t->n++;
		else if (err == -ENOENT)
			err = 0;
	}
	free(key);
	return err == -ENOENT ? 0 : err;
}

/* One by one: for kernels without batch operations on this type. */
static int read_kernel_single(const struct xl_twin_map *tm, struct table *t)
{
	const uint8_t *before = NULL;
	uint8_t *key = malloc(tm->map->key_size);
	int err = key ? 0 : -ENOMEM;

	while (!err) {
		uint8_t *rec = table_next(t);
		union bpf_attr attr;

		if (!rec) {
			err = -ENOMEM;
			break;
		}
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)tm->fd;
		attr.key = (uintptr_t)before;
		attr.next_key = (uintptr_t)rec;
		err = (int)xl_kernel_bpf(BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr));
		if (err)
			break;
		memcpy(key, rec, tm->map->key_size);
		before = key;
		attr.key = (uintptr_t)key;
		attr.value = (uintptr_t)(rec + t->key_size);
		err = (int)xl_kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
		if (!err)
			t->n++;
		else if (err == -ENOENT)
			err = 0;
	}
	free(key);
	return err == -ENOENT ? 0 : err;
}

#define BATCH_MIN 256u	/* chosen: a bucket of a hash must fit */
#define BATCH_MAX 4096u /* chosen: bounds memory */

static int append_batch(struct table *t, const uint8_t *keys, const uint8_t *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *rec = table_next(t);

		if (!rec)
			return -ENOMEM;
		memcpy(rec, keys + i * t->key_size, t->key_size);
		memcpy(rec + t->key_size, values + i * t->value_size, t->value_size);
		t->n++;
	}
	return 0;
}

static int read_kernel_batch(const struct xl_twin_map *tm, struct table *t)
{
	uint32_t room = tm->map->max_entries < BATCH_MIN   ? BATCH_MIN
			: tm->map->max_entries > BATCH_MAX ? BATCH_MAX
							   : tm->map->max_entries;
	uint8_t *keys = malloc(room * t->key_size), *values = malloc(room * t->value_size);
	/* The opaque position: at least as long as a key. */
	uint8_t *pos = malloc(t->key_size + sizeof(uint64_t));
	bool first = true;
	int err = keys && values && pos ? 0 : -ENOMEM;

	while (!err) {
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = (uint32_t)tm->fd;
		attr.batch.in_batch = first ? 0 : (uintptr_t)pos;
		attr.batch.out_batch = (uintptr_t)pos;
		attr.batch.keys = (uintptr_t)keys;
		attr.batch.values = (uintptr_t)values;
		attr.batch.count = room;
		err = (int)xl_kernel_bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr));
		if ((!err || err == -ENOENT) && attr.batch.count <= room) {
			int full = append_batch(t, keys, values, attr.batch.count);

			err = full ? full : err;
		}
		first = false;
	}
	free(keys);
	free(values);
	free(pos);
	return err == -ENOENT ? 0 : err;
}

static int read_kernel(const struct xl_twin_map *tm, struct table *t)
{
	int err = read_kernel_batch(tm, t);

	if (!err || err == -ENOMEM)
		return err;
	t->n = 0;
	return read_kernel_single(tm, t);
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct table *t = arg;

	return memcmp(t->records + *(const uint32_t *)a * t->record_size,
		      t->records + *(const uint32_t *)b * t->record_size, t->key_size);
}

static int sort(struct table *t, const struct xl_map *map)
{
	bool ascending = true;

	t->order = malloc((t->n + 1) * sizeof(*t->order));
	if (!t->order)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		t->order[i] = (uint32_t)i;
		canonical_key(map, record(t, i));
	}
	for (size_t i = 1; i < t->n && ascending; i++)
		ascending = memcmp(record(t, i - 1), record(t, i), t->key_size) <= 0;
	if (!ascending)
		qsort_r(t->order, t->n, sizeof(*t->order), by_key, t);
	return 0;
}

/* How many free elements a CPU takes at once from an LRU map's common store: when fewer than that
 * are left, the kernel evicts although the map is not full. */
static uint32_t lru_slack(const struct xl_map *map, const struct xl_twin_cpus *cpus)
{
	const uint32_t batch = 128; /* LOCAL_FREE_TARGET */
	struct utsname uts;
	unsigned int major = 0, minor = 0;
	uint32_t fair = map->max_entries / cpus->n_kernel / 2;

	/* Since 6.16 small maps are shared out fairly. */
	if (!uname(&uts) && sscanf(uts.release, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 16)) && fair < batch)
		return 2 * (fair ? fair : 1);
	return 2 * batch;
}

static bool evicts(const struct xl_map *map, const struct xl_twin_cpus *cpus, size_t n)
{
	return (map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH) &&
	       n + lru_slack(map, cpus) > map->max_entries;
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
	*out = (struct xl_twin_map_diff){ .map = map, .cpu = cpu, .off = off };
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

/* Walks two sorted tables. Returns 1 equal, 0 different, -ENOMEM. */
static int compare_tables(const struct xl_map *map, const struct xl_twin_cpus *cpus,
			  const struct table *ours, const struct table *kernel,
			  struct xl_twin_map_diff *out)
{
	/* Of an entry that only one side has, the running CPU's slot is shown. */
	const bool per_cpu = map->ops->per_cpu;
	const size_t our_slot = per_cpu ? (size_t)cpus->ours * map->value_stride : 0;
	const size_t kernel_slot = per_cpu ? (size_t)cpus->real * map->value_stride : 0;
	const int cpu = per_cpu ? (int)cpus->ours : -1;
	const bool mask = xl_twin_value_has_mask(map);
	size_t i = 0, k = 0;

	while (i < ours->n || k < kernel->n) {
		uint8_t *a = i < ours->n ? record(ours, i) : NULL;
		uint8_t *b = k < kernel->n ? record(kernel, k) : NULL;
		int order = !a ? 1 : !b ? -1 : memcmp(a, b, map->key_size);
		int same;

		if (order < 0)
			return tell(map, a, a + map->key_size + our_slot, NULL, cpu, 0, out);
		if (order > 0)
			return tell(map, b, NULL, b + map->key_size + kernel_slot, cpu, 0, out);
		same = compare_values(map, cpus, mask, a, a + map->key_size, b + map->key_size,
				      out);
		if (same != 1)
			return same;
		i++;
		k++;
	}
	return 1;
}

int xl_twin_map_compare(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
			struct xl_twin_map_diff *out, const char **out_why, struct xl_err *e)
{
	struct xl_map *map = tm->map;
	struct table ours, kernel;
	int ret;

	table_init(&ours, map->key_size, xl_map_value_size_sys(map));
	table_init(&kernel, map->key_size, xl_twin_value_size(map, cpus));
	*out_why = NULL;
	ret = read_ours(map, &ours);
	if (!ret)
		ret = read_kernel(tm, &kernel);
	if (!ret)
		ret = sort(&ours, map);
	if (!ret)
		ret = sort(&kernel, map);
	if (!ret && evicts(map, cpus, ours.n > kernel.n ? ours.n : kernel.n)) {
		*out_why = "it is nearly full, and the kernel evicts as it likes";
		ret = 1;
	} else if (!ret) {
		ret = compare_tables(map, cpus, &ours, &kernel, out);
	}
	if (ret < 0)
		xl_err_set(e, ret, "map %s: cannot be compared with the kernel's copy: %s",
			   map->name, strerror(-ret));
	table_fini(&ours);
	table_fini(&kernel);
	return ret;
}
