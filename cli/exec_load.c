/* Maps and programs of an exec line, and what stands in maps at first; see exec.h. Values name
 * things by index, as fixups do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec.h"
#include "maps/map.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

/* Maps. */

/* Memory is lazy, but a program that runs for long may touch all of it. */
static int check_memory(struct xl_exec *x, const struct xl_exec_map *map, struct xl_err *e)
{
	const uint64_t entry = (((uint64_t)map->key_size + 7) & ~UINT64_C(7)) +
			       ((xl_exec_value_size(map, x->opts.line.n_cpus) + 7) & ~UINT64_C(7));
	uint64_t size;

	/* The entries of a ring buffer are bytes. */
	if (__builtin_mul_overflow(entry ? entry : 1, map->max_entries, &size) ||
	    __builtin_add_overflow(size, x->live.map_memory, &size) || size > x->opts.map_memory)
		return xl_err_set(e, -ENOMEM,
				  "the line's maps would have room for more than %llu MB: "
				  "--map-memory allows more",
				  (unsigned long long)x->opts.map_memory >> 20);
	x->live.map_memory = size;
	return 0;
}

static int create_maps(struct xl_exec *x, struct xl_err *e)
{
	for (size_t i = 0; i < x->line.n_maps; i++) {
		const struct xl_exec_map *map = &x->line.maps[i];
		int err = map->inner ? check_memory(x, map->inner, e) : 0;

		if (err)
			xl_err_prefix(e, "inner");
		else
			err = check_memory(x, map, e);
		if (!err)
			continue;
		xl_err_prefix(e, "maps[%zu]", i);
		return err;
	}
	return xl_raw_create_maps(&x->side, &x->line, x->live.map_fd, e);
}

/* Programs. */

/* The last thing that the loader said before it counted. */
static int refuse_prog(struct xl_exec *x, int err, struct xl_err *e)
{
	const char *end = strstr(x->side.log, "processed "), *start;

	if (!end || end == x->side.log)
		return xl_err_set(e, err, "cannot load: %s", xl_raw_errno_words(err));
	end--; /* the newline */
	for (start = end; start > x->side.log && start[-1] != '\n'; start--)
		;
	return xl_err_set(e, err, "cannot load: %.*s", (int)(end - start), start);
}

static int load_prog(struct xl_exec *x, struct xl_exec_prog *prog, int *out_fd, struct xl_err *e)
{
	int err;

	x->rt->engine = x->line.engine;
	err = xl_raw_load_prog(&x->side, prog, x->live.map_fd, out_fd);
	return err ? refuse_prog(x, err, e) : 0;
}

static int check_type(const struct xl_exec_prog *prog, struct xl_err *e)
{
	const struct xl_prog_type *type = xl_prog_type_of((enum bpf_prog_type)prog->type);

	if (type && type->runs)
		return 0;
	return xl_err_set(e, -EOPNOTSUPP, "programs of type %s do not run here: only xdp does",
			  type ? type->name : "of that number");
}

static int load_progs(struct xl_exec *x, struct xl_err *e)
{
	struct xl_obj *obj;
	uint32_t id;
	int err = check_type(&x->line.progs[0], e);

	if (err)
		return err;
	for (size_t i = 0; i < x->line.n_progs; i++) {
		err = load_prog(x, &x->line.progs[i], &x->live.prog_fd[i], e);
		if (err && i)
			xl_err_prefix(e, "progs[%zu]", i - 1);
		if (err)
			return err;
	}
	err = xl_raw_id(&x->side, x->live.prog_fd[0], false, &id);
	if (!err)
		err = xl_runtime_obj_by_id(x->rt, XL_OBJ_PROG, id, &obj);
	if (err)
		return xl_err_set(e, err, "%s", strerror(-err));
	x->live.prog = xl_prog_of(obj);
	return 0;
}

/* What stands in maps at first. */

static enum xl_map_value_kind kind_of(const struct xl_exec_map *map)
{
	return xl_map_ops_of((enum bpf_map_type)map->type)->value_kind;
}

static int store(struct xl_exec *x, size_t map, const struct xl_exec_entry *entry)
{
	const bool names_map = kind_of(&x->line.maps[map]) == XL_VALUE_MAP_FD;
	union bpf_attr attr;
	int fd;

	if (!entry->value)
		fd = names_map ? x->live.map_fd[entry->target] : x->live.prog_fd[entry->target];
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)x->live.map_fd[map];
	attr.key = x->line.maps[map].key_size ? (uintptr_t)entry->key : 0;
	attr.value = entry->value ? (uintptr_t)entry->value : (uintptr_t)&fd;
	return (int)xl_raw_bpf(&x->side, BPF_MAP_UPDATE_ELEM, &attr);
}

static int fill_maps(struct xl_exec *x, struct xl_err *e)
{
	for (size_t i = 0; i < x->line.n_maps; i++)
		for (size_t k = 0; k < x->line.maps[i].n_init; k++) {
			const int err = store(x, i, &x->line.maps[i].init[k]);

			if (err)
				return xl_err_set(e, err,
						  "maps[%zu]: init[%zu]: the map refuses it: %s", i,
						  k, xl_raw_errno_words(err));
		}
	return 0;
}

int xl_exec_load(struct xl_exec *x, struct xl_err *e)
{
	int err;

	x->side.log[0] = '\0';
	x->live = (struct xl_exec_live){
		.map_fd = xl_raw_no_fds(x->line.n_maps),
		.prog_fd = xl_raw_no_fds(x->line.n_progs),
	};
	if (!x->live.map_fd || !x->live.prog_fd)
		return xl_err_set(e, -ENOMEM, "out of memory");
	err = create_maps(x, e);
	if (!err)
		err = load_progs(x, e);
	if (!err)
		err = fill_maps(x, e);
	return err;
}

void xl_exec_unload(struct xl_exec *x)
{
	xl_prog_put(x->live.prog);
	xl_raw_close(x->live.prog_fd, x->line.n_progs);
	xl_raw_close(x->live.map_fd, x->line.n_maps);
	x->live = (struct xl_exec_live){ 0 };
	xl_raw_reap(&x->side);
}

/* Looking into maps. */

/* Turns an object's id into its index in the line. */
static void id_to_index(struct xl_exec *x, bool is_map, uint8_t *value)
{
	const int *fd = is_map ? x->live.map_fd : x->live.prog_fd;
	const size_t n = is_map ? x->line.n_maps : x->line.n_progs;
	uint32_t wanted, id;

	memcpy(&wanted, value, sizeof(wanted));
	for (uint32_t i = 0; i < n; i++)
		if (!xl_raw_id(&x->side, fd[i], is_map, &id) && id == wanted)
			memcpy(value, &i, sizeof(i));
}

bool xl_exec_lookup(struct xl_exec *x, uint32_t map, const uint8_t *key, uint8_t *value)
{
	const struct xl_exec_map *spec = &x->line.maps[map];
	const enum xl_map_value_kind kind = kind_of(spec);
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)x->live.map_fd[map];
	attr.key = spec->key_size ? (uintptr_t)key : 0;
	attr.value = (uintptr_t)value;
	if (xl_exec_asks_for_value(spec))
		memcpy(value, key, spec->value_size);
	if (xl_raw_bpf(&x->side, BPF_MAP_LOOKUP_ELEM, &attr))
		return false;
	if (kind == XL_VALUE_MAP_FD || kind == XL_VALUE_PROG_FD)
		id_to_index(x, kind == XL_VALUE_MAP_FD, value);
	return true;
}
