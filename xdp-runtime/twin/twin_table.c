/* Reading maps whole: ours by the control side, the kernel's by batches where its type has them.
 *
 * Source: bpf(2), BPF_MAP_LOOKUP_BATCH; kernel/bpf/lpm_trie.c for keys.
 */
#include "xdp-runtime/twin/twin_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"

void xl_twin_table_init(struct xl_twin_table *t, size_t key_size, size_t value_size)
{
	*t = (struct xl_twin_table){ .key_size = key_size,
				     .value_size = value_size,
				     .record_size = key_size + value_size };
}

uint8_t *xl_twin_table_next(struct xl_twin_table *t)
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

static int read_ours(struct xl_map *map, struct xl_twin_table *t)
{
	const uint8_t *before = NULL;
	uint8_t *key = malloc(map->key_size);
	int err = key ? 0 : -ENOMEM;

	while (!err) {
		uint8_t *rec = xl_twin_table_next(t);

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
static int read_kernel_single(const struct xl_twin_map *tm, struct xl_twin_table *t)
{
	const uint8_t *before = NULL;
	uint8_t *key = malloc(tm->map->key_size);
	int err = key ? 0 : -ENOMEM;

	while (!err) {
		uint8_t *rec = xl_twin_table_next(t);
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

static int append_batch(struct xl_twin_table *t, const uint8_t *keys, const uint8_t *values,
			uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *rec = xl_twin_table_next(t);

		if (!rec)
			return -ENOMEM;
		memcpy(rec, keys + i * t->key_size, t->key_size);
		memcpy(rec + t->key_size, values + i * t->value_size, t->value_size);
		t->n++;
	}
	return 0;
}

static int read_kernel_batch(const struct xl_twin_map *tm, struct xl_twin_table *t)
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

static int read_kernel(const struct xl_twin_map *tm, struct xl_twin_table *t)
{
	int err = read_kernel_batch(tm, t);

	if (!err || err == -ENOMEM)
		return err;
	t->n = 0;
	return read_kernel_single(tm, t);
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct xl_twin_table *t = arg;

	return memcmp(t->records + *(const uint32_t *)a * t->record_size,
		      t->records + *(const uint32_t *)b * t->record_size, t->key_size);
}

/* Sets the order to that in which the records came. */
static int order_as_read(struct xl_twin_table *t, const struct xl_map *map)
{
	t->order = malloc((t->n + 1) * sizeof(*t->order));
	if (!t->order)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		t->order[i] = (uint32_t)i;
		canonical_key(map, xl_twin_record(t, i));
	}
	return 0;
}

static bool same_keys(const struct xl_twin_table *a, const struct xl_twin_table *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; i < a->n && same; i++)
		same = !memcmp(xl_twin_record(a, i), xl_twin_record(b, i), a->key_size);
	return same;
}

/* Sorts, unless both came in the same order, as arrays do. */
static int sort(struct xl_twin_table *ours, struct xl_twin_table *kernel, const struct xl_map *map)
{
	int err = order_as_read(ours, map);

	if (!err)
		err = order_as_read(kernel, map);
	if (err || same_keys(ours, kernel))
		return err;
	qsort_r(ours->order, ours->n, sizeof(*ours->order), by_key, ours);
	qsort_r(kernel->order, kernel->n, sizeof(*kernel->order), by_key, kernel);
	return 0;
}

int xl_twin_tables_read(const struct xl_twin_map *tm, const struct xl_twin_cpus *cpus,
			struct xl_twin_table *ours, struct xl_twin_table *kernel)
{
	struct xl_map *map = tm->map;
	int err;

	xl_twin_table_init(ours, map->key_size, xl_map_value_size_sys(map));
	xl_twin_table_init(kernel, map->key_size, xl_twin_value_size(map, cpus));
	if (xl_twin_is_queue(map)) {
		err = xl_twin_queue_read(tm, false, ours);
		if (!err)
			err = xl_twin_queue_read(tm, true, kernel);
	} else {
		err = read_ours(map, ours);
		if (!err)
			err = read_kernel(tm, kernel);
	}
	return err ? err : sort(ours, kernel, map);
}

void xl_twin_table_fini(struct xl_twin_table *t)
{
	free(t->records);
	free(t->order);
}
