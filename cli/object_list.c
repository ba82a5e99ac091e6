/* Options and life of an object that is only looked at; see object_list.h. */
#include "cli/object_list.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/object_words.h"
#include "cli/options.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/runtime.h"

struct opts {
	bool json, help;
	const char *btf;
	struct xl_object_words object;
	struct xl_option_list operands;
};

static const struct xl_option table[] = {
	{ "json", 'j', XL_OPTION_FLAG, offsetof(struct opts, json), NULL,
	  "JSON on standard output" },
	{ "btf", 0, XL_OPTION_TEXT, offsetof(struct opts, btf), "FILE",
	  "kernel BTF for CO-RE, as in /sys/kernel/btf/vmlinux" },
	XL_OBJECT_WORDS_OPTIONS(struct opts, object),
	{ "help", 'h', XL_OPTION_FLAG, offsetof(struct opts, help), NULL, "this text" },
	{ NULL },
};

/* Returns -1 to go on, or the exit code. */
static int parse(const struct xl_option_spec *spec, int argc, char **argv, struct opts *o)
{
	struct xl_err e = { 0 };
	int err = xl_options_parse(spec, argc, argv, o, &e);

	if (err) {
		fprintf(stderr, "xdpland: %s\n", e.text);
		return err == -ENOMEM ? XL_EXIT_ENV : XL_EXIT_USAGE;
	}
	if (o->help) {
		xl_options_help(spec, stdout);
		return XL_EXIT_OK;
	}
	if (o->operands.n == 1)
		return -1;
	xl_options_help(spec, stderr);
	return XL_EXIT_USAGE;
}

/* Opens the object and says of it what the user says. */
static int open_object(const struct opts *o, struct xl_object_list *list, struct xl_err *e)
{
	struct xl_object_opts opts = { .btf_path = o->btf };
	int code = xl_object_words_open(&o->object, &opts, e), err;

	if (code)
		return code;
	err = xl_object_open_file(list->rt, list->path, &opts, &list->obj, e);
	if (err)
		return err == -ENOENT || err == -EACCES || err == -ENOMEM ? XL_EXIT_ENV
									  : XL_EXIT_REJECTED;
	return xl_object_words_apply(&o->object, list->obj, e);
}

static int open_list(const struct opts *o, struct xl_object_list *list)
{
	struct xl_err e = { 0 };
	/* Any seed, but always the same: the same object gives the same list. */
	int err = xl_runtime_create(&(struct xl_runtime_opts){ .seed = 1 }, &list->rt), code;

	if (err) {
		fprintf(stderr, "xdpland: %s\n", strerror(-err));
		return XL_EXIT_ENV;
	}
	list->path = o->operands.items[0];
	list->json = o->json;
	code = open_object(o, list, &e);
	if (code) {
		fprintf(stderr, "xdpland: %s\n", e.text);
		xl_object_list_close(list);
		return code;
	}
	xl_object_load(list->obj, &list->load_err);
	return -1;
}

int xl_object_list_open(int argc, char **argv, const char *usage, const char *intro,
			struct xl_object_list *out_list)
{
	const struct xl_option_spec spec = {
		.usage = usage,
		.intro = intro,
		.table = table,
		.operands = offsetof(struct opts, operands),
	};
	struct xl_object_list list = { 0 };
	struct opts o = { 0 };
	int code = parse(&spec, argc, argv, &o);

	if (code < 0)
		code = open_list(&o, &list);
	xl_options_free(&spec, &o);
	if (code < 0)
		*out_list = list;
	return code;
}

void xl_object_list_close(struct xl_object_list *list)
{
	xl_object_close(list->obj);
	if (list->rt)
		xl_runtime_destroy(list->rt);
}
