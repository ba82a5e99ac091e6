/* Memory that is named, zero, lazy and shareable: a memfd and its mapping.
 *
 * Creating costs address space; a page is taken when it is first touched. Another process that
 * gets the fd can map the same bytes, so nothing kept in such memory may be a pointer.
 */
#ifndef XL_BASE_MEM_H
#define XL_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct xl_mem {
	void *base;  /* page aligned; NULL when size is 0 */
	size_t size; /* bytes mapped, a multiple of the page size */
	int fd;	     /* the memfd */
};

/* Makes a memfd called @name with @size bytes (rounded up to pages) and maps it shared.
 *
 * @size     0 makes an fd without a mapping: something that only needs to be an fd.
 * Errors    -ENOMEM no address space; -EMFILE, -ENFILE too many fds
 * Owns      the caller, until xl_mem_destroy().
 */
int xl_mem_create(const char *name, size_t size, struct xl_mem *out_mem);

/* Unmaps and closes. Takes a zeroed struct too only if its fd is -1; see XL_MEM_NONE. */
void xl_mem_destroy(struct xl_mem *mem);

#define XL_MEM_NONE ((struct xl_mem){ .fd = -1 })

/* Gives the pages of [@off, @off + @len) back to the system; they read as zero afterwards. */
void xl_mem_discard(struct xl_mem *mem, size_t off, size_t len);

#endif
