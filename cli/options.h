/* Options of a verb: one table drives parsing and --help.
 *
 * A row says how an option is written and where in the verb's own struct its value goes. Long
 * options take their value as --opt=VALUE or --opt VALUE, letters as -oVALUE or -o VALUE; letters
 * without a value may stand together; "--" ends the options.
 */
#ifndef XL_CLI_OPTIONS_H
#define XL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum xl_option_kind {
	XL_OPTION_FLAG,	    /* bool */
	XL_OPTION_COUNT,    /* uint32_t: how often it is given, -vv */
	XL_OPTION_TEXT,	    /* const char * */
	XL_OPTION_OPTIONAL, /* struct xl_option_text: value only as --opt=VALUE */
	XL_OPTION_LIST,	    /* struct xl_option_list: may be given again and again */
	XL_OPTION_U32,
	XL_OPTION_U64,
};

struct xl_option {
	const char *name; /* without dashes; NULL ends the table */
	char letter;	  /* 0: none */
	enum xl_option_kind kind;
	size_t offset;	   /* in the verb's struct */
	const char *value; /* what stands for the value in help: "FILE"; NULL for flags */
	const char *help;  /* lines, separated by '\n' */
};

struct xl_option_text {
	bool given;
	const char *text; /* NULL: given without a value */
};

struct xl_option_list {
	const char **items; /* point into argv */
	uint32_t n;
};

struct xl_option_spec {
	const char *usage; /* "xdpland replay OBJ --pcap IN [options]" */
	const char *intro; /* one paragraph, ended by '\n' */
	const struct xl_option *table;
	const char *outro; /* examples, exit codes; or NULL */
	size_t operands;   /* struct xl_option_list: what is no option */
};

/* Parses argv[1..]; values go into @out, which holds the defaults already.
 * Errors    -EINVAL, in words; -ENOMEM
 * Owns      lists are the caller's, xl_options_free(); text is argv's */
int xl_options_parse(const struct xl_option_spec *spec, int argc, char **argv, void *out,
		     struct xl_err *e);
void xl_options_free(const struct xl_option_spec *spec, void *out);
void xl_options_help(const struct xl_option_spec *spec, FILE *stream);

#endif
