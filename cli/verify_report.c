/* A program's verdict as text and as JSON; see verify.h. */
#include "cli/verify.h"

#include <stdio.h>
#include <string.h>

#include "cli/facts_json.h"

static const char *const words[] = {
	[XL_VERIFY_ACCEPTED] = "accepted",
	[XL_VERIFY_REFUSED] = "refused",
	[XL_VERIFY_UNSUPPORTED] = "unsupported",
};

bool xl_verify_agrees(const struct xl_verify_case *c)
{
	if (!c->asked_kernel || !c->kernel_knows || c->ours.verdict == XL_VERIFY_UNSUPPORTED)
		return true;
	return (c->ours.verdict == XL_VERIFY_ACCEPTED) == !c->kernel.err;
}

static bool line_of(const struct xl_verify_case *c, const char **file, uint32_t *line,
		    const char **text)
{
	return c->prog->prog && c->ours.verdict != XL_VERIFY_ACCEPTED &&
	       xl_prog_line(c->prog->prog, c->ours.insn, file, line, text);
}

static void print_place(const struct xl_verify_case *c)
{
	const char *file, *text;
	uint32_t line;

	if (!c->prog->prog || c->ours.verdict == XL_VERIFY_ACCEPTED)
		return;
	printf("  at instruction %u", c->ours.insn);
	if (line_of(c, &file, &line, &text))
		printf(", %s:%u: %s", file, line, text);
	printf("\n");
}

static void print_words(const struct xl_verify_case *c)
{
	const char *line = c->ours.msg;

	printf(": %s:", strerror(-c->ours.err));
	for (size_t len; *line; line += len + !!line[len]) {
		len = strcspn(line, "\n");
		printf("%s %.*s", line == c->ours.msg ? "" : ";", (int)len, line);
	}
	printf("\n");
}

void xl_verify_print(const struct xl_verify_case *c, bool with_log)
{
	if (with_log && c->log.buf)
		fputs(c->log.buf, stdout);
	printf("%s: %s", c->prog->name, words[c->ours.verdict]);
	if (c->ours.verdict == XL_VERIFY_ACCEPTED)
		printf(" (%llu instructions followed)\n",
		       (unsigned long long)c->ours.n_insns_processed);
	else if (c->ours.err)
		print_words(c);
	else
		printf("%s\n", c->ours.msg + strcspn(c->ours.msg, ":"));
	print_place(c);
	if (!c->asked_kernel)
		return;
	if (!c->kernel_knows)
		printf("  the kernel was not asked: %s\n", c->kernel.text);
	else if (c->kernel.err)
		printf("  %s\n", c->kernel.text);
	else
		printf("  the kernel accepts it\n");
}

static void write_kernel(struct xl_json *j, const struct xl_verify_case *c)
{
	xl_json_begin_object(j, "kernel");
	xl_json_str(j, "verdict",
		    !c->kernel_knows ? "unknown"
		    : c->kernel.err  ? "refused"
				     : "accepted");
	if (c->kernel.err) {
		xl_json_u64(j, "errno", (uint64_t)-c->kernel.err);
		xl_json_str(j, "msg", c->kernel.text);
	}
	xl_json_bool(j, "agrees", xl_verify_agrees(c));
	xl_json_end_object(j);
}

void xl_verify_write(struct xl_json *j, const struct xl_verify_case *c, bool with_log,
		     bool with_facts)
{
	const char *file, *text;
	uint32_t line;

	xl_json_begin_object(j, NULL);
	xl_json_str(j, "name", c->prog->name);
	xl_json_str(j, "verdict", words[c->ours.verdict]);
	xl_json_u64(j, "errno", (uint64_t)-c->ours.err);
	xl_json_str(j, "msg", c->ours.msg);
	if (c->prog->prog && c->ours.verdict != XL_VERIFY_ACCEPTED)
		xl_json_u64(j, "insn", c->ours.insn);
	if (line_of(c, &file, &line, &text)) {
		xl_json_str(j, "file", file);
		xl_json_u64(j, "line", line);
		xl_json_str(j, "source", text);
	}
	xl_json_u64(j, "insns_processed", c->ours.n_insns_processed);
	xl_json_u64(j, "states_peak", c->ours.n_states_peak);
	if (with_log)
		xl_json_str(j, "log", c->log.buf ? c->log.buf : "");
	if (with_facts)
		xl_facts_json(j, c->ours.facts);
	if (c->asked_kernel)
		write_kernel(j, c);
	xl_json_end_object(j);
}
