/* Kernel functions on strings.
 *
 * They take any address, look at it byte by byte, and give up after 64 KiB. What is not the
 * program's own memory cannot be read: at the start of a string in the user's half of the address
 * space the kernel does not even try.
 *
 * Source: bpf_str*() in kernel/bpf/helpers.c, v6.18. char has no sign there.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>

#include "xdp-runtime/helpers/helpers_ctype.h"
#include "xdp-runtime/run.h"

#define STRING_MAX 65536u /* XATTR_SIZE_MAX */

struct string {
	const uint8_t *at;
	uint32_t readable;
};

/* Returns 0, or -ERANGE where the kernel does not try. */
static int string_of(struct string *s, uint64_t addr)
{
	const struct xl_run *run = xl_run;

	s->at = (const uint8_t *)(uintptr_t)addr;
	s->readable = run->readable ? (uint32_t)run->readable(run, addr, STRING_MAX) : 0;
	return s->readable || (int64_t)addr < 0 ? 0 : -ERANGE;
}

/* The byte at @i; -EFAULT where none can be read. */
static int at(const struct string *s, uint32_t i)
{
	return i < s->readable ? s->at[i] : -EFAULT;
}

static uint8_t lower(uint8_t c)
{
	const bool upper = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);

	return upper ? c + 32 : c;
}

static int compare(uint64_t s1, uint64_t s2, bool fold)
{
	struct string a, b;
	int err = string_of(&a, s1);

	err = err ? err : string_of(&b, s2);
	for (uint32_t i = 0; i < STRING_MAX && !err; i++) {
		int c = at(&a, i), d = at(&b, i);

		if (c < 0 || d < 0)
			return -EFAULT;
		c = fold ? lower((uint8_t)c) : c;
		d = fold ? lower((uint8_t)d) : d;
		if (c != d)
			return c < d ? -1 : 1;
		if (!c)
			return 0;
	}
	return err ? err : -E2BIG;
}

uint64_t xl_kfunc_strcmp(uint64_t s1, uint64_t s2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)compare(s1, s2, false);
}

uint64_t xl_kfunc_strcasecmp(uint64_t s1, uint64_t s2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)compare(s1, s2, true);
}

/* Where @c is among the first @count bytes; @end_counts: or the end of the string. */
static int find(uint64_t addr, uint64_t count, int c, bool end_counts)
{
	struct string s;
	uint32_t i;
	int err = string_of(&s, addr);

	if (err)
		return err;
	for (i = 0; i < count && i < STRING_MAX; i++) {
		const int b = at(&s, i);

		if (b < 0)
			return b;
		if (b == c || (!b && end_counts))
			return (int)i;
		if (!b)
			return -ENOENT;
	}
	return i == STRING_MAX ? -E2BIG : -ENOENT;
}

uint64_t xl_kfunc_strnchr(uint64_t s, uint64_t count, uint64_t c, uint64_t r4, uint64_t r5)
{
	return (uint32_t)find(s, count, (uint8_t)c, false);
}

uint64_t xl_kfunc_strchr(uint64_t s, uint64_t c, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)find(s, STRING_MAX, (uint8_t)c, false);
}

uint64_t xl_kfunc_strchrnul(uint64_t s, uint64_t c, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)find(s, STRING_MAX, (uint8_t)c, true);
}

/* The character is an int here, and so may be one that no string has. */
uint64_t xl_kfunc_strrchr(uint64_t addr, uint64_t c, uint64_t r3, uint64_t r4, uint64_t r5)
{
	int last = -ENOENT;
	struct string s;
	int err = string_of(&s, addr);

	for (uint32_t i = 0; i < STRING_MAX && !err; i++) {
		const int b = at(&s, i);

		if (b < 0)
			return (uint32_t)b;
		if (b == (int)(uint32_t)c)
			last = (int)i;
		if (!b)
			return (uint32_t)last;
	}
	return (uint32_t)(err ? err : -E2BIG);
}

static int length(uint64_t addr, uint64_t count)
{
	struct string s;
	uint32_t i;
	int err = string_of(&s, addr);

	if (err)
		return err;
	for (i = 0; i < count && i < STRING_MAX; i++) {
		const int b = at(&s, i);

		if (b <= 0)
			return b ? b : (int)i;
	}
	return i == STRING_MAX ? -E2BIG : (int)i;
}

uint64_t xl_kfunc_strlen(uint64_t s, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)length(s, STRING_MAX);
}

uint64_t xl_kfunc_strnlen(uint64_t s, uint64_t count, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)length(s, count);
}

/* Whether @c is in @set: 0 or 1; -EFAULT, -E2BIG. */
static int is_in(const struct string *set, int c)
{
	for (uint32_t i = 0; i < STRING_MAX; i++) {
		const int b = at(set, i);

		if (b < 0)
			return b;
		if (b == c)
			return 1;
		if (!b)
			return 0;
	}
	return -E2BIG;
}

/* How many bytes at the start are in @set (@in), or are not. */
static int span(uint64_t addr, uint64_t set_addr, int in)
{
	struct string s, set;
	int err = string_of(&s, addr);

	err = err ? err : string_of(&set, set_addr);
	for (uint32_t i = 0; i < STRING_MAX && !err; i++) {
		const int b = at(&s, i), found = b > 0 ? is_in(&set, b) : b;

		if (found < 0)
			return found;
		if (!b || found != in)
			return (int)i;
	}
	return err ? err : -E2BIG;
}

uint64_t xl_kfunc_strspn(uint64_t s, uint64_t accept, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)span(s, accept, 1);
}

uint64_t xl_kfunc_strcspn(uint64_t s, uint64_t reject, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)span(s, reject, 0);
}

enum { NOT_HERE, FOUND }; /* beside the errors that a search ends with */

/* Whether the first @len bytes of @s have @what at @i. */
static int matches_at(const struct string *s, const struct string *what, uint32_t i, uint64_t len)
{
	uint32_t j;

	for (j = 0; (uint64_t)i + j <= len && j < STRING_MAX; j++) {
		const int w = at(what, j);
		int c;

		if (w <= 0)
			return w ? w : FOUND;
		/* Its end may be the byte behind the last one that is looked at. */
		if ((uint64_t)i + j == len)
			return -ENOENT;
		c = at(s, i + j);
		if (c <= 0)
			return c ? c : -ENOENT;
		if (c != w)
			return NOT_HERE;
	}
	return j == STRING_MAX ? -E2BIG : -ENOENT;
}

static int search(uint64_t addr, uint64_t what_addr, uint64_t len)
{
	struct string s, what;
	int err = string_of(&s, addr);

	err = err ? err : string_of(&what, what_addr);
	for (uint32_t i = 0; i < STRING_MAX && !err; i++) {
		const int m = matches_at(&s, &what, i, len);

		if (m == FOUND)
			return (int)i;
		err = m == NOT_HERE ? 0 : m;
	}
	return err ? err : -E2BIG;
}

uint64_t xl_kfunc_strnstr(uint64_t s1, uint64_t s2, uint64_t len, uint64_t r4, uint64_t r5)
{
	return (uint32_t)search(s1, s2, len);
}

uint64_t xl_kfunc_strstr(uint64_t s1, uint64_t s2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return (uint32_t)search(s1, s2, STRING_MAX);
}
