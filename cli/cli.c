/* Verb dispatch; see cli.h. */
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int print_help(const struct xl_verb *verbs, FILE *out)
{
	fprintf(out, "Usage: xdpland VERB [options]\n\n"
		     "Runs unmodified XDP object files in user space.\n\nVerbs:\n");
	for (; verbs->name; verbs++)
		fprintf(out, "  %-12s %s\n", verbs->name, verbs->summary);
	fprintf(out,
		"\n`xdpland VERB --help` tells more. Exit codes: 0 fine, 1 something differs,\n"
		"2 usage, 3 environment, 4 program rejected.\n");
	return out == stdout ? XL_EXIT_OK : XL_EXIT_USAGE;
}

/* How many words of argv the verb's name takes; 0: it is another verb. */
static int words_matched(const char *name, int argc, char **argv)
{
	const char *space = strchr(name, ' ');

	if (!space)
		return !strcmp(name, argv[0]) ? 1 : 0;
	if (argc < 2 || strlen(argv[0]) != (size_t)(space - name) ||
	    strncmp(name, argv[0], (size_t)(space - name)))
		return 0;
	return !strcmp(space + 1, argv[1]) ? 2 : 0;
}

/* The first word of two-word verbs alone, or with another second: which ones there are. */
static bool explain_family(const struct xl_verb *verbs, const char *word, FILE *out)
{
	const size_t len = strlen(word);
	bool is_family = false;

	for (const struct xl_verb *v = verbs; v->name; v++) {
		if (strncmp(v->name, word, len) || v->name[len] != ' ')
			continue;
		if (!is_family)
			fprintf(out, "xdpland %s: there is:", word);
		fprintf(out, "%s xdpland %s", is_family ? "," : "", v->name);
		is_family = true;
	}
	if (is_family)
		fprintf(out, "; --help tells more\n");
	return is_family;
}

int xl_cli_main(const struct xl_verb *verbs, int argc, char **argv)
{
	if (argc < 2)
		return print_help(verbs, stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_help(verbs, stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("xdpland %s\n", XL_VERSION);
		return XL_EXIT_OK;
	}
	for (const struct xl_verb *v = verbs; v->name; v++) {
		int n = words_matched(v->name, argc - 1, argv + 1);

		if (n)
			return v->run(argc - n, argv + n);
	}
	if (explain_family(verbs, argv[1], stderr))
		return XL_EXIT_USAGE;
	fprintf(stderr, "xdpland: no verb '%s'; `xdpland --help` lists them\n", argv[1]);
	return XL_EXIT_USAGE;
}
