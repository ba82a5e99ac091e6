/* Lazy memory; see lazy.h. */
#include "maps/lazy.h"

#include <sys/mman.h>

void *xl_lazy_alloc(size_t n, size_t size)
{
	size_t bytes;
	void *mem;

	if (__builtin_mul_overflow(n, size, &bytes) || !bytes)
		return NULL;
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	return mem == MAP_FAILED ? NULL : mem;
}

void xl_lazy_free(void *mem, size_t n, size_t size)
{
	if (mem)
		munmap(mem, n * size);
}
