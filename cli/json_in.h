/* JSON files read with jansson, as bpftool writes them.
 *
 * bpftool's JSON has two things that jansson does not take: integers up to 2^64 - 1, and several
 * members named "" in one object (anonymous structs and unions). The text is therefore rewritten on
 * its way: integers of 19 and more digits become strings, and a name "" becomes "<1>", "<2>"….
 */
#ifndef XL_CLI_JSON_IN_H
#define XL_CLI_JSON_IN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Reads a whole file ("-": stdin).
 * Errors    -errno of reading; -EFBIG above 1 GB; -EINVAL with file and line: no JSON, a name twice in one object
 * Owns      the caller: json_decref() */
int xl_json_load_file(const char *path, json_t **out_json, struct xl_err *e);
/* Likewise from memory; @name is for messages. */
int xl_json_load_text(const char *text, size_t len, const char *name, json_t **out_json,
		      struct xl_err *e);

/* Whether @name was "" in the file. */
static inline bool xl_json_is_anonymous(const char *name)
{
	return name[0] == '<' || !name[0];
}

#endif
