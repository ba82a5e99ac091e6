/* Options; see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 24

struct parser {
	const struct xl_option_spec *spec;
	char **argv;
	int argc, at; /* argv[at] is in hand */
	uint8_t *out;
	struct xl_err *e;
};

static const struct xl_option *by_name(const struct xl_option *table, const char *name, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && !strncmp(table->name, name, len))
			return table;
	return NULL;
}

static const struct xl_option *by_letter(const struct xl_option *table, char letter)
{
	for (; table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static int append(struct xl_option_list *list, const char *text)
{
	const char **items = realloc(list->items, (list->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n++] = text;
	return 0;
}

static int store_number(struct parser *p, const struct xl_option *o, const char *text)
{
	const uint64_t max = o->kind == XL_OPTION_U32 ? UINT32_MAX : UINT64_MAX;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return xl_err_set(p->e, -EINVAL, "--%s takes a number from 0 to %llu, not '%s'",
				  o->name, (unsigned long long)max, text);
	if (o->kind == XL_OPTION_U32)
		*(uint32_t *)(p->out + o->offset) = (uint32_t)value;
	else
		*(uint64_t *)(p->out + o->offset) = value;
	return 0;
}

/* @value NULL: none was given. */
static int store(struct parser *p, const struct xl_option *o, const char *value)
{
	void *field = p->out + o->offset;

	switch (o->kind) {
	case XL_OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case XL_OPTION_COUNT:
		++*(uint32_t *)field;
		return 0;
	case XL_OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case XL_OPTION_OPTIONAL:
		*(struct xl_option_text *)field = (struct xl_option_text){ true, value };
		return 0;
	case XL_OPTION_LIST:
		return append(field, value) ? xl_err_set(p->e, -ENOMEM, "out of memory") : 0;
	case XL_OPTION_U32:
	case XL_OPTION_U64:
		return store_number(p, o, value);
	}
	return -EINVAL;
}

static bool never_takes_value(const struct xl_option *o)
{
	return o->kind == XL_OPTION_FLAG || o->kind == XL_OPTION_COUNT;
}

static bool takes_value(const struct xl_option *o)
{
	return !never_takes_value(o) && o->kind != XL_OPTION_OPTIONAL;
}

/* The next argument, as value of @o. */
static int store_next(struct parser *p, const struct xl_option *o)
{
	if (p->at + 1 >= p->argc)
		return xl_err_set(p->e, -EINVAL, "--%s wants %s", o->name, o->value);
	return store(p, o, p->argv[++p->at]);
}

static int parse_long(struct parser *p, const char *text)
{
	const char *value = strchr(text, '=');
	const size_t len = value ? (size_t)(value - text) : strlen(text);
	const struct xl_option *o = by_name(p->spec->table, text, len);

	if (!o)
		return xl_err_set(p->e, -EINVAL, "no option '--%.*s'; --help lists them", (int)len,
				  text);
	if (value && never_takes_value(o))
		return xl_err_set(p->e, -EINVAL, "--%s takes no value", o->name);
	if (value)
		return store(p, o, value + 1);
	return takes_value(o) ? store_next(p, o) : store(p, o, NULL);
}

static int parse_letters(struct parser *p, const char *text)
{
	for (; *text; text++) {
		const struct xl_option *o = by_letter(p->spec->table, *text);
		int err;

		if (!o)
			return xl_err_set(p->e, -EINVAL, "no option '-%c'; --help lists them",
					  *text);
		if (takes_value(o))
			return text[1] ? store(p, o, text + 1) : store_next(p, o);
		err = store(p, o, NULL);
		if (err)
			return err;
	}
	return 0;
}

static int parse_operand(struct parser *p, const char *text)
{
	struct xl_option_list *operands = (void *)(p->out + p->spec->operands);

	return append(operands, text) ? xl_err_set(p->e, -ENOMEM, "out of memory") : 0;
}

int xl_options_parse(const struct xl_option_spec *spec, int argc, char **argv, void *out,
		     struct xl_err *e)
{
	struct parser p = { .spec = spec, .argc = argc, .argv = argv, .out = out, .e = e };
	bool options_ended = false;

	for (p.at = 1; p.at < argc; p.at++) {
		const char *text = argv[p.at];
		int err;

		if (options_ended || text[0] != '-' || !text[1]) {
			err = parse_operand(&p, text);
		} else if (!strcmp(text, "--")) {
			options_ended = true;
			continue;
		} else if (text[1] == '-') {
			err = parse_long(&p, text + 2);
		} else {
			err = parse_letters(&p, text + 1);
		}
		if (err)
			return err;
	}
	return 0;
}

void xl_options_free(const struct xl_option_spec *spec, void *out)
{
	uint8_t *base = out;

	for (const struct xl_option *o = spec->table; o->name; o++)
		if (o->kind == XL_OPTION_LIST)
			free(((struct xl_option_list *)(base + o->offset))->items);
	free(((struct xl_option_list *)(base + spec->operands))->items);
}

static void print_option(const struct xl_option *o, FILE *stream)
{
	const bool optional = o->kind == XL_OPTION_OPTIONAL;
	const char *line = o->help, *end;
	int column = 0;

	if (o->letter)
		column += fprintf(stream, "  -%c, --%s", o->letter, o->name);
	else
		column += fprintf(stream, "  --%s", o->name);
	if (o->value)
		column += fprintf(stream, "%s%s%s", optional ? "[=" : " ", o->value,
				  optional ? "]" : "");
	if (column >= HELP_COLUMN)
		fprintf(stream, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(stream, "%*s", HELP_COLUMN - column, "");
	for (; (end = strchr(line, '\n')); line = end + 1)
		fprintf(stream, "%.*s\n%*s", (int)(end - line), line, HELP_COLUMN, "");
	fprintf(stream, "%s\n", line);
}

void xl_options_help(const struct xl_option_spec *spec, FILE *stream)
{
	fprintf(stream, "Usage: %s\n\n%s\nOptions:\n", spec->usage, spec->intro);
	for (const struct xl_option *o = spec->table; o->name; o++)
		print_option(o, stream);
	if (spec->outro)
		fprintf(stream, "\n%s", spec->outro);
}
