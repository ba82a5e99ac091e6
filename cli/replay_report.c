/* Reports of replay; see replay_report.h. */
#include "cli/replay_report.h"

#include <inttypes.h>
#include <nettle/sha1.h>
#include <string.h>

#include "base/clock.h"
#include "cli/facts_json.h"

void xl_replay_report_init(struct xl_replay_report *report, const struct xl_replay *replay,
			   FILE *out)
{
	memset(report, 0, sizeof(*report));
	report->replay = replay;
	report->out = out;
	xl_json_init(&report->json, out);
}

void xl_replay_report_fini(struct xl_replay_report *report)
{
	xl_ways_fini(&report->ways);
	xl_fault_places_free(&report->places);
}

static void json_time(struct xl_json *j, const char *name, uint64_t time_ns)
{
	xl_json_raw(j, name, "%" PRIu64 ".%09" PRIu64, time_ns / XL_NSEC_PER_SEC,
		    time_ns % XL_NSEC_PER_SEC);
}

static void json_sha1(struct xl_json *j, const char *name, const uint8_t *data, size_t len)
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	static const char hex[] = "0123456789abcdef";
	char text[2 * SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;

	sha1_init(&sha1);
	sha1_update(&sha1, len, data);
	sha1_digest(&sha1, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	xl_json_strn(j, name, text, sizeof(text));
}

static void json_redirect(const struct xl_replay_report *report, struct xl_json *j,
			  const struct xl_redirect *redirect)
{
	const struct xl_redirect_words *words = &xl_redirect_words[redirect->kind];
	char buf[32];

	xl_json_begin_object(j, "redirect");
	xl_json_str(j, "kind", words->name);
	if (words->has_map)
		xl_json_str(j, "map",
			    xl_ways_map_name(report->replay->obj, redirect->map_id, buf,
					     sizeof(buf)));
	if (words->has_key)
		xl_json_u64(j, "key", redirect->key);
	if (redirect->ifindex || redirect->kind == XL_REDIRECT_IFINDEX)
		xl_json_u64(j, "ifindex", redirect->ifindex);
	if (redirect->flags & BPF_F_EXCLUDE_INGRESS)
		xl_json_bool(j, "exclude_ingress", true);
	xl_json_end_object(j);
}

static void json_packet(struct xl_replay_report *report, const struct xl_replay_result *p)
{
	struct xl_json *j = &report->json;

	xl_json_begin_object(j, NULL);
	xl_json_u64(j, "n", p->n);
	json_time(j, "ts", p->time_ns);
	xl_json_u64(j, "len_in", p->len_in);
	xl_json_str(j, "verdict", xl_verdict_name(p->verdict.action));
	xl_json_u64(j, "retval", p->verdict.retval);
	xl_json_u64(j, "len_out", p->len_out);
	if (p->verdict.action == XDP_REDIRECT)
		json_redirect(report, j, &p->verdict.redirect);
	json_sha1(j, "sha1", p->data, p->len_out);
	if (report->replay->n_steps > 1)
		xl_json_str(j, "prog", p->decider ? p->decider->name : "");
	if (*p->fault)
		xl_json_str(j, "fault", p->fault);
	xl_json_end_object(j);
	xl_json_newline(j);
}

static void text_packet(const struct xl_replay_report *report, const struct xl_replay_result *p,
			const struct xl_way *way)
{
	FILE *out = report->out;

	fprintf(out, "%8" PRIu64 "  %" PRIu64 ".%09" PRIu64 "  %5u -> %-5u  %-12s", p->n,
		p->time_ns / XL_NSEC_PER_SEC, p->time_ns % XL_NSEC_PER_SEC, p->len_in, p->len_out,
		xl_verdict_name(p->verdict.action));
	if (p->verdict.retval > XDP_REDIRECT)
		fprintf(out, "  returned %u", p->verdict.retval);
	if (p->verdict.action == XDP_REDIRECT) {
		fprintf(out, "  %s", way->name);
		if (p->verdict.redirect.ifindex && p->verdict.redirect.kind != XL_REDIRECT_IFINDEX)
			fprintf(out, " (ifindex %u)", p->verdict.redirect.ifindex);
	}
	if (report->replay->n_steps > 1)
		fprintf(out, "  by %s", p->decider ? p->decider->name : "the end of the chain");
	if (*p->fault)
		fprintf(out, "  %s", p->fault);
	putc('\n', out);
}

struct xl_way *xl_replay_report_packet(struct xl_replay_report *report,
				       const struct xl_replay_result *result)
{
	struct xl_way *way = xl_ways_find(&report->ways, &result->verdict, report->replay->obj);

	if (!way || (*result->fault &&
		     xl_fault_places_add(&report->places, result->fault_prog, result->fault_insn)))
		return NULL;
	way->packets++;
	way->bytes += result->len_in;
	report->n_packets++;
	report->n_bytes += result->len_in;
	report->n_cut += result->is_cut;
	report->n_faults += *result->fault != 0;
	report->verdicts[result->verdict.action].packets++;
	report->verdicts[result->verdict.action].bytes += result->len_in;
	if (report->replay->opts->json)
		json_packet(report, result);
	else if (report->replay->opts->verbose)
		text_packet(report, result, way);
	return way;
}

static void json_summary(struct xl_replay_report *report)
{
	struct xl_json *j = &report->json;

	xl_json_begin_object(j, NULL);
	xl_json_begin_object(j, "summary");
	xl_json_u64(j, "packets", report->n_packets);
	xl_json_u64(j, "bytes", report->n_bytes);
	xl_json_begin_object(j, "verdicts");
	for (uint32_t i = 0; i < XL_REPORT_ACTIONS; i++)
		if (report->verdicts[i].packets)
			xl_json_u64(j, xl_verdict_name(i), report->verdicts[i].packets);
	xl_json_end_object(j);
	xl_json_begin_object(j, "redirects");
	for (size_t i = 0; i < report->ways.n; i++)
		if (report->ways.order[i]->action == XDP_REDIRECT)
			xl_json_u64(j, report->ways.order[i]->name, report->ways.order[i]->packets);
	xl_json_end_object(j);
	xl_json_u64(j, "faults", report->n_faults);
	xl_fault_places_json(&report->places, j);
	xl_json_u64(j, "cut", report->n_cut);
	xl_json_begin_array(j, "programs");
	for (uint32_t i = 0; i < report->replay->n_steps; i++)
		xl_json_str(j, NULL, report->replay->steps[i]->name);
	xl_json_end_array(j);
	if (report->replay->opts->check_facts)
		xl_fact_check_json(&report->replay->check, j);
	if (report->replay->diff)
		xl_diff_json(report->replay->diff, j);
	xl_json_end_object(j);
	xl_json_end_object(j);
	xl_json_newline(j);
}

static void print_programs(const struct xl_replay_report *report)
{
	const struct xl_replay *r = report->replay;

	fprintf(report->out, "%s: ", r->obj->name);
	for (uint32_t i = 0; i < r->n_steps && r->n_steps > 1; i++)
		fprintf(report->out, "%s%s (priority %u)", i ? ", then " : "", r->steps[i]->name,
			r->steps[i]->run_prio);
	if (r->n_steps == 1)
		fputs(r->steps[0]->name, report->out);
	fputs("\n\n", report->out);
}

static void print_row(FILE *out, const char *name, uint64_t packets, uint64_t total, uint64_t bytes)
{
	fprintf(out, "%-14s %12" PRIu64 " %8.2f %% %14" PRIu64 "\n", name, packets,
		total ? 100.0 * (double)packets / (double)total : 0.0, bytes);
}

static void print_redirects(const struct xl_replay_report *report)
{
	bool is_first = true;

	for (size_t i = 0; i < report->ways.n; i++) {
		const struct xl_way *way = report->ways.order[i];

		if (way->action != XDP_REDIRECT)
			continue;
		if (is_first)
			fprintf(report->out, "\n%-27s %8s %14s\n", "Redirected to", "packets",
				"bytes");
		is_first = false;
		fprintf(report->out, "%-23s %12" PRIu64 " %14" PRIu64, way->name, way->packets,
			way->bytes);
		if (way->ifindex && way->kind != XL_REDIRECT_IFINDEX)
			fprintf(report->out, "  ifindex %u", way->ifindex);
		putc('\n', report->out);
	}
}

static void print_facts(FILE *out, const struct xl_fact_check *check)
{
	fprintf(out, "\nFacts of the verifier: %" PRIu64 " tested, %" PRIu64 " wrong.\n",
		check->n_facts, check->n_wrong);
	if (check->n_wrong)
		fprintf(out, "The first: %s\n", check->first_wrong);
}

static void print_table(const struct xl_replay_report *report)
{
	FILE *out = report->out;

	if (report->replay->opts->verbose && report->n_packets)
		putc('\n', out);
	print_programs(report);
	fprintf(out, "%-14s %12s %10s %14s\n", "Verdict", "packets", "share", "bytes");
	for (uint32_t i = 0; i < XL_REPORT_ACTIONS; i++)
		if (report->verdicts[i].packets)
			print_row(out, xl_verdict_name(i), report->verdicts[i].packets,
				  report->n_packets, report->verdicts[i].bytes);
	print_row(out, "all", report->n_packets, report->n_packets, report->n_bytes);
	print_redirects(report);
	if (report->n_faults) {
		fprintf(out, "\nStopped by an error of the program: %" PRIu64 " of the aborted.\n",
			report->n_faults);
		xl_fault_places_print(&report->places, out);
	}
	if (report->n_cut)
		fprintf(out,
			"\nCut by the snap length of the capture, so that the program saw their "
			"first bytes only: %" PRIu64 ".\n",
			report->n_cut);
	if (report->replay->opts->check_facts)
		print_facts(out, &report->replay->check);
}

void xl_replay_report_end(struct xl_replay_report *report)
{
	if (report->replay->opts->json) {
		json_summary(report);
		return;
	}
	print_table(report);
	if (report->replay->diff) {
		putc('\n', report->out);
		xl_diff_print(report->replay->diff, report->out);
	}
}
