/* A program's references: map fds in its 16-byte loads, the helpers that it calls.
 *
 * Source: resolve_pseudo_ldimm64(), process_fd_array(), check_helper_call() in
 * kernel/bpf/verifier.c; array_map_direct_value_addr() in kernel/bpf/arraymap.c; v6.18.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/insn.h"
#include "xdp-runtime/prog_check.h"
#include "xdp-runtime/sysbpf_map.h"

#define USED_MAPS_MAX	64u	   /* MAX_USED_MAPS */
#define VALUE_OFF_LIMIT (1u << 29) /* BPF_MAX_VAR_OFF */

static bool uses_map(const struct xl_prog *prog, const struct xl_map *map)
{
	for (uint32_t i = 0; i < prog->n_maps; i++)
		if (prog->maps[i] == map)
			return true;
	return false;
}

int xl_prog_use_map(struct xl_prog *prog, struct xl_map *map)
{
	struct xl_map **maps;

	if (uses_map(prog, map))
		return 0;
	maps = reallocarray(prog->maps, prog->n_maps + 1, sizeof(struct xl_map *));
	if (!maps)
		return -ENOMEM;
	prog->maps = maps;
	xl_map_get(map);
	maps[prog->n_maps++] = map;
	return 0;
}

static int use_map(struct xl_prog *prog, struct xl_map *map, struct xl_vlog *log)
{
	if (prog->n_maps < USED_MAPS_MAX || uses_map(prog, map))
		return xl_prog_use_map(prog, map);
	xl_vlog(log, "The total number of maps per program has reached the limit of %u\n",
		USED_MAPS_MAX);
	return -E2BIG;
}

/* The fd at @index of the caller's fd_array. */
static int fd_at(struct xl_sys *s, uint32_t index, int *out_fd, struct xl_vlog *log)
{
	if (!s->attr.u.fd_array) {
		xl_vlog(log, "fd_idx without fd_array is invalid\n");
		return -EPROTO;
	}
	return xl_sys_in(s, out_fd, s->attr.u.fd_array + (uint64_t)index * sizeof(int),
			 sizeof(int));
}

/* The address of byte @off of the only value of @map. */
static int value_addr(const struct xl_map *map, uint32_t off, uint64_t *out_addr,
		      struct xl_vlog *log)
{
	struct xl_region regions[XL_MAP_REGIONS_MAX];
	int err = 0;

	if (off >= VALUE_OFF_LIMIT) {
		xl_vlog(log, "direct value offset of %u is not allowed\n", off);
		return -EINVAL;
	}
	if (map->type != BPF_MAP_TYPE_ARRAY || !xl_map_regions(map, regions)) {
		xl_vlog(log, "no direct value access support for this map type\n");
		return -EINVAL;
	}
	if (map->max_entries != 1)
		err = -ENOTSUPP;
	else if (off >= map->value_size)
		err = -EINVAL;
	if (err) {
		xl_vlog(log, "invalid access to map value pointer, value_size=%u off=%u\n",
			map->value_size, off);
		return err;
	}
	*out_addr = regions[0].base + off;
	return 0;
}

/* Kinds of 16-byte loads that name a map. */
struct map_load {
	bool names_map;
	bool by_index; /* imm is an index into fd_array, else an fd */
	bool value;    /* the address of a byte of its value; else of the map */
	uint8_t kind;  /* the same load once fds are gone */
};

static const struct map_load map_loads[16] = {
	[BPF_PSEUDO_MAP_FD] = { true, false, false, BPF_PSEUDO_MAP_FD },
	[BPF_PSEUDO_MAP_VALUE] = { true, false, true, BPF_PSEUDO_MAP_VALUE },
	[BPF_PSEUDO_MAP_IDX] = { true, true, false, BPF_PSEUDO_MAP_FD },
	[BPF_PSEUDO_MAP_IDX_VALUE] = { true, true, true, BPF_PSEUDO_MAP_VALUE },
};

static int resolve_load(struct xl_sys *s, struct xl_prog *prog, uint32_t i,
			const struct map_load *load, struct xl_vlog *log)
{
	struct bpf_insn *insn = &prog->insns[i], *loaded = &prog->insns_loaded[i];
	int fd = insn[0].imm, err = 0;
	struct xl_obj *obj;
	struct xl_map *map;
	uint64_t addr;

	if (load->by_index)
		err = fd_at(s, (uint32_t)insn[0].imm, &fd, log);
	if (err)
		return err;
	err = xl_sys_obj(s, fd, XL_OBJ_MAP, &obj, NULL);
	if (err) {
		xl_vlog(log, "fd %d is not pointing to valid bpf_map\n", fd);
		return err;
	}
	map = xl_map_of(obj);
	addr = (uintptr_t)map;
	if (load->value)
		err = value_addr(map, (uint32_t)insn[1].imm, &addr, log);
	if (!err)
		err = use_map(prog, map, log);
	xl_map_put(map); /* the program has its own */
	if (err)
		return err;
	loaded[0].src_reg = insn[0].src_reg = load->kind;
	loaded[0].imm = (int32_t)map->obj.id;
	insn[0].imm = (int32_t)(uint32_t)addr;
	insn[1].imm = (int32_t)(uint32_t)(addr >> 32);
	return 0;
}

int xl_prog_resolve_maps(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	const struct map_load *load;
	int err;

	for (uint32_t i = 0; i < prog->n_insns; i++) {
		if (!xl_insn_is_ld_imm64(&prog->insns[i]))
			continue;
		load = &map_loads[prog->insns[i].src_reg];
		err = load->names_map ? resolve_load(s, prog, i, load, log) : 0;
		if (err)
			return err;
		i++;
	}
	return 0;
}

int xl_prog_bind_fd_array(struct xl_sys *s, struct xl_prog *prog, struct xl_vlog *log)
{
	const uint32_t n = s->attr.prog_load.fd_array_cnt;
	struct xl_obj *obj;
	int fd, err;

	if (n >= UINT32_MAX / sizeof(int)) {
		xl_vlog(log, "fd_array_cnt is too big (%u)\n", n);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (xl_sys_in(s, &fd, s->attr.u.fd_array + (uint64_t)i * sizeof(fd), sizeof(fd)))
			return -EFAULT;
		err = xl_sys_any_obj(s, fd, &obj, NULL);
		if (!err) {
			if (obj->kind == XL_OBJ_MAP)
				err = use_map(prog, xl_map_of(obj), log);
			else if (obj->kind != XL_OBJ_BTF)
				err = -EINVAL;
			xl_obj_put(obj);
		}
		if (err == -EBADF || err == -EINVAL)
			xl_vlog(log, "fd %d is not pointing to valid bpf_map or btf\n", fd);
		if (err)
			return err;
	}
	return 0;
}

int xl_prog_check_helpers(const struct xl_prog *prog, struct xl_vlog *log)
{
	const struct bpf_insn *insn;
	const struct xl_helper *helper;

	for (uint32_t i = 0; i < prog->n_insns; i++) {
		insn = &prog->insns[i];
		if (xl_insn_is_ld_imm64(insn)) {
			i++;
			continue;
		}
		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg)
			continue;
		helper = xl_helper_of(insn->imm);
		if (!helper || !helper->gpl_only || prog->gpl_compatible)
			continue;
		xl_vlog(log,
			"cannot call GPL-restricted function from non-GPL compatible program: "
			"%s#%d at insn %u\n",
			helper->name, insn->imm, i);
		return -EINVAL;
	}
	return 0;
}

int xl_prog_check_owners(struct xl_sys *s, const struct xl_prog *prog, struct xl_vlog *log)
{
	for (uint32_t i = 0; i < prog->n_maps; i++) {
		struct xl_map *map = prog->maps[i];

		if (map->type != BPF_MAP_TYPE_PROG_ARRAY && map->type != BPF_MAP_TYPE_DEVMAP &&
		    map->type != BPF_MAP_TYPE_CPUMAP)
			continue;
		if (xl_sys_map_takes_prog(s, map, prog))
			continue;
		xl_vlog(log, "map %s is used by programs of another type or kind of frames\n",
			map->name);
		return -EINVAL;
	}
	return 0;
}
