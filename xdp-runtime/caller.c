/* Who calls bpf(2): this thread, or a process by its pid; see sysbpf.h.
 *
 * Source: process_vm_readv(2), proc(5).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xdp-runtime/sysbpf.h"

/* Nothing is ever mapped below the lowest page, nor across the end of the address space. */
#define LOWEST_ADDR 4096u

static bool addr_ok(uint64_t addr, size_t n)
{
	return addr >= LOWEST_ADDR && addr + n >= addr;
}

/* Appends one component of a path to @out, or takes one away for "..". */
static int push_component(char *out, size_t size, size_t *len, const char *name, size_t name_len)
{
	if (!name_len || (name_len == 1 && name[0] == '.'))
		return 0;
	if (name_len == 2 && name[0] == '.' && name[1] == '.') {
		while (*len && out[--*len] != '/')
			;
		return 0;
	}
	if (*len + 1 + name_len >= size)
		return -ENAMETOOLONG;
	out[(*len)++] = '/';
	memcpy(out + *len, name, name_len);
	*len += name_len;
	return 0;
}

static int push_path(char *out, size_t size, size_t *len, const char *path)
{
	size_t n;
	int err;

	for (; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		err = push_component(out, size, len, path, n);
		if (err)
			return err;
	}
	return 0;
}

/* Names are taken by their letters: a pin need not exist in the file system, so there are no
 * symbolic links to follow. */
static int resolve(struct xl_caller *c, const char *cwd, uint64_t path, char *out, size_t size)
{
	char name[PATH_MAX];
	size_t len = 0;
	ssize_t n = c->copy_in_str(c, name, path, sizeof(name));
	int err = 0;

	if (n < 0)
		return (int)n;
	if (!n)
		return -ENOENT;
	if (n == sizeof(name) - 1)
		return -ENAMETOOLONG;
	if (name[0] != '/')
		err = push_path(out, size, &len, cwd);
	if (!err)
		err = push_path(out, size, &len, name);
	if (err)
		return err;
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}

/* The calling thread itself. */

static int self_copy_in(struct xl_caller *c, void *dst, uint64_t src, size_t n)
{
	if (!n)
		return 0;
	if (!addr_ok(src, n))
		return -EFAULT;
	memcpy(dst, (const void *)(uintptr_t)src, n);
	return 0;
}

static int self_copy_out(struct xl_caller *c, uint64_t dst, const void *src, size_t n)
{
	if (!n)
		return 0;
	if (!addr_ok(dst, n))
		return -EFAULT;
	memcpy((void *)(uintptr_t)dst, src, n);
	return 0;
}

static ssize_t self_copy_in_str(struct xl_caller *c, char *dst, uint64_t src, size_t size)
{
	size_t len;

	if (!addr_ok(src, 1))
		return -EFAULT;
	len = strnlen((const char *)(uintptr_t)src, size - 1);
	memcpy(dst, (const char *)(uintptr_t)src, len);
	dst[len] = '\0';
	return (ssize_t)len;
}

static int self_fd_stat(struct xl_caller *c, int fd, struct xl_caller_fd *out_fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st))
		return -EBADF;
	*out_fd = (struct xl_caller_fd){ st.st_dev, st.st_ino, flags & O_ACCMODE };
	return 0;
}

static int self_install_fd(struct xl_caller *c, int fd)
{
	return fd;
}

static int self_resolve_path(struct xl_caller *c, uint64_t path, char *out, size_t size)
{
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		return -errno;
	return resolve(c, cwd, path, out, size);
}

void xl_caller_self(struct xl_caller *c)
{
	*c = (struct xl_caller){
		.copy_in = self_copy_in,
		.copy_out = self_copy_out,
		.copy_in_str = self_copy_in_str,
		.fd_stat = self_fd_stat,
		.install_fd = self_install_fd,
		.resolve_path = self_resolve_path,
		.pid = getpid(),
	};
}

/* A process by its pid. */

static int process_copy_in(struct xl_caller *c, void *dst, uint64_t src, size_t n)
{
	struct iovec here = { dst, n }, there = { (void *)(uintptr_t)src, n };

	if (!n)
		return 0;
	return process_vm_readv(c->pid, &here, 1, &there, 1, 0) == (ssize_t)n ? 0 : -EFAULT;
}

static int process_copy_out(struct xl_caller *c, uint64_t dst, const void *src, size_t n)
{
	struct iovec here = { (void *)(uintptr_t)src, n }, there = { (void *)(uintptr_t)dst, n };

	if (!n)
		return 0;
	return process_vm_writev(c->pid, &here, 1, &there, 1, 0) == (ssize_t)n ? 0 : -EFAULT;
}

/* Page by page, so that a string that ends just before an unmapped page is read whole. */
static ssize_t process_copy_in_str(struct xl_caller *c, char *dst, uint64_t src, size_t size)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = 0, n;
	char *end;

	while (len < size - 1) {
		n = page_size - (src + len) % page_size;
		if (n > size - 1 - len)
			n = size - 1 - len;
		if (process_copy_in(c, dst + len, src + len, n))
			return -EFAULT;
		end = memchr(dst + len, '\0', n);
		if (end)
			return end - dst;
		len += n;
	}
	dst[len] = '\0';
	return (ssize_t)len;
}

static int process_fd_stat(struct xl_caller *c, int fd, struct xl_caller_fd *out_fd)
{
	struct stat file, link;
	char path[64];
	bool rd, wr;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)c->pid, fd);
	/* The link's own mode says how the file was opened. */
	if (fd < 0 || stat(path, &file) || lstat(path, &link))
		return -EBADF;
	rd = link.st_mode & S_IRUSR;
	wr = link.st_mode & S_IWUSR;
	*out_fd = (struct xl_caller_fd){ file.st_dev, file.st_ino,
					 rd && wr ? O_RDWR
					 : wr	  ? O_WRONLY
						  : O_RDONLY };
	return 0;
}

static int process_install_fd(struct xl_caller *c, int fd)
{
	if (c->pid == getpid())
		return fd;
	close(fd);
	return -EOPNOTSUPP;
}

static int process_resolve_path(struct xl_caller *c, uint64_t path, char *out, size_t size)
{
	char link[40], cwd[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)c->pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n < 0)
		return -errno;
	cwd[n] = '\0';
	return resolve(c, cwd, path, out, size);
}

void xl_caller_process(struct xl_caller *c, pid_t pid)
{
	*c = (struct xl_caller){
		.copy_in = process_copy_in,
		.copy_out = process_copy_out,
		.copy_in_str = process_copy_in_str,
		.fd_stat = process_fd_stat,
		.install_fd = process_install_fd,
		.resolve_path = process_resolve_path,
		.pid = pid,
	};
}
