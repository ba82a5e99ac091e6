/* Fuzzes exec: lines are hostile from JSON to instructions, and programs run unverified.
 *
 * Each line of the input is answered; whatever it is, the answer is one line of JSON, with "runs".
 */
#include "cli/exec.h"

#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/engine.h"

#define INSN_LIMIT 20000	       /* keeps an input under a few milliseconds */
#define MAP_MEMORY (UINT64_C(1) << 24) /* and within a fuzzer's memory */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (!json || !json_is_array(json_object_get(json, "runs")) || !len ||
	    memchr(text, '\n', len) != text + len - 1) {
		fprintf(stderr, "no answer: %.*s\n", (int)len, text);
		abort();
	}
	json_decref(json);
}

static void answer(const char *line, size_t len)
{
	const struct xl_exec_opts opts = {
		.line = { .engine = &xl_interp, .insn_limit = INSN_LIMIT, .n_cpus = 2 },
		.map_memory = MAP_MEMORY,
	};
	char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);
	struct xl_exec *x;

	if (!out || xl_exec_create(&opts, out, &x))
		abort();
	xl_exec_answer(x, line, len, 1);
	xl_exec_destroy(x);
	fclose(out);
	check_answer(text, text_len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end = line + size, *newline;

	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			newline = end;
		answer(line, (size_t)(newline - line));
	}
	return 0;
}
