/* What maps, programs, BTFs and links have in common: a kind, an id and a count of references.
 *
 * Maps hold references to programs and other maps (prog arrays, map-in-map, devmap) without
 * knowing what those are; they see only this head. The last xl_obj_put() calls release().
 */
#ifndef XL_BASE_OBJ_H
#define XL_BASE_OBJ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum xl_obj_kind { XL_OBJ_MAP, XL_OBJ_PROG, XL_OBJ_BTF, XL_OBJ_LINK, XL_OBJ_KINDS };

struct xl_obj {
	enum xl_obj_kind kind;
	uint32_t id;			     /* as bpf(2) shows it; 0 until published */
	_Atomic uint32_t refs;		     /* any thread */
	void (*release)(struct xl_obj *obj); /* called once, when refs falls to 0 */
	/* Called just before release, to take the object out of where it can be found; set with
	 * `owner` by the runtime that publishes it. NULL: nobody else knows the object. */
	void (*unpublish)(struct xl_obj *obj);
	void *owner;
};

/* Makes @obj with one reference, the caller's. */
void xl_obj_init(struct xl_obj *obj, enum xl_obj_kind kind, void (*release)(struct xl_obj *obj));
/* Takes one more reference; the caller holds one or a lock that does. Returns @obj. */
struct xl_obj *xl_obj_get(struct xl_obj *obj);
/* The same for a borrowed @obj whose last holder may be letting go: false if it has. The caller
 * holds the lock that unpublish takes, so the memory is there. */
bool xl_obj_tryget(struct xl_obj *obj);
/* Gives a reference back. @obj may be NULL. */
void xl_obj_put(struct xl_obj *obj);

#define xl_container_of(ptr, type, member) \
	((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif
