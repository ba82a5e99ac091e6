/* xdpland: the composition root, the only file that sees every part. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	static const struct xl_verb verbs[] = {
		{ 0 },
	};

	return xl_cli_main(verbs, argc, argv);
}
