/* Comparing with the kernel, packet by packet; see diff_kernel.h.
 *
 * A packet that the kernel cannot be given (too short, too long) runs here only. Its effects on
 * maps are then copied to the kernel's maps, so that the rest still compares; what lies before it
 * is compared first, or the copying would hide a difference.
 */
#include "cli/diff_kernel_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chain.h"
#include "maps/map.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/prog.h"

/* Chosen: a comparison of maps costs about as much as the packets since the last one. */
#define MAP_BYTES_PER_PACKET 256u
#define INTERVAL_MAX	     4096u
#define WINDOW_PARTS	     16u /* chosen: two rounds for the largest map and a few packets more */

static const char *const skip_reasons[XL_DIFF_SKIPS] = {
	[XL_DIFF_SKIP_SHORT] = "shorter than 14 bytes",
	[XL_DIFF_SKIP_LONG] = "longer than 3520 bytes, in one piece",
	[XL_DIFF_SKIP_REFUSED] = "refused by the kernel",
};

const char *xl_diff_skip_reason(enum xl_diff_skip skip)
{
	return skip_reasons[skip];
}

int xl_diff_open(const struct xl_diff_step *steps, uint32_t n_steps, const struct xl_object *obj,
		 const struct xl_diff_window *window, struct xl_diff **out_diff, struct xl_err *e)
{
	struct xl_diff *diff = calloc(1, sizeof(*diff));
	struct xl_prog **progs = calloc(n_steps, sizeof(struct xl_prog *));
	struct xl_err why = { 0 };
	uint64_t interval;
	int err = -ENOMEM;

	if (!diff || !progs)
		goto err;
	diff->steps = calloc(n_steps, sizeof(*steps));
	if (!diff->steps)
		goto err;
	memcpy(diff->steps, steps, n_steps * sizeof(*steps));
	diff->n_steps = n_steps;
	diff->obj = obj;
	if (window)
		diff->window = *window;
	for (uint32_t i = 0; i < n_steps; i++)
		progs[i] = steps[i].prog;
	err = xl_twin_create(progs, n_steps, &diff->twin, &why);
	if (err)
		goto err;
	interval = 1 + xl_twin_maps_bytes(diff->twin) / MAP_BYTES_PER_PACKET;
	if (interval > INTERVAL_MAX)
		interval = INTERVAL_MAX;
	if (diff->window.first && interval > 1)
		interval = 1 + (diff->window.last - diff->window.first) / WINDOW_PARTS;
	diff->interval = (uint32_t)interval;
	free(progs);
	*out_diff = diff;
	return 0;
err:
	free(progs);
	xl_diff_close(diff);
	if (err == -EPERM)
		return xl_err_set(e, err,
				  "--diff kernel needs root or CAP_BPF, CAP_NET_ADMIN and "
				  "CAP_PERFMON, and a kernel with bpf(2)");
	return xl_err_set(e, err, "--diff kernel: %s", why.err ? why.text : strerror(-err));
}

void xl_diff_close(struct xl_diff *diff)
{
	if (!diff)
		return;
	xl_twin_map_diff_fini(&diff->map);
	xl_twin_destroy(diff->twin);
	free(diff->steps);
	free(diff);
}

/* The object's name for a map: the kernel's has 15 characters. */
static const char *map_name(const struct xl_diff *diff)
{
	for (uint32_t i = 0; diff->obj && i < diff->obj->n_maps; i++)
		if (diff->obj->maps[i].map == diff->map.map)
			return diff->obj->maps[i].name;
	return diff->map.map->name;
}

static void compare_maps(struct xl_diff *diff)
{
	if (diff->maps_differ || diff->maps_checked == diff->last_n)
		return;
	if (xl_twin_maps_equal(diff->twin, &diff->map, &diff->err)) {
		diff->maps_checked = diff->last_n;
		return;
	}
	if (!diff->map.map)
		return; /* diff->err says why */
	snprintf(diff->map_name, sizeof(diff->map_name), "%s", map_name(diff));
	diff->maps_differ = true;
	diff->maps_window = (struct xl_diff_window){ diff->maps_checked + 1, diff->last_n };
}

static bool maps_are_due(const struct xl_diff *diff)
{
	if (diff->window.first && diff->last_n + 1 < diff->window.first)
		return false;
	return diff->last_n - diff->maps_checked >= diff->interval;
}

/* Why the kernel cannot be given @frame; XL_DIFF_SKIPS if it can. */
static enum xl_diff_skip unfit(const struct xl_frame *frame)
{
	uint32_t len = xl_frame_len(frame);

	if (len < XL_ETH_HLEN)
		return XL_DIFF_SKIP_SHORT;
	if (xl_frame_linear_len(frame) > XL_LINEAR_MAX)
		return XL_DIFF_SKIP_LONG;
	return XL_DIFF_SKIPS;
}

/* Metadata and packet in one piece. */
static const uint8_t *whole(struct xl_diff *diff, const struct xl_frame *frame)
{
	const uint32_t meta_len = xl_frame_meta_len(frame);

	if (!frame->n_frags)
		return frame->data_meta;
	memcpy(diff->ours.bytes, frame->data_meta, meta_len);
	xl_frame_read(frame, 0, diff->ours.bytes + meta_len, xl_frame_len(frame));
	return diff->ours.bytes;
}

/* Runs the steps as libxdp's dispatcher does. */
static int run_steps(struct xl_diff *diff, const struct xl_frame *frame)
{
	struct xl_twin_packet p = { .data = whole(diff, frame),
				    .len = xl_frame_len(frame),
				    .linear_len = xl_frame_linear_len(frame),
				    .meta_len = xl_frame_meta_len(frame),
				    .ifindex = frame->ifindex,
				    .rx_queue = frame->rx_queue };
	uint32_t retval = 0;

	for (uint32_t i = 0; i < diff->n_steps; i++) {
		int err = xl_twin_run(diff->twin, i, &p, &p, &retval);

		if (err)
			return err;
		if (!xl_chain_goes_on(diff->steps[i].chain_call_actions, retval))
			break;
	}
	diff->kernel.retval = retval;
	diff->kernel.len = p.len;
	diff->kernel.meta_len = p.meta_len;
	memcpy(diff->kernel.bytes, p.data, p.meta_len + p.len);
	return 0;
}

void xl_diff_before(struct xl_diff *diff, struct xl_run *run, struct xl_frame *frame)
{
	int err;

	diff->skip = unfit(frame);
	if (diff->skip == XL_DIFF_SKIPS) {
		xl_twin_present(diff->twin, run, frame);
		err = run_steps(diff, frame);
		if (!err)
			return;
		/* A program before in the chain may have made it too long. */
		diff->skip = err == -E2BIG ? XL_DIFF_SKIP_LONG : XL_DIFF_SKIP_REFUSED;
		diff->refused_err = err;
	}
	compare_maps(diff);
}

/* Whether both sides say the same; the first byte that differs goes to *out_off. */
static bool same_packet(const struct xl_diff_side *a, const struct xl_diff_side *b,
			uint32_t *out_off)
{
	const uint8_t *x = a->bytes + a->meta_len, *y = b->bytes + b->meta_len;
	uint32_t n = a->len < b->len ? a->len : b->len, off = 0;

	while (off < n && x[off] == y[off])
		off++;
	*out_off = off;
	return off == a->len && off == b->len;
}

static bool same_meta(const struct xl_diff_side *a, const struct xl_diff_side *b)
{
	return a->meta_len == b->meta_len && !memcmp(a->bytes, b->bytes, a->meta_len);
}

static void take_ours(struct xl_diff *diff, const struct xl_frame *frame,
		      const struct xl_verdict *verdict)
{
	struct xl_diff_side *ours = &diff->ours;
	const uint32_t room = sizeof(ours->bytes);

	ours->retval = verdict->retval;
	ours->faulted = verdict->faulted;
	ours->meta_len = xl_frame_meta_len(frame);
	ours->len = xl_frame_len(frame);
	/* A frame that fitted into its pages has grown inside them. */
	assert(ours->meta_len <= room && ours->len <= room - ours->meta_len);
	memcpy(ours->bytes, frame->data_meta, ours->meta_len);
	xl_frame_read(frame, 0, ours->bytes + ours->meta_len, ours->len);
}

void xl_diff_after(struct xl_diff *diff, uint64_t n, const struct xl_frame *frame,
		   const struct xl_verdict *verdict)
{
	uint32_t off;

	diff->last_n = n;
	if (diff->skip != XL_DIFF_SKIPS) {
		diff->skipped[diff->skip]++;
		if (!diff->maps_differ && !diff->err.err)
			xl_twin_maps_sync(diff->twin, &diff->err);
		diff->maps_checked = n;
		return;
	}
	diff->compared++;
	take_ours(diff, frame, verdict);
	if (!same_packet(&diff->ours, &diff->kernel, &off) ||
	    !same_meta(&diff->ours, &diff->kernel) || verdict->faulted ||
	    diff->ours.retval != diff->kernel.retval) {
		diff->differing++;
		if (!diff->first_n) {
			diff->first_n = n;
			diff->first_off = off;
			diff->first_ours = diff->ours;
			diff->first_kernel = diff->kernel;
		}
	}
	if (maps_are_due(diff))
		compare_maps(diff);
}

void xl_diff_finish(struct xl_diff *diff)
{
	compare_maps(diff);
}

bool xl_diff_window(const struct xl_diff *diff, struct xl_diff_window *out)
{
	*out = diff->maps_window;
	return diff->maps_differ && out->first < out->last;
}

void xl_diff_narrow(struct xl_diff *diff, struct xl_diff *second)
{
	struct xl_twin_map_diff map = diff->map;

	if (!second->maps_differ)
		return; /* it did not happen again: what is known stays */
	diff->maps_window = second->maps_window;
	diff->map = second->map;
	memcpy(diff->map_name, second->map_name, sizeof(diff->map_name));
	second->map = map;
	second->maps_differ = false;
}

bool xl_diff_differs(const struct xl_diff *diff)
{
	return diff->differing || diff->maps_differ || diff->err.err;
}
