/* Reference counts; see obj.h. */
#include "base/obj.h"

#include <assert.h>
#include <stddef.h>

void xl_obj_init(struct xl_obj *obj, enum xl_obj_kind kind, void (*release)(struct xl_obj *obj))
{
	obj->kind = kind;
	obj->id = 0;
	obj->release = release;
	obj->unpublish = NULL;
	obj->owner = NULL;
	atomic_init(&obj->refs, 1);
}

struct xl_obj *xl_obj_get(struct xl_obj *obj)
{
	uint32_t old = atomic_fetch_add_explicit(&obj->refs, 1, memory_order_relaxed);

	assert(old > 0);
	(void)old;
	return obj;
}

bool xl_obj_tryget(struct xl_obj *obj)
{
	uint32_t refs = atomic_load_explicit(&obj->refs, memory_order_relaxed);

	while (refs)
		if (atomic_compare_exchange_weak_explicit(&obj->refs, &refs, refs + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

void xl_obj_put(struct xl_obj *obj)
{
	uint32_t old;

	if (!obj)
		return;
	/* acq_rel: the last holder sees what the others wrote before they let go. */
	old = atomic_fetch_sub_explicit(&obj->refs, 1, memory_order_acq_rel);
	assert(old > 0);
	if (old != 1)
		return;
	if (obj->unpublish)
		obj->unpublish(obj);
	obj->release(obj);
}
