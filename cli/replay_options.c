/* Options of replay; see replay_options.h. */
#include "cli/replay_options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/unproven.h"

#define OPT(field) offsetof(struct xl_replay_opts, field)

static const struct xl_option option_table[] = {
	{ "pcap", 'p', XL_OPTION_TEXT, OPT(pcap), "FILE",
	  "the capture: pcap or pcapng, '-' for standard input" },
	{ "prog", 'P', XL_OPTION_LIST, OPT(progs), "NAME",
	  "the program; the first XDP program if not given. Several (again, or\n"
	  "with commas) run in libxdp's order: by priority, then name" },
	{ "json", 'j', XL_OPTION_FLAG, OPT(json), NULL,
	  "a JSON object per packet, then a summary" },
	{ "verbose", 'v', XL_OPTION_FLAG, OPT(verbose), NULL,
	  "a line per packet; what the program prints goes to standard error" },
	{ "events", 'e', XL_OPTION_FLAG, OPT(events), NULL,
	  "tell what perf events, ring buffers and bpf_trace_printk carry" },
	{ "write", 'w', XL_OPTION_TEXT, OPT(write), "FILE",
	  "write the packets as they came out, with verdicts, as pcapng;\n"
	  "each way out (pass, tx, redirect:4 …) is an interface" },
	{ "map", 'm', XL_OPTION_LIST, OPT(maps), "NAME=FILE",
	  "fill a map first, from JSON as `bpftool map dump -j` writes" },
	{ "dump-maps", 0, XL_OPTION_OPTIONAL, OPT(dump_maps), "FILE",
	  "write all maps as JSON at the end; --map reads it" },
	{ "set", 's', XL_OPTION_LIST, OPT(sets), "VAR=VALUE",
	  "set a global variable before loading" },
	{ "fib", 0, XL_OPTION_LIST, OPT(fibs), "FILE",
	  "routes and neighbours for bpf_fib_lookup: `ip -j route`, `ip -j neigh`" },
	{ "jumbo", 0, XL_OPTION_TEXT, OPT(jumbo), "HOW",
	  "packets over 3520 bytes: 'kernel' puts the rest into fragments, as the\n"
	  "kernel's test run; 'linear' shows them whole; 'auto' (the default)\n"
	  "does the former for xdp.frags programs, the latter for others" },
	{ "cpu", 0, XL_OPTION_U32, OPT(cpu), "N", "run as this CPU (0)" },
	{ "ifindex", 'i', XL_OPTION_U32, OPT(ifindex), "N",
	  "interface that packets come in by (1)" },
	{ "rx-queue", 'q', XL_OPTION_U32, OPT(rx_queue), "N", "its queue (0)" },
	{ "rx-hash", 0, XL_OPTION_TEXT, OPT(rx_hash), "HASH[,TYPE]",
	  "what bpf_xdp_metadata_rx_hash tells; not supported if not given" },
	{ "rx-vlan", 0, XL_OPTION_TEXT, OPT(rx_vlan), "TCI[,PROTO]",
	  "what bpf_xdp_metadata_rx_vlan_tag tells; likewise" },
	{ "loop", 'l', XL_OPTION_U64, OPT(loop), "N", "replay the capture N times (1)" },
	{ "limit", 'L', XL_OPTION_U64, OPT(limit), "N", "stop after N packets (0: never)" },
	{ "engine", 0, XL_OPTION_TEXT, OPT(engine), "NAME", "what runs the program (interp)" },
	{ "insn-limit", 0, XL_OPTION_U64, OPT(insn_limit), "N",
	  "instructions that a packet may take (268435456)" },
	{ "unproven", 0, XL_OPTION_TEXT, OPT(unproven), "WORD", XL_UNPROVEN_HELP },
	{ "strict", 0, XL_OPTION_FLAG, OPT(strict), NULL,
	  "refuse programs that could tell addresses or old bytes of the stack" },
	{ "check-facts", 0, XL_OPTION_FLAG, OPT(check_facts), NULL,
	  "test what the verifier knows of registers before each instruction" },
	{ "btf", 0, XL_OPTION_TEXT, OPT(btf), "FILE",
	  "kernel BTF, for programs that read kernel structures" },
	XL_OBJECT_WORDS_OPTIONS(struct xl_replay_opts, object),
	{ "diff", 0, XL_OPTION_TEXT, OPT(diff), "kernel",
	  "run each packet in the real kernel too and compare (needs root)" },
	{ "help", 'h', XL_OPTION_FLAG, OPT(help), NULL, "this text" },
	{ NULL },
};

const struct xl_option_spec xl_replay_option_spec = {
	.usage = "xdpland replay OBJ --pcap FILE [options]",
	.intro =
		"Runs the packets of a capture through an XDP object file and tells the verdicts.\n"
		"Needs no privileges; time is the capture's; the same input gives the same "
		"output.\n",
	.table = option_table,
	.outro =
		"Exit codes: 0 fine, 1 a packet stopped the program or --diff found a difference,\n"
		"2 usage or a bad capture or map file, 3 a file or privilege is missing, 4 the "
		"object\n"
		"cannot be loaded, or the verifier refuses the program.\n\n"
		"  xdpland replay filter.o --pcap in.pcap -v\n"
		"  xdpland replay lb.o -p in.pcap --map vips=vips.json -w out.pcapng --dump-maps\n",
	.operands = OPT(operands),
};

enum xl_exit xl_replay_check_options(const struct xl_replay_opts *o, struct xl_err *e)
{
	const bool write_to_stdout = o->write && !strcmp(o->write, "-");

	if (o->operands.n != 1)
		xl_err_set(e, -EINVAL, "%s; usage: %s",
			   o->operands.n ? "one object file at a time" : "no object file",
			   xl_replay_option_spec.usage);
	else if (!o->pcap)
		xl_err_set(e, -EINVAL, "no --pcap; usage: %s", xl_replay_option_spec.usage);
	else if (write_to_stdout && (o->json || (o->dump_maps.given && !o->dump_maps.text)))
		xl_err_set(e, -EINVAL, "--write - and JSON cannot both go to standard output");
	else if (!o->loop)
		xl_err_set(e, -EINVAL, "--loop takes a number from 1");
	else if (!o->insn_limit)
		xl_err_set(e, -EINVAL, "--insn-limit takes a number from 1");
	return e->err ? XL_EXIT_USAGE : XL_EXIT_OK;
}
