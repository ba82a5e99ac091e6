/* Maps and programs of an exec line; see exec.h.
 *
 * They are made as any loader makes them: by bpf(2), with fds, so that errors are the kernel's.
 * Numbers in a line never become fds by themselves: fixups and values name things by index, and a
 * reference in the code that no fixup covers is made one to no fd at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exec.h"
#include "maps/map.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

static long sys(struct xl_exec *x, int cmd, union bpf_attr *attr)
{
	return xl_sysbpf(x->rt, &x->caller, cmd, (uintptr_t)attr, sizeof(*attr));
}

/* The part of a name that the kernel takes as one. */
static void bpf_name(const char *name, char out[BPF_OBJ_NAME_LEN])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.";
	size_t i;

	for (i = 0; i < BPF_OBJ_NAME_LEN - 1 && name[i]; i++)
		out[i] = strchr(allowed, name[i]) ? name[i] : '_';
	memset(out + i, 0, BPF_OBJ_NAME_LEN - i);
}

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

static const char *errno_words(int err)
{
	return err == -ENOTSUPP ? "not supported" : strerror(-err);
}

/* bpf(2) says a number; asking once more tells the words. */
static int refuse_map(struct xl_exec *x, const union bpf_attr *attr, int err, struct xl_err *e)
{
	struct xl_map *map;
	struct xl_err words = { 0 };

	if (!xl_map_create(attr, &x->rt->map_env, NULL, &map, &words))
		xl_map_put(map);
	return xl_err_set(e, err, "cannot create: %s",
			  words.err == err && *words.text ? words.text : errno_words(err));
}

static int create_map(struct xl_exec *x, const struct xl_exec_map *map, int inner_fd, int *out_fd,
		      struct xl_err *e)
{
	union bpf_attr attr;
	long fd;
	int err = check_memory(x, map, e);

	if (err)
		return err;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = map->type;
	attr.key_size = map->key_size;
	attr.value_size = map->value_size;
	attr.max_entries = map->max_entries;
	attr.map_flags = map->flags;
	attr.map_extra = map->map_extra;
	attr.inner_map_fd = (uint32_t)inner_fd;
	bpf_name(map->name, attr.map_name);
	fd = sys(x, BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return refuse_map(x, &attr, (int)fd, e);
	*out_fd = (int)fd;
	return 0;
}

static int create_with_inner(struct xl_exec *x, const struct xl_exec_map *map, int *out_fd,
			     struct xl_err *e)
{
	int inner_fd = -1, err;

	if (map->inner) {
		err = create_map(x, map->inner, -1, &inner_fd, e);
		if (err) {
			xl_err_prefix(e, "inner");
			return err;
		}
	}
	err = create_map(x, map, inner_fd, out_fd, e);
	if (inner_fd >= 0)
		close(inner_fd);
	return err;
}

static int create_maps(struct xl_exec *x, struct xl_err *e)
{
	for (size_t i = 0; i < x->line.n_maps; i++) {
		const int err = create_with_inner(x, &x->line.maps[i], &x->live.map_fd[i], e);

		if (!err)
			continue;
		xl_err_prefix(e, "maps[%zu]", i);
		return err;
	}
	return 0;
}

/* Programs. */

static bool is_by_fd(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static void fix_up(struct xl_exec *x, struct xl_exec_prog *prog)
{
	for (size_t i = 0; i < prog->n_insns; i++)
		if (is_by_fd(&prog->insns[i]))
			prog->insns[i].imm = -1;
	for (size_t i = 0; i < prog->n_fixups; i++) {
		struct bpf_insn *insn = &prog->insns[prog->fixups[i].insn];
		const bool is_value = insn->src_reg == BPF_PSEUDO_MAP_VALUE ||
				      insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;

		insn->src_reg = is_value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
		insn->imm = x->live.map_fd[prog->fixups[i].map];
	}
}

/* The last thing that the loader said before it counted. */
static int refuse_prog(struct xl_exec *x, int err, struct xl_err *e)
{
	const char *end = strstr(x->log, "processed 0 insns"), *start;

	if (!end || end == x->log)
		return xl_err_set(e, err, "cannot load: %s", errno_words(err));
	end--; /* the newline */
	for (start = end; start > x->log && start[-1] != '\n'; start--)
		;
	return xl_err_set(e, err, "cannot load: %.*s", (int)(end - start), start);
}

static int load_prog(struct xl_exec *x, struct xl_exec_prog *prog, int *out_fd, struct xl_err *e)
{
	union bpf_attr attr;
	long fd;

	fix_up(x, prog);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = prog->type;
	attr.expected_attach_type = prog->expected_attach_type;
	attr.insns = (uintptr_t)prog->insns;
	attr.insn_cnt = (uint32_t)prog->n_insns;
	attr.license = (uintptr_t)prog->license;
	attr.prog_flags = prog->flags;
	attr.fd_array = (uintptr_t)x->live.map_fd;
	attr.log_level = 1;
	attr.log_buf = (uintptr_t)x->log;
	attr.log_size = XL_EXEC_LOG_SIZE;
	bpf_name(prog->name, attr.prog_name);
	x->log[0] = '\0';
	x->rt->engine = x->line.engine;
	fd = sys(x, BPF_PROG_LOAD, &attr);
	if (fd < 0)
		return refuse_prog(x, (int)fd, e);
	*out_fd = (int)fd;
	return 0;
}

static int id_of(struct xl_exec *x, int fd, bool is_map, uint32_t *out_id)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
	} info;
	union bpf_attr attr;
	long ret;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = is_map ? sizeof(info.map) : sizeof(info.prog);
	ret = sys(x, BPF_OBJ_GET_INFO_BY_FD, &attr);
	*out_id = is_map ? info.map.id : info.prog.id;
	return (int)ret;
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
	err = id_of(x, x->live.prog_fd[0], false, &id);
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
	return (int)sys(x, BPF_MAP_UPDATE_ELEM, &attr);
}

static int fill_maps(struct xl_exec *x, struct xl_err *e)
{
	for (size_t i = 0; i < x->line.n_maps; i++)
		for (size_t k = 0; k < x->line.maps[i].n_init; k++) {
			const int err = store(x, i, &x->line.maps[i].init[k]);

			if (err)
				return xl_err_set(e, err,
						  "maps[%zu]: init[%zu]: the map refuses it: %s", i,
						  k, errno_words(err));
		}
	return 0;
}

static int *no_fds(size_t n)
{
	int *fd = malloc((n ? n : 1) * sizeof(*fd));

	for (size_t i = 0; fd && i < n; i++)
		fd[i] = -1;
	return fd;
}

int xl_exec_load(struct xl_exec *x, struct xl_err *e)
{
	int err;

	x->log[0] = '\0';
	x->live = (struct xl_exec_live){
		.map_fd = no_fds(x->line.n_maps),
		.prog_fd = no_fds(x->line.n_progs),
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

static void close_all(int *fd, size_t n)
{
	for (size_t i = 0; fd && i < n; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	free(fd);
}

void xl_exec_unload(struct xl_exec *x)
{
	xl_prog_put(x->live.prog);
	close_all(x->live.prog_fd, x->line.n_progs);
	close_all(x->live.map_fd, x->line.n_maps);
	x->live = (struct xl_exec_live){ 0 };
	/* Now, not when somebody asks: what is left over makes the next lines slower. */
	pthread_mutex_lock(&x->rt->lock);
	xl_handles_reap(x->rt->handles);
	pthread_mutex_unlock(&x->rt->lock);
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
		if (!id_of(x, fd[i], is_map, &id) && id == wanted)
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
	if (sys(x, BPF_MAP_LOOKUP_ELEM, &attr))
		return false;
	if (kind == XL_VALUE_MAP_FD || kind == XL_VALUE_PROG_FD)
		id_to_index(x, kind == XL_VALUE_MAP_FD, value);
	return true;
}
