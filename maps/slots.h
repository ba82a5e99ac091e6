/* Which slots of a map's value memory are free.
 *
 * A program may hold a pointer to a value that has just been deleted or replaced, until its run
 * ends. So a freed slot is not handed out again at once: there are more slots than entries, and
 * freed ones queue up behind SPARE others. (The kernel's preallocated maps reuse at once or after
 * one more update; its others wait for RCU. This lies between, and needs to know no runs.)
 *
 * Thread: the map's lock is held for writing.
 */
#ifndef XL_MAPS_SLOTS_H
#define XL_MAPS_SLOTS_H

#include <stdint.h>

#define XL_SLOTS_SPARE 64 /* chosen: what one burst can free, one value per frame */

struct xl_slots {
	uint32_t n;	  /* all slots: entries + XL_SLOTS_SPARE */
	uint32_t n_fresh; /* slots handed out so far; those above were never touched */
	uint32_t *ring;	  /* freed slots, oldest at head */
	uint32_t head, len;
};

/* For @n_entries values that live at once. -ENOMEM, -E2BIG. */
int xl_slots_init(struct xl_slots *s, uint32_t n_entries);
/* Accepts a zeroed struct. */
void xl_slots_fini(struct xl_slots *s);

/* A slot; there is one as long as at most n_entries are in use and one more is being replaced. */
uint32_t xl_slots_get(struct xl_slots *s);
void xl_slots_put(struct xl_slots *s, uint32_t slot);

#endif
