/* `xdpland verify`: whether an object's programs are safe, by our verifier and by the kernel's.
 *
 * A program that does not load here has no verdict of the verifier: it is refused (or, where only
 * something is not served, unsupported) with the loader's reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/object_words.h"
#include "cli/options.h"
#include "cli/verify.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/twin/twin.h"

struct opts {
	bool json, facts, strict, help;
	uint32_t verbose;
	const char *prog, *raw, *against, *limit, *btf;
	uint64_t insn_limit;
	struct xl_object_words object;
	struct xl_option_list operands;
};

static const struct xl_option table[] = {
	{ "prog", 'p', XL_OPTION_TEXT, offsetof(struct opts, prog), "NAME", "this program only" },
	{ "raw", 'r', XL_OPTION_TEXT, offsetof(struct opts, raw), "FILE",
	  "programs as JSON lines, '-' for standard input; docs/verifier.md" },
	{ "verbose", 'v', XL_OPTION_COUNT, offsetof(struct opts, verbose), NULL,
	  "the verifier's log; -vv: each instruction that it follows" },
	{ "json", 'j', XL_OPTION_FLAG, offsetof(struct opts, json), NULL,
	  "JSON on standard output" },
	{ "facts", 0, XL_OPTION_FLAG, offsetof(struct opts, facts), NULL,
	  "with --json or --raw: what is known of registers and jumps at each instruction" },
	{ "against", 0, XL_OPTION_TEXT, offsetof(struct opts, against), "kernel",
	  "compare with what this machine's kernel says; needs root" },
	{ "strict", 0, XL_OPTION_FLAG, offsetof(struct opts, strict), NULL,
	  "for untrusted programs: addresses and old bytes of the stack are secret" },
	{ "insn-limit", 0, XL_OPTION_TEXT, offsetof(struct opts, limit), "N|none",
	  "instructions to follow at most; 1000000" },
	{ "btf", 0, XL_OPTION_TEXT, offsetof(struct opts, btf), "FILE",
	  "kernel BTF for CO-RE, as in /sys/kernel/btf/vmlinux" },
	XL_OBJECT_WORDS_OPTIONS(struct opts, object),
	{ "help", 'h', XL_OPTION_FLAG, offsetof(struct opts, help), NULL, "this text" },
	{ NULL },
};

static const struct xl_option_spec spec = {
	.usage = "xdpland verify OBJ [--prog NAME] [-v|-vv] [-j] [--against kernel]\n"
		 "       xdpland verify --raw FILE [-v|-vv] [--facts] [--against kernel]",
	.intro = "Says of each program whether it is safe to run, and why not.\n",
	.table = table,
	.outro = "Exit codes: 0 all accepted, 1 --against finds a difference, 4 not all accepted.\n"
		 "With --raw: 0 each line was answered, 1 one was not understood, or a "
		 "difference.\n",
	.operands = offsetof(struct opts, operands),
};

static int usage(const char *text)
{
	fprintf(stderr, "xdpland: %s\n", text);
	return XL_EXIT_USAGE;
}

static int read_limit(struct opts *o)
{
	char *end;

	o->insn_limit = XL_VERIFY_LIMIT;
	if (!o->limit)
		return -1;
	if (!strcmp(o->limit, "none")) {
		o->insn_limit = 0;
		return -1;
	}
	errno = 0;
	o->insn_limit = strtoull(o->limit, &end, 0);
	if (*o->limit < '0' || *o->limit > '9' || *end || errno || !o->insn_limit)
		return usage("--insn-limit takes a number from 1, or none");
	return -1;
}

/* Returns -1 to go on, or the exit code. */
static int parse(int argc, char **argv, struct opts *o)
{
	struct xl_err e = { 0 };
	int err = xl_options_parse(&spec, argc, argv, o, &e);

	if (err) {
		fprintf(stderr, "xdpland: %s\n", e.text);
		return err == -ENOMEM ? XL_EXIT_ENV : XL_EXIT_USAGE;
	}
	if (o->help) {
		xl_options_help(&spec, stdout);
		return XL_EXIT_OK;
	}
	if (o->operands.n != !o->raw) {
		xl_options_help(&spec, stderr);
		return XL_EXIT_USAGE;
	}
	if (o->against && strcmp(o->against, "kernel"))
		return usage("--against takes kernel");
	if (o->against && o->strict)
		return usage(
			"the kernel is asked as root, who may know addresses: --strict does not "
			"go with --against");
	if (o->facts && !o->json && !o->raw)
		return usage("--facts goes with --json or --raw");
	if (o->raw && o->prog)
		return usage("--prog does not go with --raw");
	return read_limit(o);
}

/* The twin says in words whether it was the verifier that said no. */
static void ask_kernel(struct xl_verify_case *c)
{
	struct xl_prog *prog = c->prog->prog;
	struct xl_twin *twin;

	c->asked_kernel = true;
	if (!prog) {
		xl_err_set(&c->kernel, -ENOEXEC, "it does not load here");
		return;
	}
	if (!xl_twin_create(&prog, 1, &twin, &c->kernel)) {
		xl_twin_destroy(twin);
		c->kernel_knows = true;
		return;
	}
	c->kernel_knows = strstr(c->kernel.text, "the kernel refuses it") != NULL;
}

/* -ENOMEM, or 0. */
static int verify(const struct opts *o, struct xl_verify_case *c)
{
	const struct xl_verify_opts opts = {
		.insn_limit = o->insn_limit, .log = &c->log, .facts = o->facts, .strict = o->strict
	};

	xl_vlog_init(&c->log, o->verbose);
	if (c->prog->prog)
		return xl_verify(c->prog->prog, &opts, &c->ours);
	c->ours.verdict = XL_VERIFY_UNSUPPORTED;
	snprintf(c->ours.msg, sizeof(c->ours.msg), "unsupported: it does not load here: %s",
		 c->prog->why_not ? c->prog->why_not : "the object does not load");
	return 0;
}

struct sum {
	struct xl_json json;
	uint32_t n, n_accepted, n_differ;
};

static int one(const struct opts *o, const struct xl_object_prog *prog, struct sum *sum)
{
	struct xl_verify_case c = { .prog = prog };
	int err = verify(o, &c);

	if (!err && o->against)
		ask_kernel(&c);
	if (!err && o->json)
		xl_verify_write(&sum->json, &c, o->verbose, o->facts);
	else if (!err)
		xl_verify_print(&c, o->verbose);
	sum->n++;
	sum->n_accepted += c.ours.verdict == XL_VERIFY_ACCEPTED;
	sum->n_differ += !xl_verify_agrees(&c);
	xl_vlog_fini(&c.log);
	xl_facts_free(c.ours.facts);
	return err;
}

static int all(const struct opts *o, const struct xl_object *obj)
{
	struct sum sum = { 0 };
	int err = 0;

	xl_json_init(&sum.json, stdout);
	if (o->json) {
		xl_json_begin_object(&sum.json, NULL);
		xl_json_begin_array(&sum.json, "programs");
	}
	for (uint32_t i = 0; !err && i < obj->n_progs; i++)
		if (obj->progs[i].is_xdp && (!o->prog || !strcmp(o->prog, obj->progs[i].name)))
			err = one(o, &obj->progs[i], &sum);
	if (o->json) {
		xl_json_end_array(&sum.json);
		xl_json_end_object(&sum.json);
		xl_json_newline(&sum.json);
	}
	if (err) {
		fprintf(stderr, "xdpland: %s\n", strerror(-err));
		return XL_EXIT_ENV;
	}
	if (!sum.n)
		return usage(o->prog ? "there is no XDP program of this name"
				     : "there are no XDP programs in the object");
	return sum.n_differ		 ? XL_EXIT_DIFFERS
	       : sum.n_accepted == sum.n ? XL_EXIT_OK
					 : XL_EXIT_REJECTED;
}

static int open_and_verify(const struct opts *o, struct xl_runtime *rt, struct xl_err *e)
{
	struct xl_object_opts opts = { .btf_path = o->btf };
	struct xl_err load_err = { 0 };
	struct xl_object *obj = NULL;
	int code = xl_object_words_open(&o->object, &opts, e), err;

	if (code)
		return code;
	err = xl_object_open_file(rt, o->operands.items[0], &opts, &obj, e);
	if (err)
		return err == -ENOENT || err == -EACCES || err == -ENOMEM ? XL_EXIT_ENV
									  : XL_EXIT_REJECTED;
	code = xl_object_words_apply(&o->object, obj, e);
	if (!code) {
		xl_object_load(obj, &load_err);
		if (load_err.err)
			fprintf(stderr, "xdpland: %s\n", load_err.text);
		code = all(o, obj);
	}
	xl_object_close(obj);
	return code;
}

static int verify_raw(const struct opts *o, struct xl_err *e)
{
	const struct xl_verify_raw_opts raw = {
		.insn_limit = o->insn_limit,
		.log_level = o->verbose,
		.facts = o->facts,
		.strict = o->strict,
		.against_kernel = o->against,
	};

	return xl_verify_raw(&raw, o->raw, e);
}

int xl_cli_verify(int argc, char **argv)
{
	struct opts o = { 0 };
	struct xl_err e = { 0 };
	struct xl_runtime *rt;
	int code = parse(argc, argv, &o);

	if (code < 0 && o.raw) {
		code = verify_raw(&o, &e);
		if (e.err)
			fprintf(stderr, "xdpland: %s\n", e.text);
	} else if (code < 0) {
		if (xl_runtime_create(&(struct xl_runtime_opts){ .seed = 1, .verify.off = true },
				      &rt)) {
			fprintf(stderr, "xdpland: out of memory\n");
			code = XL_EXIT_ENV;
		} else {
			code = open_and_verify(&o, rt, &e);
			if (e.err)
				fprintf(stderr, "xdpland: %s\n", e.text);
			xl_runtime_destroy(rt);
		}
	}
	xl_options_free(&spec, &o);
	return code;
}
