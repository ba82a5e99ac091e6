/* Fuzz target: a file of routes, links and neighbours, then look-ups of what it may hold.
 *
 * The input is the file. Whatever it says, loading ends with a table or one line of error, and a
 * table answers any question without reading outside of itself.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xdp-runtime/fib/fib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct xl_fib *fib, uint8_t family, const uint8_t *dst, uint32_t flags)
{
	for (uint32_t ifindex = 1; ifindex < 4; ifindex++) {
		struct bpf_fib_lookup p = { .family = family, .ifindex = ifindex };

		memcpy(p.ipv6_dst, dst, sizeof(p.ipv6_dst));
		xl_fib_lookup(fib, &p, flags);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t dsts[][16] = {
		{ 10, 0, 0, 1 },
		{ 10, 9, 128, 1 },
		{ 224, 1 },
		{ 0 },
		{ 255, 255, 255, 255 },
		{ 0x20, 1, 0xd, 0xb8, 0, 1 },
		{ 0xfe, 0x80, [15] = 1 },
		{ [15] = 1 },
	};
	const int fd = memfd_create("fib", MFD_CLOEXEC);
	struct xl_err e = { 0 };
	struct xl_fib *fib;
	char path[32];

	assert(fd >= 0);
	if (write(fd, data, size) != (ssize_t)size || xl_fib_create(&fib)) {
		close(fd);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (xl_fib_load(fib, path, &e)) {
		assert(e.err && *e.text && !strchr(e.text, '\n'));
	} else {
		for (size_t i = 0; i < sizeof(dsts) / sizeof(dsts[0]); i++)
			for (uint32_t flags = 0; flags < 64; flags += 5) {
				ask(fib, AF_INET, dsts[i], flags);
				ask(fib, AF_INET6, dsts[i], flags);
			}
	}
	xl_fib_destroy(fib);
	close(fd);
	return 0;
}
