/* BTF of maps; see map_btf.h. */
#include "xdp-runtime/map_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define STEPS_MAX   (1u << 20) /* chosen: members, all in all; some ms */
#define NESTING_MAX 8	       /* chosen: the kernel looks about as deep */

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

/* Special fields of a value, in the order in which they lie there. */
struct found {
	struct xl_map_field field[XL_MAP_FIELDS_MAX];
	uint32_t n, kinds; /* XL_FIELD_* */
	int32_t lock_off, timer_off;
	uint32_t steps; /* taken so far: structs of structs could make it endless */
	bool is_bad;	/* more than there may be, or out of place: then the kernel sees none */
};

static const struct {
	const char *name;
	uint32_t kind;
} field_types[] = {
	{ "bpf_spin_lock", XL_FIELD_SPIN_LOCK }, { "bpf_res_spin_lock", XL_FIELD_SPIN_LOCK },
	{ "bpf_timer", XL_FIELD_OTHER },	 { "bpf_wq", XL_FIELD_OTHER },
	{ "bpf_list_head", XL_FIELD_OTHER },	 { "bpf_list_node", XL_FIELD_OTHER },
	{ "bpf_rb_root", XL_FIELD_OTHER },	 { "bpf_rb_node", XL_FIELD_OTHER },
	{ "bpf_refcount", XL_FIELD_OTHER },	 { "bpf_task_work", XL_FIELD_OTHER },
};

static void note_only(struct found *f, int32_t *place, uint32_t off)
{
	f->is_bad |= *place >= 0;
	*place = (int32_t)off;
}

static bool note_field(struct found *f, const char *name, uint32_t off, uint32_t size)
{
	size_t i = 0;

	while (i < sizeof(field_types) / sizeof(field_types[0]) &&
	       strcmp(name, field_types[i].name))
		i++;
	if (i == sizeof(field_types) / sizeof(field_types[0]))
		return false;
	f->kinds |= field_types[i].kind;
	if (!strcmp(name, "bpf_spin_lock"))
		note_only(f, &f->lock_off, off);
	else if (!strcmp(name, "bpf_timer"))
		note_only(f, &f->timer_off, off);
	if (f->n == XL_MAP_FIELDS_MAX || off % 4 || size % 4 || size > XL_MAP_FIELD_MAX ||
	    (f->n && off < f->field[f->n - 1].off + f->field[f->n - 1].size))
		f->is_bad = true;
	else
		f->field[f->n++] = (struct xl_map_field){ off, size };
	return true;
}

static void find_in(const struct btf *btf, const struct btf_type *t, uint32_t off, int depth,
		    struct found *f);

/* Looks at a member or variable of this type at @off. */
static void find_at(const struct btf *btf, uint32_t id, uint32_t off, int depth, struct found *f)
{
	const struct btf_type *t = skip_names(btf, id);
	uint64_t n = 1;

	while (t && btf_is_array(t)) {
		n *= btf_array(t)->nelems;
		t = skip_names(btf, btf_array(t)->type);
	}
	if (f->steps++ >= STEPS_MAX)
		f->is_bad = true;
	if (f->steps > STEPS_MAX || !t || !btf_is_composite(t) || !depth || !t->size)
		return;
	/* Of a long array the first elements tell all: it has no fields, or too many. */
	for (uint64_t i = 0; i < n && i <= XL_MAP_FIELDS_MAX; i++, off += t->size)
		if (!note_field(f, btf__name_by_offset(btf, t->name_off), off, t->size))
			find_in(btf, t, off, depth - 1, f);
}

static void find_in(const struct btf *btf, const struct btf_type *t, uint32_t off, int depth,
		    struct found *f)
{
	if (btf_is_datasec(t))
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			find_at(btf, btf_var_secinfos(t)[i].type,
				off + btf_var_secinfos(t)[i].offset, depth, f);
	if (btf_is_struct(t))
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			find_at(btf, btf_members(t)[i].type, off + btf_member_bit_offset(t, i) / 8,
				depth, f);
}

static struct found fields_of(const struct btf *btf, uint32_t value_id)
{
	const struct btf_type *t = skip_names(btf, value_id);
	struct found f = { .lock_off = -1, .timer_off = -1 };

	if (t)
		find_in(btf, t, 0, NESTING_MAX, &f);
	return f;
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
	err = check_fields(map, fields_of(btf->btf, value_id).kinds);
	if (err)
		return err;
	return check_key(map, btf->btf, key_id, value_id);
}

uint32_t xl_map_btf_fields(const struct xl_map *map)
{
	if (!map->btf)
		return 0;
	return fields_of(xl_btf_of(map->btf)->btf, map->btf_value_type_id).kinds;
}

void xl_map_btf_find_fields(struct xl_map *map)
{
	const struct found f = fields_of(xl_btf_of(map->btf)->btf, map->btf_value_type_id);

	if (f.is_bad || (f.n && f.field[f.n - 1].off + f.field[f.n - 1].size > map->value_size))
		return;
	memcpy(map->field, f.field, sizeof(map->field));
	map->n_fields = f.n;
	map->lock_off = f.lock_off;
	map->timer_off = f.timer_off;
}
