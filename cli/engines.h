/* Engines by the names that options and exec lines give them. */
#ifndef XL_CLI_ENGINES_H
#define XL_CLI_ENGINES_H

struct xl_engine;

/* NULL if there is none of that name. */
const struct xl_engine *xl_engine_of_name(const char *name);
/* All names, for messages: "interp". */
const char *xl_engine_names(void);

#endif
