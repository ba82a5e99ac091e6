/* Maps to JSON; see map_json.h. Source: print_entry_json() of tools/bpf/bpftool/map.c. */
#include "cli/map_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/btf_json.h"
#include "cli/map_entry.h"
#include "maps/map.h"

/* Keys of a map, one after the other. */
struct keys {
	uint8_t *bytes;
	size_t size; /* of one */
	size_t n, room;
};

static int add_key(struct keys *keys, const void *key)
{
	if (keys->n == keys->room) {
		const size_t room = keys->room ? keys->room * 2 : 64;
		uint8_t *bytes = realloc(keys->bytes, room * keys->size);

		if (!bytes)
			return -ENOMEM;
		keys->bytes = bytes;
		keys->room = room;
	}
	memcpy(keys->bytes + keys->n++ * keys->size, key, keys->size);
	return 0;
}

static int compare_keys(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(size_t *)size);
}

static int collect_keys(const struct xl_map_shape *shape, struct keys *keys)
{
	struct xl_map *map = shape->map;
	uint8_t *key = calloc(2, map->key_size + 1), *next = key + map->key_size;
	int err;

	if (!key)
		return -ENOMEM;
	keys->size = map->key_size;
	err = map->key_size ? xl_map_next_key(map, NULL, next) : -ENOENT;
	while (!err) {
		err = add_key(keys, next);
		memcpy(key, next, map->key_size);
		if (!err)
			err = xl_map_next_key(map, key, next);
	}
	free(key);
	if (err == -ENOMEM)
		return err;
	/* Other errors: the end, or a type without keys. */
	if (!shape->is_indexed && keys->n)
		qsort_r(keys->bytes, keys->n, keys->size, compare_keys, &keys->size);
	return 0;
}

static void write_bytes(struct xl_json *j, const char *name, const uint8_t *bytes, size_t size)
{
	static const char hex[] = "0123456789abcdef";

	xl_json_begin_array(j, name);
	for (size_t i = 0; i < size; i++) {
		const char text[] = { '0', 'x', hex[bytes[i] >> 4], hex[bytes[i] & 15] };

		xl_json_strn(j, NULL, text, sizeof(text));
	}
	xl_json_end_array(j);
}

static void write_per_cpu(const struct xl_map_shape *shape, const uint8_t *values, bool formatted,
			  struct xl_json *j)
{
	const struct xl_map *map = shape->map;

	xl_json_begin_array(j, "values");
	for (uint32_t cpu = 0; cpu < map->n_cpus; cpu++) {
		const uint8_t *value = values + (size_t)cpu * map->value_stride;

		xl_json_begin_object(j, NULL);
		xl_json_u64(j, "cpu", cpu);
		if (formatted)
			xl_btf_json_write(j, "value", shape->btf, shape->value_type, value,
					  map->value_size);
		else
			write_bytes(j, "value", value, map->value_size);
		xl_json_end_object(j);
	}
	xl_json_end_array(j);
}

static uint32_t word_at(const uint8_t *bytes, size_t off)
{
	uint32_t word;

	memcpy(&word, bytes + off, sizeof(word));
	return word;
}

static void write_named(const struct xl_map_shape *shape, const char *name, uint32_t id,
			struct xl_json *j)
{
	const char *text = xl_map_shape_name_of_id(shape, id);

	if (text)
		xl_json_str(j, name, text);
	else
		xl_json_u64(j, name, id);
}

/* struct bpf_devmap_val or bpf_cpumap_val, or only its first number. */
static void write_target(const struct xl_map_shape *shape, const char *number, const uint8_t *value,
			 struct xl_json *j)
{
	xl_json_begin_object(j, "value");
	xl_json_u64(j, number, word_at(value, 0));
	if (shape->map->value_size >= 8 && word_at(value, 4))
		write_named(shape, "prog", word_at(value, 4), j);
	xl_json_end_object(j);
}

static void write_typed(const struct xl_map_shape *shape, const uint8_t *value, struct xl_json *j)
{
	if (shape->map->ops->per_cpu)
		write_per_cpu(shape, value, true, j);
	else
		xl_btf_json_write(j, "value", shape->btf, shape->value_type, value,
				  shape->map->value_size);
}

static void write_object(const struct xl_map_shape *shape, const uint8_t *value, struct xl_json *j)
{
	write_named(shape, "value", word_at(value, 0), j);
}

static void write_port(const struct xl_map_shape *shape, const uint8_t *value, struct xl_json *j)
{
	write_target(shape, "ifindex", value, j);
}

static void write_cpu(const struct xl_map_shape *shape, const uint8_t *value, struct xl_json *j)
{
	write_target(shape, "qsize", value, j);
}

/* What "formatted" says of a value beyond its bytes. */
static void (*const write_kind[])(const struct xl_map_shape *shape, const uint8_t *value,
				  struct xl_json *j) = {
	[XL_VALUE_BYTES] = write_typed,	   [XL_VALUE_FOREIGN_FD] = write_typed,
	[XL_VALUE_PROG_FD] = write_object, [XL_VALUE_MAP_FD] = write_object,
	[XL_VALUE_DEVMAP] = write_port,	   [XL_VALUE_CPUMAP] = write_cpu,
};

/* Also where there is no BTF but the value means something: a program, a port. */
static bool has_formatted(const struct xl_map_shape *shape)
{
	return shape->value_type || write_kind[shape->map->ops->value_kind] != write_typed;
}

static void write_entry(const struct xl_map_shape *shape, const uint8_t *key, const uint8_t *value,
			struct xl_json *j)
{
	xl_json_begin_object(j, NULL);
	write_bytes(j, "key", key, shape->map->key_size);
	if (shape->map->ops->per_cpu)
		write_per_cpu(shape, value, false, j);
	else
		write_bytes(j, "value", value, shape->map->value_size);
	if (has_formatted(shape)) {
		xl_json_begin_object(j, "formatted");
		if (shape->key_type)
			xl_btf_json_write(j, "key", shape->btf, shape->key_type, key,
					  shape->map->key_size);
		write_kind[shape->map->ops->value_kind](shape, value, j);
		xl_json_end_object(j);
	}
	xl_json_end_object(j);
}

/* A slot that says why it has no value, as bpftool shows it. */
static void write_error(const struct xl_map_shape *shape, const uint8_t *key, int err,
			struct xl_json *j)
{
	xl_json_begin_object(j, NULL);
	write_bytes(j, "key", key, shape->map->key_size);
	xl_json_begin_object(j, "value");
	xl_json_str(j, "error", strerror(-err));
	xl_json_end_object(j);
	xl_json_end_object(j);
}

int xl_map_json_dump(const struct xl_object *obj, const struct xl_object_map *om, const char *name,
		     struct xl_json *j)
{
	const struct xl_map_shape shape = xl_map_shape_of(obj, om);
	/* Room for the words that write_*() look at, whatever the map's values are. */
	uint8_t *value = calloc(1, shape.value_size_sys + 8);
	struct keys keys = { 0 };
	int err = value ? collect_keys(&shape, &keys) : -ENOMEM;

	if (err)
		goto out;
	xl_json_begin_array(j, name);
	for (size_t i = 0; i < keys.n; i++) {
		const uint8_t *key = keys.bytes + i * keys.size;
		const int lookup_err = xl_map_sys_lookup(shape.map, key, value, 0);

		if (!lookup_err)
			write_entry(&shape, key, value, j);
		else if (lookup_err != -ENOENT) /* an empty slot is nothing to tell */
			write_error(&shape, key, lookup_err, j);
	}
	xl_json_end_array(j);
out:
	free(keys.bytes);
	free(value);
	return err;
}
