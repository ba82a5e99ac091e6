/* What `prog list` and `map list` have in common: options, and an object in a runtime of its own.
 *
 * The object is really loaded, since that alone tells what would stop it; nothing of it outlives
 * the command.
 */
#ifndef XL_CLI_OBJECT_LIST_H
#define XL_CLI_OBJECT_LIST_H

#include <stdbool.h>

#include "base/err.h"

struct xl_object;
struct xl_runtime;

struct xl_object_list {
	const char *path;
	bool json;
	struct xl_runtime *rt;
	struct xl_object *obj;
	struct xl_err load_err; /* .err is 0 when it loaded */
};

/* Reads the command line and loads the object.
 *
 * @usage, @intro  for the help text, as in struct xl_option_spec
 * Returns   -1: go on with *out_list, or the exit code
 */
int xl_object_list_open(int argc, char **argv, const char *usage, const char *intro,
			struct xl_object_list *out_list);
void xl_object_list_close(struct xl_object_list *list);

#endif
