/* The verifier between BPF_PROG_LOAD and the packet path: what is asked, and who may run.
 *
 * A program that is proven runs. One that is not is refused with the kernel's errno, unless the
 * runtime's owner lets what is merely unproven run with run-time checks (the interpreter has them
 * always). What the verifier does not model is no refusal yet: may_run() is the one place that
 * says so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/prog_check.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/verifier/verify.h"

static uint64_t limit_of(const struct xl_verify_policy *policy)
{
	return policy->insn_limit ? policy->insn_limit : XL_VERIFY_LIMIT;
}

/* Whether a program without proof may run with run-time checks. */
static bool may_run(const struct xl_verify_policy *policy, const struct xl_verify_result *result)
{
	if (result->verdict == XL_VERIFY_UNSUPPORTED)
		return !policy->strict;
	return result->unproven && policy->check_unproven;
}

/* "MESSAGE; MORE, at instruction 5, prog.c:33: p->x" */
static char *say_where(const struct xl_prog *prog, const struct xl_verify_result *result)
{
	const char *file, *source, *rest = result->msg;
	char *text = NULL;
	uint32_t line;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (; rest[strcspn(rest, "\n")]; rest += strcspn(rest, "\n") + 1)
		fprintf(out, "%.*s; ", (int)strcspn(rest, "\n"), rest);
	fprintf(out, "%s, at instruction %u", rest, result->insn);
	if (xl_prog_line(prog, result->insn, &file, &line, &source))
		fprintf(out, ", %s:%u: %s", file, line, source);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int judge(struct xl_prog *prog, const struct xl_verify_result *result)
{
	char *why;

	if (result->verdict == XL_VERIFY_ACCEPTED)
		return 0;
	why = say_where(prog, result);
	if (!why)
		return -ENOMEM;
	if (may_run(&prog->rt->verify, result)) {
		prog->unproven = why;
		return 0;
	}
	prog->refused = why;
	return result->err ? result->err : -EOPNOTSUPP;
}

int xl_prog_verify(struct xl_prog *prog, struct xl_vlog *log)
{
	const struct xl_verify_policy *policy = &prog->rt->verify;
	const struct xl_verify_opts opts = {
		.insn_limit = limit_of(policy),
		.log = log,
		.facts = policy->facts,
		.strict = policy->strict,
		.go_on = policy->check_unproven, /* what is unproven may hide what is wrong */
	};
	struct xl_verify_result result;
	int err;

	if (policy->off || !xl_prog_type_of(prog->type)->runs)
		return 0;
	err = xl_verify(prog, &opts, &result);
	if (err)
		return err;
	prog->facts = result.facts;
	prog->verified_insns = result.n_insns_processed;
	prog->was_verified = true;
	return judge(prog, &result);
}
