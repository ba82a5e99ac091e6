/* Names of verdicts; see verdict.h. */
#include "xdp-runtime/verdict.h"

const char *xl_verdict_name(uint32_t action)
{
	static const char *const names[] = {
		[XDP_ABORTED] = "XDP_ABORTED",	 [XDP_DROP] = "XDP_DROP",
		[XDP_PASS] = "XDP_PASS",	 [XDP_TX] = "XDP_TX",
		[XDP_REDIRECT] = "XDP_REDIRECT",
	};

	return action <= XDP_REDIRECT ? names[action] : names[XDP_ABORTED];
}
