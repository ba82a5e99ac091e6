/* What the user can say of an object that the object leaves open: options which replay, `prog
 * list` and `map list` share. */
#ifndef XL_CLI_OBJECT_WORDS_H
#define XL_CLI_OBJECT_WORDS_H

#include <stddef.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "xdp-runtime/object/object.h"

struct xl_object_words {
	const char *type;
	struct xl_option_list inners, entries;
};

/* Rows of an option table, for member @field of the verb's struct @of. */
#define XL_OBJECT_WORDS_OPTIONS(of, field)                                                   \
	{ "type",	  0,                                                                 \
	  XL_OPTION_TEXT, offsetof(of, field.type),                                          \
	  "xdp",	  "take programs whose section and prototype name no type as XDP" }, \
		{ "inner",                                                                   \
		  0,                                                                         \
		  XL_OPTION_LIST,                                                            \
		  offsetof(of, field.inners),                                                \
		  "NAME=type,key,value,n",                                                   \
		  "what the maps in map NAME are: --inner vips=array,4,8,16" },              \
	{                                                                                    \
		"max-entries", 0, XL_OPTION_LIST, offsetof(of, field.entries), "NAME=N",     \
			"how many entries map NAME has"                                      \
	}

/* Before and after xl_object_open_file(). Errors leave XL_EXIT_USAGE and words. */
enum xl_exit xl_object_words_open(const struct xl_object_words *words, struct xl_object_opts *opts,
				  struct xl_err *e);
enum xl_exit xl_object_words_apply(const struct xl_object_words *words, struct xl_object *obj,
				   struct xl_err *e);

#endif
