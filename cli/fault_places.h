/* Where programs were stopped, counted by instruction. */
#ifndef XL_CLI_FAULT_PLACES_H
#define XL_CLI_FAULT_PLACES_H

#include <stdint.h>
#include <stdio.h>

#include "cli/json_out.h"
#include "xdp-runtime/prog.h"

struct xl_fault_place {
	const struct xl_prog *prog; /* borrowed */
	uint32_t insn;
	uint64_t n;
};

struct xl_fault_places {
	struct xl_fault_place *place; /* in the order in which they were met */
	uint32_t n;
};

/* -ENOMEM */
int xl_fault_places_add(struct xl_fault_places *places, const struct xl_prog *prog, uint32_t insn);
void xl_fault_places_free(struct xl_fault_places *places);
/* A line each. */
void xl_fault_places_print(const struct xl_fault_places *places, FILE *out);
/* The member "fault_places". */
void xl_fault_places_json(const struct xl_fault_places *places, struct xl_json *j);

#endif
