/* A line and its answer; see exec.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec.h"
#include "cli/facts_json.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

#define EXEC_SEED 1 /* any but 0: runs repeat */

int xl_exec_create(const struct xl_exec_opts *opts, FILE *out, struct xl_exec **out_exec)
{
	const struct xl_runtime_opts rt_opts = {
		.n_cpus = opts->line.n_cpus,
		.seed = EXEC_SEED,
		.engine = opts->line.engine,
		.verify = opts->verify,
	};
	struct xl_exec *x = calloc(1, sizeof(*x));
	int err = -ENOMEM;

	if (!x)
		return err;
	x->opts = *opts;
	err = xl_runtime_create(&rt_opts, &x->rt);
	if (!err)
		err = xl_raw_side_init(&x->side, x->rt);
	if (err) {
		xl_exec_destroy(x);
		return err;
	}
	xl_json_init(&x->json, out);
	*out_exec = x;
	return 0;
}

void xl_exec_destroy(struct xl_exec *x)
{
	xl_runtime_destroy(x->rt);
	free(x->frag_buf);
	free(x->buf);
	free(x->out);
	xl_raw_side_fini(&x->side);
	free(x);
}

static void begin_answer(struct xl_exec *x)
{
	const json_t *name = x->line.name;

	xl_json_begin_object(&x->json, NULL);
	if (json_is_string(name))
		xl_json_strn(&x->json, "name", json_string_value(name), json_string_length(name));
	else
		xl_json_null(&x->json, "name");
}

static void end_answer(struct xl_exec *x)
{
	xl_json_end_object(&x->json);
	xl_json_newline(&x->json);
}

static void put_no_runs(struct xl_exec *x, const char *error)
{
	xl_json_begin_array(&x->json, "runs");
	xl_json_end_array(&x->json);
	xl_json_str(&x->json, "error", error);
}

/* "EINVAL"; the kernel's own ENOTSUPP has no name in libc. */
static const char *errno_name(int err)
{
	const char *name = err == -ENOTSUPP ? "ENOTSUPP" : strerrorname_np(-err);

	return name ? name : "?";
}

/* What a kernel would say to the line's maps and programs. */
static void put_refusal(struct xl_exec *x, const struct xl_err *e)
{
	put_no_runs(x, e->text);
	xl_json_str(&x->json, "log", x->side.log);
	xl_json_str(&x->json, "errno", errno_name(e->err));
}

/* How well the program is known that ran. */
static void put_proof(struct xl_exec *x)
{
	if (x->live.prog->unproven)
		xl_json_str(&x->json, "unproven", x->live.prog->unproven);
	if (x->opts.verify.facts)
		xl_fact_check_json(&x->live.check, &x->json);
}

int xl_exec_answer(struct xl_exec *x, const char *text, size_t len, uint64_t number)
{
	struct xl_err e = { 0 };
	int ret = xl_exec_line_read(text, len, &x->opts.line, &x->line, &e);

	begin_answer(x);
	if (ret) {
		xl_err_prefix(&e, "line %" PRIu64, number);
		put_no_runs(x, e.text);
	} else if (xl_exec_load(x, &e)) {
		put_refusal(x, &e);
	} else {
		ret = xl_exec_run(x);
		if (ret)
			xl_json_str(&x->json, "error", "out of memory");
		put_proof(x);
		if (!ret && x->live.check.n_wrong)
			ret = -EINVAL;
	}
	end_answer(x);
	xl_exec_unload(x);
	xl_exec_line_free(&x->line);
	return ret;
}

void xl_exec_answer_unread(struct xl_exec *x, uint64_t number, const char *why)
{
	char text[256];

	snprintf(text, sizeof(text), "line %" PRIu64 ": %s", number, why);
	begin_answer(x);
	put_no_runs(x, text);
	end_answer(x);
}
