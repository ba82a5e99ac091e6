/* Places of BTF values; see btf_value.h. */
#include "cli/btf_value.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bitfields are little-endian here");

static bool is_name(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_DECL_TAG:
		return true;
	}
	return false;
}

const struct btf_type *xl_btf_skip_names(const struct btf *btf, uint32_t *id)
{
	const struct btf_type *t = btf__type_by_id(btf, *id);

	/* A chain cannot be longer than there are types, unless it goes round. */
	for (uint32_t left = btf__type_cnt(btf); t && is_name(t); left--) {
		if (!left)
			return NULL;
		*id = t->type;
		t = btf__type_by_id(btf, *id);
	}
	return t;
}

size_t xl_btf_size(const struct btf *btf, uint32_t id)
{
	const int64_t size = btf__resolve_size(btf, id);

	return size < 0 ? 0 : (size_t)size;
}

bool xl_btf_member_place(const struct btf *btf, const struct btf_type *t, uint32_t i,
			 const struct xl_btf_place *from, struct xl_btf_place *out)
{
	const uint32_t bit = btf_member_bit_offset(t, i);
	const uint32_t n_bits = btf_member_bitfield_size(t, i);
	const size_t byte = bit / 8;
	const size_t size = xl_btf_size(btf, btf_members(t)[i].type);

	if (from->is_bitfield)
		return false;
	*out = *from;
	if (n_bits || bit % 8) {
		out->is_bitfield = true;
		out->bit = bit;
		out->n_bits = n_bits ? n_bits : (uint32_t)size * 8;
		return (size_t)bit + out->n_bits <= from->size * 8;
	}
	if (byte > from->size || size > from->size - byte)
		return false;
	out->base += byte;
	out->size = size;
	return true;
}

bool xl_btf_elem_place(uint32_t i, size_t elem_size, const struct xl_btf_place *from,
		       struct xl_btf_place *out)
{
	if (from->is_bitfield || !elem_size || i >= from->size / elem_size)
		return false;
	*out = *from;
	out->base += i * elem_size;
	out->size = elem_size;
	return true;
}

struct xl_btf_place xl_btf_int_place(const struct btf_type *t, const struct xl_btf_place *from)
{
	struct xl_btf_place place = *from;
	const uint32_t n_bits = btf_int_bits(t), off = btf_int_offset(t);

	if (place.is_bitfield || (n_bits == t->size * 8 && !off))
		return place;
	place.is_bitfield = true;
	place.bit = off;
	place.n_bits = n_bits;
	return place;
}

uint32_t xl_btf_n_bits(const struct xl_btf_place *place, size_t size)
{
	return place->is_bitfield ? place->n_bits : (uint32_t)size * 8;
}

static bool bits_fit(const struct xl_btf_place *place, size_t size)
{
	if (!place->is_bitfield)
		return size <= place->size && size <= sizeof(unsigned __int128);
	return place->n_bits <= 128 && place->bit + (uint64_t)place->n_bits <= place->size * 8;
}

bool xl_btf_bits_get(const struct xl_btf_place *place, size_t size, unsigned __int128 *out_bits)
{
	unsigned __int128 bits = 0;

	if (!bits_fit(place, size))
		return false;
	if (!place->is_bitfield)
		memcpy(&bits, place->base, size);
	else
		for (uint32_t i = 0; i < place->n_bits; i++) {
			const uint32_t at = place->bit + i;

			if (place->base[at / 8] >> at % 8 & 1)
				bits |= (unsigned __int128)1 << i;
		}
	*out_bits = bits;
	return true;
}

bool xl_btf_bits_set(const struct xl_btf_place *place, size_t size, unsigned __int128 bits)
{
	if (!bits_fit(place, size))
		return false;
	if (!place->is_bitfield) {
		memcpy(place->base, &bits, size);
		return true;
	}
	for (uint32_t i = 0; i < place->n_bits; i++) {
		const uint32_t at = place->bit + i;
		const uint8_t mask = (uint8_t)(1u << at % 8);

		if (bits >> i & 1)
			place->base[at / 8] |= mask;
		else
			place->base[at / 8] &= (uint8_t)~mask;
	}
	return true;
}

bool xl_btf_is_char(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	/* A typedef of char is a number to bpftool, and so it is here. */
	for (uint32_t left = XL_BTF_DEPTH_MAX; t && left && is_name(t); left--) {
		if (btf_is_typedef(t))
			return false;
		t = btf__type_by_id(btf, t->type);
	}
	if (!t || !btf_is_int(t) || t->size != 1)
		return false;
	return (btf_int_encoding(t) & BTF_INT_CHAR) ||
	       !strcmp(btf__name_by_offset(btf, t->name_off), "char");
}
