/* The command line: verbs, their help, exit codes.
 *
 * One row per verb, in main.c; a verb is a file of this folder.
 */
#ifndef XL_CLI_CLI_H
#define XL_CLI_CLI_H

/* Exit codes, the same for every verb. */
enum xl_exit {
	XL_EXIT_OK = 0,
	XL_EXIT_DIFFERS = 1,  /* a test or verdict differs; a packet could not be processed */
	XL_EXIT_USAGE = 2,    /* wrong option, unknown name, file that is not what it should be */
	XL_EXIT_ENV = 3,      /* no privilege, no device, no such file, out of memory */
	XL_EXIT_REJECTED = 4, /* the program cannot be run: rejected at load */
};

struct xl_verb {
	const char *name;    /* "replay", or two words: "prog list" */
	const char *summary; /* one line for `xdpland --help` */
	/* argv[0] is the verb's last word. Returns enum xl_exit. */
	int (*run)(int argc, char **argv);
};

/* Picks the verb from @verbs (ended by a NULL name) and runs it; answers --help and --version. */
int xl_cli_main(const struct xl_verb *verbs, int argc, char **argv);

/* The verbs. */
int xl_cli_replay(int argc, char **argv);
int xl_cli_exec(int argc, char **argv);
int xl_cli_prog_list(int argc, char **argv);
int xl_cli_map_list(int argc, char **argv);
int xl_cli_verify(int argc, char **argv);

#endif
