/* BTF of maps; see map_btf.h. */
#include "xdp-runtime/map_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NESTING_MAX 8 /* chosen: the kernel looks about as deep */

/* What the key's type must be. */
enum key_rule {
	KEY_NEEDED,  /* some type of the right size */
	KEY_U32,     /* a 32-bit integer; none for the one value of a section of global data */
	KEY_STRUCT,  /* a prefix and its length */
	KEY_NONE,    /* there are no keys */
	KEY_REFUSED, /* the type takes no BTF at all */
};

static const uint8_t key_rule[] = {
	[BPF_MAP_TYPE_ARRAY] = KEY_U32,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = KEY_U32,
	[BPF_MAP_TYPE_LPM_TRIE] = KEY_STRUCT,
	[BPF_MAP_TYPE_BLOOM_FILTER] = KEY_NONE,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = KEY_REFUSED,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = KEY_REFUSED,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_DEVMAP_HASH] = KEY_REFUSED,
	[BPF_MAP_TYPE_CPUMAP] = KEY_REFUSED,
	[BPF_MAP_TYPE_XSKMAP] = KEY_REFUSED,
};

static enum key_rule rule_of(const struct xl_map *map)
{
	return (size_t)map->type < sizeof(key_rule) ? key_rule[map->type] : KEY_NEEDED;
}

static const struct btf_type *skip_names(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_var(t) || btf_is_type_tag(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool size_is(const struct btf *btf, uint32_t id, uint32_t size)
{
	return btf__type_by_id(btf, id) && btf__resolve_size(btf, id) == (int64_t)size;
}

static bool is_u32(const struct btf_type *t)
{
	return t && btf_is_int(t) && btf_int_bits(t) == 32 && !btf_int_offset(t);
}

static int check_key(const struct xl_map *map, const struct btf *btf, uint32_t key_id,
		     uint32_t value_id)
{
	const struct btf_type *key = key_id ? skip_names(btf, key_id) : NULL;
	const struct btf_type *value = btf__type_by_id(btf, value_id);

	switch (rule_of(map)) {
	case KEY_REFUSED:
		return -ENOTSUPP;
	case KEY_U32:
		if (!key_id)
			return map->type == BPF_MAP_TYPE_ARRAY && map->max_entries == 1 &&
					       btf_is_datasec(value)
				       ? 0
				       : -EINVAL;
		return is_u32(key) ? 0 : -EINVAL;
	case KEY_STRUCT:
		return key && btf_is_struct(key) ? 0 : -EINVAL;
	case KEY_NONE:
		return key_id ? -EINVAL : 0;
	case KEY_NEEDED:
		break;
	}
	return 0;
}

static uint32_t field_of_name(const char *name)
{
	static const char *const other[] = { "bpf_timer",     "bpf_wq",	      "bpf_list_head",
					     "bpf_list_node", "bpf_rb_root",  "bpf_rb_node",
					     "bpf_refcount",  "bpf_task_work" };

	if (!strcmp(name, "bpf_spin_lock") || !strcmp(name, "bpf_res_spin_lock"))
		return XL_FIELD_SPIN_LOCK;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (!strcmp(name, other[i]))
			return XL_FIELD_OTHER;
	return 0;
}

static uint32_t fields_in(const struct btf *btf, const struct btf_type *t, int depth);

/* What a member or variable of this type is. */
static uint32_t field_of(const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *t = skip_names(btf, id);
	uint32_t field;

	while (t && btf_is_array(t))
		t = skip_names(btf, btf_array(t)->type);
	if (!t || !btf_is_composite(t) || !depth)
		return 0;
	field = field_of_name(btf__name_by_offset(btf, t->name_off));
	return field ? field : fields_in(btf, t, depth - 1);
}

static uint32_t fields_in(const struct btf *btf, const struct btf_type *t, int depth)
{
	uint32_t fields = 0;

	if (btf_is_datasec(t))
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			fields |= field_of(btf, btf_var_secinfos(t)[i].type, depth);
	if (btf_is_struct(t))
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			fields |= field_of(btf, btf_members(t)[i].type, depth);
	return fields;
}

static uint32_t fields_of(const struct btf *btf, uint32_t value_id)
{
	const struct btf_type *t = skip_names(btf, value_id);

	return t ? fields_in(btf, t, NESTING_MAX) : 0;
}

static int check_fields(const struct xl_map *map, uint32_t fields)
{
	const enum bpf_map_type type = map->type;
	bool ok = type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY;

	if (!fields)
		return 0;
	if (map->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EACCES;
	if (!(fields & XL_FIELD_SPIN_LOCK))
		ok |= type == BPF_MAP_TYPE_LRU_HASH;
	return ok ? 0 : -EOPNOTSUPP;
}

int xl_map_btf_check(const struct xl_map *map, const struct xl_btf *btf, uint32_t key_id,
		     uint32_t value_id)
{
	int err;

	if (key_id ? !size_is(btf->btf, key_id, map->key_size) : rule_of(map) == KEY_NEEDED)
		return -EINVAL;
	if (!size_is(btf->btf, value_id, map->value_size))
		return -EINVAL;
	err = check_fields(map, fields_of(btf->btf, value_id));
	if (err)
		return err;
	return check_key(map, btf->btf, key_id, value_id);
}

uint32_t xl_map_btf_fields(const struct xl_map *map)
{
	if (!map->btf)
		return 0;
	return fields_of(xl_btf_of(map->btf)->btf, map->btf_value_type_id);
}
