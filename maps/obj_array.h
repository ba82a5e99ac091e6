/* An array of references to objects: what prog arrays and arrays of maps are made of.
 *
 * Workers read slots without a lock. Control takes the lock, so that an object whose id it reads
 * is not freed meanwhile; one that is replaced lives on until no worker can see it any more
 * (xl_map_retire).
 *
 * Semantics: fd_array_map_* in kernel/bpf/arraymap.c, v6.18.
 */
#ifndef XL_MAPS_OBJ_ARRAY_H
#define XL_MAPS_OBJ_ARRAY_H

#include <pthread.h>
#include <stdint.h>

#include "maps/map.h"

struct xl_obj_array {
	pthread_mutex_t lock;		/* control side */
	uint32_t n;			/* slots */
	uint32_t n_touched;		/* slots from here on were never set; under lock */
	struct xl_obj *_Atomic slots[]; /* control writes, workers read */
};

/* NULL when there is no memory. */
struct xl_obj_array *xl_obj_array_create(uint32_t n);
/* Puts what the slots hold. No program runs any more. */
void xl_obj_array_destroy(struct xl_obj_array *a);

/* The object in slot @index, NULL if there is none. Borrowed until the end of the run. Thread: any. */
static inline struct xl_obj *xl_obj_array_at(struct xl_obj_array *a, uint32_t index)
{
	if (index >= a->n)
		return NULL;
	/* acquire pairs with the release in xl_obj_array_swap: the object is whole. */
	return atomic_load_explicit(&a->slots[index], memory_order_acquire);
}

/* Control side, as map ops: the id of the object; take a slot's reference over; empty it or all. */
int xl_obj_array_id(struct xl_obj_array *a, uint32_t index, uint32_t *out_id);
void xl_obj_array_set(struct xl_obj_array *a, struct xl_map *map, uint32_t index,
		      struct xl_obj *obj);
/* As set, but the old reference (or NULL) is the caller's to retire: for use under a map's lock. */
struct xl_obj *xl_obj_array_swap(struct xl_obj_array *a, uint32_t index, struct xl_obj *obj);
int xl_obj_array_delete(struct xl_obj_array *a, struct xl_map *map, uint32_t index);
void xl_obj_array_clear(struct xl_obj_array *a, struct xl_map *map);

#endif
