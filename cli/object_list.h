/* What `prog list` and `map list` have in common: options, an object in a runtime of its own, and
 * what is said when it does not load.
 *
 * The object is really loaded, since that alone tells what would stop it; nothing of it outlives
 * the command.
 */
#ifndef XL_CLI_OBJECT_LIST_H
#define XL_CLI_OBJECT_LIST_H

#include <stdint.h>

struct xl_json;
struct xl_object;

/* One of the verbs. */
struct xl_object_list {
	const char *verb; /* "prog list" */
	const char *usage;
	const char *intro; /* for the help text, as in struct xl_option_spec */
	const char *array; /* name of the JSON array */
	uint32_t (*count)(const struct xl_object *obj);
	void (*print_table)(const struct xl_object *obj);
	/* Element @i of the array. */
	void (*write_item)(struct xl_json *j, const struct xl_object *obj, uint32_t i);
};

/* Reads the command line, loads the object, lists. Returns the exit code. */
int xl_object_list_run(const struct xl_object_list *list, int argc, char **argv);

#endif
