/* hot */
/* Copies to and from value memory, which others may use at the same moment.
 *
 * Programs get pointers to values and write through them while control reads or overwrites the
 * same value; the kernel allows that and promises no more than that words are not torn. So the
 * copies here are made of relaxed atomic words: the race is meant, and no larger than the kernel's.
 *
 * Source: bpf_long_memcpy(), include/linux/bpf.h.
 */
#ifndef XL_MAPS_VALUE_H
#define XL_MAPS_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XL_VALUE_COPY_TO(type, to, from)                                 \
	do {                                                             \
		type word_;                                              \
		memcpy(&word_, from, sizeof(word_));                     \
		__atomic_store_n((type *)(to), word_, __ATOMIC_RELAXED); \
	} while (0)

#define XL_VALUE_COPY_FROM(type, to, from)                                            \
	do {                                                                          \
		type word_ = __atomic_load_n((const type *)(from), __ATOMIC_RELAXED); \
		memcpy(to, &word_, sizeof(word_));                                    \
	} while (0)

/* Writes @n bytes of @src to @dst in value memory (aligned to 8). */
static inline void xl_value_store(void *dst, const void *src, size_t n)
{
	uint8_t *to = dst;
	const uint8_t *from = src;

	for (; n >= 8; n -= 8, to += 8, from += 8)
		XL_VALUE_COPY_TO(uint64_t, to, from);
	for (; n >= 4; n -= 4, to += 4, from += 4)
		XL_VALUE_COPY_TO(uint32_t, to, from);
	for (; n; n--, to++, from++)
		XL_VALUE_COPY_TO(uint8_t, to, from);
}

/* Reads @n bytes at @src in value memory (aligned to 8) into @dst. */
static inline void xl_value_load(void *dst, const void *src, size_t n)
{
	uint8_t *to = dst;
	const uint8_t *from = src;

	for (; n >= 8; n -= 8, to += 8, from += 8)
		XL_VALUE_COPY_FROM(uint64_t, to, from);
	for (; n >= 4; n -= 4, to += 4, from += 4)
		XL_VALUE_COPY_FROM(uint32_t, to, from);
	for (; n; n--, to++, from++)
		XL_VALUE_COPY_FROM(uint8_t, to, from);
}

/* Zeroes @n bytes at @dst in value memory; @n is a multiple of 8. */
static inline void xl_value_zero(void *dst, size_t n)
{
	uint64_t *to = dst;

	for (; n; n -= 8, to++)
		__atomic_store_n(to, 0, __ATOMIC_RELAXED);
}

#endif
