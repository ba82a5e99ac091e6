/* Where a value of a BTF type lies: bytes, and bits in them.
 *
 * What the JSON writer and reader share. BTF describes memory that it does not own, and may be
 * hostile; so each step from a struct to its member is checked against the bytes that there are.
 *
 * Source: Documentation/bpf/btf.rst.
 */
#ifndef XL_CLI_BTF_VALUE_H
#define XL_CLI_BTF_VALUE_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_BTF_DEPTH_MAX 32 /* MAX_RESOLVE_DEPTH, kernel/bpf/btf.c */
/* Values in @size bytes, inner ones counted too. Chosen: far above what programs have. */
#define XL_BTF_VALUES_MAX(size) (((uint64_t)(size) + 64) * 64)

struct xl_btf_place {
	uint8_t *base;
	size_t size;	  /* bytes at base */
	bool is_bitfield; /* the value is n_bits at bit; else it begins at base */
	uint32_t bit;
	uint32_t n_bits;
};

/* Skips typedefs, const, volatile, restrict and tags; *@id becomes the type below.
 * Returns   NULL if there is no such type. */
const struct btf_type *xl_btf_skip_names(const struct btf *btf, uint32_t *id);

/* Bytes of a value of type @id; 0 if it has none, or none that can be told. */
size_t xl_btf_size(const struct btf *btf, uint32_t id);

/* Where member @i of the struct or union @t at @from is. False: not in these bytes. */
bool xl_btf_member_place(const struct btf *btf, const struct btf_type *t, uint32_t i,
			 const struct xl_btf_place *from, struct xl_btf_place *out);

/* Where element @i of an array of @elem_size bytes each is. */
bool xl_btf_elem_place(uint32_t i, size_t elem_size, const struct xl_btf_place *from,
		       struct xl_btf_place *out);

/* The bits of an integer, enum or pointer of @size bytes at @place. False: not in these bytes, or
 * more than 128. Little-endian hosts only, as all that this project builds for. */
bool xl_btf_bits_get(const struct xl_btf_place *place, size_t size, unsigned __int128 *out_bits);
bool xl_btf_bits_set(const struct xl_btf_place *place, size_t size, unsigned __int128 bits);
/* How many bits that are. */
uint32_t xl_btf_n_bits(const struct xl_btf_place *place, size_t size);

/* Whether @t, whose names were not skipped, is `char` or an integer that says it holds text. */
bool xl_btf_is_char(const struct btf *btf, uint32_t id);

/* The place of an integer, whose type may itself say "these bits only". */
struct xl_btf_place xl_btf_int_place(const struct btf_type *t, const struct xl_btf_place *from);

#endif
