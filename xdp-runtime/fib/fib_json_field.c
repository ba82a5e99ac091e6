/* Fields of the entries that `ip -j` prints; see fib_json.h. */
#include "xdp-runtime/fib/fib_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct xl_fib_name xl_fib_scopes[] = {
	{ "global", RT_SCOPE_UNIVERSE }, { "site", RT_SCOPE_SITE },	  { "link", RT_SCOPE_LINK },
	{ "host", RT_SCOPE_HOST },	 { "nowhere", RT_SCOPE_NOWHERE }, { NULL, 0 },
};

/* Says what is wrong with a field of the current entry, as jq would name it. */
int xl_fib_json_bad(struct xl_fib_reader *r, const char *field, const char *fmt, ...)
{
	char why[256], document[32] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	for (char *c = why; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?'; /* text of the file must not break the line */
	if (r->document > 1)
		snprintf(document, sizeof(document), "document %u: ", r->document);
	return xl_err_set(r->e, -EINVAL, "%s: %s%s[%zu]%s%s: %s", r->path, document, r->part,
			  r->index, field ? "." : "", field ? field : "", why);
}

int xl_fib_json_no_memory(struct xl_fib_reader *r)
{
	return xl_err_set(r->e, -ENOMEM, "%s: out of memory", r->path);
}

int xl_fib_json_string(struct xl_fib_reader *r, const json_t *obj, const char *field,
		       const char **out)
{
	const json_t *v = json_object_get(obj, field);

	if (!v)
		return 0;
	if (!json_is_string(v))
		return xl_fib_json_bad(r, field, "not a string");
	*out = json_string_value(v);
	return 0;
}

int xl_fib_json_u32(struct xl_fib_reader *r, const json_t *obj, const char *field, uint32_t max,
		    uint32_t *out)
{
	const json_t *v = json_object_get(obj, field);

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return xl_fib_json_bad(r, field, "not a number from 0 to %u", max);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

int xl_fib_json_name(struct xl_fib_reader *r, const json_t *obj, const char *field,
		     const struct xl_fib_name *names, uint32_t max, uint32_t *out)
{
	const char *text = NULL;
	char *end;
	unsigned long number;
	int err = xl_fib_json_string(r, obj, field, &text);

	if (err || !text)
		return err;
	for (; names && names->name; names++)
		if (!strcmp(names->name, text)) {
			*out = names->number;
			return 0;
		}
	errno = 0;
	number = strtoul(text, &end, 0);
	if (end == text || *end || errno || *text == '-' || number > max)
		return xl_fib_json_bad(
			r, field, "\"%s\" is not known here; `ip -N -j` prints the number", text);
	*out = (uint32_t)number;
	return 0;
}

bool xl_fib_json_has_word(const json_t *obj, const char *field, const char *word)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(obj, field), i,
			   v) if (json_is_string(v) &&
				  !strcmp(json_string_value(v), word)) return true;
	return false;
}

uint8_t xl_fib_json_parse_ip(const char *text, struct xl_fib_ip *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->b) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, out->b) == 1 ? AF_INET6 : 0;
}

int xl_fib_json_ip(struct xl_fib_reader *r, const json_t *obj, const char *field,
		   struct xl_fib_ip *out, uint8_t *out_family)
{
	const char *text = NULL;
	int err = xl_fib_json_string(r, obj, field, &text);

	*out_family = 0;
	if (err || !text)
		return err;
	*out_family = xl_fib_json_parse_ip(text, out);
	return *out_family ? 0 : xl_fib_json_bad(r, field, "\"%s\" is not an IP address", text);
}

int xl_fib_json_mac(struct xl_fib_reader *r, const json_t *obj, const char *field, uint8_t out[6])
{
	const char *text = NULL;
	int err = xl_fib_json_string(r, obj, field, &text), used = 0;
	unsigned int b[6];

	if (err || !text)
		return err;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &used) != 6 ||
	    text[used])
		return xl_fib_json_bad(r, field, "\"%s\" is not an Ethernet address", text);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
	return 0;
}

int xl_fib_json_link(struct xl_fib_reader *r, const json_t *obj, const char *field, uint32_t *out)
{
	const char *name = NULL;
	int err = xl_fib_json_string(r, obj, field, &name);

	if (err || !name)
		return err;
	if (!*name || strlen(name) >= XL_FIB_NAME_SIZE)
		return xl_fib_json_bad(r, field, "\"%s\" cannot be the name of a link", name);
	*out = xl_fib_link_at(r->fib, name);
	return *out == XL_FIB_NO_LINK ? xl_fib_json_no_memory(r) : 0;
}
