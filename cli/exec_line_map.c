/* Maps of an exec line, and what stands in them at first; see exec_json.h. */
#include <errno.h>
#include <string.h>

#include "cli/exec_json.h"
#include "cli/hex.h"
#include "maps/map.h"

static size_t stride(uint32_t value_size)
{
	return ((size_t)value_size + 7) & ~(size_t)7;
}

static bool is_per_cpu(const struct xl_exec_map *map)
{
	const struct xl_map_ops *ops = xl_map_ops_of((enum bpf_map_type)map->type);

	return ops && ops->per_cpu;
}

size_t xl_exec_value_size(const struct xl_exec_map *map, uint32_t n_cpus)
{
	return is_per_cpu(map) ? stride(map->value_size) * n_cpus : map->value_size;
}

bool xl_exec_asks_for_value(const struct xl_exec_map *map)
{
	const struct xl_map_ops *ops = xl_map_ops_of((enum bpf_map_type)map->type);

	return ops && ops->peek_asks;
}

size_t xl_exec_question_size(const struct xl_exec_map *map)
{
	return xl_exec_asks_for_value(map) ? map->value_size : map->key_size;
}

static int read_type(struct xl_exec_reader *r, const json_t *obj, uint32_t *out)
{
	const json_t *in = xl_exec_get(obj, "type");
	int type;

	if (json_is_integer(in))
		return xl_exec_u32(r, obj, "type", out);
	if (!json_is_string(in))
		return xl_err_set(r->e, -EINVAL, "type: expected a name or a number");
	type = xl_map_type_of_name(json_string_value(in));
	if (type < 0)
		return xl_err_set(r->e, -EINVAL, "type: no map type '%.64s'",
				  json_string_value(in));
	*out = (uint32_t)type;
	return 0;
}

static int read_shape(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_map *out)
{
	int err;

	if (!json_is_object(obj))
		return xl_err_set(r->e, -EINVAL, "expected an object");
	out->name = "";
	err = xl_exec_string(r, obj, "name", &out->name);
	if (!err)
		err = read_type(r, obj, &out->type);
	if (!err)
		err = xl_exec_u32(r, obj, "key_size", &out->key_size);
	if (!err)
		err = xl_exec_u32(r, obj, "value_size", &out->value_size);
	if (!err)
		err = xl_exec_u32(r, obj, "max_entries", &out->max_entries);
	if (!err)
		err = xl_exec_u32(r, obj, "flags", &out->flags);
	if (!err)
		err = xl_exec_u64(r, obj, "map_extra", &out->map_extra);
	if (!err)
		err = xl_exec_bytes(r, obj, "btf", &out->btf, &out->btf_len);
	if (!err)
		err = xl_exec_u32(r, obj, "btf_key", &out->btf_key);
	if (!err)
		err = xl_exec_u32(r, obj, "btf_value", &out->btf_value);
	return err;
}

static int read_map(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_map *out)
{
	int err = read_shape(r, obj, out);
	const json_t *inner = xl_exec_get(obj, "inner");

	if (err || !inner)
		return err;
	out->inner = xl_exec_alloc(r, 1, sizeof(*out->inner));
	if (!out->inner)
		return -ENOMEM;
	err = read_shape(r, inner, out->inner);
	if (err)
		xl_err_prefix(r->e, "inner");
	return err;
}

int xl_exec_read_maps(struct xl_exec_reader *r, const json_t *obj)
{
	struct xl_exec_line *line = r->line;
	const json_t *array;
	size_t n;
	int err = xl_exec_array(r, obj, "maps", &array, &n);

	if (err || !n)
		return err;
	line->maps = xl_exec_alloc(r, n, sizeof(*line->maps));
	if (!line->maps)
		return -ENOMEM;
	for (; line->n_maps < n; line->n_maps++) {
		err = read_map(r, json_array_get(array, line->n_maps), &line->maps[line->n_maps]);
		if (!err)
			continue;
		xl_err_prefix(r->e, "maps[%zu]", line->n_maps);
		return err;
	}
	return 0;
}

int xl_exec_read_map_ref(struct xl_exec_reader *r, const json_t *in, uint32_t *out)
{
	const struct xl_exec_line *line = r->line;
	const char *name = json_string_value(in);

	if (json_is_integer(in)) {
		if (json_integer_value(in) < 0 || (size_t)json_integer_value(in) >= line->n_maps)
			return xl_err_set(r->e, -EINVAL, "no map %lld: there are %zu",
					  (long long)json_integer_value(in), line->n_maps);
		*out = (uint32_t)json_integer_value(in);
		return 0;
	}
	if (!name)
		return xl_err_set(r->e, -EINVAL, "expected a map's index or name");
	for (uint32_t i = 0; *name && i < line->n_maps; i++)
		if (!strcmp(line->maps[i].name, name)) {
			*out = i;
			return 0;
		}
	return xl_err_set(r->e, -EINVAL, "no map '%.64s'", name);
}

/* What "init" says. */

/* A reference may also be 4 bytes: the index where a loader would put the fd. */
static bool is_index_in_hex(const json_t *in, json_int_t *out)
{
	uint8_t bytes[4];
	uint32_t index;

	if (json_string_length(in) != 8 || !xl_hex_parse(json_string_value(in), 8, bytes))
		return false;
	memcpy(&index, bytes, sizeof(index));
	*out = index;
	return true;
}

typedef int ref_fn(struct xl_exec_reader *r, const json_t *in, uint32_t *out);

static int read_ref(struct xl_exec_reader *r, const json_t *in, ref_fn *read, uint32_t *out)
{
	json_int_t index;
	json_t *number;
	int err;

	if (!is_index_in_hex(in, &index))
		return read(r, in, out);
	number = json_integer(index);
	err = number ? read(r, number, out) : -ENOMEM;
	json_decref(number);
	return err;
}

/* Of a per-CPU map: the values of all CPUs, or one for each of them. */
static int read_cpu_values(struct xl_exec_reader *r, const struct xl_exec_map *map,
			   const json_t *in, uint8_t **out)
{
	const uint32_t n_cpus = r->defaults->n_cpus;
	const size_t size = xl_exec_value_size(map, n_cpus);
	uint8_t *one;
	size_t len;
	int err = xl_exec_hex(r, in, &one, &len);

	if (err)
		return err;
	if (len == size) {
		*out = one;
		return 0;
	}
	if (len != map->value_size)
		return xl_err_set(r->e, -EINVAL,
				  "expected %u bytes, or %zu for all %u CPUs, not %zu",
				  map->value_size, size, n_cpus, len);
	*out = xl_exec_alloc(r, n_cpus, stride(map->value_size));
	if (!*out)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_cpus; i++)
		memcpy(*out + i * stride(map->value_size), one, len);
	return 0;
}

/* Ports and CPUs: numbers; a program in them would be an fd, and there are none here. */
static int read_target(struct xl_exec_reader *r, const struct xl_exec_map *map, const json_t *in,
		       uint8_t **out)
{
	int32_t fd;
	const int err = xl_exec_hex_of(r, in, map->value_size, out);

	if (err || map->value_size < 8)
		return err;
	memcpy(&fd, *out + 4, sizeof(fd));
	return fd > 0 ? xl_err_set(r->e, -EINVAL, "a program's fd means nothing here") : 0;
}

static int read_value(struct xl_exec_reader *r, const struct xl_exec_map *map, const json_t *in,
		      struct xl_exec_entry *out)
{
	const struct xl_map_ops *ops = xl_map_ops_of((enum bpf_map_type)map->type);
	const enum xl_map_value_kind kind = ops ? ops->value_kind : XL_VALUE_BYTES;

	if (kind == XL_VALUE_MAP_FD)
		return read_ref(r, in, xl_exec_read_map_ref, &out->target);
	if (kind == XL_VALUE_PROG_FD)
		return read_ref(r, in, xl_exec_read_prog_ref, &out->target);
	if (kind == XL_VALUE_DEVMAP || kind == XL_VALUE_CPUMAP)
		return read_target(r, map, in, &out->value);
	if (is_per_cpu(map))
		return read_cpu_values(r, map, in, &out->value);
	return xl_exec_hex_of(r, in, map->value_size, &out->value);
}

static int read_entry(struct xl_exec_reader *r, const struct xl_exec_map *map, const json_t *in,
		      struct xl_exec_entry *out)
{
	int err;

	if (json_array_size(in) != 2)
		return xl_err_set(r->e, -EINVAL, "expected [key, value]");
	err = xl_exec_hex_of(r, json_array_get(in, 0), map->key_size, &out->key);
	if (err) {
		xl_err_prefix(r->e, "key");
		return err;
	}
	err = read_value(r, map, json_array_get(in, 1), out);
	if (err)
		xl_err_prefix(r->e, "value");
	return err;
}

static int read_init(struct xl_exec_reader *r, const json_t *obj, struct xl_exec_map *map)
{
	const json_t *array;
	int err = xl_exec_array(r, obj, "init", &array, &map->n_init);

	if (err || !map->n_init)
		return err;
	map->init = xl_exec_alloc(r, map->n_init, sizeof(*map->init));
	if (!map->init)
		return -ENOMEM;
	for (size_t i = 0; i < map->n_init; i++) {
		err = read_entry(r, map, json_array_get(array, i), &map->init[i]);
		if (!err)
			continue;
		xl_err_prefix(r->e, "init[%zu]", i);
		return err;
	}
	return 0;
}

int xl_exec_read_inits(struct xl_exec_reader *r, const json_t *obj)
{
	const json_t *array = xl_exec_get(obj, "maps");

	for (size_t i = 0; i < r->line->n_maps; i++) {
		const int err = read_init(r, json_array_get(array, i), &r->line->maps[i]);

		if (!err)
			continue;
		xl_err_prefix(r->e, "maps[%zu]", i);
		return err;
	}
	return 0;
}
