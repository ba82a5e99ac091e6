/* `xdpland exec --raw`: the verb. A JSON line in, a JSON line out, until there are no more. */
#include "cli/exec.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/percpu.h"
#include "cli/cli.h"
#include "cli/engines.h"
#include "cli/exec_input.h"
#include "cli/options.h"
#include "cli/out.h"
#include "cli/unproven.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/run.h"

#define CPUS_MAX 8192 /* NR_CPUS of large kernels */

struct opts {
	struct xl_option_list operands;
	const char *raw, *engine, *unproven;
	uint64_t insn_limit, map_memory_mb;
	uint32_t cpus;
	bool check_facts, strict, help;
};

#define OPT(field) offsetof(struct opts, field)

static const struct xl_option option_table[] = {
	{ "raw", 'r', XL_OPTION_TEXT, OPT(raw), "FILE", "the lines; '-' for standard input" },
	{ "engine", 0, XL_OPTION_TEXT, OPT(engine), "NAME",
	  "what runs programs, where a line does not say (interp)" },
	{ "insn-limit", 0, XL_OPTION_U64, OPT(insn_limit), "N",
	  "instructions that a packet may take, likewise (268435456)" },
	{ "map-memory", 0, XL_OPTION_U64, OPT(map_memory_mb), "MB",
	  "refuse lines whose maps have room for more (1024)" },
	{ "cpus", 0, XL_OPTION_U32, OPT(cpus), "N",
	  "slots of per-CPU values (as many as this machine's)" },
	{ "unproven", 0, XL_OPTION_TEXT, OPT(unproven), "WORD", XL_UNPROVEN_HELP },
	{ "strict", 0, XL_OPTION_FLAG, OPT(strict), NULL,
	  "refuse programs that could tell addresses or old bytes of the stack" },
	{ "check-facts", 0, XL_OPTION_FLAG, OPT(check_facts), NULL,
	  "test what the verifier knows of registers before each instruction" },
	{ "help", 'h', XL_OPTION_FLAG, OPT(help), NULL, "this text" },
	{ NULL },
};

static const struct xl_option_spec option_spec = {
	.usage = "xdpland exec --raw FILE [options]",
	.intro =
		"Runs raw programs on packets, for testers and fuzzers. Each line of the input is "
		"a\n"
		"JSON object, and is answered by one at once. Lines share nothing; bytes are "
		"hex.\n\n"
		"  in   {\"name\", \"prog_type\": \"xdp\", \"insns\": HEX, \"prog_flags\": 0,\n"
		"        \"maps\": [{\"name\", \"type\", \"key_size\", \"value_size\", "
		"\"max_entries\",\n"
		"                  \"flags\", \"inner\": {…}, \"init\": [[HEX key, HEX "
		"value]…]}],\n"
		"        \"fixups\": [[instruction, map]…], \"packets\": [HEX…],\n"
		"        \"dump\": [[map, HEX key]…], \"engine\": \"interp\"}\n"
		"  out  {\"name\", \"runs\": [{\"retval\", \"verdict\", \"out\": HEX or null if "
		"unchanged,\n"
		"        \"dump\": [HEX or null…], \"error\"}]}\n"
		"       or {\"name\", \"runs\": [], \"error\", \"log\", \"errno\"} where it does "
		"not load\n\n"
		"Only \"insns\" is needed. A map is its index or its name; a map type is the "
		"kernel's\n"
		"name or number. In map-in-map and prog array an init value is an index or a name\n"
		"(\"self\": the line's program). More fields, and the small print: docs/exec.md.\n",
	.table = option_table,
	.outro =
		"Exit codes: 0 each line was answered, also if it did not load or a packet "
		"stopped\n"
		"the program; 1 a line was no JSON or had a bad field (its answer says which), or\n"
		"--check-facts found a wrong one; 2 usage; 3 a file is missing, or memory.\n\n"
		"  echo '{\"insns\":\"b7000000020000009500000000000000\",\"packets\":[\"00\"]}' |\n"
		"    xdpland exec --raw -\n",
	.operands = OPT(operands),
};

/* One run of the verb. */
struct job {
	struct opts opts;
	struct xl_out out;
	struct xl_exec *exec;
	enum xl_exit code;
};

static void fail(struct job *job, enum xl_exit code, const char *text)
{
	fprintf(stderr, "xdpland exec: %s\n", text);
	if (code > job->code)
		job->code = code;
}

static int exec_opts(const struct opts *o, struct xl_exec_opts *out, struct xl_err *e)
{
	*out = (struct xl_exec_opts){
		.line = {
			.engine = xl_engine_of_name(o->engine),
			.insn_limit = o->insn_limit,
			.n_cpus = o->cpus ? o->cpus : xl_percpu_n_possible(),
		},
		.map_memory = o->map_memory_mb << 20,
		.verify.facts = o->check_facts,
		.verify.strict = o->strict,
	};
	if (xl_unproven_word(o->unproven, &out->verify, e))
		return e->err;
	if (o->operands.n)
		return xl_err_set(e, -EINVAL, "'%s' is one word too many; usage: %s",
				  o->operands.items[0], option_spec.usage);
	if (!o->raw)
		return xl_err_set(e, -EINVAL, "no --raw; usage: %s", option_spec.usage);
	if (!out->line.engine)
		return xl_err_set(e, -EINVAL, "no engine '%s'; there is: %s", o->engine,
				  xl_engine_names());
	if (!o->insn_limit)
		return xl_err_set(e, -EINVAL, "--insn-limit takes a number from 1");
	if (o->cpus > CPUS_MAX)
		return xl_err_set(e, -EINVAL, "--cpus takes a number up to %d", CPUS_MAX);
	if (o->map_memory_mb > UINT64_MAX >> 20)
		return xl_err_set(e, -EINVAL, "--map-memory: that is more than there can be");
	return 0;
}

static void answer_all(struct job *job, struct xl_exec_input *in)
{
	const char *line;
	size_t len;
	int ret = 1;

	while (!job->out.err) {
		ret = xl_exec_input_next(in, &line, &len);
		if (ret == -E2BIG)
			xl_exec_answer_unread(job->exec, in->n_lines, "longer than 64 MB");
		else if (ret <= 0)
			break;
		else if (!xl_exec_input_is_blank(line, len))
			ret = xl_exec_answer(job->exec, line, len, in->n_lines) ? -EINVAL : 1;
		if (ret < 0 && job->code < XL_EXIT_DIFFERS)
			job->code = XL_EXIT_DIFFERS;
	}
	if (ret < 0 && ret != -E2BIG && ret != -EINVAL)
		fail(job, XL_EXIT_ENV, strerror(-ret));
}

static void run(struct job *job)
{
	struct xl_exec_input in;
	struct xl_exec_opts opts;
	struct xl_err e = { 0 };
	int err;

	if (exec_opts(&job->opts, &opts, &e)) {
		fail(job, XL_EXIT_USAGE, e.text);
		return;
	}
	if (xl_exec_input_open(&in, job->opts.raw, job->out.stream, &e)) {
		fail(job, XL_EXIT_ENV, e.text);
		goto out_input;
	}
	err = xl_exec_create(&opts, job->out.stream, &job->exec);
	if (err) {
		fail(job, XL_EXIT_ENV, strerror(-err));
		goto out_input;
	}
	answer_all(job, &in);
	xl_exec_destroy(job->exec);
out_input:
	xl_exec_input_close(&in);
}

int xl_cli_exec(int argc, char **argv)
{
	struct job job = {
		.opts = {
			.engine = xl_interp.name,
			.insn_limit = XL_INSN_LIMIT_DEFAULT,
			.map_memory_mb = XL_EXEC_MAP_MEMORY_DEFAULT >> 20,
		},
	};
	struct xl_err e = { 0 };
	int err;

	if (xl_out_open(&job.out, STDOUT_FILENO)) {
		fail(&job, XL_EXIT_ENV, "out of memory");
		return XL_EXIT_ENV;
	}
	if (xl_options_parse(&option_spec, argc, argv, &job.opts, &e))
		fail(&job, XL_EXIT_USAGE, e.text);
	else if (job.opts.help)
		xl_options_help(&option_spec, job.out.stream);
	else
		run(&job);
	err = xl_out_close(&job.out);
	if (err && err != -EPIPE)
		fail(&job, XL_EXIT_ENV, strerror(-err));
	xl_options_free(&option_spec, &job.opts);
	return (int)job.code;
}
