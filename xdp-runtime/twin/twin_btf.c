/* What a map value's BTF says about single bytes: which of them bpf(2) hides, and what they are
 * called.
 *
 * Source: btf_parse_fields() in kernel/bpf/btf.c for the names of the special types.
 */
#include "xdp-runtime/twin/twin_map.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/btf.h"

#define DEPTH_MAX 16 /* chosen: nesting of structs that is followed */

static const struct btf *value_btf(const struct xl_map *map)
{
	return map->btf && map->btf_value_type_id ? xl_btf_of(map->btf)->btf : NULL;
}

static bool is_special(const char *name)
{
	static const char *const names[] = {
		"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer",   "bpf_wq",
		"bpf_list_head", "bpf_list_node",     "bpf_rb_root", "bpf_rb_node",
		"bpf_refcount",	 "bpf_task_work",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name && !strcmp(name, names[i]))
			return true;
	return false;
}

/* A pointer in a map value is the kernel's to show or hide. */
static bool is_kernel_pointer(const struct btf *btf, const struct btf_type *t)
{
	const struct btf_type *to = btf__type_by_id(btf, t->type);

	return to && btf_is_type_tag(to);
}

/* Calls @hide for each hidden range of type @id at @off; returns whether there was one. */
static bool walk_special(const struct btf *btf, uint32_t id, uint32_t off, uint32_t size, int depth,
			 uint8_t *value)
{
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)btf__resolve_type(btf, id));
	int64_t bytes = btf__resolve_size(btf, id);
	bool found = false;

	if (!t || depth > DEPTH_MAX || bytes < 0 || off + (uint64_t)bytes > size)
		return false;
	if ((btf_is_struct(t) && is_special(btf__name_by_offset(btf, t->name_off))) ||
	    (btf_is_ptr(t) && is_kernel_pointer(btf, t))) {
		if (value)
			memset(value + off, 0, (size_t)bytes);
		return true;
	}
	if (btf_is_struct(t)) {
		const struct btf_member *m = btf_members(t);

		for (uint16_t i = 0; i < btf_vlen(t); i++)
			if (!btf_member_bitfield_size(t, i))
				found |= walk_special(btf, m[i].type,
						      off + btf_member_bit_offset(t, i) / 8, size,
						      depth + 1, value);
	}
	return found;
}

bool xl_twin_value_has_mask(const struct xl_map *map)
{
	const struct btf *btf = value_btf(map);

	return btf && walk_special(btf, map->btf_value_type_id, 0, map->value_size, 0, NULL);
}

void xl_twin_value_mask(const struct xl_map *map, uint8_t *value)
{
	const struct btf *btf = value_btf(map);

	if (btf)
		walk_special(btf, map->btf_value_type_id, 0, map->value_size, 0, value);
}

/* The last member that begins at or before @off. */
static int member_at(const struct btf_type *t, uint32_t off)
{
	int best = -1;

	for (uint16_t i = 0; i < btf_vlen(t); i++)
		if (btf_member_bit_offset(t, i) / 8 <= off)
			best = i;
	return best;
}

static int data_section_var(const struct btf_type *t, uint32_t off)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(t);
	int best = -1;

	for (uint16_t i = 0; i < btf_vlen(t); i++)
		if (vars[i].offset <= off && off - vars[i].offset < vars[i].size)
			best = i;
	return best;
}

/* Goes one step down towards @off. Returns false at the end. */
static bool descend(const struct btf *btf, uint32_t *id, uint32_t *off, char *buf, size_t size)
{
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)btf__resolve_type(btf, *id));
	size_t len = strlen(buf);

	if (t && btf_is_composite(t)) {
		int i = member_at(t, *off);
		const struct btf_member *m = btf_members(t);
		const char *name;

		if (i < 0)
			return false;
		name = btf__name_by_offset(btf, m[i].name_off);
		*id = m[i].type;
		*off -= btf_member_bit_offset(t, (uint32_t)i) / 8;
		if (name && *name)
			snprintf(buf + len, size - len, "%s%s", len ? "." : "", name);
		return true;
	}
	if (t && btf_is_array(t)) {
		int64_t bytes = btf__resolve_size(btf, btf_array(t)->type);

		if (bytes <= 0)
			return false;
		snprintf(buf + len, size - len, "[%u]", *off / (uint32_t)bytes);
		*id = btf_array(t)->type;
		*off %= (uint32_t)bytes;
		return true;
	}
	if (t && btf_is_datasec(t)) {
		int i = data_section_var(t, *off);

		if (i < 0)
			return false;
		*id = btf_var_secinfos(t)[i].type;
		*off -= btf_var_secinfos(t)[i].offset;
		t = btf__type_by_id(btf, *id);
		snprintf(buf + len, size - len, "%s", btf__name_by_offset(btf, t->name_off));
		return true;
	}
	return false;
}

void xl_twin_value_field(const struct xl_map *map, uint32_t off, char *buf, size_t size)
{
	const struct btf *btf = value_btf(map);
	uint32_t id = map->btf_value_type_id;

	buf[0] = '\0';
	if (!btf)
		return;
	for (int depth = 0; depth < DEPTH_MAX; depth++)
		if (!descend(btf, &id, &off, buf, size))
			return;
}
