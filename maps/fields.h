/* hot */
/* Copies of values that have special fields: spin locks, timers and the like, which are no bytes.
 *
 * Copies in go around them, copies out show zeros there. With BPF_F_LOCK a copy is made while the
 * value's own spin lock is held, so that it is never half of one update and half of another.
 *
 * Source: bpf_obj_memcpy(), check_and_init_map_value(), include/linux/bpf.h; copy_map_value_locked()
 * and the spin lock helpers, kernel/bpf/helpers.c; v6.18.
 */
#ifndef XL_MAPS_FIELDS_H
#define XL_MAPS_FIELDS_H

#include <sched.h>
#include <stdatomic.h>

#include "maps/map.h"
#include "maps/value.h"

#define XL_SPIN_TRIES  1000   /* chosen: longer than a program holds a lock while it runs */
#define XL_SPIN_YIELDS 200000 /* chosen: some tenths of a second, then something is wrong */

/* Takes the lock; false if whoever has it does not give it back. */
static inline bool xl_spin_lock(_Atomic uint32_t *lock)
{
	uint32_t was;

	for (uint32_t i = 0; i < XL_SPIN_TRIES + XL_SPIN_YIELDS; i++) {
		was = 0;
		/* acquire pairs with the release in xl_spin_unlock(). */
		if (atomic_compare_exchange_strong_explicit(lock, &was, 1, memory_order_acquire,
							    memory_order_relaxed))
			return true;
		if (i >= XL_SPIN_TRIES)
			sched_yield();
	}
	return false;
}

static inline void xl_spin_unlock(_Atomic uint32_t *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

/* The spin lock in a value of @map, which has one. */
static inline _Atomic uint32_t *xl_map_value_lock(const struct xl_map *map, void *value)
{
	return (_Atomic uint32_t *)((uint8_t *)value + map->lock_off);
}

/* As xl_value_store(), for a piece that begins at a multiple of 4. */
static inline void xl_map_store_piece(uint8_t *dst, const uint8_t *src, size_t n)
{
	if (n >= 4 && (uintptr_t)dst % 8) {
		xl_value_store(dst, src, 4);
		dst += 4;
		src += 4;
		n -= 4;
	}
	xl_value_store(dst, src, n);
}

/* Writes the bytes at @src to a value, but for its fields. */
static inline void xl_map_value_store(const struct xl_map *map, void *value, const void *src)
{
	const uint8_t *from = src;
	uint32_t at = 0;

	for (uint32_t i = 0; i < map->n_fields; i++) {
		xl_map_store_piece((uint8_t *)value + at, from + at, map->field[i].off - at);
		at = map->field[i].off + map->field[i].size;
	}
	xl_map_store_piece((uint8_t *)value + at, from + at, map->value_size - at);
}

/* Reads a value whole, with zeros for its fields. */
static inline void xl_map_value_load(const struct xl_map *map, void *dst, const void *value)
{
	xl_value_load(dst, value, map->value_size);
	for (uint32_t i = 0; i < map->n_fields; i++)
		memset((uint8_t *)dst + map->field[i].off, 0, map->field[i].size);
}

/* Makes the fields of a new value what they are at first. */
static inline void xl_map_fields_clear(const struct xl_map *map, void *value)
{
	static const uint8_t zeros[XL_MAP_FIELD_MAX];

	for (uint32_t i = 0; i < map->n_fields; i++)
		xl_map_store_piece((uint8_t *)value + map->field[i].off, zeros, map->field[i].size);
}

/* The timer in a value of @map, if its values have one: a handle of the runtime's, 0 for none, and
 * 8 bytes for the type's own use. */
static inline uint64_t *xl_map_value_timer(const struct xl_map *map, void *value)
{
	return (uint64_t *)((uint8_t *)value + map->timer_off);
}

/* An element goes, or is overwritten: its timer with it. */
static inline void xl_map_value_end_timer(const struct xl_map *map, void *value)
{
	if (map->timer_off >= 0)
		xl_value_zero(xl_map_value_timer(map, value), sizeof(uint64_t));
}

/* With the value's lock held, if it is to be had at all: a program that never gives it back must
 * not stop the control side. */
static inline void xl_map_value_store_locked(const struct xl_map *map, void *value, const void *src)
{
	const bool locked = xl_spin_lock(xl_map_value_lock(map, value));

	xl_map_value_store(map, value, src);
	if (locked)
		xl_spin_unlock(xl_map_value_lock(map, value));
}

static inline void xl_map_value_load_locked(const struct xl_map *map, void *dst, void *value)
{
	const bool locked = xl_spin_lock(xl_map_value_lock(map, value));

	xl_map_value_load(map, dst, value);
	if (locked)
		xl_spin_unlock(xl_map_value_lock(map, value));
}

#endif
