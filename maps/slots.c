/* Slots of value memory; see slots.h. */
#include "maps/slots.h"

#include <assert.h>
#include <errno.h>

#include "maps/lazy.h"

int xl_slots_init(struct xl_slots *s, uint32_t n_entries)
{
	if (n_entries > UINT32_MAX - XL_SLOTS_SPARE)
		return -E2BIG;
	*s = (struct xl_slots){ .n = n_entries + XL_SLOTS_SPARE };
	s->ring = xl_lazy_alloc(s->n, sizeof(*s->ring));
	return s->ring ? 0 : -ENOMEM;
}

void xl_slots_fini(struct xl_slots *s)
{
	xl_lazy_free(s->ring, s->n, sizeof(*s->ring));
	s->ring = NULL;
}

uint32_t xl_slots_get(struct xl_slots *s)
{
	uint32_t slot;

	if (s->len <= XL_SLOTS_SPARE && s->n_fresh < s->n)
		return s->n_fresh++;
	assert(s->len);
	slot = s->ring[s->head];
	s->head = s->head + 1 == s->n ? 0 : s->head + 1;
	s->len--;
	return slot;
}

void xl_slots_put(struct xl_slots *s, uint32_t slot)
{
	uint64_t tail = (uint64_t)s->head + s->len;

	assert(slot < s->n_fresh && s->len < s->n);
	s->ring[tail < s->n ? tail : tail - s->n] = slot;
	s->len++;
}
