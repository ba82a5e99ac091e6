/* `xdpland prog list OBJ`: the programs of an object, what they need, what would stop them. */
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/object_list.h"
#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/prog.h"

static const char *type_text(const struct xl_object_prog *p)
{
	const char *name = p->type ? libbpf_bpf_prog_type_str(p->type) : NULL;

	return name ? name : "?";
}

/* -- what a program needs ------------------------------------------------------------------ */

/* Ids of the helpers that a program calls, ascending, without doubles. */
struct helper_set {
	uint32_t n;
	int32_t id[256];
};

static void add_helper(struct helper_set *set, int32_t id)
{
	uint32_t i = set->n;

	for (uint32_t k = 0; k < set->n; k++)
		if (set->id[k] == id)
			return;
	if (set->n == sizeof(set->id) / sizeof(set->id[0]) || !xl_helper_name(id))
		return;
	for (; i && set->id[i - 1] > id; i--)
		set->id[i] = set->id[i - 1];
	set->id[i] = id;
	set->n++;
}

/* From the code as libbpf leaves it after load: subprograms included. */
static struct helper_set helpers_of(const struct xl_object *obj, const struct xl_object_prog *p)
{
	struct helper_set set = { 0 };
	const struct bpf_insn *insns;
	struct bpf_program *bpf;
	size_t n;

	bpf_object__for_each_program(bpf, obj->bpf)
	{
		if (strcmp(bpf_program__name(bpf), p->name) ||
		    strcmp(bpf_program__section_name(bpf), p->section))
			continue;
		insns = bpf_program__insns(bpf);
		n = bpf_program__insn_cnt(bpf);
		for (size_t i = 0; i < n; i++)
			if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg)
				add_helper(&set, insns[i].imm);
	}
	return set;
}

/* The object's name of a map that a loaded program uses: it may be longer than the map's own. */
static const char *map_name(const struct xl_object *obj, const struct xl_map *map)
{
	for (uint32_t i = 0; i < obj->n_maps; i++)
		if (obj->maps[i].map == map)
			return obj->maps[i].name;
	return map->name;
}

/* -- text ---------------------------------------------------------------------------------- */

static void print_actions(const struct xl_object_prog *p, char *buf, size_t size)
{
	static const char *const names[] = { "aborted", "drop", "pass", "tx", "redirect" };
	size_t len = 0;

	snprintf(buf, size, "-");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (p->chain_call_actions & 1U << i && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? "," : "",
						names[i]);
}

static void print_needs(const struct xl_object *obj, const struct xl_object_prog *p)
{
	const struct helper_set set = helpers_of(obj, p);

	if (set.n)
		printf("  calls");
	for (uint32_t i = 0; i < set.n; i++) {
		const char *name = xl_helper_name(set.id[i]);

		printf("%s %s", i ? "," : "", !strncmp(name, "bpf_", 4) ? name + 4 : name);
	}
	if (set.n)
		printf("\n");
	for (uint32_t i = 0; p->prog && i < p->prog->n_maps; i++)
		printf("%s %s%s", i ? "," : "  uses", map_name(obj, p->prog->maps[i]),
		       i + 1 == p->prog->n_maps ? "\n" : "");
}

static int longest(const struct xl_object *obj, bool section)
{
	size_t n = 7;

	for (uint32_t i = 0; i < obj->n_progs; i++) {
		size_t len = strlen(section ? obj->progs[i].section : obj->progs[i].name);

		if (len > n)
			n = len;
	}
	return n > 40 ? 40 : (int)n;
}

static void print_table(const struct xl_object *obj)
{
	const int name = longest(obj, false), section = longest(obj, true);

	printf("%-*s  %-*s  %-14s  %6s  %4s  %-12s  %s\n", name, "PROGRAM", section, "SECTION",
	       "TYPE", "INSNS", "PRIO", "CHAINS ON", "RUNS");
	for (uint32_t i = 0; i < obj->n_progs; i++) {
		const struct xl_object_prog *p = &obj->progs[i];
		char actions[64] = "-", prio[16] = "-";

		if (p->is_xdp) {
			print_actions(p, actions, sizeof(actions));
			snprintf(prio, sizeof(prio), "%u", p->run_prio);
		}
		printf("%-*s  %-*s  %-14s  %6u  %4s  %-12s  %s%s\n", name, p->name, section,
		       p->section, type_text(p), p->n_insns, prio, actions,
		       p->prog ? "yes" : "no: ",
		       p->prog	    ? ""
		       : p->why_not ? p->why_not
				    : "the object does not load");
		if (p->is_xdp)
			print_needs(obj, p);
	}
}

/* -- JSON ---------------------------------------------------------------------------------- */

static void write_actions(struct xl_json *j, const struct xl_object_prog *p)
{
	static const char *const names[] = { "XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
					     "XDP_REDIRECT" };

	xl_json_begin_array(j, "chain_call_actions");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (p->chain_call_actions & 1U << i)
			xl_json_str(j, NULL, names[i]);
	xl_json_end_array(j);
}

static void write_item(struct xl_json *j, const struct xl_object *obj, uint32_t index)
{
	const struct xl_object_prog *p = &obj->progs[index];
	const struct helper_set set = helpers_of(obj, p);

	xl_json_begin_object(j, NULL);
	xl_json_str(j, "name", p->name);
	xl_json_str(j, "section", p->section);
	xl_json_str(j, "type", type_text(p));
	xl_json_u64(j, "insns", p->n_insns);
	if (p->is_xdp) {
		xl_json_u64(j, "priority", p->run_prio);
		write_actions(j, p);
	}
	xl_json_begin_array(j, "helpers");
	for (uint32_t i = 0; i < set.n; i++)
		xl_json_str(j, NULL, xl_helper_name(set.id[i]));
	xl_json_end_array(j);
	if (p->prog) {
		xl_json_begin_array(j, "maps");
		for (uint32_t i = 0; i < p->prog->n_maps; i++)
			xl_json_str(j, NULL, map_name(obj, p->prog->maps[i]));
		xl_json_end_array(j);
	}
	xl_json_bool(j, "runs", p->prog);
	if (p->why_not)
		xl_json_str(j, "why_not", p->why_not);
	xl_json_end_object(j);
}

/* -- the verb ------------------------------------------------------------------------------ */

static uint32_t count(const struct xl_object *obj)
{
	return obj->n_progs;
}

int xl_cli_prog_list(int argc, char **argv)
{
	static const struct xl_object_list list = {
		.verb = "prog list",
		.usage = "xdpland prog list OBJ [-j]",
		.intro = "Lists the programs of an object file, what they need, and what would "
			 "stop them.\n",
		.array = "programs",
		.count = count,
		.print_table = print_table,
		.write_item = write_item,
	};

	return xl_object_list_run(&list, argc, argv);
}
