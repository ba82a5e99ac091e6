/* Engines by name; see engines.h. */
#include "cli/engines.h"

#include <stddef.h>
#include <string.h>

#include "xdp-runtime/engine.h"

static const struct xl_engine *const engines[] = { &xl_interp };

const struct xl_engine *xl_engine_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}

const char *xl_engine_names(void)
{
	return engines[0]->name;
}
