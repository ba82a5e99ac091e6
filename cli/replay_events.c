/* Events of replay; see replay_events.h. */
#include "cli/replay_events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ways.h"
#include "maps/map.h"

/* Bytes of an event, as they come: a perf event has two pieces. */
struct piece {
	const uint8_t *data;
	size_t len;
};
#define N_PIECES 2

static char *hex_of(const struct piece pieces[N_PIECES])
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * (pieces[0].len + pieces[1].len) + 1), *at = text;

	if (!text)
		return NULL;
	for (size_t p = 0; p < N_PIECES; p++) {
		for (size_t i = 0; i < pieces[p].len; i++) {
			*at++ = digits[pieces[p].data[i] >> 4];
			*at++ = digits[pieces[p].data[i] & 15];
		}
	}
	*at = 0;
	return text;
}

static bool reads(const struct xl_replay_events *events)
{
	return !events->replay->diff;
}

static void begin_json(struct xl_replay_events *events, const char *kind)
{
	struct xl_json *j = &events->json;

	xl_json_begin_object(j, NULL);
	xl_json_begin_object(j, "event");
	xl_json_u64(j, "packet", events->replay->n_packets);
	xl_json_str(j, "kind", kind);
}

static void end_json(struct xl_replay_events *events)
{
	struct xl_json *j = &events->json;

	xl_json_end_object(j);
	xl_json_end_object(j);
	xl_json_newline(j);
}

static void say_trace(void *arg, const char *text, size_t len)
{
	struct xl_replay_events *events = arg;

	while (len && text[len - 1] == '\n')
		len--;
	if (!events->replay->opts->json) {
		fprintf(events->out, "packet %" PRIu64 ": trace: %.*s\n", events->replay->n_packets,
			(int)len, text);
		return;
	}
	begin_json(events, "trace");
	xl_json_strn(&events->json, "text", text, len);
	end_json(events);
}

/* @index: of a perf event array, else NULL. */
static int say_data(struct xl_replay_events *events, const char *kind, const struct xl_map *map,
		    const uint32_t *index, const struct piece pieces[N_PIECES])
{
	const size_t len = pieces[0].len + pieces[1].len;
	char buf[32], *hex = hex_of(pieces);
	const char *name = xl_ways_map_name(events->replay->obj, map->obj.id, buf, sizeof(buf));

	if (!hex)
		return -ENOMEM;
	if (events->replay->opts->json) {
		begin_json(events, kind);
		xl_json_str(&events->json, "map", name);
		if (index)
			xl_json_u64(&events->json, "index", *index);
		xl_json_str(&events->json, "data", hex);
		end_json(events);
	} else {
		fprintf(events->out, "packet %" PRIu64 ": %s: %s", events->replay->n_packets, kind,
			name);
		if (index)
			fprintf(events->out, "[%" PRIu32 "]", *index);
		fprintf(events->out, ": %zu byte%s%s%s\n", len, len == 1 ? "" : "s",
			len ? ": " : "", hex);
	}
	free(hex);
	return 0;
}

static bool say_record(void *arg, struct xl_map *map, const void *data, uint32_t len)
{
	const struct piece pieces[N_PIECES] = { { data, len } };

	return !say_data(arg, "ringbuf", map, NULL, pieces) && reads(arg);
}

static int say_perf_event(void *arg, struct xl_map *map, uint32_t index, const void *data,
			  uint32_t len, const struct xl_frame *frame, uint32_t packet_len)
{
	uint8_t *packet = malloc(packet_len ? packet_len : 1);
	const struct piece pieces[N_PIECES] = { { data, len }, { packet, packet_len } };
	int err = -ENOMEM;

	if (packet)
		err = xl_frame_read(frame, 0, packet, packet_len);
	if (!err)
		err = say_data(arg, "perf", map, &index, pieces);
	free(packet);
	return err || reads(arg) ? err : -ENOENT;
}

void xl_replay_events_init(struct xl_replay_events *events, struct xl_replay *replay, FILE *out)
{
	events->replay = replay;
	events->out = out;
	xl_json_init(&events->json, out);
	replay->run.sinks = (struct xl_run_sinks){
		.arg = events,
		.trace = say_trace,
		.perf_event = say_perf_event,
		.ringbuf = say_record,
	};
}
