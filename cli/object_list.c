/* Options and life of an object that is only looked at; see object_list.h. */
#include "cli/object_list.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "xdp-runtime/object.h"
#include "xdp-runtime/runtime.h"

struct opts {
	bool json, help;
	const char *btf;
	struct xl_option_list operands;
};

static const struct xl_option table[] = {
	{ "json", 'j', XL_OPTION_FLAG, offsetof(struct opts, json), NULL,
	  "JSON on standard output" },
	{ "btf", 0, XL_OPTION_TEXT, offsetof(struct opts, btf), "FILE",
	  "kernel BTF for CO-RE, as in /sys/kernel/btf/vmlinux" },
	{ "help", 'h', XL_OPTION_FLAG, offsetof(struct opts, help), NULL, "this text" },
	{ NULL },
};

/* Returns -1 to go on, or the exit code. */
static int parse(int argc, char **argv, const char *usage, const char *intro,
		 struct xl_object_list *list)
{
	const struct xl_option_spec spec = {
		.usage = usage,
		.intro = intro,
		.table = table,
		.operands = offsetof(struct opts, operands),
	};
	struct opts o = { 0 };
	struct xl_err e = { 0 };
	int code = -1, err = xl_options_parse(&spec, argc, argv, &o, &e);

	if (err) {
		fprintf(stderr, "xdpland: %s\n", e.text);
		code = err == -ENOMEM ? XL_EXIT_ENV : XL_EXIT_USAGE;
	} else if (o.help) {
		xl_options_help(&spec, stdout);
		code = XL_EXIT_OK;
	} else if (o.operands.n != 1) {
		xl_options_help(&spec, stderr);
		code = XL_EXIT_USAGE;
	} else {
		list->path = o.operands.items[0];
		list->btf_path = o.btf;
		list->json = o.json;
	}
	xl_options_free(&spec, &o);
	return code;
}

int xl_object_list_open(int argc, char **argv, const char *usage, const char *intro,
			struct xl_object_list *out_list)
{
	struct xl_object_list list = { 0 };
	struct xl_object_opts opts = { 0 };
	struct xl_err e = { 0 };
	int code = parse(argc, argv, usage, intro, &list), err;

	if (code >= 0)
		return code;
	opts.btf_path = list.btf_path;
	/* Any seed, but always the same: the same object gives the same list. */
	err = xl_runtime_create(&(struct xl_runtime_opts){ .seed = 1 }, &list.rt);
	if (err) {
		fprintf(stderr, "xdpland: %s\n", strerror(-err));
		return XL_EXIT_ENV;
	}
	err = xl_object_open_file(list.rt, list.path, &opts, &list.obj, &e);
	if (err) {
		fprintf(stderr, "xdpland: %s\n", e.text);
		xl_object_list_close(&list);
		return err == -ENOENT || err == -EACCES || err == -ENOMEM ? XL_EXIT_ENV
									  : XL_EXIT_REJECTED;
	}
	xl_object_load(list.obj, &list.load_err);
	*out_list = list;
	return -1;
}

void xl_object_list_close(struct xl_object_list *list)
{
	xl_object_close(list->obj);
	if (list->rt)
		xl_runtime_destroy(list->rt);
}
