/* Streaming JSON writer; see json_out.h. Source: RFC 8259. */
#include "cli/json_out.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "cli/hex.h"

void xl_json_init(struct xl_json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

/* Bytes of the UTF-8 sequence at @s, 0 if there is none (RFC 3629). */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	uint32_t code;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (len < n)
		return 0;
	code = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* Overlong forms, surrogates, beyond Unicode. */
	if ((n == 3 && code < 0x800) || (n == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

static void put_escaped(FILE *out, uint8_t c)
{
	static const char short_form[256] = {
		['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\t'] = 't',
		['\r'] = 'r', ['\b'] = 'b',  ['\f'] = 'f'
	};

	if (short_form[c])
		fprintf(out, "\\%c", short_form[c]);
	else
		fprintf(out, "\\u%04x", c);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(FILE *out, const char *text, size_t len)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t n;

	putc_unlocked('"', out);
	for (; len; s += n, len -= n) {
		for (n = 0; n < len && is_plain(s[n]); n++)
			;
		if (!n && s[0] >= 0x80)
			n = utf8_len(s, len);
		if (n) {
			fwrite_unlocked(s, 1, n, out);
		} else {
			put_escaped(out, s[0]);
			n = 1;
		}
	}
	putc_unlocked('"', out);
}

static void put_u64(FILE *out, uint64_t value)
{
	char text[20], *at = text + sizeof(text);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	fwrite_unlocked(at, 1, (size_t)(text + sizeof(text) - at), out);
}

/* What stands before a value: a comma, a name. */
static void put_head(struct xl_json *j, const char *name)
{
	if (j->more[j->depth])
		putc_unlocked(',', j->out);
	j->more[j->depth] = j->depth > 0;
	if (!name)
		return;
	put_string(j->out, name, strlen(name));
	putc_unlocked(':', j->out);
}

static void begin(struct xl_json *j, const char *name, char c)
{
	put_head(j, name);
	putc_unlocked(c, j->out);
	j->depth++;
	assert(j->depth < XL_JSON_DEPTH_MAX);
	j->more[j->depth] = false;
}

static void end(struct xl_json *j, char c)
{
	assert(j->depth > 0);
	j->depth--;
	putc_unlocked(c, j->out);
}

void xl_json_begin_object(struct xl_json *j, const char *name)
{
	begin(j, name, '{');
}

void xl_json_end_object(struct xl_json *j)
{
	end(j, '}');
}

void xl_json_begin_array(struct xl_json *j, const char *name)
{
	begin(j, name, '[');
}

void xl_json_end_array(struct xl_json *j)
{
	end(j, ']');
}

void xl_json_newline(struct xl_json *j)
{
	putc_unlocked('\n', j->out);
}

void xl_json_strn(struct xl_json *j, const char *name, const char *value, size_t len)
{
	put_head(j, name);
	put_string(j->out, value, len);
}

void xl_json_str(struct xl_json *j, const char *name, const char *value)
{
	xl_json_strn(j, name, value, strlen(value));
}

void xl_json_hex(struct xl_json *j, const char *name, const uint8_t *bytes, size_t n)
{
	char text[2048];
	size_t part;

	put_head(j, name);
	putc_unlocked('"', j->out);
	for (; n; bytes += part, n -= part) {
		part = n < sizeof(text) / 2 ? n : sizeof(text) / 2;
		xl_hex_format(bytes, part, text);
		fwrite_unlocked(text, 1, 2 * part, j->out);
	}
	putc_unlocked('"', j->out);
}

void xl_json_u64(struct xl_json *j, const char *name, uint64_t value)
{
	put_head(j, name);
	put_u64(j->out, value);
}

void xl_json_i64(struct xl_json *j, const char *name, int64_t value)
{
	put_head(j, name);
	if (value < 0)
		putc_unlocked('-', j->out);
	put_u64(j->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void xl_json_bool(struct xl_json *j, const char *name, bool value)
{
	put_head(j, name);
	fputs(value ? "true" : "false", j->out);
}

void xl_json_null(struct xl_json *j, const char *name)
{
	put_head(j, name);
	fputs("null", j->out);
}

void xl_json_raw(struct xl_json *j, const char *name, const char *fmt, ...)
{
	va_list ap;

	put_head(j, name);
	va_start(ap, fmt);
	vfprintf(j->out, fmt, ap);
	va_end(ap);
}
