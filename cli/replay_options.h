/* How replay's options are written, what they are if not given, and which do not go together. */
#ifndef XL_CLI_REPLAY_OPTIONS_H
#define XL_CLI_REPLAY_OPTIONS_H

#include "cli/replay.h"

extern const struct xl_option_spec xl_replay_option_spec;

#define XL_REPLAY_OPTS_DEFAULT                                                    \
	{                                                                         \
		.engine = "interp", .jumbo = "auto",                              \
		.ifindex = 1, /* the kernel's test run: the loopback interface */ \
			.loop = 1, .insn_limit = XL_INSN_LIMIT_DEFAULT            \
	}

/* Returns XL_EXIT_USAGE with @e in words, or XL_EXIT_OK. */
enum xl_exit xl_replay_check_options(const struct xl_replay_opts *o, struct xl_err *e);

#endif
