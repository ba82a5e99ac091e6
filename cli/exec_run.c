/* Packets of an exec line through its program; see exec.h.
 *
 * A packet lies as the kernel's test run would lay it: on a zeroed page with headroom and tailroom.
 * What does not fit there goes into fragments of a page each if the program takes them, and else
 * stays in one piece, in a larger buffer.
 *
 * Source: bpf_prog_test_run_xdp(), net/bpf/test_run.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/percpu.h"
#include "cli/exec.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"

#define PAGE	   4096u
#define LINEAR_MAX (PAGE - XL_HEADROOM - XL_TAIL_RESERVED)
#define STEP_NS	   1000 /* from packet to packet: time must not stand still */

/* One packet under way. */
struct run {
	struct xl_frame frame;
	struct xl_frag frags[XL_FRAGS_MAX];
	struct xl_verdict verdict;
	char error[512]; /* "" if all went well */
};

/* Room for @need bytes, and never none at all: what is copied has an address. */
static int grow(uint8_t **buf, size_t *size, size_t need)
{
	uint8_t *grown;

	if (*buf && need <= *size)
		return 0;
	need = (need + 64) & ~(size_t)63;
	grown = aligned_alloc(64, need);
	if (!grown)
		return -ENOMEM;
	free(*buf);
	*buf = grown;
	*size = need;
	return 0;
}

static int lay_out_frags(struct xl_exec *x, struct run *run, const uint8_t *data, uint32_t len)
{
	uint32_t n;

	if (!x->frag_buf)
		x->frag_buf = malloc((size_t)XL_FRAGS_MAX * PAGE);
	if (!x->frag_buf)
		return -ENOMEM;
	memset(x->frag_buf, 0, (size_t)XL_FRAGS_MAX * PAGE);
	for (n = 0; len; n++) {
		struct xl_frag *frag = &run->frags[n];

		frag->addr = x->frag_buf + (size_t)n * PAGE;
		frag->size = PAGE;
		frag->len = len < PAGE ? len : PAGE;
		memcpy(frag->addr, data, frag->len);
		data += frag->len;
		len -= frag->len;
	}
	run->frame.frags = run->frags;
	run->frame.n_frags = n;
	return 0;
}

/* Returns 1 for a packet that no frame can hold. */
static int lay_out(struct xl_exec *x, struct run *run, const struct xl_exec_packet *packet)
{
	const bool takes_frags = x->live.prog->flags & BPF_F_XDP_HAS_FRAGS;
	const uint32_t linear = takes_frags && packet->len > LINEAR_MAX ? LINEAR_MAX : packet->len;
	const size_t size = xl_frame_buf_size(linear);

	if (packet->len - linear > XL_FRAGS_MAX * PAGE) {
		snprintf(run->error, sizeof(run->error),
			 "a packet of %u bytes has more than %u fragments", packet->len,
			 XL_FRAGS_MAX);
		return 1;
	}
	if (grow(&x->buf, &x->buf_size, size))
		return -ENOMEM;
	memset(x->buf, 0, size);
	xl_frame_init(&run->frame, x->buf, size, packet->data, linear);
	if (packet->len == linear)
		return 0;
	return lay_out_frags(x, run, packet->data + linear, packet->len - linear);
}

/* Metadata and packet in one piece, as BPF_PROG_TEST_RUN gives them. */
static int gather(struct xl_exec *x, const struct xl_frame *f, size_t *out_len)
{
	const uint32_t meta_len = xl_frame_meta_len(f), len = xl_frame_len(f);

	if (grow(&x->out, &x->out_size, (size_t)meta_len + len))
		return -ENOMEM;
	memcpy(x->out, f->data_meta, meta_len);
	xl_frame_read(f, 0, x->out + meta_len, len);
	*out_len = (size_t)meta_len + len;
	return 0;
}

static int put_out(struct xl_exec *x, const struct run *run, const struct xl_exec_packet *packet)
{
	size_t len;
	int err;

	if (!run->frame.data) {
		xl_json_null(&x->json, "out");
		return 0;
	}
	err = gather(x, &run->frame, &len);
	if (err || (len == packet->len && !memcmp(x->out, packet->data, len)))
		xl_json_null(&x->json, "out");
	else
		xl_json_hex(&x->json, "out", x->out, len);
	return err;
}

static int put_dump(struct xl_exec *x)
{
	int err = 0;

	xl_json_begin_array(&x->json, "dump");
	for (size_t i = 0; i < x->line.n_dump; i++) {
		const struct xl_exec_dump *d = &x->line.dump[i];
		const size_t size = xl_exec_value_size(&x->line.maps[d->map], x->opts.line.n_cpus);

		if (!err)
			err = grow(&x->out, &x->out_size, size);
		if (!err && xl_exec_lookup(x, d->map, d->key, x->out))
			xl_json_hex(&x->json, NULL, x->out, size);
		else
			xl_json_null(&x->json, NULL);
	}
	xl_json_end_array(&x->json);
	return err;
}

static int put_run(struct xl_exec *x, const struct run *run, const struct xl_exec_packet *packet)
{
	int err, dump_err;

	xl_json_begin_object(&x->json, NULL);
	xl_json_u64(&x->json, "retval", run->verdict.retval);
	xl_json_str(&x->json, "verdict", xl_verdict_name(run->verdict.action));
	err = put_out(x, run, packet);
	dump_err = put_dump(x);
	if (*run->error)
		xl_json_str(&x->json, "error", run->error);
	xl_json_end_object(&x->json);
	return err ? err : dump_err;
}

static int run_packet(struct xl_exec *x, struct xl_run *state, size_t i)
{
	const struct xl_exec_packet *packet = &x->line.packets[i];
	struct run run = { 0 };
	struct xl_burst burst = { .n = 1, .frame = { &run.frame } };
	const int err = lay_out(x, &run, packet);

	if (err < 0)
		return err;
	if (!err) {
		run.frame.time_ns = x->line.time_ns + i * STEP_NS;
		run.frame.ifindex = x->line.ifindex;
		run.frame.rx_queue = x->line.rx_queue;
		x->live.prog->engine->run(state, x->live.prog, &burst, &run.verdict);
		if (run.verdict.faulted)
			xl_fault_describe(&state->fault, run.error, sizeof(run.error));
	}
	return put_run(x, &run, packet);
}

int xl_exec_run(struct xl_exec *x)
{
	struct xl_run state;
	int err = 0;

	xl_run_init(&state, x->rt);
	state.clock = xl_run_clock_frame;
	state.insn_limit = x->line.insn_limit;
	if (x->opts.verify.facts)
		state.check = &x->live.check;
	xl_cpu = x->line.cpu;
	xl_json_begin_array(&x->json, "runs");
	for (size_t i = 0; !err && i < x->line.n_packets; i++)
		err = run_packet(x, &state, i);
	xl_json_end_array(&x->json);
	return err;
}
