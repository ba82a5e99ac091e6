/* Programs without proof; see unproven.h. */
#include "cli/unproven.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "xdp-runtime/prog.h"

int xl_unproven_word(const char *word, struct xl_verify_policy *policy, struct xl_err *e)
{
	policy->check_unproven = word && !strcmp(word, "check");
	if (!word || policy->check_unproven || !strcmp(word, "refuse"))
		return 0;
	return xl_err_set(e, -EINVAL, "--unproven takes 'check' or 'refuse', not '%s'", word);
}

bool xl_unproven_notice(const struct xl_object *obj, char *buf, size_t size)
{
	const struct xl_object_prog *first = NULL;
	char more[48] = "";
	uint32_t n = 0;

	for (uint32_t i = 0; i < obj->n_progs; i++) {
		const struct xl_object_prog *op = &obj->progs[i];

		if (!op->prog || !op->prog->unproven)
			continue;
		if (!n++)
			first = op;
	}
	if (!n)
		return false;
	if (n > 1)
		snprintf(more, sizeof(more), " (and %u more)", n - 1);
	snprintf(buf, size, "program '%s'%s runs without proof, by run-time checks alone: %s",
		 first->name, more, first->prog->unproven);
	return true;
}
