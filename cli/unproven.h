/* What becomes of programs that the verifier does not prove: the words of --unproven, and what is
 * said of programs that run all the same.
 */
#ifndef XL_CLI_UNPROVEN_H
#define XL_CLI_UNPROVEN_H

#include <stddef.h>

#include "base/err.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/runtime.h"

#define XL_UNPROVEN_HELP                                                                   \
	"'check' runs a program that the verifier does not prove, with run-time checks:\n" \
	"what it must not do aborts the packet; 'refuse' (the default) does not load it"

/* @word     of --unproven, or NULL. -EINVAL with @e. */
int xl_unproven_word(const char *word, struct xl_verify_policy *policy, struct xl_err *e);

/* Writes a line on @obj's programs that run without proof. False: there are none. */
bool xl_unproven_notice(const struct xl_object *obj, char *buf, size_t size);

#endif
