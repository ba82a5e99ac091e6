/* Helpers on strings and on memory of unknown standing.
 *
 * Source: kernel/bpf/helpers.c (__bpf_strtoull() and friends), lib/kstrtox.c, lib/string.c;
 * bpf_probe_read_kernel(), kernel/trace/bpf_trace.c.
 */
#include "xdp-runtime/helpers/helpers_fn.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "xdp-runtime/helpers/helpers_ctype.h"
#include "xdp-runtime/run.h"

#define BASE_MASK  UINT64_C(0x1f) /* BPF_STRTOX_BASE_MASK */
#define NUMBER_MAX 63		  /* characters that are looked at */

uint64_t xl_helper_strncmp(uint64_t s1, uint64_t size, uint64_t s2, uint64_t r4, uint64_t r5)
{
	const uint8_t *a = (const uint8_t *)(uintptr_t)s1, *b = (const uint8_t *)(uintptr_t)s2;

	for (uint32_t i = 0; i < (uint32_t)size; i++) {
		if (a[i] != b[i])
			return xl_helper_int(a[i] < b[i] ? -1 : 1);
		if (!a[i])
			break;
	}
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Steps over a "0x" that belongs to @base and settles base 0. */
static const char *fix_radix(const char *s, int *base)
{
	const bool is_hex = s[0] == '0' && (s[1] | 0x20) == 'x';

	if (*base == 0)
		*base = s[0] != '0' ? 10 : is_hex && digit(s[2]) < 16 ? 16 : 8;
	return *base == 16 && is_hex ? s + 2 : s;
}

/* Digits of @base at @s. Returns the first character after them; *@out_overflow tells if the
 * value did not fit. */
static const char *parse_digits(const char *s, int base, uint64_t *out, bool *out_overflow)
{
	*out = 0;
	*out_overflow = false;
	for (; digit(*s) < base; s++) {
		if (__builtin_mul_overflow(*out, (uint64_t)base, out))
			*out_overflow = true;
		if (__builtin_add_overflow(*out, (uint64_t)digit(*s), out))
			*out_overflow = true;
	}
	return s;
}

/* Returns how many characters were used, or -EINVAL, -ERANGE. */
static int parse_number(const char *buf, size_t len, uint64_t flags, uint64_t *out,
			bool *out_negative)
{
	int base = (int)(flags & BASE_MASK);
	char text[NUMBER_MAX + 1];
	const char *start, *end;
	size_t used = 0, rest;
	bool overflow;

	if (!len || (base != 0 && base != 8 && base != 10 && base != 16) || flags & ~BASE_MASK)
		return -EINVAL;
	while (used < len && xl_ctype_space((uint8_t)buf[used]))
		used++;
	*out_negative = used < len && buf[used] == '-';
	used += *out_negative;
	rest = len - used < NUMBER_MAX ? len - used : NUMBER_MAX;
	memcpy(text, buf + used, rest);
	text[rest] = 0;
	start = fix_radix(text, &base);
	end = parse_digits(start, base, out, &overflow);
	if (overflow)
		return -ERANGE;
	if (end == start)
		return -EINVAL;
	return (int)(used + (size_t)(end - text));
}

static void store_u64(uint64_t addr, uint64_t value)
{
	memcpy((void *)(uintptr_t)addr, &value, sizeof(value));
}

uint64_t xl_helper_strtol(uint64_t buf, uint64_t len, uint64_t flags, uint64_t out, uint64_t r5)
{
	bool negative;
	uint64_t value;
	int ret;

	store_u64(out, 0);
	ret = parse_number((const char *)(uintptr_t)buf, len, flags, &value, &negative);
	if (ret < 0)
		return xl_helper_int(ret);
	if (value > (uint64_t)INT64_MAX + negative)
		return xl_helper_int(-ERANGE);
	store_u64(out, negative ? -value : value);
	return xl_helper_int(ret);
}

uint64_t xl_helper_strtoul(uint64_t buf, uint64_t len, uint64_t flags, uint64_t out, uint64_t r5)
{
	bool negative;
	uint64_t value;
	int ret;

	store_u64(out, 0);
	ret = parse_number((const char *)(uintptr_t)buf, len, flags, &value, &negative);
	if (ret < 0)
		return xl_helper_int(ret);
	if (negative)
		return xl_helper_int(-EINVAL);
	store_u64(out, value);
	return xl_helper_int(ret);
}

/* There is no kernel memory here: what a program can read this way is its own. What cannot be
 * read gives zeroes, all or nothing; in the kernel's half of the address space it is a fault, in
 * the other one the kernel does not even try. */
uint64_t xl_helper_probe_read_kernel(uint64_t out, uint64_t r2, uint64_t from, uint64_t r4,
				     uint64_t r5)
{
	const struct xl_run *run = xl_run;
	const uint32_t size = (uint32_t)r2, need = size ? size : 1;
	uint8_t none, *to = size ? (uint8_t *)(uintptr_t)out : &none; /* nothing may go to NULL */

	if (run->readable && run->readable(run, (uintptr_t)from, need) == need) {
		memmove(to, (const void *)(uintptr_t)from, size);
		return 0;
	}
	memset(to, 0, size);
	return xl_helper_int((int64_t)from < 0 ? -EFAULT : -ERANGE);
}

/* The same for a string: up to its NUL, which is always there in @out. */
uint64_t xl_helper_probe_read_kernel_str(uint64_t out, uint64_t r2, uint64_t from, uint64_t r4,
					 uint64_t r5)
{
	const struct xl_run *run = xl_run;
	const uint32_t size = (uint32_t)r2;
	char *to = (char *)(uintptr_t)out;
	size_t n, len;

	if (!size)
		return 0;
	n = run->readable ? run->readable(run, (uintptr_t)from, size) : 0;
	len = n ? strnlen((const char *)(uintptr_t)from, n) : 0;
	if (len < n || (n && n == size)) {
		len = len < n ? len : n - 1;
		memmove(to, (const char *)(uintptr_t)from, len);
		to[len] = '\0';
		return len + 1;
	}
	memset(to, 0, size);
	return xl_helper_int((int64_t)from < 0 ? -EFAULT : -ERANGE);
}
