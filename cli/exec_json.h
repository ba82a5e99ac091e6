/* Fields of an exec line; private to the exec_line*.c files.
 *
 * A field that is absent or null leaves what is there. A bad one fills the error, which each level
 * prefixes with where it was: "maps[1]: init[0][1]: …".
 */
#ifndef XL_CLI_EXEC_JSON_H
#define XL_CLI_EXEC_JSON_H

#include "cli/exec_line.h"

struct xl_exec_reader {
	struct xl_exec_line *line;
	const struct xl_exec_defaults *defaults;
	struct xl_err *e;
};

/* Zeroed memory that goes with the line. NULL with the error set. */
void *xl_exec_alloc(struct xl_exec_reader *r, size_t n, size_t size);

/* A member, NULL if it is absent or null. */
const json_t *xl_exec_get(const json_t *obj, const char *field);

int xl_exec_u32(struct xl_exec_reader *r, const json_t *obj, const char *field, uint32_t *out);
int xl_exec_u64(struct xl_exec_reader *r, const json_t *obj, const char *field, uint64_t *out);
int xl_exec_string(struct xl_exec_reader *r, const json_t *obj, const char *field,
		   const char **out);
/* An array and its length; without the field none. */
int xl_exec_array(struct xl_exec_reader *r, const json_t *obj, const char *field,
		  const json_t **out, size_t *out_n);

/* Hex digits, into new memory. */
int xl_exec_hex(struct xl_exec_reader *r, const json_t *in, uint8_t **out, size_t *out_len);
/* The same of exactly @size bytes. */
int xl_exec_hex_of(struct xl_exec_reader *r, const json_t *in, size_t size, uint8_t **out);

/* A member of hex digits; NULL and 0 without it. */
int xl_exec_bytes(struct xl_exec_reader *r, const json_t *obj, const char *field,
		  const uint8_t **out, size_t *out_len);

/* Maps: the line's "maps" (their "init" names programs and other maps, so it comes after all), and
 * a map by index or name. exec_line_map.c */
int xl_exec_read_maps(struct xl_exec_reader *r, const json_t *obj);
int xl_exec_read_inits(struct xl_exec_reader *r, const json_t *obj);
int xl_exec_read_map_ref(struct xl_exec_reader *r, const json_t *in, uint32_t *out);

/* Programs: the line's own and "progs"; one by index or name. exec_line_prog.c */
int xl_exec_read_progs(struct xl_exec_reader *r, const json_t *obj);
int xl_exec_read_prog_ref(struct xl_exec_reader *r, const json_t *in, uint32_t *out);

#endif
