/* Getting a replay ready; see replay.h. */
#include "cli/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/percpu.h"
#include "cli/engines.h"
#include "cli/json_in.h"
#include "cli/json_out.h"
#include "cli/map_json.h"
#include "cli/rx_info.h"
#include "cli/unproven.h"
#include "xdp-runtime/fib/fib.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

#define REPLAY_SEED 1	 /* any but 0: runs repeat */
#define CPUS_MAX    8192 /* NR_CPUS of large kernels */

enum xl_exit xl_replay_exit_of(int err, enum xl_exit otherwise)
{
	static const int environment[] = { -ENOENT, -EACCES, -EPERM,  -EISDIR, -ENOTDIR,
					   -EIO,    -ENOMEM, -EMFILE, -ENFILE, -ENOSPC,
					   -EPIPE,  -ELOOP,  -ENXIO,  -ENODEV, -EROFS };

	for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++)
		if (err == environment[i])
			return XL_EXIT_ENV;
	return otherwise;
}

static void notify(const struct xl_replay *r, const char *text)
{
	if (r->notice)
		r->notice(r->notice_arg, text);
}

/* Whether the system lets us read @path, before anything is said about its contents. */
static enum xl_exit check_readable(const char *path, struct xl_err *e)
{
	struct stat st;
	int err = access(path, R_OK) || stat(path, &st) ? -errno : 0;

	if (!err && S_ISDIR(st.st_mode))
		err = -EISDIR;
	if (!err)
		return XL_EXIT_OK;
	xl_err_set(e, err, "%s: cannot read: %s", path, strerror(-err));
	return XL_EXIT_ENV;
}

/* Puts the object's path before an error that does not name it. */
static void name_object(const struct xl_replay *r, struct xl_err *e)
{
	const char *path = r->opts->operands.items[0];

	if (strncmp(e->text, path, strlen(path)))
		xl_err_prefix(e, "%s", path);
}

static enum xl_exit create_runtime(struct xl_replay *r, struct xl_err *e)
{
	const struct xl_replay_opts *opts = r->opts;
	struct xl_runtime_opts rt_opts = { .seed = REPLAY_SEED };
	int err;

	if (xl_unproven_word(opts->unproven, &rt_opts.verify, e))
		return XL_EXIT_USAGE;
	rt_opts.verify.facts = opts->check_facts;
	rt_opts.verify.strict = opts->strict;
	rt_opts.engine = xl_engine_of_name(opts->engine);
	if (!rt_opts.engine) {
		xl_err_set(e, -EINVAL, "no engine '%s'; there is: %s", opts->engine,
			   xl_engine_names());
		return XL_EXIT_USAGE;
	}
	if (opts->cpu >= CPUS_MAX) {
		xl_err_set(e, -EINVAL, "--cpu takes a number below %d, not %u", CPUS_MAX,
			   opts->cpu);
		return XL_EXIT_USAGE;
	}
	/* A CPU that this machine has not may still be replayed. */
	rt_opts.n_cpus = xl_percpu_n_possible();
	if (rt_opts.n_cpus <= opts->cpu)
		rt_opts.n_cpus = opts->cpu + 1;
	err = xl_runtime_create(&rt_opts, &r->rt);
	if (!err)
		return XL_EXIT_OK;
	xl_err_set(e, err, "cannot make a runtime: %s", strerror(-err));
	return XL_EXIT_ENV;
}

/* --set VAR=VALUE */
static enum xl_exit set_globals(struct xl_replay *r, struct xl_err *e)
{
	for (uint32_t i = 0; i < r->opts->sets.n; i++) {
		const char *set = r->opts->sets.items[i], *equals = strchr(set, '=');
		char *name;
		int err;

		if (!equals || equals == set) {
			xl_err_set(e, -EINVAL, "--set takes VARIABLE=VALUE, not '%s'", set);
			return XL_EXIT_USAGE;
		}
		name = strndup(set, (size_t)(equals - set));
		if (!name)
			return XL_EXIT_ENV;
		err = xl_object_set_global(r->obj, name, equals + 1, e);
		free(name);
		if (err) {
			xl_err_set(e, err, "--set %s: %s", set, strerror(-err));
			name_object(r, e);
			return XL_EXIT_USAGE;
		}
	}
	return XL_EXIT_OK;
}

static enum xl_exit open_object(struct xl_replay *r, struct xl_err *e)
{
	const char *path = r->opts->operands.items[0];
	struct xl_object_opts opts = {
		.btf_path = r->opts->btf,
		.notice = r->notice,
		.notice_arg = r->notice_arg,
	};
	enum xl_exit code = check_readable(path, e);
	int err;

	if (!code && r->opts->btf)
		code = check_readable(r->opts->btf, e);
	if (!code)
		code = xl_object_words_open(&r->opts->object, &opts, e);
	if (code)
		return code;
	err = xl_object_open_file(r->rt, path, &opts, &r->obj, e);
	if (err) {
		xl_err_set(e, err, "cannot load: %s", strerror(-err));
		name_object(r, e);
		return err == -ENOMEM ? XL_EXIT_ENV : XL_EXIT_REJECTED;
	}
	code = set_globals(r, e);
	if (!code)
		code = xl_object_words_apply(&r->opts->object, r->obj, e);
	if (code)
		return code;
	err = xl_object_load(r->obj, e);
	if (!err)
		return XL_EXIT_OK;
	xl_err_set(e, err, "cannot load: %s", strerror(-err));
	name_object(r, e);
	return err == -ENOMEM || err == -EMFILE ? XL_EXIT_ENV : XL_EXIT_REJECTED;
}

/* Names of all XDP programs, or of all maps, for messages. */
static void list_progs(const struct xl_object *obj, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (uint32_t i = 0; i < obj->n_progs && len < size; i++)
		if (obj->progs[i].is_xdp)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						obj->progs[i].name);
}

static void list_maps(const struct xl_object *obj, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (uint32_t i = 0; i < obj->n_maps && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
					obj->maps[i].name);
}

static enum xl_exit add_step(struct xl_replay *r, struct xl_object_prog *op, struct xl_err *e)
{
	struct xl_object_prog **steps;

	if (!op->prog) {
		xl_err_set(e, -EINVAL, "%s: program '%s' cannot run: %s",
			   r->opts->operands.items[0], op->name,
			   op->why_not ? op->why_not : "it was not loaded");
		return XL_EXIT_REJECTED;
	}
	for (uint32_t i = 0; i < r->n_steps; i++)
		if (r->steps[i] == op) {
			xl_err_set(e, -EINVAL, "--prog names '%s' twice", op->name);
			return XL_EXIT_USAGE;
		}
	steps = realloc(r->steps, (r->n_steps + 1) * sizeof(struct xl_object_prog *));
	if (!steps)
		return XL_EXIT_ENV;
	r->steps = steps;
	steps[r->n_steps++] = op;
	return XL_EXIT_OK;
}

/* One --prog: a name, or several with commas between them. */
static enum xl_exit add_named(struct xl_replay *r, const char *names, struct xl_err *e)
{
	enum xl_exit code = XL_EXIT_OK;
	char *copy = strdup(names), *rest = copy, *name;

	while (!code && copy && (name = strsep(&rest, ","))) {
		struct xl_object_prog *op = xl_object_prog(r->obj, name);
		char list[512];

		if (op && op->is_xdp) {
			code = add_step(r, op, e);
			continue;
		}
		list_progs(r->obj, list, sizeof(list));
		xl_err_set(e, -EINVAL, "%s: no XDP program '%s'; there %s: %s",
			   r->opts->operands.items[0], name, strchr(list, ',') ? "are" : "is",
			   list);
		code = XL_EXIT_USAGE;
	}
	free(copy);
	return copy ? code : XL_EXIT_ENV;
}

/* Programs for the other side of a redirect do not run on what comes in. */
static bool runs_on_ingress(const struct xl_object_prog *op)
{
	return !op->prog || (op->prog->expected_attach_type != BPF_XDP_DEVMAP &&
			     op->prog->expected_attach_type != BPF_XDP_CPUMAP);
}

static enum xl_exit add_default(struct xl_replay *r, struct xl_err *e)
{
	struct xl_object_prog *first = NULL, *runnable = NULL;
	char text[512], others[256] = "";
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->obj->n_progs; i++) {
		struct xl_object_prog *op = &r->obj->progs[i];

		if (!op->is_xdp || !runs_on_ingress(op))
			continue;
		n++;
		if (!first)
			first = op;
		if (!runnable && op->prog)
			runnable = op;
	}
	if (!first) {
		for (uint32_t i = 0; i < r->obj->n_progs && strlen(others) < 200; i++)
			snprintf(others + strlen(others), sizeof(others) - strlen(others),
				 "%s'%s' in section %s",
				 i ? ", " : "; there is: ", r->obj->progs[i].name,
				 r->obj->progs[i].section);
		xl_err_set(e, -EINVAL, "%s: no XDP program%s", r->opts->operands.items[0], others);
		return XL_EXIT_REJECTED;
	}
	if (runnable && n > 1) {
		snprintf(text, sizeof(text), "%u XDP programs; running '%s'; --prog picks", n,
			 runnable->name);
		notify(r, text);
	}
	return add_step(r, runnable ? runnable : first, e);
}

/* libxdp's order: by run priority, then by name.
 * Source: cmp_xdp_programs(), lib/libxdp/libxdp.c of xdp-tools. */
static int compare_steps(const void *a, const void *b)
{
	const struct xl_object_prog *x = *(struct xl_object_prog *const *)a;
	const struct xl_object_prog *y = *(struct xl_object_prog *const *)b;

	if (x->run_prio != y->run_prio)
		return x->run_prio < y->run_prio ? -1 : 1;
	return strcmp(x->name, y->name);
}

static enum xl_exit choose_progs(struct xl_replay *r, struct xl_err *e)
{
	const struct xl_option_list *progs = &r->opts->progs;
	enum xl_exit code = XL_EXIT_OK;

	if (!progs->n)
		return add_default(r, e);
	for (uint32_t i = 0; !code && i < progs->n; i++)
		code = add_named(r, progs->items[i], e);
	if (!code)
		qsort(r->steps, r->n_steps, sizeof(struct xl_object_prog *), compare_steps);
	return code;
}

/* libxdp's dispatcher takes fragments only if all of its programs do. */
static bool progs_take_fragments(const struct xl_replay *r)
{
	for (uint32_t i = 0; i < r->n_steps; i++)
		if (!(r->steps[i]->prog->flags & BPF_F_XDP_HAS_FRAGS))
			return false;
	return true;
}

/* --jumbo: how packets come that are longer than XL_LINEAR_MAX. */
static enum xl_exit choose_layout(struct xl_replay *r, struct xl_err *e)
{
	const char *jumbo = r->opts->jumbo;

	if (!strcmp(jumbo, "auto"))
		r->fragments = progs_take_fragments(r);
	else if (!strcmp(jumbo, "kernel"))
		r->fragments = true;
	else if (strcmp(jumbo, "linear")) {
		xl_err_set(e, -EINVAL, "--jumbo takes 'auto', 'linear' or 'kernel', not '%s'",
			   jumbo);
		return XL_EXIT_USAGE;
	}
	return XL_EXIT_OK;
}

/* --rx-hash, --rx-vlan. The capture has the time. */
static enum xl_exit set_rx_info(struct xl_replay *r, struct xl_err *e)
{
	const struct xl_replay_opts *o = r->opts;

	r->rx.has_time = true;
	if ((o->rx_hash && xl_rx_info_set_hash(&r->rx, o->rx_hash, e)) ||
	    (o->rx_vlan && xl_rx_info_set_vlan(&r->rx, o->rx_vlan, e)))
		return XL_EXIT_USAGE;
	return XL_EXIT_OK;
}

static enum xl_exit load_map(struct xl_replay *r, const char *name, const char *path,
			     struct xl_err *e)
{
	struct xl_object_map *om = xl_object_map(r->obj, name);
	char list[768];
	json_t *doc;
	int err;

	if (!om) {
		list_maps(r->obj, list, sizeof(list));
		xl_err_set(e, -EINVAL, "%s: no map '%s'; %s%s", r->opts->operands.items[0], name,
			   *list ? "there are: " : "there are none", list);
		return XL_EXIT_USAGE;
	}
	if (!om->map) {
		xl_err_set(e, -EINVAL, "%s: map '%s' was not made: %s", r->opts->operands.items[0],
			   name, om->why_not ? om->why_not : "no program uses it");
		return XL_EXIT_USAGE;
	}
	err = xl_json_load_file(path, &doc, e);
	if (err)
		return xl_replay_exit_of(err, XL_EXIT_USAGE);
	err = xl_map_json_load(r->obj, om, doc, path, e);
	json_decref(doc);
	return err == -ENOMEM ? XL_EXIT_ENV : err ? XL_EXIT_USAGE : XL_EXIT_OK;
}

/* --map NAME=FILE */
static enum xl_exit load_maps(struct xl_replay *r, struct xl_err *e)
{
	enum xl_exit code = XL_EXIT_OK;

	for (uint32_t i = 0; !code && i < r->opts->maps.n; i++) {
		const char *text = r->opts->maps.items[i], *equals = strchr(text, '=');
		char *name;

		if (!equals || equals == text || !equals[1]) {
			xl_err_set(e, -EINVAL, "--map takes NAME=FILE, not '%s'", text);
			return XL_EXIT_USAGE;
		}
		name = strndup(text, (size_t)(equals - text));
		code = name ? load_map(r, name, equals + 1, e) : XL_EXIT_ENV;
		free(name);
	}
	return code;
}

/* --fib FILE */
static enum xl_exit load_fib(struct xl_replay *r, struct xl_err *e)
{
	for (uint32_t i = 0; i < r->opts->fibs.n; i++) {
		const char *path = r->opts->fibs.items[i];
		enum xl_exit code = check_readable(path, e);
		int err;

		if (code)
			return code;
		err = xl_fib_load(r->rt->fib, path, e);
		if (!err)
			continue;
		xl_err_set(e, err, "%s: %s", path, strerror(-err));
		return xl_replay_exit_of(err, XL_EXIT_USAGE);
	}
	return XL_EXIT_OK;
}

static enum xl_exit open_diff(struct xl_replay *r, const struct xl_diff_window *window,
			      struct xl_err *e)
{
	struct xl_diff_step *steps;
	int err;

	if (!r->opts->diff)
		return XL_EXIT_OK;
	if (strcmp(r->opts->diff, "kernel")) {
		xl_err_set(e, -EINVAL, "--diff takes 'kernel', not '%s'", r->opts->diff);
		return XL_EXIT_USAGE;
	}
	steps = calloc(r->n_steps, sizeof(*steps));
	if (!steps)
		return XL_EXIT_ENV;
	for (uint32_t i = 0; i < r->n_steps; i++)
		steps[i] = (struct xl_diff_step){
			.prog = r->steps[i]->prog,
			.chain_call_actions = r->steps[i]->chain_call_actions,
		};
	err = xl_diff_open(steps, r->n_steps, r->obj, window, &r->diff, e);
	free(steps);
	if (!err)
		return XL_EXIT_OK;
	xl_err_set(e, err, "--diff kernel: %s", strerror(-err));
	/* Without privilege bpf(2) says -EPERM; -EACCES is the kernel's verifier. */
	return err == -EACCES ? XL_EXIT_REJECTED : xl_replay_exit_of(err, XL_EXIT_REJECTED);
}

static void tell_unproven(const struct xl_replay *r)
{
	char text[768];

	if (xl_unproven_notice(r->obj, text, sizeof(text)))
		notify(r, text);
}

static void start_run(struct xl_replay *r)
{
	xl_run_init(&r->run, r->rt);
	r->run.clock = xl_run_clock_frame;
	r->run.insn_limit = r->opts->insn_limit;
	if (r->opts->check_facts)
		r->run.check = &r->check;
}

enum xl_exit xl_replay_open(const struct xl_replay_opts *opts,
			    void (*notice)(void *arg, const char *text), void *notice_arg,
			    const struct xl_diff_window *window, struct xl_replay **out_replay,
			    struct xl_err *e)
{
	struct xl_replay *r = calloc(1, sizeof(*r));
	enum xl_exit code = XL_EXIT_ENV;

	if (!r)
		goto out;
	r->opts = opts;
	r->notice = notice;
	r->notice_arg = notice_arg;
	code = create_runtime(r, e);
	if (!code)
		code = open_object(r, e);
	if (!code)
		code = choose_progs(r, e);
	if (!code)
		code = choose_layout(r, e);
	if (!code)
		code = set_rx_info(r, e);
	if (!code)
		code = load_maps(r, e);
	if (!code)
		code = load_fib(r, e);
	/* The kernel's copies are made for the CPU that programs shall see. */
	xl_cpu = opts->cpu;
	if (!code)
		code = open_diff(r, window, e);
	if (!code) {
		tell_unproven(r);
		start_run(r);
	}
out:
	if (code) {
		xl_err_set(e, -ENOMEM, "out of memory");
		xl_replay_close(r);
		return code;
	}
	*out_replay = r;
	return XL_EXIT_OK;
}

void xl_replay_close(struct xl_replay *r)
{
	if (!r)
		return;
	xl_diff_close(r->diff);
	if (r->obj)
		xl_object_close(r->obj);
	if (r->rt)
		xl_runtime_destroy(r->rt);
	free(r->steps);
	free(r->buf);
	free(r->whole);
	free(r);
}

int xl_replay_dump_maps(const struct xl_replay *r, struct xl_json *j)
{
	int err = 0;

	xl_json_begin_object(j, NULL);
	xl_json_begin_object(j, "maps");
	for (uint32_t i = 0; !err && i < r->obj->n_maps; i++)
		if (r->obj->maps[i].map)
			err = xl_map_json_dump(r->obj, &r->obj->maps[i], r->obj->maps[i].name, j);
	xl_json_end_object(j);
	xl_json_end_object(j);
	xl_json_newline(j);
	return err;
}
