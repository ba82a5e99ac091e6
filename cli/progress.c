/* Progress; see progress.h. */
#include "cli/progress.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"

#define INTERVAL_NS    (XL_NSEC_PER_SEC / 5)
#define CALLS_PER_LOOK 64 /* chosen: packets between two looks at the clock */

void xl_progress_init(struct xl_progress *p, FILE *stream, bool wanted)
{
	*p = (struct xl_progress){ 0 };
	if (!wanted || !isatty(fileno(stream)))
		return;
	p->stream = stream;
	p->start_ns = xl_clock_mono_ns();
	p->next_ns = p->start_ns + INTERVAL_NS;
}

bool xl_progress_due(struct xl_progress *p)
{
	uint64_t now_ns;

	if (!p->stream || p->calls++ % CALLS_PER_LOOK)
		return false;
	now_ns = xl_clock_mono_ns();
	if (now_ns < p->next_ns)
		return false;
	p->next_ns = now_ns + INTERVAL_NS;
	return true;
}

void xl_progress_draw(struct xl_progress *p, uint64_t n, uint64_t done, uint64_t size)
{
	const double sec = (double)(xl_clock_mono_ns() - p->start_ns) / 1e9;

	if (!p->stream)
		return;
	fprintf(p->stream, "\r%" PRIu64 " packets", n);
	if (size)
		fprintf(p->stream, ", %.0f %%", 100.0 * (double)done / (double)size);
	fprintf(p->stream, ", %.2f Mpps\033[K", sec > 0 ? (double)n / sec / 1e6 : 0.0);
	fflush(p->stream);
	p->is_drawn = true;
}

void xl_progress_clear(struct xl_progress *p)
{
	if (!p->is_drawn)
		return;
	fputs("\r\033[K", p->stream);
	fflush(p->stream);
	p->is_drawn = false;
}
