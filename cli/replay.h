/* Replay: packets of a capture through the programs of an object, one by one.
 *
 * A session is a runtime with one loaded object, its maps filled, and the programs to run in their
 * order. It knows nothing of captures and reports: it takes a packet and says what became of it.
 *
 *	xl_replay_open()  object, --set, load, --prog, --map, --fib, --diff
 *	xl_replay_step()  per packet
 *	xl_replay_close()
 *
 * Everything a program can see is the same from run to run: time is the packets', CPU, interface
 * and queue are chosen, random numbers and hashes have a fixed seed.
 */
#ifndef XL_CLI_REPLAY_H
#define XL_CLI_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/frame.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/diff_kernel.h"
#include "cli/object_words.h"
#include "cli/options.h"
#include "xdp-runtime/interp/fact_check.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/verdict.h"

/* As the options say it; replay.c has the table. */
struct xl_replay_opts {
	struct xl_option_list operands; /* the object */
	const char *pcap;
	const char *write;
	const char *engine;
	const char *btf;
	const char *diff;
	const char *jumbo;
	const char *rx_hash, *rx_vlan;
	const char *unproven;
	struct xl_option_list progs, maps, sets, fibs;
	struct xl_option_text dump_maps;
	struct xl_object_words object;
	uint32_t cpu, ifindex, rx_queue;
	uint64_t loop, limit, insn_limit;
	bool json, verbose, events, check_facts, strict, help;
};

struct xl_replay {
	const struct xl_replay_opts *opts;
	/* Says what a person may want to know; called on the calling thread. */
	void (*notice)(void *arg, const char *text);
	void *notice_arg;
	struct xl_runtime *rt;
	struct xl_object *obj;
	struct xl_object_prog **steps; /* in the order in which they run */
	uint32_t n_steps;
	struct xl_diff *diff; /* --diff kernel, else NULL */
	struct xl_run run;
	struct xl_fact_check check; /* --check-facts */
	struct xl_verdict last;	    /* of the last program that ran */
	struct xl_frame frame;
	struct xl_frag frags[XL_FRAGS_MAX]; /* the frame's, */
	uint8_t *buf;			    /* and its bytes */
	size_t buf_size;
	bool fragments; /* packets that do not fit into a page come in fragments */
	uint8_t *
		whole; /* XL_FRAGMENTED_ROOM bytes: what came out in fragments, in one piece; NULL */
	struct xl_rx_info rx;
	uint64_t clock_ns; /* CLOCK_MONOTONIC as programs see it; never goes back */
	uint64_t shift_ns; /* what this round of --loop adds to a packet's time */
	uint64_t first_ns; /* time of the capture's first packet */
	uint64_t n_packets;
};

/* What became of a packet. */
struct xl_replay_result {
	uint64_t n; /* from 1 */
	uint64_t time_ns;
	uint32_t len_in;
	bool is_cut; /* the capture has only its first bytes */
	struct xl_verdict verdict;
	/* Whose verdict it is; NULL: the chain passed it on to its end. */
	const struct xl_object_prog *decider;
	const uint8_t *data; /* bytes out; borrowed until the next step */
	uint32_t len_out;
	char fault[512];		  /* why the engine stopped the program, else "" */
	const struct xl_prog *fault_prog; /* and where */
	uint32_t fault_insn;
};

/* Gets everything ready for the first packet.
 *
 * @window   for a second replay, see diff_kernel.h; else NULL
 * Returns   enum xl_exit, with @e in words unless XL_EXIT_OK
 */
enum xl_exit xl_replay_open(const struct xl_replay_opts *opts,
			    void (*notice)(void *arg, const char *text), void *notice_arg,
			    const struct xl_diff_window *window, struct xl_replay **out_replay,
			    struct xl_err *e);
void xl_replay_close(struct xl_replay *r);

/* Runs the programs on @packet. Errors: -ENOMEM */
int xl_replay_step(struct xl_replay *r, const struct xl_packet *packet,
		   struct xl_replay_result *out);
/* The capture begins again: the clock goes on from where it is. */
void xl_replay_next_round(struct xl_replay *r);

/* Writes all maps of the object: {"maps": {NAME: [entries]}}. Errors: -ENOMEM */
int xl_replay_dump_maps(const struct xl_replay *r, struct xl_json *j);

/* Of an error: XL_EXIT_ENV if the system refused (no such file, no permission, no memory), else
 * @otherwise. */
enum xl_exit xl_replay_exit_of(int err, enum xl_exit otherwise);

#endif
