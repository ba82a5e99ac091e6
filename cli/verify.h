/* What `xdpland verify` found of one program, and how it says it. Private to verify*.c. */
#ifndef XL_CLI_VERIFY_H
#define XL_CLI_VERIFY_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/json_out.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/verifier/verify.h"

struct xl_verify_case {
	const struct xl_object_prog *prog; /* prog->prog is NULL: it did not load here */
	struct xl_verify_result ours;
	struct xl_vlog log;
	bool asked_kernel;
	bool kernel_knows;    /* false: it could not be asked, `kernel` says why */
	struct xl_err kernel; /* .err is 0 when it accepts */
};

/* Whether an acceptance of ours is one of the kernel's, and a refusal one. */
bool xl_verify_agrees(const struct xl_verify_case *c);

void xl_verify_print(const struct xl_verify_case *c, bool with_log);
void xl_verify_write(struct xl_json *j, const struct xl_verify_case *c, bool with_log,
		     bool with_facts);

/* verify_raw.c: programs as JSON lines. */
struct xl_verify_raw_opts {
	uint64_t insn_limit;
	uint32_t log_level;
	bool facts, strict, against_kernel;
};

/* Answers each line of the file @path ("-": standard input) on standard output.
 * Returns   enum xl_exit, *e says why where it is XL_EXIT_ENV */
int xl_verify_raw(const struct xl_verify_raw_opts *opts, const char *path, struct xl_err *e);

#endif
