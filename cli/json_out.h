/* JSON written as it comes: no tree, one pass, compact.
 *
 * The writer keeps the commas; the caller keeps begin and end in pairs. Members of an object are
 * written with their name, elements of an array with NULL as name. Errors stay in the stream:
 * ask ferror() once, at the end.
 */
#ifndef XL_CLI_JSON_OUT_H
#define XL_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define XL_JSON_DEPTH_MAX 64

struct xl_json {
	FILE *out;		      /* borrowed */
	uint32_t depth;		      /* of open objects and arrays */
	bool more[XL_JSON_DEPTH_MAX]; /* per level: a comma is due */
};

void xl_json_init(struct xl_json *j, FILE *out);

void xl_json_begin_object(struct xl_json *j, const char *name);
void xl_json_end_object(struct xl_json *j);
void xl_json_begin_array(struct xl_json *j, const char *name);
void xl_json_end_array(struct xl_json *j);
/* Ends a line; between top-level values, and inside where a person shall read it. */
void xl_json_newline(struct xl_json *j);

void xl_json_str(struct xl_json *j, const char *name, const char *value);
/* A string of @len bytes, which may hold anything; what is not UTF-8 comes out as \u00XX. */
void xl_json_strn(struct xl_json *j, const char *name, const char *value, size_t len);
/* A string of two hex digits for each byte. */
void xl_json_hex(struct xl_json *j, const char *name, const uint8_t *bytes, size_t n);
void xl_json_u64(struct xl_json *j, const char *name, uint64_t value);
void xl_json_i64(struct xl_json *j, const char *name, int64_t value);
void xl_json_bool(struct xl_json *j, const char *name, bool value);
void xl_json_null(struct xl_json *j, const char *name);
/* A value that the caller has formatted as JSON: a number with a fraction, say. */
__attribute__((format(printf, 3, 4))) void xl_json_raw(struct xl_json *j, const char *name,
						       const char *fmt, ...);

#endif
