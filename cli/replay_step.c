/* hot */
/* One packet through the programs; see replay.h. */
#include "cli/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chain.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

/* From the last packet of a round of --loop to the first of the next: time must not stand still
 * where the capture is one packet. Chosen: the step of a classic pcap's clock. */
#define ROUND_GAP_NS 1000

static bool in_fragments(const struct xl_replay *r, uint32_t len)
{
	return r->fragments && len > XL_LINEAR_MAX && len <= XL_FRAGMENTED_MAX;
}

static size_t buf_size(const struct xl_replay *r, uint32_t len)
{
	return in_fragments(r, len) ? xl_frame_frags_buf_size(len) : xl_frame_buf_size(len);
}

static int grow(struct xl_replay *r, uint32_t len)
{
	const size_t size = buf_size(r, len);
	uint8_t *buf;

	if (size <= r->buf_size)
		return 0;
	buf = aligned_alloc(64, size);
	if (!buf)
		return -ENOMEM;
	free(r->buf);
	r->buf = buf;
	r->buf_size = size;
	return 0;
}

/* Time as a program sees it: the packet's, moved on by --loop, and never back. */
static uint64_t advance_clock(struct xl_replay *r, uint64_t packet_ns)
{
	const uint64_t now_ns = packet_ns + r->shift_ns;

	if (!r->n_packets)
		r->first_ns = packet_ns;
	if (now_ns > r->clock_ns)
		r->clock_ns = now_ns;
	return r->clock_ns;
}

void xl_replay_next_round(struct xl_replay *r)
{
	r->shift_ns = r->clock_ns - r->first_ns + ROUND_GAP_NS;
}

/* Room around the packet is zero, as the kernel's is: a program that moves data into it would
 * else see the packet before. */
static void lay_out(struct xl_replay *r, const struct xl_packet *packet)
{
	const size_t size = buf_size(r, packet->len);
	struct xl_frame *f = &r->frame;

	memset(r->buf, 0, XL_HEADROOM);
	memset(r->buf + XL_HEADROOM + packet->len, 0, size - XL_HEADROOM - packet->len);
	if (in_fragments(r, packet->len))
		xl_frame_init_frags(f, r->buf, size, r->frags, packet->data, packet->len);
	else
		xl_frame_init(f, r->buf, size, packet->data, packet->len);
	f->time_ns = advance_clock(r, packet->time_ns);
	f->ifindex = r->opts->ifindex;
	f->rx_queue = r->opts->rx_queue;
	f->rx = &r->rx;
}

static void run_programs(struct xl_replay *r, struct xl_replay_result *out)
{
	struct xl_burst burst = { .n = 1, .frame = { &r->frame } };

	for (uint32_t i = 0; i < r->n_steps; i++) {
		struct xl_prog *prog = r->steps[i]->prog;

		prog->engine->run(&r->run, prog, &burst, &r->last);
		out->verdict = r->last;
		out->decider = r->steps[i];
		if (r->last.faulted) {
			xl_fault_describe(&r->run.fault, out->fault, sizeof(out->fault));
			out->fault_prog = r->run.fault.prog;
			out->fault_insn = r->run.fault.insn;
			return;
		}
		if (r->n_steps == 1 ||
		    !xl_chain_goes_on(r->steps[i]->chain_call_actions, r->last.retval))
			return;
	}
	out->decider = NULL;
	out->verdict = (struct xl_verdict){ .retval = XDP_PASS, .action = XDP_PASS };
}

/* The packet in one piece. */
static int gather(struct xl_replay *r, struct xl_replay_result *out)
{
	out->data = r->frame.data;
	out->len_out = xl_frame_len(&r->frame);
	if (!r->frame.n_frags)
		return 0;
	if (!r->whole)
		r->whole = malloc(XL_FRAGMENTED_ROOM);
	if (!r->whole)
		return -ENOMEM;
	assert(out->len_out <= XL_FRAGMENTED_ROOM);
	out->data = r->whole;
	return xl_frame_read(&r->frame, 0, r->whole, out->len_out);
}

static void say_timer_fault(void *arg, const struct xl_run *run)
{
	const struct xl_replay *r = arg;
	char text[512];
	size_t n;

	if (!r->notice)
		return;
	n = (size_t)snprintf(text, sizeof(text), "a timer before packet %" PRIu64 ": ",
			     r->n_packets + 1);
	xl_fault_describe(&run->fault, text + n, sizeof(text) - n);
	r->notice(r->notice_arg, text);
}

int xl_replay_step(struct xl_replay *r, const struct xl_packet *packet,
		   struct xl_replay_result *out)
{
	int err = grow(r, packet->len);

	if (err)
		return err;
	lay_out(r, packet);
	xl_timers_run(&r->run, r->clock_ns, say_timer_fault, r);
	r->n_packets++;
	out->n = r->n_packets;
	out->time_ns = packet->time_ns;
	out->len_in = packet->len;
	out->is_cut = packet->wire_len > packet->len;
	out->fault[0] = 0;
	if (r->diff)
		xl_diff_before(r->diff, &r->run, &r->frame);
	run_programs(r, out);
	if (r->diff)
		xl_diff_after(r->diff, out->n, &r->frame, &r->last);
	return gather(r, out);
}
