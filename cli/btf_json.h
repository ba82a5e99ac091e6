/* Values of BTF types as JSON, both ways.
 *
 * Out, the shape is bpftool's ("formatted" of `bpftool map dump -j`): structs are objects, an
 * anonymous member has the name "", enums are names, char arrays with a NUL in them strings,
 * bitfields and 128-bit integers hex strings, pointers numbers; a data section is an object of its
 * name with an array of one-variable objects.
 *
 * In, all of that is understood, and what a person would rather write: members that are left out
 * keep their bytes, members of anonymous structs without the "", numbers as strings ("0x1f"),
 * enums by number, null for "as it is", a data section as a plain object of its variables, and
 * addresses (addr_text.h) for anything of 4, 6 or 16 bytes.
 *
 * Source: tools/bpf/bpftool/btf_dumper.c, for the shape.
 */
#ifndef XL_CLI_BTF_JSON_H
#define XL_CLI_BTF_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/json_out.h"

struct btf;

/* Writes the value of type @id at @data as a member @name (NULL: as an element). What the type
 * does not describe within @size bytes comes out as null. */
void xl_btf_json_write(struct xl_json *j, const char *name, const struct btf *btf, uint32_t id,
		       const void *data, size_t size);

/* Sets the value of type @id at @data from @in. Bytes of which @in says nothing stay.
 *
 * @what     begins the path in messages: "value"
 * Errors    -EINVAL: "value.addr[2]: 300 does not fit into 8 bits"
 */
int xl_btf_json_read(const struct btf *btf, uint32_t id, const json_t *in, void *data, size_t size,
		     const char *what, struct xl_err *e);

#endif
