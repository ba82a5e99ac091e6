/* The door for libbpf: which of this thread's bpf(2) calls are ours.
 *
 * libbpf and we are linked with --wrap=syscall, so each syscall(2) that is made through the C
 * library's function of that name lands here. One thread-local says whether this thread is inside
 * of a runtime; if so its bpf(2) calls go there, and everything else goes on to the kernel, with
 * all that it was given. Other threads are not affected, so that AF_XDP sockets can be set up in
 * the real kernel meanwhile.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "xdp-runtime/sysbpf.h"

static _Thread_local struct xl_runtime *inside;

/* The linker's names: who calls syscall() gets the first, who calls the second gets libc's. */
long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

struct xl_runtime *xl_bpf_door_enter(struct xl_runtime *rt)
{
	struct xl_runtime *before = inside;

	inside = rt;
	return before;
}

void xl_bpf_door_leave(struct xl_runtime *before)
{
	inside = before;
}

static long sysbpf(const long *arg)
{
	struct xl_caller self;
	long ret;

	xl_caller_self(&self);
	ret = xl_sysbpf(inside, &self, (int)arg[0], (uint64_t)arg[1], (uint32_t)arg[2]);
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

long __wrap_syscall(long number, ...)
{
	long arg[6];
	va_list ap;

	/* As libc's own: always six, of which the kernel looks at what it needs. */
	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (inside && number == __NR_bpf)
		return sysbpf(arg);
	return __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
