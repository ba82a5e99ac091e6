/* Maps from JSON; see map_json.h. */
#include "cli/map_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/addr_text.h"
#include "cli/btf_json.h"
#include "cli/map_entry.h"
#include "maps/map.h"
#include "xdp-runtime/prog.h"

struct loader {
	struct xl_map_shape shape;
	struct xl_object *obj;
	uint8_t *key;
	uint8_t *value;	       /* shape.value_size_sys bytes */
	uint8_t *check;	       /* likewise: what "formatted" makes of it */
	struct xl_obj *target; /* program or map that the value names, or NULL */
	bool told_of_cpus;
	struct xl_err *e;
};

/* Bytes as bpftool has them: an array of "0x0a", or of numbers below 256 if as many as @size.
 * Returns   1 and sets @out, 0 for something else, -EINVAL for bytes of another number */
static int read_bytes(const json_t *in, void *out, size_t size, const char *what, struct xl_err *e)
{
	const size_t n = json_array_size(in);
	uint8_t *bytes = out;
	json_t *elem;
	size_t i;
	bool all_hex = n > 0;

	if (!json_is_array(in))
		return 0;
	json_array_foreach((json_t *)in, i, elem)
	{
		const char *text = json_string_value(elem);
		const json_int_t number = json_integer_value(elem);
		char *end = NULL;
		const unsigned long value = text ? strtoul(text, &end, 16) : (unsigned long)number;

		if (text ? end == text || *end || *text == '-' : !json_is_integer(elem))
			return 0;
		if (value > 255)
			return 0;
		all_hex = all_hex && text;
		if (i < size)
			bytes[i] = (uint8_t)value;
	}
	if (n == size)
		return 1;
	if (!all_hex)
		return 0;
	return xl_err_set(e, -EINVAL, "%s: expected %zu bytes, not %zu", what, size, n);
}

/* A number of 1, 2, 4 or 8 bytes, or an address, where there is no BTF to ask. */
static int read_untyped(const json_t *in, void *out, size_t size, const char *what,
			struct xl_err *e)
{
	const char *text = json_string_value(in);
	unsigned long long number = (unsigned long long)json_integer_value(in);
	const unsigned shift = size < 8 ? 8 * (unsigned)size : 0;
	char *end = NULL;

	if (text && xl_addr_parse(text, out, size))
		return 0;
	if (text)
		number = strtoull(text, &end, 0);
	if ((text ? end != text && !*end : json_is_integer(in)) &&
	    (size == 1 || size == 2 || size == 4 || size == 8)) {
		if (shift && number >> shift)
			return xl_err_set(e, -EINVAL, "%s: number does not fit into %zu bytes",
					  what, size);
		memcpy(out, &number, size); /* the low bytes: little-endian, as all hosts here */
		return 0;
	}
	if (json_is_array(in))
		return xl_err_set(e, -EINVAL, "%s: expected %zu bytes, not %zu", what, size,
				  json_array_size(in));
	return xl_err_set(e, -EINVAL,
			  "%s: expected %zu bytes like [\"0x00\",…]: the map has no BTF to say "
			  "more of it",
			  what, size);
}

static int read_item(const struct loader *l, uint32_t type, const json_t *in, void *out,
		     size_t size, const char *what)
{
	const int ret = read_bytes(in, out, size, what, l->e);

	if (ret)
		return ret < 0 ? ret : 0;
	if (type)
		return xl_btf_json_read(l->shape.btf, type, in, out, size, what, l->e);
	return read_untyped(in, out, size, what, l->e);
}

static int read_key(const struct loader *l, const json_t *in)
{
	const struct xl_map *map = l->shape.map;

	const char *text = map->type == BPF_MAP_TYPE_LPM_TRIE ? json_string_value(in) : NULL;

	if (text && xl_addr_parse_prefix(text, l->key, map->key_size))
		return 0;
	if (text && strchr(text, '/'))
		return xl_err_set(l->e, -EINVAL,
				  "key: expected an address of %u bytes and its length, like "
				  "\"10.0.0.0/8\", not \"%.64s\"",
				  map->key_size - (uint32_t)sizeof(uint32_t), text);
	return read_item(l, l->shape.key_type, in, l->key, map->key_size, "key");
}

/* Where the value for "cpu": N goes; NULL for CPUs that this machine has not, told of once. */
static int cpu_slot(struct loader *l, const json_t *in, uint8_t *values, uint8_t **out_slot)
{
	const json_t *cpu = json_object_get(in, "cpu");
	const struct xl_map *map = l->shape.map;
	const json_int_t number = json_integer_value(cpu);
	char text[160];

	if (!json_is_integer(cpu) || number < 0 || !json_object_get(in, "value"))
		return xl_err_set(l->e, -EINVAL,
				  "values: expected {\"cpu\": number, \"value\": …}");
	*out_slot = NULL;
	if (number < map->n_cpus) {
		*out_slot = values + (size_t)number * map->value_stride;
		return 0;
	}
	if (!l->told_of_cpus && l->obj->opts.notice) {
		snprintf(text, sizeof(text),
			 "map %s: values of CPU %u and above are left out: there are no such "
			 "CPUs here",
			 l->shape.om->name, map->n_cpus);
		l->obj->opts.notice(l->obj->opts.notice_arg, text);
	}
	l->told_of_cpus = true;
	return 0;
}

static int read_cpu_values(struct loader *l, const json_t *in, uint8_t *values)
{
	const uint32_t size = l->shape.map->value_size;
	uint8_t *slot = NULL;
	json_t *elem;
	size_t i;

	if (!json_is_array(in))
		return xl_err_set(l->e, -EINVAL, "values: expected an array");
	json_array_foreach((json_t *)in, i, elem)
	{
		int err = cpu_slot(l, elem, values, &slot);

		if (!err && slot)
			err = read_item(l, l->shape.value_type, json_object_get(elem, "value"),
					slot, size, "value");
		if (err)
			return err;
	}
	return 0;
}

static int read_plain(struct loader *l, const json_t *item, uint8_t *out)
{
	const struct xl_map *map = l->shape.map;
	const json_t *values = json_object_get(item, "values");
	const json_t *value = json_object_get(item, "value");
	const uint32_t n_slots = map->ops->per_cpu ? map->n_cpus : 1;

	if (values && map->ops->per_cpu)
		return read_cpu_values(l, values, out);
	if (!value)
		return xl_err_set(l->e, -EINVAL, "no \"value\"");
	for (uint32_t i = 0; i < n_slots; i++) {
		const int err =
			read_item(l, l->shape.value_type, value,
				  out + (size_t)i * map->value_stride, map->value_size, "value");

		if (err)
			return err;
	}
	return 0;
}

static int find_target(struct loader *l, const json_t *in)
{
	const char *what = l->shape.map->ops->value_kind == XL_VALUE_MAP_FD ? "map" : "program";
	const json_int_t id = json_integer_value(in);

	if (json_is_string(in)) {
		l->target = xl_map_shape_obj(&l->shape, json_string_value(in));
		if (!l->target)
			return xl_err_set(l->e, -EINVAL, "value: no %s '%.64s' is loaded", what,
					  json_string_value(in));
		return 0;
	}
	l->target =
		id > 0 && id <= UINT32_MAX ? xl_map_shape_obj_of_id(&l->shape, (uint32_t)id) : NULL;
	if (l->target)
		return 0;
	if (id)
		return xl_err_set(l->e, -EINVAL,
				  "value: there is no %s of id %lld in this object; give its name",
				  what, (long long)id);
	return xl_err_set(l->e, -EINVAL, "value: expected the name of a %s of the object", what);
}

/* The id in a dump's bytes. */
static int find_target_of_word(struct loader *l, uint32_t id)
{
	json_t *number = json_integer(id);
	const int err = find_target(l, number);

	json_decref(number);
	return err;
}

static int read_object(struct loader *l, const json_t *item, uint8_t *out)
{
	const json_t *value = json_object_get(item, "value");
	const int ret = read_bytes(value, out, sizeof(uint32_t), "value", l->e);
	uint32_t id;

	if (ret < 0)
		return ret;
	memcpy(&id, out, sizeof(id));
	return ret ? find_target_of_word(l, id) : find_target(l, value);
}

/* Ports and CPUs: one number, and perhaps a program that runs there. */
static int read_target(struct loader *l, const json_t *item, uint8_t *out, const char *number)
{
	const json_t *value = json_object_get(item, "value");
	const json_t *first = json_is_object(value) ? json_object_get(value, number) : value;
	const json_t *prog = json_object_get(value, "prog");
	const uint32_t size = l->shape.map->value_size;
	int ret = read_bytes(value, out, size, "value", l->e);
	uint32_t id = 0;

	if (ret < 0)
		return ret;
	if (ret) {
		if (size >= 8)
			memcpy(&id, out + 4, sizeof(id));
		ret = id ? find_target_of_word(l, id) : 0;
	} else if (!first) {
		ret = xl_err_set(l->e, -EINVAL, "value: no \"%s\"", number);
	} else {
		ret = read_untyped(first, out, sizeof(uint32_t), number, l->e);
		if (!ret && prog && size < 8)
			ret = xl_err_set(l->e, -EINVAL,
					 "value: the map's values are %u bytes, "
					 "without a program",
					 size);
		else if (!ret && prog)
			ret = find_target(l, prog);
	}
	/* The program goes by reference; the number in the value is a file descriptor. */
	if (!ret && size >= 8)
		memset(out + 4, 0, 4);
	return ret;
}

/* A program of a redirect's far side says so by its section. Source: __dev_map_alloc_node(),
 * __cpu_map_load_bpf_program(). */
static int check_far_side(const struct loader *l, enum bpf_attach_type wanted, const char *section)
{
	if (!l->target || xl_prog_of(l->target)->expected_attach_type == wanted)
		return 0;
	return xl_err_set(l->e, -EINVAL,
			  "value: program '%s' cannot run there: its section is not %s",
			  xl_map_shape_name_of_id(&l->shape, l->target->id), section);
}

static int read_port(struct loader *l, const json_t *item, uint8_t *out)
{
	const int err = read_target(l, item, out, "ifindex");

	return err ? err : check_far_side(l, BPF_XDP_DEVMAP, "xdp/devmap");
}

static int read_cpu(struct loader *l, const json_t *item, uint8_t *out)
{
	const int err = read_target(l, item, out, "qsize");

	return err ? err : check_far_side(l, BPF_XDP_CPUMAP, "xdp/cpumap");
}

/* Reads "value" or "values" of @item into @out, and into l->target what it names. */
static int (*const read_kind[])(struct loader *l, const json_t *item, uint8_t *out) = {
	[XL_VALUE_BYTES] = read_plain,	  [XL_VALUE_FOREIGN_FD] = read_plain,
	[XL_VALUE_PROG_FD] = read_object, [XL_VALUE_MAP_FD] = read_object,
	[XL_VALUE_DEVMAP] = read_port,	  [XL_VALUE_CPUMAP] = read_cpu,
};

static int refuse_update(const struct loader *l, int err)
{
	const struct xl_map *map = l->shape.map;
	const bool is_indexed = l->shape.is_indexed;
	uint32_t index = 0;

	if (is_indexed)
		memcpy(&index, l->key, sizeof(index));
	if (err == -E2BIG && is_indexed)
		return xl_err_set(l->e, err, "index %u is not in the map, which has %u entries",
				  index, map->max_entries);
	if (err == -E2BIG || err == -ENOSPC)
		return xl_err_set(l->e, err, "the map is full: it has room for %u entries",
				  map->max_entries);
	if (err == -EOPNOTSUPP || err == -524 /* ENOTSUPP, the kernel's own */)
		return xl_err_set(l->e, err, "maps of type %s take no entries from outside",
				  map->ops->name);
	return xl_err_set(l->e, err, "the map refuses the entry: %s", strerror(-err));
}

/* Whether a slot of bpftool's dump stands for "nothing there". */
static bool is_empty_slot(const json_t *item)
{
	const json_t *value = json_object_get(item, "value");

	return json_is_object(value) && json_object_size(value) == 1 &&
	       json_object_get(value, "error");
}

static int tell_apart(const struct loader *l, const char *what)
{
	return xl_err_set(l->e, -EINVAL,
			  "\"%s\" and \"formatted\" tell different things; remove one", what);
}

/* A dump says everything twice. Where somebody changed one of both, it is better to ask. */
static int check_formatted(struct loader *l, const json_t *formatted)
{
	const size_t size = l->shape.value_size_sys, key_size = l->shape.map->key_size;
	const json_t *key = json_object_get(formatted, "key");
	int err;

	if (key) {
		memcpy(l->check, l->key, key_size);
		err = read_item(l, l->shape.key_type, key, l->check, key_size, "key");
		if (err || memcmp(l->check, l->key, key_size))
			return err ? err : tell_apart(l, "key");
	}
	memcpy(l->check, l->value, size);
	err = read_plain(l, formatted, l->check);
	if (err || memcmp(l->check, l->value, size))
		return err ? err : tell_apart(l, "value");
	return 0;
}

/* Reads what @entry says into key, value and target. */
static int read_entry(struct loader *l, const json_t *entry)
{
	const struct xl_map *map = l->shape.map;
	const enum xl_map_value_kind kind = map->ops->value_kind;
	const json_t *formatted = json_object_get(entry, "formatted");
	const json_t *key = json_object_get(entry, "key");
	const bool has_value = json_object_get(entry, "value") || json_object_get(entry, "values");
	/* Names in "formatted" outlive the ids in the bytes. */
	const bool by_name = formatted && read_kind[kind] != read_plain;
	const json_t *item = by_name || !has_value ? formatted : entry;
	int err;

	if (!key)
		key = json_object_get(formatted, "key");
	if (!key && map->key_size && !l->shape.om->is_internal)
		return xl_err_set(l->e, -EINVAL, "no \"key\"");
	memset(l->key, 0, map->key_size);
	err = key ? read_key(l, key) : 0;
	if (err)
		return err;
	/* An element of an array is always there, so an entry may be about a part of it. */
	if (!l->shape.is_indexed || xl_map_sys_lookup(l->shape.map, l->key, l->value, 0))
		memset(l->value, 0, l->shape.value_size_sys);
	err = read_kind[kind](l, item, l->value);
	if (!err && item == entry && formatted && l->shape.value_type)
		err = check_formatted(l, formatted);
	return err;
}

static int load_entry(struct loader *l, const json_t *entry)
{
	int err;

	if (!json_is_object(entry))
		return xl_err_set(l->e, -EINVAL, "expected {\"key\": …, \"value\": …}");
	if (is_empty_slot(entry))
		return 0;
	l->target = NULL;
	err = read_entry(l, entry);
	if (err)
		return err;
	/* The map takes the reference, unless it refuses. */
	if (l->target)
		xl_obj_get(l->target);
	err = xl_map_sys_update(l->shape.map, l->key, l->value, l->target, BPF_ANY);
	if (!err)
		return 0;
	xl_obj_put(l->target);
	return refuse_update(l, err);
}

static int load_entries(struct loader *l, const json_t *entries, const char *where)
{
	json_t *entry;
	size_t i;

	json_array_foreach((json_t *)entries, i, entry)
	{
		const int err = load_entry(l, entry);

		if (err) {
			xl_err_prefix(l->e, "%s: map %s, entry %zu", where, l->shape.om->name,
				      i + 1);
			return err;
		}
	}
	return 0;
}

/* The array of entries: the whole file, or the map's part of a dump of all maps. */
static const json_t *entries_of(const json_t *doc, const char *name)
{
	const json_t *maps = json_object_get(doc, "maps");

	return maps ? json_object_get(maps, name) : doc;
}

int xl_map_json_load(struct xl_object *obj, struct xl_object_map *om, const json_t *doc,
		     const char *where, struct xl_err *e)
{
	struct loader l = { .obj = obj, .e = e };
	const json_t *entries = entries_of(doc, om->name);
	int err = -ENOMEM;

	if (!json_is_array(entries))
		return xl_err_set(e, -EINVAL,
				  "%s: expected an array of entries for map %s, as `bpftool map "
				  "dump -j` writes",
				  where, om->name);
	if (om->map->frozen)
		return xl_err_set(e, -EPERM, "%s: map %s is read-only; --set sets its variables",
				  where, om->name);
	l.shape = xl_map_shape_of(obj, om);
	l.key = calloc(1, om->map->key_size + 1);
	l.value = calloc(1, l.shape.value_size_sys + 8);
	l.check = calloc(1, l.shape.value_size_sys + om->map->key_size + 8);
	if (l.key && l.value && l.check)
		err = load_entries(&l, entries, where);
	else
		xl_err_set(e, err, "%s: out of memory", where);
	free(l.key);
	free(l.value);
	free(l.check);
	return err;
}
