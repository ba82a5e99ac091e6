/* `xdpland replay`: the verb. Reads a capture, runs each packet, reports, writes.
 *
 * The order of things: options, session (replay_open.c), capture, then packet by packet
 * read -> step -> report -> write; maps and summary at the end. What goes wrong is said once, in
 * one line on stderr; the worst of it is the exit code.
 */
#include "cli/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/progress.h"
#include "cli/replay_events.h"
#include "cli/replay_options.h"
#include "cli/replay_report.h"

#define FAULT_LINES 10 /* more than that is counted only */

/* The signal that asks for an end, 0: none. Process-wide, as signals are. */
static volatile sig_atomic_t interrupted_by;

static void on_interrupt(int signal_number)
{
	interrupted_by = signal_number;
}

/* The first Ctrl-C ends the replay with its report, the second one at once. */
static void catch_interrupts(void)
{
	const struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* One run of the verb. */
struct job {
	struct xl_replay_opts opts;
	struct xl_replay *replay;
	struct xl_capture *capture;
	struct xl_pcapng *written; /* --write, or NULL */
	struct xl_replay_report report;
	struct xl_replay_events events;
	struct xl_progress progress;
	struct xl_out out;
	struct xl_out maps_file; /* --dump-maps=FILE; .stream is NULL without */
	struct {
		FILE *stream; /* NULL: notices go out at once */
		char *text;
		size_t len;
	} notices; /* kept until all is ready: an error needs no company */
	uint64_t n_fault_lines;
	enum xl_exit code; /* the worst so far */
};

__attribute__((format(printf, 2, 3))) static void say(struct job *job, const char *fmt, ...)
{
	va_list ap;

	xl_progress_clear(&job->progress);
	/* What was printed before comes first, also where both are one terminal. */
	if (job->out.stream)
		fflush(job->out.stream);
	flockfile(stderr);
	fputs("xdpland replay: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
	funlockfile(stderr);
}

static void take_notice(void *arg, const char *text)
{
	struct job *job = arg;

	if (job->notices.stream)
		fprintf(job->notices.stream, "%s\n", text);
	else
		say(job, "note: %s", text);
}

/* Says the notices that were kept, or only forgets them. */
static void release_notices(struct job *job, bool wanted)
{
	char *rest, *line;

	if (!job->notices.stream)
		return;
	fclose(job->notices.stream);
	job->notices.stream = NULL;
	rest = job->notices.text;
	while (wanted && (line = strsep(&rest, "\n")))
		if (*line)
			say(job, "note: %s", line);
	free(job->notices.text);
}

/* Says an error, unless the reader of what we write went away: that is no news. */
static void fail(struct job *job, enum xl_exit code, const struct xl_err *e)
{
	if (e->err == -EPIPE)
		return;
	say(job, "%s", e->text);
	if (code > job->code)
		job->code = code;
}

static void say_trace(void *arg, const char *text, size_t len)
{
	struct job *job = arg;

	while (len && text[len - 1] == '\n')
		len--;
	say(job, "packet %" PRIu64 " prints: %.*s", job->replay->n_packets, (int)len, text);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Writing over what is read would leave neither. Map files may be: they have been read by now. */
static int check_output(const struct xl_replay_opts *o, const char *option, const char *path,
			struct xl_err *e)
{
	if (is_same_file(path, o->pcap))
		return xl_err_set(e, -EINVAL, "%s %s: that is the capture being read", option,
				  path);
	if (is_same_file(path, o->operands.items[0]))
		return xl_err_set(e, -EINVAL, "%s %s: that is the object file", option, path);
	return 0;
}

static enum xl_exit open_capture(struct job *job, struct xl_err *e)
{
	const struct xl_replay_opts *o = &job->opts;
	int err = xl_capture_open(o->pcap, &job->capture, e);

	if (!err && o->loop > 1)
		err = xl_capture_rewind(job->capture, e); /* a pipe is refused before it is read */
	return err ? xl_replay_exit_of(err, XL_EXIT_USAGE) : XL_EXIT_OK;
}

/* Opened before the first packet, so that a wrong path is told at once; emptied only when there
 * is something to write. */
static enum xl_exit open_maps_file(struct job *job, const char *path, struct xl_err *e)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0) {
		xl_err_set(e, -errno, "%s: cannot create: %s", path, strerror(errno));
		return XL_EXIT_ENV;
	}
	if (xl_out_open(&job->maps_file, fd)) {
		close(fd);
		xl_err_set(e, -ENOMEM, "out of memory");
		return XL_EXIT_ENV;
	}
	return XL_EXIT_OK;
}

static enum xl_exit open_outputs(struct job *job, struct xl_err *e)
{
	const struct xl_replay_opts *o = &job->opts;
	const char *maps = o->dump_maps.text;

	if ((o->write && check_output(o, "--write", o->write, e)) ||
	    (maps && check_output(o, "--dump-maps", maps, e)))
		return XL_EXIT_USAGE;
	if (o->write && xl_pcapng_create(o->write, "xdpland " XL_VERSION, &job->written, e))
		return XL_EXIT_ENV;
	if (maps && o->write && is_same_file(maps, o->write)) {
		xl_err_set(e, -EINVAL, "--dump-maps and --write name the same file %s", maps);
		return XL_EXIT_USAGE;
	}
	return maps ? open_maps_file(job, maps, e) : XL_EXIT_OK;
}

static enum xl_exit write_packet(struct job *job, struct xl_way *way,
				 const struct xl_replay_result *result, struct xl_err *e)
{
	const struct xl_pcapng_packet p = {
		.time_ns = result->time_ns,
		.data = result->data,
		.len = result->len_out,
		.packet_id = result->n,
		.has_verdict = true,
		.verdict = result->verdict.retval,
		.has_queue = true,
		.queue = job->opts.rx_queue,
		.comment = *result->fault ? result->fault : NULL,
	};
	struct xl_pcapng_packet on_way = p;

	if (way->interface < 0)
		way->interface = xl_pcapng_interface(job->written, way->name, e);
	if (way->interface < 0)
		return XL_EXIT_ENV;
	on_way.interface = (uint32_t)way->interface;
	return xl_pcapng_write(job->written, &on_way, e) ? XL_EXIT_ENV : XL_EXIT_OK;
}

static void say_fault(struct job *job, const struct xl_replay_result *result)
{
	if (job->code < XL_EXIT_DIFFERS)
		job->code = XL_EXIT_DIFFERS;
	if (job->n_fault_lines++ < FAULT_LINES)
		say(job, "packet %" PRIu64 ": %s", result->n, result->fault);
}

static enum xl_exit process(struct job *job, const struct xl_packet *packet, struct xl_err *e)
{
	struct xl_replay_result result;
	struct xl_way *way;
	int err = xl_replay_step(job->replay, packet, &result);

	way = err ? NULL : xl_replay_report_packet(&job->report, &result);
	if (!way) {
		xl_err_set(e, -ENOMEM, "out of memory");
		return XL_EXIT_ENV;
	}
	if (*result.fault)
		say_fault(job, &result);
	return job->written ? write_packet(job, way, &result, e) : XL_EXIT_OK;
}

static void draw_progress(struct job *job)
{
	uint64_t done, size;

	xl_capture_progress(job->capture, &done, &size);
	xl_progress_draw(&job->progress, job->report.n_packets, done, size);
}

static bool is_done(const struct job *job)
{
	return job->out.err || interrupted_by ||
	       (job->opts.limit && job->report.n_packets >= job->opts.limit);
}

/* One reading of the capture. */
static enum xl_exit replay_round(struct job *job, struct xl_err *e)
{
	struct xl_packet packet;

	while (!is_done(job)) {
		const int ret = xl_capture_next(job->capture, &packet, e);
		enum xl_exit code;

		if (ret <= 0)
			return ret ? xl_replay_exit_of(ret, XL_EXIT_USAGE) : XL_EXIT_OK;
		code = process(job, &packet, e);
		if (code)
			return code;
		if (xl_progress_due(&job->progress))
			draw_progress(job);
	}
	return XL_EXIT_OK;
}

static void replay_all(struct job *job)
{
	struct xl_err e = { 0 };
	enum xl_exit code = replay_round(job, &e);

	for (uint64_t i = 1; !code && i < job->opts.loop && !is_done(job); i++) {
		const uint64_t before = job->report.n_packets;

		if (xl_capture_rewind(job->capture, &e)) {
			code = XL_EXIT_USAGE;
			break;
		}
		xl_replay_next_round(job->replay);
		code = replay_round(job, &e);
		if (before == job->report.n_packets)
			break; /* nothing in it: no round will have more */
	}
	xl_progress_clear(&job->progress);
	if (code)
		fail(job, code, &e);
	if (interrupted_by)
		say(job, "interrupted after packet %" PRIu64, job->report.n_packets);
	if (job->n_fault_lines > FAULT_LINES)
		say(job, "%" PRIu64 " more packets stopped the program",
		    job->n_fault_lines - FAULT_LINES);
}

/* Once more up to the end of @window, looking closer in it. See diff_kernel.h. */
static void replay_window(struct job *job, const struct xl_diff_window *window)
{
	struct xl_replay_result result;
	struct xl_replay *second;
	struct xl_packet packet;
	struct xl_err e = { 0 };
	int ret = 1;

	if (xl_capture_rewind(job->capture, &e) ||
	    xl_replay_open(&job->opts, NULL, NULL, window, &second, &e))
		return;
	while (ret > 0 && second->n_packets < window->last) {
		ret = xl_capture_next(job->capture, &packet, &e);
		if (ret > 0)
			ret = xl_replay_step(second, &packet, &result) ? -1 : 1;
		else if (!ret && second->n_packets && !xl_capture_rewind(job->capture, &e)) {
			xl_replay_next_round(second);
			ret = 1;
		}
	}
	xl_diff_finish(second->diff);
	xl_diff_narrow(job->replay->diff, second->diff);
	xl_replay_close(second);
}

/* Maps differ somewhere in a window of packets: closer and closer, as long as that helps. */
static void narrow_diff(struct job *job)
{
	struct xl_diff_window window, before = { 0, UINT64_MAX };

	while (xl_diff_window(job->replay->diff, &window) &&
	       window.last - window.first < before.last - before.first) {
		replay_window(job, &window);
		before = window;
	}
}

static void finish_diff(struct job *job)
{
	if (!job->replay->diff)
		return;
	xl_diff_finish(job->replay->diff);
	narrow_diff(job);
	if (xl_diff_differs(job->replay->diff) && job->code < XL_EXIT_DIFFERS)
		job->code = XL_EXIT_DIFFERS;
}

static int close_maps_file(struct xl_out *file)
{
	int err;

	if (!file->stream)
		return 0;
	err = xl_out_close(file);
	return close(file->fd) && !err ? -errno : err;
}

static void dump_maps_to_file(struct job *job, const char *path)
{
	struct xl_err e = { 0 };
	struct xl_json json;
	int err, close_err;

	/* Pipes and devices have no length, and need none. */
	if (ftruncate(job->maps_file.fd, 0) && errno != EINVAL) {
		xl_err_set(&e, -errno, "%s: cannot write: %s", path, strerror(errno));
		fail(job, XL_EXIT_ENV, &e);
		return;
	}
	xl_json_init(&json, job->maps_file.stream);
	err = xl_replay_dump_maps(job->replay, &json);
	close_err = close_maps_file(&job->maps_file);
	if (!err)
		err = close_err;
	if (err) {
		xl_err_set(&e, err, "%s: cannot write: %s", path, strerror(-err));
		fail(job, XL_EXIT_ENV, &e);
	}
}

static void dump_maps(struct job *job)
{
	const struct xl_option_text *dump = &job->opts.dump_maps;
	struct xl_err e = { 0 };
	struct xl_json json;

	if (!dump->given)
		return;
	if (dump->text) {
		dump_maps_to_file(job, dump->text);
		return;
	}
	xl_json_init(&json, job->out.stream);
	if (xl_replay_dump_maps(job->replay, &json)) {
		xl_err_set(&e, -ENOMEM, "cannot dump the maps: out of memory");
		fail(job, XL_EXIT_ENV, &e);
	}
}

/* Ends the output: maps before the summary in JSON, so that the summary is the last line. */
static void finish(struct job *job)
{
	struct xl_err e = { 0 };

	finish_diff(job);
	if (job->replay->check.n_wrong && job->code < XL_EXIT_DIFFERS)
		job->code = XL_EXIT_DIFFERS;
	if (job->opts.json)
		dump_maps(job);
	xl_replay_report_end(&job->report);
	if (!job->opts.json) {
		if (job->opts.dump_maps.given && !job->opts.dump_maps.text)
			putc('\n', job->report.out);
		dump_maps(job);
	}
	if (xl_pcapng_close(job->written, &e))
		fail(job, XL_EXIT_ENV, &e);
	job->written = NULL;
}

static void run(struct job *job)
{
	const bool write_to_stdout = job->opts.write && !strcmp(job->opts.write, "-");
	const bool tells_each = job->opts.json || job->opts.verbose || job->opts.events;
	FILE *report_to;
	struct xl_err e = { 0 };
	enum xl_exit code = xl_replay_check_options(&job->opts, &e);

	job->notices.stream = open_memstream(&job->notices.text, &job->notices.len);
	if (!code)
		code = xl_replay_open(&job->opts, take_notice, job, NULL, &job->replay, &e);
	if (!code)
		code = open_capture(job, &e);
	if (!code)
		code = open_outputs(job, &e);
	release_notices(job, !code);
	if (code) {
		fail(job, code, &e);
		return;
	}
	report_to = write_to_stdout ? stderr : job->out.stream;
	if (job->opts.events)
		xl_replay_events_init(&job->events, job->replay, report_to);
	else if (job->opts.verbose)
		job->replay->run.sinks = (struct xl_run_sinks){ .arg = job, .trace = say_trace };
	xl_replay_report_init(&job->report, job->replay, report_to);
	catch_interrupts();
	xl_progress_init(&job->progress, stderr, !tells_each || !isatty(STDOUT_FILENO));
	replay_all(job);
	finish(job);
	xl_replay_report_fini(&job->report);
}

static void close_job(struct job *job)
{
	struct xl_err e = { 0 };
	int err = xl_out_close(&job->out);

	if (err && err != -EPIPE) {
		xl_err_set(&e, err, "standard output: cannot write: %s", strerror(-err));
		fail(job, XL_EXIT_ENV, &e);
	}
	xl_pcapng_close(job->written, NULL);
	close_maps_file(&job->maps_file);
	xl_capture_close(job->capture);
	xl_replay_close(job->replay);
	xl_options_free(&xl_replay_option_spec, &job->opts);
}

int xl_cli_replay(int argc, char **argv)
{
	struct job job = { .opts = XL_REPLAY_OPTS_DEFAULT };
	struct xl_err e = { 0 };

	if (xl_out_open(&job.out, STDOUT_FILENO)) {
		fputs("xdpland replay: out of memory\n", stderr);
		return XL_EXIT_ENV;
	}
	if (xl_options_parse(&xl_replay_option_spec, argc, argv, &job.opts, &e))
		fail(&job, XL_EXIT_USAGE, &e);
	else if (job.opts.help)
		xl_options_help(&xl_replay_option_spec, job.out.stream);
	else
		run(&job);
	close_job(&job);
	if (interrupted_by)
		raise(interrupted_by); /* by default now: the shell learns what ended us */
	return (int)job.code;
}
