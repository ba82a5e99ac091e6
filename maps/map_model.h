/* The naive model that every map is tested and fuzzed against.
 *
 * A map is a list of entries; every operation walks it. What differs between types are the rules
 * about errors, written out here a second time and as plainly as possible, from the kernel's
 * behaviour and not from our maps. Tests only.
 */
#ifndef XL_MAPS_MAP_MODEL_H
#define XL_MAPS_MAP_MODEL_H

#include <stdlib.h>

#include "maps/map_test_steps.h"

struct model_entry {
	uint8_t key[STEP_KEY_MAX];
	uint8_t *value; /* of all CPUs */
	uint32_t cpu;	/* that inserted it */
};

struct model {
	const struct shape *shape;
	const struct step_objs *objs;
	uint32_t n_possible; /* CPUs */
	uint32_t n_cpus;     /* of a value: n_possible or 1 */
	uint32_t stride, max_entries;
	size_t value_size; /* control side */
	struct model_entry *entries;
	uint32_t n;
};

static inline void model_init(struct model *m, const struct shape *shape, uint32_t n_cpus,
			      const struct step_objs *objs)
{
	const bool per_cpu = xl_map_ops_of(shape->type)->per_cpu;

	*m = (struct model){ .shape = shape, .objs = objs, .max_entries = shape->max_entries };
	m->n_possible = n_cpus;
	m->n_cpus = per_cpu ? n_cpus : 1;
	m->stride = (shape->value_size + 7) & ~7U;
	m->value_size = per_cpu ? (size_t)n_cpus * m->stride : shape->value_size;
	if (shape->flags & BPF_F_NO_COMMON_LRU)
		m->max_entries = (shape->max_entries + n_cpus - 1) / n_cpus * n_cpus;
	m->entries = calloc(m->max_entries, sizeof(*m->entries));
	for (uint32_t i = 0; i < m->max_entries; i++)
		m->entries[i].value = calloc(m->n_cpus, m->stride);
}

static inline void model_fini(struct model *m)
{
	for (uint32_t i = 0; i < m->max_entries; i++)
		free(m->entries[i].value);
	free(m->entries);
}

static inline struct model_entry *model_find(struct model *m, const uint8_t *key)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!memcmp(m->entries[i].key, key, m->shape->key_size))
			return &m->entries[i];
	return NULL;
}

/* The values move, the buffers stay with the places they were made for. */
static inline void model_remove(struct model *m, struct model_entry *entry)
{
	struct model_entry gone = *entry;
	uint32_t i = (uint32_t)(entry - m->entries);

	memmove(entry, entry + 1, (m->n - i - 1) * sizeof(*entry));
	m->entries[--m->n] = gone;
}

static inline struct model_entry *model_add(struct model *m, const struct step *step)
{
	struct model_entry *entry = &m->entries[m->n++];

	memcpy(entry->key, step->key, STEP_KEY_MAX);
	memset(entry->value, 0, (size_t)m->n_cpus * m->stride);
	entry->cpu = step->cpu;
	return entry;
}

static inline void model_write(struct model *m, struct model_entry *entry, const struct step *step)
{
	const bool per_cpu = xl_map_ops_of(m->shape->type)->per_cpu;

	if (step->op == STEP_PROG_UPDATE && per_cpu)
		memcpy(entry->value + (size_t)step->cpu * m->stride, step->value,
		       m->shape->value_size);
	else
		memcpy(entry->value, step->value, m->value_size);
}

static inline uint32_t model_index(const struct step *step)
{
	uint32_t index;

	memcpy(&index, step->key, 4);
	return index;
}

/* Prefixes: the same if their first bits are. */

static inline bool lpm_bits_equal(const uint8_t *a, const uint8_t *b, uint32_t n_bits)
{
	for (uint32_t i = 0; i < n_bits; i++)
		if ((a[4 + i / 8] ^ b[4 + i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static inline uint32_t lpm_len(const uint8_t *key)
{
	uint32_t len;

	memcpy(&len, key, 4);
	return len;
}

static inline struct model_entry *model_lpm_exact(struct model *m, const uint8_t *key)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (lpm_len(m->entries[i].key) == lpm_len(key) &&
		    lpm_bits_equal(m->entries[i].key, key, lpm_len(key)))
			return &m->entries[i];
	return NULL;
}

static inline struct model_entry *model_lpm_longest(struct model *m, const uint8_t *key)
{
	struct model_entry *best = NULL;

	for (uint32_t i = 0; i < m->n; i++) {
		struct model_entry *entry = &m->entries[i];
		uint32_t len = lpm_len(entry->key);

		if (len <= lpm_len(key) && lpm_bits_equal(entry->key, key, len) &&
		    (!best || len > lpm_len(best->key)))
			best = entry;
	}
	return best;
}

/* Updates, by family. */

static inline int model_update_array(struct model *m, const struct step *step)
{
	const bool percpu_sys =
		m->shape->type == BPF_MAP_TYPE_PERCPU_ARRAY && step->op == STEP_UPDATE;
	struct model_entry *entry;

	if (percpu_sys ? step->flags > 2 : (step->flags & ~4ULL) > 2)
		return -EINVAL;
	if (model_index(step) >= m->max_entries)
		return -E2BIG;
	if (step->flags & BPF_NOEXIST)
		return -EEXIST;
	if (step->flags & BPF_F_LOCK)
		return -EINVAL;
	entry = model_find(m, step->key);
	model_write(m, entry ? entry : model_add(m, step), step);
	return 0;
}

static inline int model_update_hash(struct model *m, const struct step *step)
{
	struct model_entry *entry = model_find(m, step->key);

	if (step->flags > 2)
		return -EINVAL;
	if (entry && step->flags == BPF_NOEXIST)
		return -EEXIST;
	if (!entry && step->flags == BPF_EXIST)
		return -ENOENT;
	if (!entry && m->n == m->max_entries)
		return -E2BIG;
	model_write(m, entry ? entry : model_add(m, step), step);
	return 0;
}

static inline int model_update_lpm(struct model *m, const struct step *step)
{
	struct model_entry *entry;

	if (step->flags > 2 || lpm_len(step->key) > (m->shape->key_size - 4) * 8)
		return -EINVAL;
	entry = model_lpm_exact(m, step->key);
	if (entry && step->flags == BPF_NOEXIST)
		return -EEXIST;
	if (!entry && step->flags == BPF_EXIST)
		return -ENOENT;
	if (!entry && m->n == m->max_entries)
		return -ENOSPC;
	if (!entry)
		entry = model_add(m, step);
	memcpy(entry->key, step->key, STEP_KEY_MAX); /* host bits and all */
	model_write(m, entry, step);
	return 0;
}

static inline int model_push(struct model *m, const struct step *step)
{
	if (step->flags & 1 || step->flags > 2)
		return -EINVAL;
	if (m->n == m->max_entries && !step->flags)
		return -E2BIG;
	if (m->n == m->max_entries)
		model_remove(m, &m->entries[0]);
	model_write(m, model_add(m, step), step);
	return 0;
}

/* Stores numbers: @a, then @b. */
static inline int model_store(struct model *m, const struct step *step, uint32_t a, uint32_t b)
{
	struct model_entry *entry = model_find(m, step->key);
	uint32_t words[2] = { a, b };

	if (!entry)
		entry = model_add(m, step);
	memcpy(entry->value, words, m->shape->value_size);
	return 0;
}

static inline int model_update_objs(struct model *m, const struct step *step)
{
	if (step->flags)
		return -EINVAL;
	if (model_index(step) >= m->max_entries)
		return -E2BIG;
	if (step->obj < 0)
		return -EBADF;
	if (m->shape->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return model_store(m, step, 0, 0);
	return model_store(m, step, m->objs->obj[step->obj]->id, 0);
}

static inline int model_update_hash_of_maps(struct model *m, const struct step *step)
{
	struct step copy = *step;

	if (step->obj < 0)
		return -EBADF;
	memcpy(copy.value, &m->objs->obj[step->obj]->id, 4);
	return model_update_hash(m, &copy);
}

static inline uint32_t model_prog_id(const struct model *m, const struct step *step)
{
	return step->obj < 0 ? 0 : m->objs->obj[step->obj]->id;
}

static inline int model_update_targets(struct model *m, const struct step *step)
{
	const bool cpumap = m->shape->type == BPF_MAP_TYPE_CPUMAP;
	struct model_entry *entry;

	if (step->flags > 2)
		return -EINVAL;
	if (model_index(step) >= m->max_entries)
		return -E2BIG;
	if (step->flags == BPF_NOEXIST)
		return -EEXIST;
	if (cpumap && step->number > 16384)
		return -EOVERFLOW;
	if (cpumap && model_index(step) >= m->n_possible)
		return -ENODEV;
	if (!cpumap && !step->number && step->obj != -2)
		return -EINVAL;
	if (step->number && step->obj == -1)
		return cpumap ? -ENOMEM : -EINVAL;
	if (step->number)
		return model_store(m, step, step->number, model_prog_id(m, step));
	entry = model_find(m, step->key);
	if (entry)
		model_remove(m, entry);
	return 0;
}

static inline int model_update_devmap_hash(struct model *m, const struct step *step)
{
	struct model_entry *entry = model_find(m, step->key);

	if (step->flags > 2 || !step->number)
		return -EINVAL;
	if (entry && step->flags & BPF_NOEXIST)
		return -EEXIST;
	if (step->obj == -1)
		return -EINVAL;
	if (!entry && m->n == m->max_entries)
		return -E2BIG;
	return model_store(m, step, step->number, model_prog_id(m, step));
}

static inline int model_update_xsk(struct model *m, const struct step *step)
{
	struct model_entry *entry = model_find(m, step->key);
	bool same;

	if (step->flags > 2)
		return -EINVAL;
	if (model_index(step) >= m->max_entries)
		return -E2BIG;
	if (step->obj < 0)
		return -EBADF;
	/* The value that programs see is the index; which socket it is, is kept as the cpu. */
	same = entry && entry->cpu == (uint32_t)step->obj;
	if (entry && !same && step->flags == BPF_NOEXIST)
		return -EEXIST;
	if (!entry && step->flags == BPF_EXIST)
		return -ENOENT;
	model_store(m, step, model_index(step), 0);
	model_find(m, step->key)->cpu = (uint32_t)step->obj;
	return 0;
}

/* Looking up. */

static inline struct model_entry *model_get_hash(struct model *m, const struct step *step)
{
	return model_find(m, step->key);
}

static inline struct model_entry *model_get_array(struct model *m, const struct step *step)
{
	struct model_entry *entry = model_find(m, step->key);

	if (model_index(step) >= m->max_entries)
		return NULL;
	return entry ? entry : model_add(m, step);
}

static inline struct model_entry *model_get_lpm(struct model *m, const struct step *step)
{
	if (lpm_len(step->key) > (m->shape->key_size - 4) * 8)
		return NULL;
	return model_lpm_longest(m, step->key);
}

static inline struct model_entry *model_get_queue(struct model *m, const struct step *step)
{
	return m->n ? &m->entries[0] : NULL;
}

static inline struct model_entry *model_get_stack(struct model *m, const struct step *step)
{
	return m->n ? &m->entries[m->n - 1] : NULL;
}

/* The rules of each type. */
struct model_type {
	int (*update)(struct model *m, const struct step *step);
	struct model_entry *(*get)(struct model *m, const struct step *step);
	int sys_lookup_err; /* the control side cannot look up */
	bool takes;	    /* lookup-and-delete is served */
	bool indexed;	    /* keys are 0..max_entries-1, and all of them are walked */
	bool keyless;	    /* queue, stack */
	bool no_delete;	    /* -EINVAL */
	int delete_beyond;  /* indexed: beyond the end */
	int delete_missing; /* what is not there */
};

static const struct model_type model_types[] = {
	[BPF_MAP_TYPE_ARRAY] = { model_update_array, model_get_array, .indexed = true,
				 .no_delete = true },
	[BPF_MAP_TYPE_PERCPU_ARRAY] = { model_update_array, model_get_array, .indexed = true,
					.no_delete = true },
	[BPF_MAP_TYPE_HASH] = { model_update_hash, model_get_hash, .takes = true,
				.delete_missing = -ENOENT },
	[BPF_MAP_TYPE_PERCPU_HASH] = { model_update_hash, model_get_hash, .takes = true,
				       .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_LRU_HASH] = { model_update_hash, model_get_hash, .takes = true,
				    .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { model_update_hash, model_get_hash, .takes = true,
					   .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_LPM_TRIE] = { model_update_lpm, model_get_lpm, .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_QUEUE] = { model_push, model_get_queue, .takes = true, .keyless = true,
				 .no_delete = true },
	[BPF_MAP_TYPE_STACK] = { model_push, model_get_stack, .takes = true, .keyless = true,
				 .no_delete = true },
	[BPF_MAP_TYPE_PROG_ARRAY] = { model_update_objs, model_get_hash, .indexed = true,
				      .delete_beyond = -E2BIG, .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { model_update_objs, model_get_hash, .indexed = true,
					 .delete_beyond = -E2BIG, .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { model_update_objs, model_get_hash, .indexed = true,
					    .sys_lookup_err = -ENOTSUPP, .delete_beyond = -E2BIG,
					    .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { model_update_hash_of_maps, model_get_hash,
					.delete_missing = -ENOENT },
	[BPF_MAP_TYPE_DEVMAP] = { model_update_targets, model_get_hash, .indexed = true,
				  .delete_beyond = -EINVAL },
	[BPF_MAP_TYPE_CPUMAP] = { model_update_targets, model_get_hash, .indexed = true,
				  .delete_beyond = -EINVAL },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { model_update_devmap_hash, model_get_hash,
				       .delete_missing = -ENOENT },
	[BPF_MAP_TYPE_XSKMAP] = { model_update_xsk, model_get_hash, .indexed = true,
				  .sys_lookup_err = -EOPNOTSUPP, .delete_beyond = -EINVAL },
};

static inline int model_delete(struct model *m, const struct step *step)
{
	const struct model_type *t = &model_types[m->shape->type];
	const bool lpm = m->shape->type == BPF_MAP_TYPE_LPM_TRIE;
	struct model_entry *entry;

	if (t->no_delete || (lpm && lpm_len(step->key) > (m->shape->key_size - 4) * 8))
		return -EINVAL;
	if (t->indexed && model_index(step) >= m->max_entries)
		return t->delete_beyond;
	entry = lpm ? model_lpm_exact(m, step->key) : model_find(m, step->key);
	if (!entry)
		return t->delete_missing;
	model_remove(m, entry);
	return 0;
}

/* Only what is the same in any order: the walk itself is the driver's business. */
static inline int model_next(struct model *m, const struct step *step, uint8_t *out)
{
	const struct model_type *t = &model_types[m->shape->type];
	uint32_t index = step->no_key ? UINT32_MAX : model_index(step);

	if (t->keyless)
		return -EINVAL;
	if (!t->indexed)
		return m->n ? 0 : -ENOENT;
	if (index == m->max_entries - 1)
		return -ENOENT;
	index = index < m->max_entries ? index + 1 : 0;
	memcpy(out, &index, 4);
	return 0;
}

/* Takes a step on the model. */
static inline int model_step(struct model *m, const struct step *step, uint8_t *out)
{
	const struct model_type *t = &model_types[m->shape->type];
	struct model_entry *entry;

	switch (step->op) {
	case STEP_LOOKUP:
	case STEP_TAKE:
	case STEP_PROG_LOOKUP:
		if (step->op == STEP_LOOKUP && t->sys_lookup_err)
			return t->sys_lookup_err;
		if (step->op == STEP_TAKE && !t->takes)
			return -ENOTSUPP;
		entry = t->get(m, step);
		if (!entry)
			return -ENOENT;
		if (step->op == STEP_PROG_LOOKUP)
			memcpy(out,
			       entry->value + (size_t)(m->n_cpus > 1 ? step->cpu : 0) * m->stride,
			       m->shape->value_size);
		else
			memcpy(out, entry->value, m->value_size);
		if (step->op == STEP_TAKE)
			model_remove(m, entry);
		return 0;
	case STEP_UPDATE:
		return step->flags & BPF_F_LOCK ? -EINVAL : t->update(m, step);
	case STEP_PROG_UPDATE:
		return t->update(m, step);
	case STEP_DELETE:
	case STEP_PROG_DELETE:
		return model_delete(m, step);
	case STEP_NEXT:
		return model_next(m, step, out);
	}
	return -ENOSYS;
}

#endif
