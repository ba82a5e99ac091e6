/* What replay tells: a line or a JSON object per packet, and at the end a table or a summary. */
#ifndef XL_CLI_REPLAY_REPORT_H
#define XL_CLI_REPLAY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/fault_places.h"
#include "cli/json_out.h"
#include "cli/replay.h"
#include "cli/ways.h"

#define XL_REPORT_ACTIONS (XDP_REDIRECT + 1)

struct xl_replay_report {
	const struct xl_replay *replay;
	FILE *out;
	struct xl_json json;
	struct xl_ways ways;
	struct {
		uint64_t packets, bytes;
	} verdicts[XL_REPORT_ACTIONS];
	uint64_t n_packets, n_bytes, n_cut, n_faults;
	struct xl_fault_places places;
};

void xl_replay_report_init(struct xl_replay_report *report, const struct xl_replay *replay,
			   FILE *out);
/* Counts a packet, and tells of it where that was asked for (-j, -v).
 * Returns   the way it took, NULL: out of memory */
struct xl_way *xl_replay_report_packet(struct xl_replay_report *report,
				       const struct xl_replay_result *result);
/* The end: table or summary, with what --diff found. */
void xl_replay_report_end(struct xl_replay_report *report);
void xl_replay_report_fini(struct xl_replay_report *report);

#endif
