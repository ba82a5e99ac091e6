/* Drives a map and the model through the same random steps and compares all they say. For the
 * model's test and the fuzz target; what differs is said on stderr, then abort().
 */
#ifndef XL_MAPS_MAP_TEST_DRIVE_H
#define XL_MAPS_MAP_TEST_DRIVE_H

#include <stdio.h>

#include "maps/map_model.h"

struct drive {
	const struct shape *shape;
	struct xl_map *map;
	struct model model;
	struct step_objs objs;
	struct xl_obj progs[STEP_OBJS];
	uint32_t n_cpus;
	unsigned n_steps;
	struct step step;
	uint8_t ours[STEP_VALUE_MAX], models[STEP_VALUE_MAX];
};

_Noreturn static inline void drive_fail(const struct drive *d, const char *what, long a, long b)
{
	fprintf(stderr,
		"%s, key %u, value %u, %u entries, flags 0x%x: step %u (op %d, flags 0x%llx): "
		"%s: ours %ld, model %ld\n",
		xl_map_type_name(d->shape->type), d->shape->key_size, d->shape->value_size,
		d->shape->max_entries, d->shape->flags, d->n_steps, (int)d->step.op,
		(unsigned long long)d->step.flags, what, a, b);
	abort();
}

static inline void drive_obj_release(struct xl_obj *obj)
{
	obj->id = 0; /* told apart from a live one by drive_fini */
}

static inline struct xl_map *drive_new_map(const struct shape *shape, uint32_t n_cpus,
					   struct xl_map *inner)
{
	const struct xl_map_env env = { .n_cpus = n_cpus, .seed = 42 };
	union bpf_attr attr;
	struct xl_map *map;
	struct xl_err e = { 0 };

	shape_attr(shape, &attr);
	if (xl_map_create(&attr, &env, inner, &map, &e)) {
		fprintf(stderr, "%s: %s\n", xl_map_type_name(shape->type), e.text);
		abort();
	}
	return map;
}

static inline void drive_init(struct drive *d, const struct shape *shape, uint32_t n_cpus)
{
	const bool of_maps = xl_map_ops_of(shape->type)->value_kind == XL_VALUE_MAP_FD;

	d->shape = shape;
	d->n_cpus = n_cpus;
	d->n_steps = 0;
	for (uint32_t i = 0; i < STEP_OBJS; i++) {
		xl_obj_init(&d->progs[i], XL_OBJ_PROG, drive_obj_release);
		d->objs.obj[i] =
			of_maps ? &drive_new_map(&inner_shape, n_cpus, NULL)->obj : &d->progs[i];
		d->objs.obj[i]->id = 100 + i;
		d->objs.fd[i] = 10 + i;
	}
	d->map = drive_new_map(shape, n_cpus, of_maps ? xl_map_of(d->objs.obj[0]) : NULL);
	model_init(&d->model, shape, n_cpus, &d->objs);
}

static inline void drive_fini(struct drive *d)
{
	xl_map_put(d->map);
	for (uint32_t i = 0; i < STEP_OBJS; i++) {
		if (d->objs.obj[i]->refs != 1)
			drive_fail(d, "references left", (long)d->objs.obj[i]->refs, 1);
		xl_obj_put(d->objs.obj[i]);
	}
	model_fini(&d->model);
}

/* Eviction is the map's choice; the model follows, and checks that it was needed and allowed. */
static inline void drive_follow_eviction(struct drive *d, bool inserted)
{
	const bool per_cpu_lru = d->shape->flags & BPF_F_NO_COMMON_LRU;
	struct model *m = &d->model;
	struct model_entry *gone = NULL;
	uint32_t n_gone = 0, n_queue = 0, queue_max = m->max_entries;

	if (per_cpu_lru)
		queue_max /= d->n_cpus;
	for (uint32_t i = 0; i < m->n; i++) {
		n_queue += !per_cpu_lru || m->entries[i].cpu == d->step.cpu;
		if (xl_map_sys_lookup(d->map, m->entries[i].key, d->ours, 0)) {
			gone = &m->entries[i];
			n_gone++;
		}
	}
	if (n_gone != (inserted && n_queue == queue_max))
		drive_fail(d, "evicted", n_gone, n_queue);
	if (gone && per_cpu_lru && gone->cpu != d->step.cpu)
		drive_fail(d, "evicted from CPU", gone->cpu, d->step.cpu);
	if (gone)
		model_remove(m, gone);
}

static inline void drive_one(struct drive *d, struct source *s)
{
	const bool any_order = !model_types[d->shape->type].indexed;
	size_t size;
	int ours, model;

	step_draw(s, d->shape, d->n_cpus, true, &d->step);
	if (d->step.op == STEP_NEXT && any_order)
		d->step.no_key = true;
	size = step_out_size(d->shape, d->n_cpus, d->step.op);
	ours = step_ours(d->map, d->shape, &d->step, &d->objs, d->ours);
	if (shape_is_lru(d->shape) && (d->step.op == STEP_UPDATE || d->step.op == STEP_PROG_UPDATE))
		drive_follow_eviction(d, !ours && !model_find(&d->model, d->step.key));
	model = model_step(&d->model, &d->step, d->models);
	if (ours != model)
		drive_fail(d, "answer", ours, model);
	if (!ours && d->step.op == STEP_NEXT && any_order)
		return;
	if (!ours && memcmp(d->ours, d->models, size))
		drive_fail(d, "bytes", d->ours[0], d->models[0]);
	d->n_steps++;
}

/* Walks the map: each entry once, with the model's value; in a trie long prefixes first. */
static inline void drive_walk(struct drive *d)
{
	const struct model_type *t = &model_types[d->shape->type];
	uint8_t keys[512][STEP_KEY_MAX];
	uint32_t n = 0, want = t->indexed ? d->model.max_entries : d->model.n;
	int ours, model;

	if (t->keyless)
		return;
	while (n <= want && !xl_map_next_key(d->map, n ? keys[n - 1] : NULL, keys[n])) {
		for (uint32_t i = 0; i < n; i++) {
			if (!memcmp(keys[i], keys[n], d->shape->key_size))
				drive_fail(d, "key seen twice", i, n);
			if (d->shape->type == BPF_MAP_TYPE_LPM_TRIE &&
			    lpm_len(keys[i]) < lpm_len(keys[n]) &&
			    lpm_bits_equal(keys[i], keys[n], lpm_len(keys[i])))
				drive_fail(d, "shorter prefix first", i, n);
		}
		memcpy(d->step.key, keys[n++], d->shape->key_size);
		d->step.op = STEP_LOOKUP;
		ours = step_ours(d->map, d->shape, &d->step, &d->objs, d->ours);
		model = model_step(&d->model, &d->step, d->models);
		if (ours != model ||
		    (!ours &&
		     memcmp(d->ours, d->models, step_out_size(d->shape, d->n_cpus, STEP_LOOKUP))))
			drive_fail(d, "value on a walk", ours, model);
	}
	if (n != want)
		drive_fail(d, "entries on a walk", n, want);
}

#endif
