/* The verifier's facts as JSON: `xdpland verify --facts`. docs/verifier.md tells the form. */
#ifndef XL_CLI_FACTS_JSON_H
#define XL_CLI_FACTS_JSON_H

#include "cli/json_out.h"
#include "xdp-runtime/interp/fact_check.h"
#include "xdp-runtime/verifier/facts.h"

/* Writes the member "facts"; null where @facts is NULL. */
void xl_facts_json(struct xl_json *j, const struct xl_facts *facts);

/* The member "facts_checked": what came of testing them. */
void xl_fact_check_json(const struct xl_fact_check *check, struct xl_json *j);

#endif
