/* xdpland: the composition root, the only file that sees every part. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	static const struct xl_verb verbs[] = {
		{ "replay", "run an object's programs on a capture", xl_cli_replay },
		{ "exec", "run raw programs and packets from JSON lines", xl_cli_exec },
		{ "prog list", "programs of an object, and what would stop them",
		  xl_cli_prog_list },
		{ "map list", "maps of an object", xl_cli_map_list },
		{ "verify", "say whether programs are safe, and why not", xl_cli_verify },
		{ 0 },
	};

	return xl_cli_main(verbs, argc, argv);
}
