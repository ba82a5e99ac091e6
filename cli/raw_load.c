/* Maps and programs of a line through bpf(2); see raw_load.h. */
#include "cli/raw_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "maps/map.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/runtime.h"

int xl_raw_side_init(struct xl_raw_side *side, struct xl_runtime *rt)
{
	*side = (struct xl_raw_side){ .rt = rt, .log_level = 1, .log = malloc(XL_RAW_LOG_SIZE) };
	if (!side->log)
		return -ENOMEM;
	side->log[0] = '\0';
	xl_caller_self(&side->caller);
	return 0;
}

void xl_raw_side_fini(struct xl_raw_side *side)
{
	free(side->log);
	side->log = NULL;
}

long xl_raw_bpf(struct xl_raw_side *side, int cmd, union bpf_attr *attr)
{
	if (!side->rt)
		return xl_kernel_bpf(cmd, attr, sizeof(*attr));
	return xl_sysbpf(side->rt, &side->caller, cmd, (uintptr_t)attr, sizeof(*attr));
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

const char *xl_raw_errno_words(int err)
{
	return err == -ENOTSUPP ? "not supported" : strerror(-err);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* -1 without BTF. */
static int load_btf(struct xl_raw_side *side, const uint8_t *btf, size_t len, int *out_fd)
{
	union bpf_attr attr;
	long fd;

	*out_fd = -1;
	if (!btf)
		return 0;
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)btf;
	attr.btf_size = (uint32_t)len;
	fd = xl_raw_bpf(side, BPF_BTF_LOAD, &attr);
	if (fd < 0)
		return (int)fd;
	*out_fd = (int)fd;
	return 0;
}

/* -- maps ------------------------------------------------------------------------------------- */

/* bpf(2) says a number; asking once more tells the words. */
static int refuse_map(struct xl_raw_side *side, const union bpf_attr *attr, int err,
		      struct xl_err *e)
{
	struct xl_map *map;
	struct xl_err words = { 0 };

	if (side->rt && !xl_map_create(attr, &side->rt->map_env, NULL, &map, &words))
		xl_map_put(map);
	return xl_err_set(e, err, "cannot create: %s",
			  words.err == err && *words.text ? words.text : xl_raw_errno_words(err));
}

static int create_plain(struct xl_raw_side *side, const struct xl_exec_map *map, int inner_fd,
			int *out_fd, struct xl_err *e)
{
	union bpf_attr attr;
	int btf_fd, err;
	long fd;

	err = load_btf(side, map->btf, map->btf_len, &btf_fd);
	if (err)
		return xl_err_set(e, err, "btf: %s", xl_raw_errno_words(err));
	memset(&attr, 0, sizeof(attr));
	attr.map_type = map->type;
	attr.key_size = map->key_size;
	attr.value_size = map->value_size;
	attr.max_entries = map->max_entries;
	attr.map_flags = map->flags;
	attr.map_extra = map->map_extra;
	attr.inner_map_fd = (uint32_t)inner_fd;
	if (btf_fd >= 0) {
		attr.btf_fd = (uint32_t)btf_fd;
		attr.btf_key_type_id = map->btf_key;
		attr.btf_value_type_id = map->btf_value;
	}
	bpf_name(map->name, attr.map_name);
	fd = xl_raw_bpf(side, BPF_MAP_CREATE, &attr);
	if (fd < 0)
		err = refuse_map(side, &attr, (int)fd, e);
	close_fd(btf_fd);
	*out_fd = (int)fd;
	return err;
}

int xl_raw_create_map(struct xl_raw_side *side, const struct xl_exec_map *map, int *out_fd,
		      struct xl_err *e)
{
	int inner_fd = -1, err;

	if (map->inner) {
		err = create_plain(side, map->inner, -1, &inner_fd, e);
		if (err) {
			xl_err_prefix(e, "inner");
			return err;
		}
	}
	err = create_plain(side, map, inner_fd, out_fd, e);
	close_fd(inner_fd);
	return err;
}

int xl_raw_create_maps(struct xl_raw_side *side, const struct xl_exec_line *line, int *fds,
		       struct xl_err *e)
{
	for (size_t i = 0; i < line->n_maps; i++) {
		const int err = xl_raw_create_map(side, &line->maps[i], &fds[i], e);

		if (!err)
			continue;
		xl_err_prefix(e, "maps[%zu]", i);
		return err;
	}
	return 0;
}

/* -- programs --------------------------------------------------------------------------------- */

static bool is_by_fd(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static void fix_up(struct xl_exec_prog *prog, const int *map_fds)
{
	for (size_t i = 0; i < prog->n_insns; i++)
		if (is_by_fd(&prog->insns[i]))
			prog->insns[i].imm = -1;
	for (size_t i = 0; i < prog->n_fixups; i++) {
		struct bpf_insn *insn = &prog->insns[prog->fixups[i].insn];
		const bool is_value = insn->src_reg == BPF_PSEUDO_MAP_VALUE ||
				      insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;

		insn->src_reg = is_value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
		insn->imm = map_fds[prog->fixups[i].map];
	}
}

int xl_raw_load_prog(struct xl_raw_side *side, struct xl_exec_prog *prog, const int *map_fds,
		     int *out_fd)
{
	union bpf_attr attr;
	int btf_fd, err;
	long fd;

	side->log[0] = '\0';
	err = load_btf(side, prog->btf, prog->btf_len, &btf_fd);
	if (err)
		return err;
	fix_up(prog, map_fds);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = prog->type;
	attr.expected_attach_type = prog->expected_attach_type;
	attr.insns = (uintptr_t)prog->insns;
	attr.insn_cnt = (uint32_t)prog->n_insns;
	attr.license = (uintptr_t)prog->license;
	attr.prog_flags = prog->flags;
	attr.fd_array = (uintptr_t)map_fds;
	attr.log_level = side->log_level;
	attr.log_buf = side->log_level ? (uintptr_t)side->log : 0;
	attr.log_size = side->log_level ? XL_RAW_LOG_SIZE : 0;
	if (btf_fd >= 0) {
		attr.prog_btf_fd = (uint32_t)btf_fd;
		attr.func_info = (uintptr_t)prog->func_info;
		attr.func_info_cnt = (uint32_t)prog->n_func_info;
		attr.func_info_rec_size = prog->n_func_info ? sizeof(*prog->func_info) : 0;
	}
	bpf_name(prog->name, attr.prog_name);
	fd = xl_raw_bpf(side, BPF_PROG_LOAD, &attr);
	close_fd(btf_fd);
	if (fd < 0)
		return (int)fd;
	*out_fd = (int)fd;
	return 0;
}

int xl_raw_id(struct xl_raw_side *side, int fd, bool is_map, uint32_t *out_id)
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
	ret = xl_raw_bpf(side, BPF_OBJ_GET_INFO_BY_FD, &attr);
	*out_id = is_map ? info.map.id : info.prog.id;
	return (int)ret;
}

/* -- fds -------------------------------------------------------------------------------------- */

int *xl_raw_no_fds(size_t n)
{
	int *fds = malloc((n ? n : 1) * sizeof(*fds));

	for (size_t i = 0; fds && i < n; i++)
		fds[i] = -1;
	return fds;
}

void xl_raw_close(int *fds, size_t n)
{
	for (size_t i = 0; fds && i < n; i++)
		close_fd(fds[i]);
	free(fds);
}

void xl_raw_reap(struct xl_raw_side *side)
{
	if (!side->rt)
		return;
	pthread_mutex_lock(&side->rt->lock);
	xl_handles_reap(side->rt->handles);
	pthread_mutex_unlock(&side->rt->lock);
}
