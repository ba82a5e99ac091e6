/* Zeroed private memory that costs address space until it is touched: for indexes.
 *
 * A map may declare millions of entries and use ten; what it keeps beside its values must be as
 * lazy as they are. Source: mmap(2), MAP_NORESERVE.
 */
#ifndef XL_MAPS_LAZY_H
#define XL_MAPS_LAZY_H

#include <stddef.h>

/* @n elements of @size bytes, all zero, page aligned; NULL when there is no address space.
 * Owns      the caller, until xl_lazy_free() with the same numbers. */
void *xl_lazy_alloc(size_t n, size_t size);
/* @mem may be NULL. */
void xl_lazy_free(void *mem, size_t n, size_t size);

#endif
