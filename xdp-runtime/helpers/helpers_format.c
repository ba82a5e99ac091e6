/* hot */
/* Text as the kernel formats it for programs; see helpers_format.h.
 *
 * The kernel takes a small part of printf's language: %% %c %s %d %i %u %x %X with l or ll, flags
 * "0+- " and a width, and the pointers %p %px %pK %ps %pS %pB %pks %pus %pI4 %pi4 %pI6 %pi6. It
 * first packs the arguments into 512 bytes and then prints from there, which shows in what it
 * refuses, where it cuts, and in that it loses count of what was formatted while packing once the
 * output is full; packed[] below is that memory.
 *
 * Two things differ on purpose. %p of an address prints "(____ptrval____)", as a kernel without
 * entropy does: of the same length as a hashed pointer, and the same in each run. And addresses
 * that are followed (%s, %pI4) reach the program's own memory only.
 *
 * Source: bpf_bprintf_prepare(), kernel/bpf/helpers.c; bstr_printf(), lib/vsprintf.c.
 */
#include "xdp-runtime/helpers/helpers_format.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "xdp-runtime/helpers/helpers_ctype.h"
#include "xdp-runtime/run.h"

#define PACKED_SIZE    512 /* MAX_BPRINTF_BIN_ARGS */
#define WIDTH_MAX      ((1 << 23) - 1)
#define POINTER_DIGITS 16
#define ERRNO_MAX      4095 /* MAX_ERRNO: pointers above -4095 are errors */

struct spec {
	bool left, plus, space, zero;
	int32_t width; /* -1: none */
};

struct printer {
	const struct xl_run *run;
	const uint64_t *args;
	uint32_t n_args, next_arg;
	char packed[PACKED_SIZE];
	uint32_t n_packed, n_taken; /* bytes of packed; taken <= packed */
	char *buf;
	size_t size;
	size_t len; /* of the whole text, also what did not fit */
};

/* What may follow a conversion that is not allowed to run into a word. */
static bool ends_word(uint8_t c)
{
	return !c || xl_ctype_space(c) || xl_ctype_punct(c);
}

static void put(struct printer *p, const char *text, size_t len)
{
	if (p->buf && p->len < p->size)
		memcpy(p->buf + p->len, text, len < p->size - p->len ? len : p->size - p->len);
	p->len += len;
}

static void put_pad(struct printer *p, char c, int64_t n)
{
	if (n <= 0)
		return;
	if (p->buf && p->len < p->size)
		memset(p->buf + p->len, c,
		       (size_t)n < p->size - p->len ? (size_t)n : p->size - p->len);
	p->len += (size_t)n;
}

static void put_string(struct printer *p, const struct spec *s, const char *text, size_t len)
{
	const int64_t pad = (int64_t)s->width - (int64_t)len;

	if (!s->left)
		put_pad(p, ' ', pad);
	put(p, text, len);
	if (s->left)
		put_pad(p, ' ', pad);
}

/* @sign 0: none is printed. */
static void put_number(struct printer *p, const struct spec *s, uint64_t v, char conv, char sign)
{
	const char *format = conv == 'x' ? "%lx" : conv == 'X' ? "%lX" : "%lu";
	char digits[24];
	const int len = snprintf(digits, sizeof(digits), format, v);
	const int64_t pad = (int64_t)s->width - len - (sign != 0);

	if (!s->left && !s->zero)
		put_pad(p, ' ', pad);
	if (sign)
		put(p, &sign, 1);
	if (!s->left && s->zero)
		put_pad(p, '0', pad);
	put(p, digits, (size_t)len);
	if (s->left)
		put_pad(p, ' ', pad);
}

static void put_signed(struct printer *p, const struct spec *s, int64_t v)
{
	const char sign = v < 0 ? '-' : s->plus ? '+' : s->space ? ' ' : 0;

	put_number(p, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 'u', sign);
}

/* Hex of pointer width, which is the width that it has when none is given. */
static void put_pointer(struct printer *p, const struct spec *s, uint64_t v)
{
	struct spec wide = *s;

	if (wide.width < 0) {
		wide.width = POINTER_DIGITS;
		wide.zero = true;
	}
	put_number(p, &wide, v, 'x', 0);
}

static uint32_t align4(uint32_t n)
{
	return (n + 3) & ~3u;
}

/* Packs the next argument as a number of @size bytes, and takes the one whose turn it is. */
static int pass_word(struct printer *p, uint32_t size, uint64_t *out)
{
	const uint32_t at = align4(p->n_packed);

	if (PACKED_SIZE - at < size)
		return -ENOSPC;
	memcpy(p->packed + at, &p->args[p->next_arg++], size);
	p->n_packed = at + size;
	p->n_taken = align4(p->n_taken);
	*out = 0;
	memcpy(out, p->packed + p->n_taken, size);
	p->n_taken += size;
	return 0;
}

/* Packs @text, cut to what fits with its NUL. */
static void pack_text(struct printer *p, const char *text, size_t len)
{
	const uint32_t room = PACKED_SIZE - p->n_packed;

	if (len >= room)
		len = room - 1;
	memcpy(p->packed + p->n_packed, text, len);
	p->packed[p->n_packed + len] = 0;
	p->n_packed += (uint32_t)len + 1;
}

static const char *take_text(struct printer *p, size_t *out_len)
{
	const char *text = p->packed + p->n_taken;
	const uint32_t room = p->n_packed - p->n_taken;

	*out_len = strnlen(text, room);
	p->n_taken += *out_len < room ? (uint32_t)*out_len + 1 : room;
	return text;
}

/* Prints what was formatted while packing: without a width, and not at all when the output is
 * full already. */
static void put_packed(struct printer *p)
{
	const char *text;
	size_t len;

	if (p->len >= p->size)
		return;
	text = take_text(p, &len);
	put(p, text, len);
}

/* Copies up to @size bytes of the program's memory; returns how many. */
static size_t read_memory(const struct xl_run *run, uint64_t addr, void *out, size_t size)
{
	const size_t n = run->readable ? run->readable(run, (uintptr_t)addr, size) : 0;

	if (n)
		memcpy(out, (const void *)(uintptr_t)addr, n);
	return n;
}

static int pack_string(struct printer *p)
{
	const size_t room = PACKED_SIZE - p->n_packed;
	char text[PACKED_SIZE];

	if (!room)
		return -ENOSPC;
	pack_text(p, text, strnlen(text, read_memory(p->run, p->args[p->next_arg++], text, room)));
	return 0;
}

static int print_str(struct printer *p, const struct spec *s)
{
	const char *text;
	size_t len;
	int err = pack_string(p);

	if (err)
		return err;
	text = take_text(p, &len);
	put_string(p, s, text, len);
	return 0;
}

/* "%pks", "%pus" */
static int print_marked_str(struct printer *p)
{
	int err = pack_string(p);

	if (!err)
		put_packed(p);
	return err;
}

static int print_char(struct printer *p, const struct spec *s)
{
	if (p->n_packed == PACKED_SIZE)
		return -ENOSPC;
	p->packed[p->n_packed++] = (char)p->args[p->next_arg++];
	put_string(p, s, p->packed + p->n_taken++, 1);
	return 0;
}

/* @kind is 'i' or 'I', @version '4' or '6'. */
static int print_ip(struct printer *p, char kind, char version)
{
	uint8_t a[16] = { 0 };
	const size_t size = version == '4' ? 4 : 16;
	char text[40];
	int len = 0;

	if (PACKED_SIZE - p->n_packed < size)
		return -ENOSPC;
	if (read_memory(p->run, p->args[p->next_arg++], a, size) < size)
		memset(a, 0, sizeof(a));
	for (size_t i = 0; i < size; i++) {
		const char *sep = version == '4'		   ? (i ? "." : "")
				  : kind == 'I' && i && i % 2 == 0 ? ":"
								   : "";
		const char *format = version == '6' ? "%s%02x" : kind == 'i' ? "%s%03u" : "%s%u";

		len += snprintf(text + len, sizeof(text) - (size_t)len, format, sep, a[i]);
	}
	pack_text(p, text, (size_t)len);
	put_packed(p);
	return 0;
}

static int print_hidden(struct printer *p, const struct spec *s)
{
	static const char hidden[] = "(____ptrval____)";
	uint64_t v;
	int err = pass_word(p, sizeof(v), &v);

	if (err)
		return err;
	if (!v || v >= (uint64_t)-ERRNO_MAX)
		put_pointer(p, s, v);
	else
		put_string(p, s, hidden, sizeof(hidden) - 1);
	return 0;
}

/* A kernel symbol, which no address here is: printed as the kernel prints an unknown one. */
static int print_symbol(struct printer *p, const struct spec *s)
{
	char text[24];
	uint64_t v;
	int err = pass_word(p, sizeof(v), &v);

	if (!err)
		put_string(p, s, text, (size_t)snprintf(text, sizeof(text), "0x%lx", v));
	return err;
}

static int print_raw_pointer(struct printer *p, const struct spec *s)
{
	uint64_t v;
	int err = pass_word(p, sizeof(v), &v);

	if (!err)
		put_pointer(p, s, v);
	return err;
}

/* As print_symbol(), but formatted while packing. */
static int print_backtrace(struct printer *p)
{
	char text[24];

	if (p->n_packed == PACKED_SIZE)
		return -ENOSPC;
	pack_text(p, text, (size_t)snprintf(text, sizeof(text), "0x%lx", p->args[p->next_arg++]));
	put_packed(p);
	return 0;
}

/* What follows "%p" at *@at; steps over it, and over the letters that the kernel then ignores. */
static int print_pointer(struct printer *p, const struct spec *s, const char **at)
{
	const char *c = *at;
	int err;

	if (ends_word((uint8_t)c[0])) {
		err = print_hidden(p, s);
	} else if ((c[0] == 'k' || c[0] == 'u') && c[1] == 's') {
		if (!ends_word((uint8_t)c[2]))
			return -EINVAL;
		err = print_marked_str(p);
	} else if (c[0] == 'K') {
		err = print_hidden(p, s);
	} else if (c[0] == 'x') {
		err = print_raw_pointer(p, s);
	} else if (c[0] == 's' || c[0] == 'S') {
		err = print_symbol(p, s);
	} else if (c[0] == 'B') {
		err = print_backtrace(p);
	} else if ((c[0] == 'i' || c[0] == 'I') && (c[1] == '4' || c[1] == '6')) {
		err = print_ip(p, c[0], c[1]);
	} else {
		return -EINVAL;
	}
	while (xl_ctype_alnum((uint8_t)*c))
		c++;
	*at = c;
	return err;
}

/* "%[ll]d" and its kin; *@at is after the width. */
static int print_integer(struct printer *p, const struct spec *s, const char **at)
{
	const char *c = *at;
	uint32_t size = sizeof(int);
	uint64_t v;
	int err;

	for (int i = 0; i < 2 && *c == 'l'; i++, c++)
		size = sizeof(long);
	if (!*c || !strchr("iduxX", *c))
		return -EINVAL;
	err = pass_word(p, size, &v);
	if (err)
		return err;
	if (*c == 'd' || *c == 'i')
		put_signed(p, s, size == sizeof(int) ? (int32_t)v : (int64_t)v);
	else
		put_number(p, s, size == sizeof(int) ? (uint32_t)v : v, *c, 0);
	*at = c + 1;
	return 0;
}

static const char *parse_spec(const char *c, struct spec *s)
{
	*s = (struct spec){ .width = -1 };
	for (;; c++) {
		s->zero |= *c == '0';
		s->plus |= *c == '+';
		s->left |= *c == '-';
		s->space |= *c == ' ';
		if (!*c || !strchr("0+- ", *c))
			break;
	}
	if (*c >= '1' && *c <= '9')
		s->width = 0;
	for (; s->width >= 0 && *c >= '0' && *c <= '9'; c++)
		s->width = s->width > WIDTH_MAX / 10 ? WIDTH_MAX : s->width * 10 + (*c - '0');
	return c;
}

/* One conversion; *@at is after its '%'. */
static int print_one(struct printer *p, const char **at)
{
	struct spec s;
	const char *c;
	int err;

	if (p->next_arg >= p->n_args || (uint8_t) * *at >= 0x80)
		return -EINVAL;
	c = parse_spec(*at, &s);
	if (*c == 'p') {
		c++;
		err = print_pointer(p, &s, &c);
	} else if (*c == 's') {
		c++;
		err = ends_word((uint8_t)*c) ? print_str(p, &s) : -EINVAL;
	} else if (*c == 'c') {
		c++;
		err = print_char(p, &s);
	} else {
		err = print_integer(p, &s, &c);
	}
	*at = c;
	return err;
}

int xl_helper_format(const char *fmt, size_t fmt_size, const uint64_t *args, uint32_t n_args,
		     char *buf, size_t size)
{
	struct printer p = {
		.run = xl_run, .args = args, .n_args = n_args, .buf = buf, .size = size
	};
	int err;

	if (!memchr(fmt, 0, fmt_size))
		return -EINVAL;
	while (*fmt) {
		const uint8_t c = (uint8_t)*fmt;

		if ((c < ' ' || c == 0x7f) && !xl_ctype_space(c))
			return -EINVAL;
		if (c != '%' || fmt[1] == '%') {
			put(&p, fmt, 1);
			fmt += c == '%' ? 2 : 1;
			continue;
		}
		fmt++;
		err = print_one(&p, &fmt);
		if (err)
			return err;
	}
	if (buf && size)
		buf[p.len < size ? p.len : size - 1] = 0;
	return (int)p.len;
}
