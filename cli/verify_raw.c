/* `xdpland verify --raw`: programs as JSON lines, a verdict for each; see verify.h.
 *
 * A line's maps and program are made by bpf(2), whose refusals are verdicts too; what loads is
 * verified. Nothing runs. With --against kernel the same line goes through this machine's bpf(2).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "cli/cli.h"
#include "cli/exec_input.h"
#include "cli/facts_json.h"
#include "cli/out.h"
#include "cli/raw_load.h"
#include "cli/verify.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

#define LOG_STATS 4 /* BPF_LOG_STATS: a refusal's words, and no instructions */
#define SEED	  1 /* any but 0: lines repeat */

struct raw {
	const struct xl_verify_raw_opts *opts;
	struct xl_runtime *rt;
	struct xl_raw_side ours, kernel;
	struct xl_json json;
	enum xl_exit code;
};

/* What one side says of a line. */
struct verdict {
	int err; /* -errno, 0: accepted */
	char msg[1024];
	uint64_t n_insns_processed, ns;
	struct xl_vlog log;
	struct xl_facts *facts;
};

/* -- verdicts --------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * XL_NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Where a line of @log begins with @word; NULL: nowhere. */
static const char *line_with(const char *log, const char *word)
{
	const char *at = strstr(log, word);

	while (at && at != log && at[-1] != '\n')
		at = strstr(at + 1, word);
	return at;
}

/* The lines that a refusal wrote: those before the ones that count. */
static void take_words(struct verdict *v, const char *log)
{
	const char *counts = line_with(log, "processed "),
		   *end = line_with(log, "verification time");
	unsigned long long n;
	size_t len;

	if (counts && sscanf(counts, "processed %llu insns", &n) == 1)
		v->n_insns_processed = n;
	if (!end)
		end = counts;
	len = end ? (size_t)(end - log) : strlen(log);
	while (len && log[len - 1] == '\n')
		len--;
	snprintf(v->msg, sizeof(v->msg), "%.*s", (int)len, log);
	if (!len && v->err)
		snprintf(v->msg, sizeof(v->msg), "%s", xl_raw_errno_words(v->err));
}

static void refused(struct verdict *v, int err, const char *words)
{
	v->err = err;
	snprintf(v->msg, sizeof(v->msg), "%s", words);
}

/* -ENOMEM, or 0. */
static int follow(struct raw *raw, const struct xl_prog *prog, struct verdict *out)
{
	const struct xl_verify_opts opts = {
		.insn_limit = raw->opts->insn_limit,
		.log = &out->log,
		.facts = raw->opts->facts,
		.strict = raw->opts->strict,
	};
	struct xl_verify_result result;
	const uint64_t start = now_ns();
	int err = xl_verify(prog, &opts, &result);

	if (err)
		return err;
	out->ns = now_ns() - start;
	out->n_insns_processed = result.n_insns_processed;
	out->facts = result.facts;
	if (result.verdict != XL_VERIFY_ACCEPTED)
		refused(out, result.err ? result.err : -EOPNOTSUPP, result.msg);
	return 0;
}

static int verify_loaded(struct raw *raw, int fd, struct verdict *out)
{
	struct xl_obj *obj;
	uint32_t id;
	int err = xl_raw_id(&raw->ours, fd, false, &id);

	if (!err)
		err = xl_runtime_obj_by_id(raw->rt, XL_OBJ_PROG, id, &obj);
	if (err)
		return err;
	err = follow(raw, xl_prog_of(obj), out);
	xl_obj_put(obj);
	return err;
}

/* Maps, then the program. *out_fd: -1 where it is refused; *out says why. */
static void load(struct xl_raw_side *side, struct xl_exec_line *line, int *map_fds, int *out_fd,
		 struct verdict *out)
{
	struct xl_err e = { 0 };
	uint64_t start;

	*out_fd = -1;
	if (xl_raw_create_maps(side, line, map_fds, &e)) {
		refused(out, e.err, e.text);
		return;
	}
	start = now_ns();
	out->err = xl_raw_load_prog(side, &line->progs[0], map_fds, out_fd);
	out->ns = now_ns() - start;
	take_words(out, side->log);
}

/* -ENOMEM, or 0. */
static int ask(struct raw *raw, struct xl_raw_side *side, struct xl_exec_line *line,
	       struct verdict *out)
{
	int *map_fds = xl_raw_no_fds(line->n_maps), fd, err = 0;

	if (!map_fds)
		return -ENOMEM;
	load(side, line, map_fds, &fd, out);
	if (fd >= 0 && side == &raw->ours) {
		err = verify_loaded(raw, fd, out);
	} else if (side == &raw->ours) {
		xl_vlog(&out->log, "%s", side->log);
	}
	if (fd >= 0)
		close(fd);
	xl_raw_close(map_fds, line->n_maps);
	xl_raw_reap(side);
	return err;
}

/* -- answers ---------------------------------------------------------------------------------- */

static void begin_answer(struct raw *raw, const json_t *name)
{
	xl_json_begin_object(&raw->json, NULL);
	if (json_is_string(name))
		xl_json_strn(&raw->json, "name", json_string_value(name), json_string_length(name));
	else
		xl_json_null(&raw->json, "name");
}

static void end_answer(struct raw *raw)
{
	xl_json_end_object(&raw->json);
	xl_json_newline(&raw->json);
}

static void put_verdict(struct raw *raw, const struct verdict *v)
{
	xl_json_str(&raw->json, "verdict", v->err ? "reject" : "accept");
	xl_json_u64(&raw->json, "errno", (uint64_t)-v->err);
	xl_json_str(&raw->json, "msg", v->err ? v->msg : "");
}

/* A line that says nothing which could be verified. */
static void put_bad(struct raw *raw, const json_t *name, int err, const char *why)
{
	struct verdict v = { 0 };

	refused(&v, err, why);
	begin_answer(raw, name);
	put_verdict(raw, &v);
	xl_json_u64(&raw->json, "insns_processed", 0);
	xl_json_u64(&raw->json, "ns", 0);
	xl_json_str(&raw->json, "error", why);
	end_answer(raw);
	raw->code = XL_EXIT_DIFFERS;
}

static void put_kernel(struct raw *raw, const struct verdict *ours, const struct verdict *kernel)
{
	const bool agrees = !ours->err == !kernel->err;

	xl_json_begin_object(&raw->json, "kernel");
	put_verdict(raw, kernel);
	xl_json_u64(&raw->json, "insns_processed", kernel->n_insns_processed);
	xl_json_u64(&raw->json, "ns", kernel->ns);
	xl_json_bool(&raw->json, "agrees", agrees);
	xl_json_end_object(&raw->json);
	if (!agrees)
		raw->code = XL_EXIT_DIFFERS;
}

static int answer_line(struct raw *raw, struct xl_exec_line *line)
{
	struct verdict ours = { 0 }, kernel = { 0 };
	int err;

	xl_vlog_init(&ours.log, raw->opts->log_level);
	err = ask(raw, &raw->ours, line, &ours);
	if (!err && raw->opts->against_kernel)
		err = ask(raw, &raw->kernel, line, &kernel);
	if (!err) {
		begin_answer(raw, line->name);
		put_verdict(raw, &ours);
		if (raw->opts->log_level)
			xl_json_str(&raw->json, "log", ours.log.buf ? ours.log.buf : "");
		xl_json_u64(&raw->json, "insns_processed", ours.n_insns_processed);
		xl_json_u64(&raw->json, "ns", ours.ns);
		if (raw->opts->facts)
			xl_facts_json(&raw->json, ours.facts);
		if (raw->opts->against_kernel)
			put_kernel(raw, &ours, &kernel);
		end_answer(raw);
	}
	xl_vlog_fini(&ours.log);
	xl_facts_free(ours.facts);
	return err;
}

static void answer(struct raw *raw, const char *text, size_t len, uint64_t number)
{
	const struct xl_exec_defaults defaults = { .engine = &xl_interp,
						   .insn_limit = 1,
						   .n_cpus = xl_percpu_n_possible() };
	struct xl_exec_line line;
	struct xl_err e = { 0 };
	int err = xl_exec_line_read(text, len, &defaults, &line, &e);

	if (err)
		xl_err_prefix(&e, "line %" PRIu64, number);
	else if (answer_line(raw, &line))
		err = xl_err_set(&e, -ENOMEM, "out of memory");
	if (err)
		put_bad(raw, line.name, err, e.text);
	xl_exec_line_free(&line);
}

static void answer_all(struct raw *raw, struct xl_exec_input *in, struct xl_out *out,
		       struct xl_err *e)
{
	const char *line;
	char text[64];
	size_t len;
	int ret;

	while (!out->err) {
		ret = xl_exec_input_next(in, &line, &len);
		if (ret == -E2BIG) {
			snprintf(text, sizeof(text), "line %" PRIu64 ": longer than 64 MB",
				 in->n_lines);
			put_bad(raw, NULL, -E2BIG, text);
		} else if (ret <= 0) {
			if (ret)
				xl_err_set(e, ret, "%s", strerror(-ret));
			return;
		} else if (!xl_exec_input_is_blank(line, len)) {
			answer(raw, line, len, in->n_lines);
		}
	}
}

/* -- the verb --------------------------------------------------------------------------------- */

static int create(struct raw *raw, struct xl_err *e)
{
	const struct xl_runtime_opts rt_opts = { .seed = SEED, .verify.off = true };
	int err;

	if (raw->opts->against_kernel && !xl_kernel_bpf_usable())
		return xl_err_set(e, -EPERM, "bpf(2) is not usable: --against kernel needs root");
	err = xl_runtime_create(&rt_opts, &raw->rt);
	if (!err)
		err = xl_raw_side_init(&raw->ours, raw->rt);
	if (!err)
		err = xl_raw_side_init(&raw->kernel, NULL);
	if (err)
		return xl_err_set(e, err, "%s", strerror(-err));
	raw->ours.log_level = raw->opts->log_level | LOG_STATS;
	raw->kernel.log_level = LOG_STATS;
	return 0;
}

int xl_verify_raw(const struct xl_verify_raw_opts *opts, const char *path, struct xl_err *e)
{
	struct raw raw = { .opts = opts };
	struct xl_exec_input in;
	struct xl_out out;

	if (xl_out_open(&out, STDOUT_FILENO)) {
		xl_err_set(e, -ENOMEM, "out of memory");
		return XL_EXIT_ENV;
	}
	if (!xl_exec_input_open(&in, path, out.stream, e) && !create(&raw, e)) {
		xl_json_init(&raw.json, out.stream);
		answer_all(&raw, &in, &out, e);
	}
	xl_raw_side_fini(&raw.kernel);
	xl_raw_side_fini(&raw.ours);
	xl_runtime_destroy(raw.rt);
	xl_exec_input_close(&in);
	xl_out_close(&out);
	if (out.err && out.err != -EPIPE)
		xl_err_set(e, out.err, "%s", strerror(-out.err));
	return e->err ? XL_EXIT_ENV : (int)raw.code;
}
