/* Random steps on a map, as the model, the kernel and our maps can all take them. Tests only.
 *
 * A step is drawn from a source of choices: a generator with a fixed seed, or the bytes of a fuzz
 * input. Keys come from a small universe, so that hits, misses, full maps and walks all happen.
 */
#ifndef XL_MAPS_MAP_TEST_STEPS_H
#define XL_MAPS_MAP_TEST_STEPS_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/percpu.h"
#include "maps/map.h"

#define STEP_KEY_MAX   64
#define STEP_VALUE_MAX (1 << 16)
#define STEP_OBJS      3

/* A map to try. */
struct shape {
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries, flags;
	uint32_t n_keys; /* that are drawn; 0: twice as many as fit, and one */
};

static const struct shape shapes[] = {
	{ BPF_MAP_TYPE_ARRAY, 4, 1, 1, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 13, 9, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 8, 7, BPF_F_MMAPABLE },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 5, 0 },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 5, 0 },
	{ BPF_MAP_TYPE_HASH, 4, 8, 8, 0 },
	{ BPF_MAP_TYPE_HASH, 1, 1, 3, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_HASH, 13, 21, 100, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_HASH, 16, 4, 33, BPF_F_ZERO_SEED },
	{ BPF_MAP_TYPE_PERCPU_HASH, 6, 8, 8, 0 },
	{ BPF_MAP_TYPE_PERCPU_HASH, 8, 9, 20, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 16, 0 },
	{ BPF_MAP_TYPE_LRU_HASH, 8, 8, 16, BPF_F_NO_COMMON_LRU },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 16, 0 },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 12, 4, 15, BPF_F_NO_COMMON_LRU },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 4, 40, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, 5, 1, 6, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, 20, 16, 100, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_QUEUE, 0, 9, 5, 0 },
	{ BPF_MAP_TYPE_STACK, 0, 8, 5, 0 },
	{ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 6, 0 },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 6, 0 },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 6, 0 },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 7, 4, 6, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_DEVMAP, 4, 4, 5, 0 },
	{ BPF_MAP_TYPE_DEVMAP, 4, 8, 5, 0 },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 5, 0 },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 5, 0 },
	{ BPF_MAP_TYPE_CPUMAP, 4, 4, 4, 0 },
	{ BPF_MAP_TYPE_CPUMAP, 4, 8, 4, 0 },
	{ BPF_MAP_TYPE_XSKMAP, 4, 4, 5, 0 },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 5, 0 },
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static inline void shape_attr(const struct shape *shape, union bpf_attr *out_attr)
{
	memset(out_attr, 0, sizeof(*out_attr));
	out_attr->map_type = shape->type;
	out_attr->key_size = shape->key_size;
	out_attr->value_size = shape->value_size;
	out_attr->max_entries = shape->max_entries;
	out_attr->map_flags = shape->flags;
}

/* What an inner map of the maps of maps here looks like. */
static const struct shape inner_shape = { BPF_MAP_TYPE_HASH, 4, 8, 2, 0 };

static inline bool shape_is_lru(const struct shape *shape)
{
	return shape->type == BPF_MAP_TYPE_LRU_HASH || shape->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* Where choices come from. */
struct source {
	uint64_t state;	     /* generator */
	const uint8_t *data; /* or bytes; NULL: none */
	size_t size;
};

static inline uint32_t draw(struct source *s, uint32_t n)
{
	if (s->data) {
		uint32_t byte = s->size ? *s->data : 0;

		if (s->size) {
			s->data++;
			s->size--;
		}
		return byte % n;
	}
	s->state = s->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->state >> 33) % n;
}

enum step_op {
	STEP_LOOKUP, /* control side */
	STEP_UPDATE,
	STEP_DELETE,
	STEP_TAKE, /* lookup and delete */
	STEP_NEXT, /* with or without a key */
	STEP_PROG_LOOKUP,
	STEP_PROG_UPDATE,
	STEP_PROG_DELETE,
};

struct step {
	enum step_op op;
	bool no_key; /* STEP_NEXT: from the start */
	uint32_t cpu;
	uint64_t flags;
	/* The object or foreign fd that an update names: an index, -1: a bad fd, -2: no fd at all. */
	int obj;
	uint32_t number; /* of a redirect target */
	uint8_t key[STEP_KEY_MAX];
	uint8_t value[STEP_VALUE_MAX]; /* plain values: of all CPUs, or of one */
};

static inline void draw_key(struct source *s, const struct shape *shape, uint8_t *out)
{
	static const uint8_t lpm_bytes[] = { 0, 0x80, 0xff, 0x0a };
	uint32_t id = draw(s, shape->n_keys ? shape->n_keys : shape->max_entries * 2 + 1);

	memset(out, 0x5a, STEP_KEY_MAX);
	if (shape->type == BPF_MAP_TYPE_LPM_TRIE) {
		const uint32_t bits = (shape->key_size - 4) * 8;

		id = draw(s, bits + 2);
		for (uint32_t i = 4; i < shape->key_size; i++)
			out[i] = lpm_bytes[draw(s, 4)];
	} else if (shape->key_size == 4 && !draw(s, 50)) {
		id = UINT32_MAX;
	}
	memcpy(out, &id, shape->key_size < 4 ? shape->key_size : 4);
}

static inline uint64_t draw_flags(struct source *s)
{
	static const uint64_t flags[] = { BPF_NOEXIST, BPF_EXIST, 3, BPF_F_LOCK, 5, 8, 1ULL << 33 };
	uint32_t n = draw(s, 40);

	if (n < 20)
		return BPF_ANY;
	return flags[n < 35 ? n % 2 : 2 + n % 5];
}

static inline void step_draw(struct source *s, const struct shape *shape, uint32_t n_cpus,
			     bool prog_side, struct step *out)
{
	static const enum step_op ops[] = {
		STEP_UPDATE,	  STEP_UPDATE,	    STEP_UPDATE,      STEP_LOOKUP,
		STEP_DELETE,	  STEP_TAKE,	    STEP_NEXT,	      STEP_PROG_LOOKUP,
		STEP_PROG_LOOKUP, STEP_PROG_UPDATE, STEP_PROG_UPDATE, STEP_PROG_DELETE,
	};
	static const uint32_t numbers[] = { 1, 1, 1, 0, 16384, 16385 };
	const struct xl_map_ops *map_ops = xl_map_ops_of(shape->type);

	out->op = ops[draw(s, prog_side ? 12 : 7)];
	if (out->op >= STEP_PROG_LOOKUP &&
	    (map_ops->no_prog_access || (map_ops->no_prog_write && out->op > STEP_PROG_LOOKUP)))
		out->op = STEP_UPDATE;
	out->no_key = !draw(s, 4);
	out->cpu = draw(s, n_cpus);
	out->flags = out->op == STEP_UPDATE || out->op == STEP_PROG_UPDATE ? draw_flags(s) : 0;
	draw_key(s, shape, out->key);
	if (map_ops->value_kind != XL_VALUE_BYTES) {
		out->obj = (int)draw(s, STEP_OBJS + 2) - 2;
		out->number = numbers[draw(s, shape->type == BPF_MAP_TYPE_CPUMAP ? 6 : 4)];
		if (shape->value_size == 4 && (map_ops->value_kind == XL_VALUE_DEVMAP ||
					       map_ops->value_kind == XL_VALUE_CPUMAP))
			out->obj = -2;
		else if (map_ops->value_kind != XL_VALUE_DEVMAP &&
			 map_ops->value_kind != XL_VALUE_CPUMAP && out->obj == -2)
			out->obj = -1;
		return;
	}
	memset(out->value, 0, n_cpus * ((shape->value_size + 7) & ~7U));
	for (uint32_t i = 0; i < n_cpus * ((shape->value_size + 7) & ~7U); i++)
		out->value[i] = (uint8_t)draw(s, 256);
}

/* Bytes that a step on a map answers with, 0 for those that only say how it went. */
static inline size_t step_out_size(const struct shape *shape, uint32_t n_cpus, enum step_op op)
{
	const struct xl_map_ops *ops = xl_map_ops_of(shape->type);

	if (op == STEP_NEXT)
		return shape->key_size;
	if (op == STEP_LOOKUP || op == STEP_TAKE)
		return ops->per_cpu ? (size_t)n_cpus * ((shape->value_size + 7) & ~7U)
				    : shape->value_size;
	return op == STEP_PROG_LOOKUP ? shape->value_size : 0;
}

/* What ours needs besides the map: the objects to store, and foreign fds by the same index. */
struct step_objs {
	struct xl_obj *obj[STEP_OBJS]; /* borrowed */
	uint32_t fd[STEP_OBJS];
};

#define STEP_BAD_FD 0x7ffffff0u

/* The value as given to ours: fds in it count as resolved when @out_obj is set. */
static inline const void *step_value(const struct shape *shape, const struct step *step,
				     const struct step_objs *objs, uint8_t buf[8],
				     struct xl_obj **out_obj)
{
	const enum xl_map_value_kind kind = xl_map_ops_of(shape->type)->value_kind;
	uint32_t words[2] = { step->number, 0 };

	*out_obj = NULL;
	if (kind == XL_VALUE_BYTES)
		return step->value;
	if (kind == XL_VALUE_DEVMAP || kind == XL_VALUE_CPUMAP)
		words[1] = step->obj == -2 ? 0 : step->obj < 0 ? STEP_BAD_FD : 1;
	else if (kind == XL_VALUE_FOREIGN_FD)
		words[0] = step->obj < 0 ? UINT32_MAX : objs->fd[step->obj];
	if (kind != XL_VALUE_FOREIGN_FD && step->obj >= 0)
		*out_obj = objs->obj[step->obj];
	memcpy(buf, words, 8);
	return buf;
}

/* Takes a step on one of our maps. Returns what it returns, and writes what it writes. */
static inline int step_ours(struct xl_map *map, const struct shape *shape, const struct step *step,
			    const struct step_objs *objs, uint8_t *out)
{
	struct xl_obj *obj;
	uint8_t buf[8];
	const void *value = step_value(shape, step, objs, buf, &obj), *found;
	int err;

	xl_cpu = step->cpu;
	switch (step->op) {
	case STEP_LOOKUP:
		return xl_map_sys_lookup(map, step->key, out, 0);
	case STEP_UPDATE:
		if (obj)
			xl_obj_get(obj);
		err = xl_map_sys_update(map, step->key, value, obj, step->flags);
		if (err)
			xl_obj_put(obj);
		return err;
	case STEP_DELETE:
		return xl_map_sys_delete(map, step->key);
	case STEP_TAKE:
		return xl_map_sys_lookup_and_delete(map, step->key, out, 0);
	case STEP_NEXT:
		return xl_map_next_key(map, step->no_key ? NULL : step->key, out);
	case STEP_PROG_LOOKUP:
		found = xl_map_lookup(map, step->key);
		if (!found)
			return -ENOENT;
		if (map->ops->value_kind == XL_VALUE_MAP_FD)
			found = &((const struct xl_map *)found)->obj.id;
		memcpy(out, found, map->value_size);
		return 0;
	case STEP_PROG_UPDATE:
		return xl_map_update(map, step->key, value, step->flags);
	case STEP_PROG_DELETE:
		return xl_map_delete(map, step->key);
	}
	return -ENOSYS;
}

#endif
