/* hot */
/* Open-coded iterators: bpf_for(), bpf_repeat(), and over the bits of words.
 *
 * The state lies on the program's stack, where the program can write over it; the worst that it
 * can do is to count differently.
 *
 * Source: bpf_iter_num_*() in kernel/bpf/bpf_iter.c, bpf_iter_bits_*() in kernel/bpf/helpers.c,
 * v6.18.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <string.h>

#include "xdp-runtime/run.h"

#define LOOPS_MAX (INT64_C(1) << 23) /* BPF_MAX_LOOPS */

struct iter_num {
	int32_t cur; /* what the program gets a pointer to */
	int32_t end;
};

static struct iter_num get(uint64_t at)
{
	struct iter_num it;

	memcpy(&it, (const void *)(uintptr_t)at, sizeof(it));
	return it;
}

static void put(uint64_t at, int32_t cur, int32_t end)
{
	const struct iter_num it = { cur, end };

	memcpy((void *)(uintptr_t)at, &it, sizeof(it));
}

uint64_t xl_kfunc_iter_num_new(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const int32_t start = (int32_t)r2, end = (int32_t)r3;

	put(at, 0, 0);
	if (start > end)
		return (uint32_t)-EINVAL;
	if ((int64_t)end - start > LOOPS_MAX)
		return (uint32_t)-E2BIG;
	/* Wraps around for the lowest number, and back at the first step. */
	put(at, (int32_t)((uint32_t)start - 1), end);
	return 0;
}

uint64_t xl_kfunc_iter_num_next(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	const struct iter_num it = get(at);
	const int32_t next = (int32_t)((uint32_t)it.cur + 1);

	if (next >= it.end) {
		put(at, 0, 0);
		return 0;
	}
	put(at, next, it.end);
	return at;
}

uint64_t xl_kfunc_iter_num_destroy(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	put(at, 0, 0);
	return 0;
}

#define WORD_BITS 64u
#define WORDS_MAX 511u /* BITS_ITER_NR_WORDS_MAX */

/* A single word is copied. Of more, the address is kept, and looked at again with each step: the
 * kernel has a copy of these too, which differs if the program changes words that it is at. */
struct iter_bits {
	uint64_t bits;
	uint32_t n; /* bits; 0: at the end */
	int32_t bit;
};
_Static_assert(sizeof(struct iter_bits) == 16, "as struct bpf_iter_bits");

static void put_bits(uint64_t at, struct iter_bits it)
{
	memcpy((void *)(uintptr_t)at, &it, sizeof(it));
}

static bool may_read(uint64_t addr, size_t size)
{
	return xl_run->readable && xl_run->readable(xl_run, (uintptr_t)addr, size) == size;
}

uint64_t xl_kfunc_iter_bits_new(uint64_t at, uint64_t words, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct iter_bits it = { .bits = words, .n = (uint32_t)r3 * WORD_BITS, .bit = -1 };
	const uint32_t n = (uint32_t)r3;

	put_bits(at, (struct iter_bits){ .bit = -1 });
	if (!words || !n)
		return (uint32_t)-EINVAL;
	if (n > WORDS_MAX)
		return (uint32_t)-E2BIG;
	if (!may_read(words, n * sizeof(uint64_t)))
		return (uint32_t)-EFAULT;
	if (n == 1)
		memcpy(&it.bits, (const void *)(uintptr_t)words, sizeof(it.bits));
	put_bits(at, it);
	return 0;
}

/* Word @i; 0 if it is no longer there. */
static uint64_t word(const struct iter_bits *it, uint32_t i)
{
	const uint64_t addr = it->bits + i * sizeof(uint64_t);
	uint64_t bits;

	if (it->n <= WORD_BITS)
		return it->bits;
	if (!may_read(addr, sizeof(bits)))
		return 0;
	memcpy(&bits, (const void *)(uintptr_t)addr, sizeof(bits));
	return bits;
}

uint64_t xl_kfunc_iter_bits_next(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct iter_bits it;
	uint64_t rest;
	uint32_t bit;

	memcpy(&it, (const void *)(uintptr_t)at, sizeof(it));
	/* The program may have written over it. */
	if (!it.n || it.n > WORDS_MAX * WORD_BITS || it.bit < -1 || it.bit >= (int32_t)it.n)
		return 0;
	for (bit = (uint32_t)(it.bit + 1); bit < it.n; bit = (bit | (WORD_BITS - 1)) + 1) {
		rest = word(&it, bit / WORD_BITS) >> bit % WORD_BITS;
		if (!rest)
			continue;
		it.bit = (int32_t)(bit + (uint32_t)__builtin_ctzll(rest));
		put_bits(at, it);
		return at + offsetof(struct iter_bits, bit);
	}
	it.bit = (int32_t)it.n;
	put_bits(at, it);
	return 0;
}

uint64_t xl_kfunc_iter_bits_destroy(uint64_t at, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	put_bits(at, (struct iter_bits){ .bit = -1 });
	return 0;
}
