/* Counters of faults; see fault_places.h. */
#include "cli/fault_places.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int xl_fault_places_add(struct xl_fault_places *places, const struct xl_prog *prog, uint32_t insn)
{
	struct xl_fault_place *grown;

	for (uint32_t i = 0; i < places->n; i++)
		if (places->place[i].prog == prog && places->place[i].insn == insn) {
			places->place[i].n++;
			return 0;
		}
	grown = reallocarray(places->place, places->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	places->place = grown;
	grown[places->n++] = (struct xl_fault_place){ .prog = prog, .insn = insn, .n = 1 };
	return 0;
}

void xl_fault_places_free(struct xl_fault_places *places)
{
	free(places->place);
	*places = (struct xl_fault_places){ 0 };
}

void xl_fault_places_print(const struct xl_fault_places *places, FILE *out)
{
	for (uint32_t i = 0; i < places->n; i++) {
		const struct xl_fault_place *p = &places->place[i];
		const char *file, *text;
		uint32_t line;

		fprintf(out, "%12" PRIu64 "  instruction %u of %.*s", p->n, p->insn,
			BPF_OBJ_NAME_LEN, p->prog->name);
		if (xl_prog_line(p->prog, p->insn, &file, &line, &text))
			fprintf(out, ", %s:%u: %s", file, line, text);
		putc('\n', out);
	}
}

void xl_fault_places_json(const struct xl_fault_places *places, struct xl_json *j)
{
	xl_json_begin_array(j, "fault_places");
	for (uint32_t i = 0; i < places->n; i++) {
		const struct xl_fault_place *p = &places->place[i];
		const char *file, *text;
		uint32_t line;

		xl_json_begin_object(j, NULL);
		xl_json_strn(j, "prog", p->prog->name, strnlen(p->prog->name, BPF_OBJ_NAME_LEN));
		xl_json_u64(j, "insn", p->insn);
		if (xl_prog_line(p->prog, p->insn, &file, &line, &text)) {
			xl_json_str(j, "file", file);
			xl_json_u64(j, "line", line);
		}
		xl_json_u64(j, "packets", p->n);
		xl_json_end_object(j);
	}
	xl_json_end_array(j);
}
