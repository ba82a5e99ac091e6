/* JSON files; see json_in.h. */
#include "cli/json_in.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_DIGITS  19		       /* what int64_t cannot always hold */
#define FILE_LEN_MAX ((size_t)1 << 30) /* chosen: a dump of ten million entries; /dev/zero ends */

static int read_stream(FILE *stream, const char *path, char **out_text, size_t *out_len,
		       struct xl_err *e)
{
	size_t len = 0, size = 64 << 10, n;
	char *text = malloc(size), *grown;

	while (text && (n = fread(text + len, 1, size - len, stream)) > 0) {
		len += n;
		if (len < size)
			continue;
		if (size >= FILE_LEN_MAX) {
			free(text);
			return xl_err_set(e, -EFBIG, "%s: more than %zu MB of JSON", path,
					  FILE_LEN_MAX >> 20);
		}
		size *= 2;
		grown = realloc(text, size);
		if (!grown)
			free(text);
		text = grown;
	}
	if (!text)
		return xl_err_set(e, -ENOMEM, "%s: out of memory", path);
	if (ferror(stream)) {
		const int err = errno ? errno : EIO;

		free(text);
		return xl_err_set(e, -err, "%s: cannot read: %s", path, strerror(err));
	}
	*out_text = text;
	*out_len = len;
	return 0;
}

/* Length of the string literal at @s, with both quotes; up to the end if it is not closed. */
static size_t string_len(const char *s, size_t len)
{
	size_t i = 1;

	while (i < len && s[i] != '"')
		i += s[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* Whether a colon follows: the string before was a name. */
static bool is_name(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r'))
		i++;
	return i < len && s[i] == ':';
}

/* Length of the run of characters that a number may be made of. */
static size_t number_len(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && s[i] && strchr("+-.0123456789eE", s[i]))
		i++;
	return i;
}

static bool is_long_integer(const char *s, size_t len)
{
	const size_t n_digits = len - (*s == '-');

	return n_digits >= LONG_DIGITS && strspn(s + (*s == '-'), "0123456789") >= n_digits;
}

static char *rewrite(const char *text, size_t len, size_t *out_len)
{
	unsigned n_anonymous = 0;
	char *buf = NULL;
	size_t i = 0, n;
	FILE *out = open_memstream(&buf, out_len);

	if (!out)
		return NULL;
	while (i < len) {
		if (text[i] == '"') {
			n = string_len(text + i, len - i);
			if (n == 2 && is_name(text + i + n, len - i - n))
				fprintf(out, "\"<%u>\"", ++n_anonymous);
			else
				fwrite(text + i, 1, n, out);
		} else if ((n = number_len(text + i, len - i))) {
			const char *quote = is_long_integer(text + i, n) ? "\"" : "";

			fprintf(out, "%s%.*s%s", quote, (int)n, text + i, quote);
		} else {
			n = 1;
			putc(text[i], out);
		}
		i += n;
	}
	return fclose(out) ? NULL : buf;
}

int xl_json_load_text(const char *text, size_t len, const char *name, json_t **out_json,
		      struct xl_err *e)
{
	size_t rewritten_len;
	char *rewritten = rewrite(text, len, &rewritten_len);
	json_error_t error;

	if (!rewritten)
		return xl_err_set(e, -ENOMEM, "%s: out of memory", name);
	*out_json = json_loadb(rewritten, rewritten_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
			       &error);
	free(rewritten);
	if (*out_json)
		return 0;
	return xl_err_set(e, -EINVAL, "%s, line %d: not JSON: %s", name, error.line, error.text);
}

int xl_json_load_file(const char *path, json_t **out_json, struct xl_err *e)
{
	const bool is_stdin = !strcmp(path, "-");
	FILE *stream = is_stdin ? stdin : fopen(path, "re");
	char *text = NULL;
	size_t len = 0;
	int err;

	if (!stream)
		return xl_err_set(e, -errno, "%s: cannot open: %s", path, strerror(errno));
	err = read_stream(stream, path, &text, &len, e);
	if (!is_stdin)
		fclose(stream);
	if (err)
		return err;
	err = xl_json_load_text(text, len, path, out_json, e);
	free(text);
	return err;
}
