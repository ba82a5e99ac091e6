/* Progress of long work: one line on a terminal, rewritten at most five times a second; nothing at
 * all when the stream is no terminal. */
#ifndef XL_CLI_PROGRESS_H
#define XL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct xl_progress {
	FILE *stream; /* NULL: silent */
	uint64_t start_ns, next_ns;
	uint64_t calls;
	bool is_drawn;
};

/* @wanted   false: silent also on a terminal (something else scrolls there) */
void xl_progress_init(struct xl_progress *p, FILE *stream, bool wanted);

/* To be called per packet: looks at the clock once in a while. True: draw now. */
bool xl_progress_due(struct xl_progress *p);

/* @n packets so far, @done of @size bytes (0: unknown) of the input. */
void xl_progress_draw(struct xl_progress *p, uint64_t n, uint64_t done, uint64_t size);
/* Takes the line away, before anything else goes to the terminal. */
void xl_progress_clear(struct xl_progress *p);

#endif
