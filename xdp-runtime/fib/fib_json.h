/* How the parts of the JSON reader share work: fields in, errors out.
 *
 * fib_json.c walks files and hands each entry to fib_json_route.c or fib_json_link.c, which take
 * its fields by the functions of fib_json_field.c. An absent field leaves the output as it is; a
 * bad one fills the error and gives -EINVAL.
 */
#ifndef XL_XDP_RUNTIME_FIB_JSON_H
#define XL_XDP_RUNTIME_FIB_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-runtime/fib/fib_table.h"

/* Where the reader is. */
struct xl_fib_reader {
	struct xl_fib *fib;
	struct xl_err *e;
	const char *path;
	unsigned int document; /* of the file, from 1 */
	const char *part;      /* "routes", ...; "" in a plain array */
	size_t index;	       /* of the entry in that */
};

/* What `ip` writes for a number. */
struct xl_fib_name {
	const char *name; /* NULL ends a list */
	uint32_t number;
};
extern const struct xl_fib_name xl_fib_scopes[]; /* RT_SCOPE_* */

/* Errors. @field may be NULL: the entry as a whole. */
__attribute__((format(printf, 3, 4))) int xl_fib_json_bad(struct xl_fib_reader *r,
							  const char *field, const char *fmt, ...);
int xl_fib_json_no_memory(struct xl_fib_reader *r);

/* Fields. */
int xl_fib_json_string(struct xl_fib_reader *r, const json_t *obj, const char *field,
		       const char **out);
int xl_fib_json_u32(struct xl_fib_reader *r, const json_t *obj, const char *field, uint32_t max,
		    uint32_t *out);
/* One of @names (may be NULL), or a number as `ip -N` prints it. */
int xl_fib_json_name(struct xl_fib_reader *r, const json_t *obj, const char *field,
		     const struct xl_fib_name *names, uint32_t max, uint32_t *out);
/* *@out_family is 0 when there is no such field. */
int xl_fib_json_ip(struct xl_fib_reader *r, const json_t *obj, const char *field,
		   struct xl_fib_ip *out, uint8_t *out_family);
int xl_fib_json_mac(struct xl_fib_reader *r, const json_t *obj, const char *field, uint8_t out[6]);
/* The place of a link, which is made if it is new. */
int xl_fib_json_link(struct xl_fib_reader *r, const json_t *obj, const char *field, uint32_t *out);
/* Whether a list has @word. */
bool xl_fib_json_has_word(const json_t *obj, const char *field, const char *word);
/* The family of an address, 0 if @text is none. */
uint8_t xl_fib_json_parse_ip(const char *text, struct xl_fib_ip *out);

/* Entries. -EINVAL, -ENOMEM. */
int xl_fib_json_route(struct xl_fib_reader *r, const json_t *obj);
int xl_fib_json_neigh(struct xl_fib_reader *r, const json_t *obj);
int xl_fib_json_add_link(struct xl_fib_reader *r, const json_t *obj);
/* The local routes of lo's own addresses. -ENOMEM */
int xl_fib_json_loopback(struct xl_fib_reader *r);

#endif
