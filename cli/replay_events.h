/* `replay --events`: what programs said on the way, in the order in which they said it: perf
 * events, records of ring buffers, and bpf_trace_printk.
 *
 * Replay is then the reader of those maps: bpf_perf_event_output() succeeds, and records make room
 * in their ring at once. Not so with --diff kernel, where nobody reads the kernel's.
 */
#ifndef XL_CLI_REPLAY_EVENTS_H
#define XL_CLI_REPLAY_EVENTS_H

#include <stdio.h>

#include "cli/json_out.h"
#include "cli/replay.h"

struct xl_replay_events {
	const struct xl_replay *replay; /* borrowed */
	FILE *out;
	struct xl_json json;
};

/* Has all events of @replay written to @out, as lines or with -j as objects. @events stays where it
 * is as long as @replay runs. */
void xl_replay_events_init(struct xl_replay_events *events, struct xl_replay *replay, FILE *out);

#endif
