/* The ways out: where packets went, each with a name and counters.
 *
 * "pass", "drop", "tx", "aborted"; "redirect:4" is port 4 (bpf_redirect), "redirect:tx_port[3]" a
 * slot of a map. The report counts them; in the capture that --write makes each is an interface.
 */
#ifndef XL_CLI_WAYS_H
#define XL_CLI_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-runtime/verdict.h"

struct xl_object;

struct xl_way {
	/* What makes it this one. */
	uint8_t action; /* enum xdp_action */
	enum xl_redirect_kind kind;
	uint32_t map_id;
	uint64_t key;
	uint32_t ifindex;

	char *name;
	uint64_t packets, bytes;
	int interface; /* in the capture written, -1: none yet */
};

struct xl_ways {
	struct xl_way **slots; /* open addressing; NULL: free */
	size_t n_slots, n;     /* n_slots is 0 or a power of two, at most half full */
	struct xl_way **order; /* n of them, as they were met */
};

/* How each kind of redirect is named, and what it has. By enum xl_redirect_kind. */
struct xl_redirect_words {
	const char *name; /* "kind" in JSON */
	bool has_map, has_key;
};
extern const struct xl_redirect_words xl_redirect_words[];

/* The way of @verdict, made if it is new; NULL: out of memory. */
struct xl_way *xl_ways_find(struct xl_ways *ways, const struct xl_verdict *verdict,
			    const struct xl_object *obj);
void xl_ways_fini(struct xl_ways *ways);

/* Name of the map in @obj, or "map#ID" in @buf for one that is not the object's own. */
const char *xl_ways_map_name(const struct xl_object *obj, uint32_t map_id, char *buf, size_t size);

#endif
