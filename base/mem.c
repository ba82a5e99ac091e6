/* memfd memory; see mem.h. Source: memfd_create(2), fallocate(2). */
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int xl_mem_create(const char *name, size_t size, struct xl_mem *out_mem)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	struct xl_mem mem = XL_MEM_NONE;
	int err;

	if (size > SIZE_MAX / 2)
		return -ENOMEM;
	mem.size = (size + page_size - 1) & ~(page_size - 1);
	mem.fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (mem.fd < 0)
		return -errno;
	if (!mem.size)
		goto out;
	if (ftruncate(mem.fd, (off_t)mem.size)) {
		err = errno == EFBIG || errno == EINVAL ? -ENOMEM : -errno;
		goto err_fd;
	}
	mem.base =
		mmap(NULL, mem.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, mem.fd, 0);
	if (mem.base == MAP_FAILED) {
		err = -errno;
		goto err_fd;
	}
out:
	*out_mem = mem;
	return 0;

err_fd:
	close(mem.fd);
	return err;
}

void xl_mem_destroy(struct xl_mem *mem)
{
	if (mem->base)
		munmap(mem->base, mem->size);
	if (mem->fd >= 0)
		close(mem->fd);
	*mem = XL_MEM_NONE;
}

void xl_mem_discard(struct xl_mem *mem, size_t off, size_t len)
{
	if (len)
		fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
			  (off_t)len);
}
