/* Arrays of references; see obj_array.h. */
#include "maps/obj_array.h"

#include <assert.h>
#include <errno.h>

#include "maps/lazy.h"

static size_t bytes(uint32_t n)
{
	return sizeof(struct xl_obj_array) + (size_t)n * sizeof(struct xl_obj *);
}

struct xl_obj_array *xl_obj_array_create(uint32_t n)
{
	struct xl_obj_array *a = xl_lazy_alloc(1, bytes(n));

	if (!a)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	a->n = n;
	return a;
}

void xl_obj_array_destroy(struct xl_obj_array *a)
{
	for (uint32_t i = 0; i < a->n_touched; i++)
		xl_obj_put(atomic_load_explicit(&a->slots[i], memory_order_relaxed));
	pthread_mutex_destroy(&a->lock);
	xl_lazy_free(a, 1, bytes(a->n));
}

int xl_obj_array_id(struct xl_obj_array *a, uint32_t index, uint32_t *out_id)
{
	const struct xl_obj *obj;

	pthread_mutex_lock(&a->lock);
	obj = xl_obj_array_at(a, index);
	if (obj)
		*out_id = obj->id;
	pthread_mutex_unlock(&a->lock);
	return obj ? 0 : -ENOENT;
}

struct xl_obj *xl_obj_array_swap(struct xl_obj_array *a, uint32_t index, struct xl_obj *obj)
{
	struct xl_obj *old;

	assert(index < a->n);
	pthread_mutex_lock(&a->lock);
	if (obj && index >= a->n_touched)
		a->n_touched = index + 1;
	/* release pairs with the acquire in xl_obj_array_at. */
	old = atomic_exchange_explicit(&a->slots[index], obj, memory_order_acq_rel);
	pthread_mutex_unlock(&a->lock);
	return old;
}

void xl_obj_array_set(struct xl_obj_array *a, struct xl_map *map, uint32_t index,
		      struct xl_obj *obj)
{
	xl_map_retire(map, xl_obj_array_swap(a, index, obj));
}

int xl_obj_array_delete(struct xl_obj_array *a, struct xl_map *map, uint32_t index)
{
	struct xl_obj *old;

	if (index >= a->n)
		return -E2BIG;
	old = xl_obj_array_swap(a, index, NULL);
	xl_map_retire(map, old);
	return old ? 0 : -ENOENT;
}

void xl_obj_array_clear(struct xl_obj_array *a, struct xl_map *map)
{
	uint32_t n;

	pthread_mutex_lock(&a->lock);
	n = a->n_touched;
	pthread_mutex_unlock(&a->lock);
	for (uint32_t i = 0; i < n; i++)
		xl_map_retire(map, xl_obj_array_swap(a, i, NULL));
}
