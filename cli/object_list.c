/* Options and life of an object that is only looked at; see object_list.h. */
#include "cli/object_list.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json_out.h"
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

/* A list that is being made. */
struct job {
	const struct xl_object_list *list;
	struct opts opts;
	struct xl_runtime *rt;
	struct xl_object *obj;
	struct xl_err load_err; /* .err is 0 when it loaded */
};

static int fail(const struct xl_object_list *list, int code, const struct xl_err *e)
{
	fprintf(stderr, "xdpland %s: %s\n", list->verb, e->text);
	return code;
}

static int parse(const struct xl_option_spec *spec, int argc, char **argv, struct job *job)
{
	const struct xl_option_list *operands = &job->opts.operands;
	struct xl_err e = { 0 };
	int err = xl_options_parse(spec, argc, argv, &job->opts, &e);

	if (err)
		return fail(job->list, err == -ENOMEM ? XL_EXIT_ENV : XL_EXIT_USAGE, &e);
	if (job->opts.help || operands->n == 1)
		return XL_EXIT_OK;
	xl_err_set(&e, -EINVAL, "%s; usage: %s",
		   operands->n ? "one object file at a time" : "no object file", spec->usage);
	return fail(job->list, XL_EXIT_USAGE, &e);
}

/* Opens the object and says of it what the user says. */
static int open_object(struct job *job, struct xl_err *e)
{
	const struct opts *o = &job->opts;
	struct xl_object_opts opts = { .btf_path = o->btf };
	int code = xl_object_words_open(&o->object, &opts, e), err;

	if (code)
		return code;
	err = xl_object_open_file(job->rt, o->operands.items[0], &opts, &job->obj, e);
	if (err)
		return err == -ENOENT || err == -EACCES || err == -ENOMEM ? XL_EXIT_ENV
									  : XL_EXIT_REJECTED;
	return xl_object_words_apply(&o->object, job->obj, e);
}

static void write_json(const struct job *job)
{
	struct xl_json j;

	xl_json_init(&j, stdout);
	xl_json_begin_object(&j, NULL);
	xl_json_begin_array(&j, job->list->array);
	for (uint32_t i = 0; i < job->list->count(job->obj); i++)
		job->list->write_item(&j, job->obj, i);
	xl_json_end_array(&j);
	if (job->load_err.err)
		xl_json_str(&j, "error", job->load_err.text);
	xl_json_end_object(&j);
	xl_json_newline(&j);
}

static int list_object(struct job *job)
{
	struct xl_err e = { 0 };
	/* Any seed, but always the same: the same object gives the same list. */
	int err = xl_runtime_create(&(struct xl_runtime_opts){ .seed = 1, .verify.off = true },
				    &job->rt),
	    code;

	if (err) {
		xl_err_set(&e, err, "%s", strerror(-err));
		return fail(job->list, XL_EXIT_ENV, &e);
	}
	code = open_object(job, &e);
	if (code)
		return fail(job->list, code, &e);
	xl_object_load(job->obj, &job->load_err);
	if (job->opts.json) {
		write_json(job);
		return XL_EXIT_OK;
	}
	job->list->print_table(job->obj);
	if (job->load_err.err)
		printf("\nIt does not load: %s\n", job->load_err.text);
	return XL_EXIT_OK;
}

int xl_object_list_run(const struct xl_object_list *list, int argc, char **argv)
{
	const struct xl_option_spec spec = {
		.usage = list->usage,
		.intro = list->intro,
		.table = table,
		.operands = offsetof(struct opts, operands),
	};
	struct job job = { .list = list };
	struct xl_err e = { 0 };
	int code = parse(&spec, argc, argv, &job);

	if (!code && job.opts.help)
		xl_options_help(&spec, stdout);
	else if (!code)
		code = list_object(&job);
	if (fflush(stdout) && !code) {
		xl_err_set(&e, -errno, "standard output: cannot write: %s", strerror(errno));
		code = fail(list, XL_EXIT_ENV, &e);
	}
	xl_object_close(job.obj);
	if (job.rt)
		xl_runtime_destroy(job.rt);
	xl_options_free(&spec, &job.opts);
	return code;
}
