/* What the user says of an object; see object_words.h. */
#include "cli/object_words.h"

#include <errno.h>
#include <string.h>

enum xl_exit xl_object_words_open(const struct xl_object_words *words, struct xl_object_opts *opts,
				  struct xl_err *e)
{
	if (words->type && strcmp(words->type, "xdp")) {
		xl_err_set(e, -EINVAL, "--type takes 'xdp', not '%s'", words->type);
		return XL_EXIT_USAGE;
	}
	opts->untyped_is_xdp = words->type;
	return XL_EXIT_OK;
}

enum xl_exit xl_object_words_apply(const struct xl_object_words *words, struct xl_object *obj,
				   struct xl_err *e)
{
	for (uint32_t i = 0; i < words->inners.n; i++)
		if (xl_object_set_inner(obj, words->inners.items[i], e))
			return XL_EXIT_USAGE;
	for (uint32_t i = 0; i < words->entries.n; i++)
		if (xl_object_set_entries(obj, words->entries.items[i], e))
			return XL_EXIT_USAGE;
	return XL_EXIT_OK;
}
