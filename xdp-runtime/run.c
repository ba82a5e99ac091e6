/* Run state and faults; see run.h. */
#include "xdp-runtime/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "maps/fields.h"
#include "maps/ringbuf.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

_Thread_local struct xl_run *xl_run;

#define PRANDOM_SEED UINT64_C(0x9e3779b97f4a7c15) /* chosen: 2^64 divided by the golden ratio */

static uint64_t clock_real(const struct xl_run *run)
{
	return xl_clock_mono_ns();
}

uint64_t xl_run_clock_frame(const struct xl_run *run)
{
	return run->frame->time_ns;
}

void xl_run_init(struct xl_run *run, struct xl_runtime *rt)
{
	*run = (struct xl_run){
		.rt = rt,
		.clock = clock_real,
		.prandom = PRANDOM_SEED,
		.insn_limit = XL_INSN_LIMIT_DEFAULT,
	};
}

void xl_run_drop_held(struct xl_run *run)
{
	while (run->n_held) {
		const struct xl_held *held = &run->held[--run->n_held];

		xl_ringbuf_commit(held->map, held->mem, true);
	}
	if (run->locked)
		xl_spin_unlock(run->locked);
	run->locked = NULL;
}

struct text {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->len >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len += n > 0 ? (size_t)n : 0;
}

/* Which instruction: as loaded, where maps are ids and not addresses, so that the text is the
 * same in each process. */
static void say_insn(struct text *t, const struct xl_fault *fault)
{
	const struct xl_prog *prog = fault->prog;
	const struct bpf_insn *insns = prog->insns_loaded ? prog->insns_loaded : prog->insns;
	const char *file, *line;
	uint32_t line_number;
	char text[128];

	say(t, "insn %u", fault->insn);
	if (prog->name[0])
		say(t, " of %.*s", (int)sizeof(prog->name), prog->name);
	if (fault->insn < prog->n_insns) {
		xl_insn_text(&insns[fault->insn], text, sizeof(text));
		say(t, " (%s)", text);
	}
	if (xl_prog_line(prog, fault->insn, &file, &line_number, &line)) {
		line += strspn(line, " \t");
		say(t, ", %s:%u", file, line_number);
		if (line[0])
			say(t, " \"%s\"", line);
	}
}

void xl_fault_describe(const struct xl_fault *fault, char *buf, size_t size)
{
	/* What the detail goes on with. */
	static const char *const what[] = {
		[XL_FAULT_NONE] = "no fault",
		[XL_FAULT_ACCESS] = "",
		[XL_FAULT_RDONLY] = "",
		[XL_FAULT_HELPER_ARG] = "",
		[XL_FAULT_INSN_LIMIT] = "ran too long: ",
		[XL_FAULT_CALL_DEPTH] = "calls too deep: ",
		[XL_FAULT_BAD_INSN] = "cannot be executed: ",
	};
	struct text t = { buf, size, 0 };

	if (size)
		buf[0] = '\0';
	if (fault->prog) {
		say_insn(&t, fault);
		say(&t, ": ");
	}
	say(&t, "%s", what[fault->kind]);
	if (fault->kind == XL_FAULT_ACCESS || fault->kind == XL_FAULT_RDONLY)
		say(&t, "%s of %u byte%s at ", fault->write ? "write" : "read", fault->size,
		    fault->size == 1 ? "" : "s");
	say(&t, "%s", fault->detail);
}
