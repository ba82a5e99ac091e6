/* The bpf(2) system call over a runtime.
 *
 * One row per command; semantics, errno and the order in which errors are found are the kernel's.
 * Who calls is abstracted: the same process, another one, a test that passes hostile pointers.
 *
 * Source: kernel/bpf/syscall.c, v6.18; bpf(2).
 */
#ifndef XL_XDP_RUNTIME_SYSBPF_H
#define XL_XDP_RUNTIME_SYSBPF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct xl_runtime;

/* What a caller's fd is. */
struct xl_caller_fd {
	dev_t dev;
	ino_t ino;
	int accmode; /* O_RDONLY, O_WRONLY or O_RDWR */
};

/* The process on whose behalf a command runs. Addresses and fds are the caller's. */
struct xl_caller {
	/* 0 or -EFAULT; all or nothing for the caller's purposes. */
	int (*copy_in)(struct xl_caller *c, void *dst, uint64_t src, size_t n);
	int (*copy_out)(struct xl_caller *c, uint64_t dst, const void *src, size_t n);
	/* Copies a string of up to @size - 1 bytes and ends it with a NUL. Returns its length, where
	 * @size - 1 may mean that there is more of it; -EFAULT. */
	ssize_t (*copy_in_str)(struct xl_caller *c, char *dst, uint64_t src, size_t size);
	/* -EBADF. */
	int (*fd_stat)(struct xl_caller *c, int fd, struct xl_caller_fd *out_fd);
	/* Moves our @fd into the caller; returns its number there, or -errno (then @fd is closed). */
	int (*install_fd)(struct xl_caller *c, int fd);
	/* The runtime's name of a pin for the caller's path string at @path: absolute, without ".",
	 * ".." and doubled slashes. -EFAULT, -ENOENT for "", -ENAMETOOLONG. */
	int (*resolve_path)(struct xl_caller *c, uint64_t path, char *out, size_t size);
	pid_t pid;
};

/* The calling thread itself: plain memory access (a NULL page pointer is -EFAULT), own fds. */
void xl_caller_self(struct xl_caller *c);
/* Any process, by process_vm_readv(2) and /proc: bad pointers are -EFAULT. An fd can be handed
 * only to our own process; others get -EOPNOTSUPP (that needs a door inside of them). */
void xl_caller_process(struct xl_caller *c, pid_t pid);

/* bpf(@cmd, @attr, @size). @attr is an address of the caller's.
 * Returns   >= 0 or -errno, as the system call would. Thread: any. */
long xl_sysbpf(struct xl_runtime *rt, struct xl_caller *c, int cmd, uint64_t attr, uint32_t size);

/* Routing of this thread's bpf(2) calls: those of libbpf go to @rt until the matching leave.
 * They nest; everything outside, and other threads, reach the real kernel. */
struct xl_runtime *xl_bpf_door_enter(struct xl_runtime *rt); /* returns the one before */
void xl_bpf_door_leave(struct xl_runtime *before);

#endif
