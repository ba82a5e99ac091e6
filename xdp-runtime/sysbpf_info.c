/* OBJ_GET_INFO_BY_FD: one row per kind of object.
 *
 * The caller's struct may be shorter or longer than ours; what it is longer must be zero, and it
 * learns how much was filled. Arrays (ids, instructions, records) go to where the struct points.
 *
 * Source: bpf_prog_get_info_by_fd() and its neighbours in kernel/bpf/syscall.c,
 * btf_get_info_by_fd() in kernel/bpf/btf.c; v6.18.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maps/map.h"
#include "xdp-runtime/btf.h"
#include "xdp-runtime/link.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/sysbpf_call.h"

#define INFO_SIZE_MAX 4096u /* the kernel's: a page */

/* The structs of 6.18 are as long or longer than those of Debian's headers. */
union info {
	struct bpf_prog_info prog; /* 232 bytes */
	struct bpf_map_info map;
	struct bpf_btf_info btf;
	struct bpf_link_info link;
	uint8_t raw[256];
	struct {
		uint8_t before[offsetof(struct bpf_map_info, map_extra) + 8];
		uint64_t hash; /* 6.18: address for the digest of a frozen array */
		uint32_t hash_size;
	} map_618;
};

/* Copies @want elements of @n from our array into the caller's. */
static int array_out(struct xl_sys *s, uint64_t dst, const void *src, size_t elem_size,
		     uint32_t want, uint32_t n)
{
	return xl_sys_out(s, dst, src, elem_size * (want < n ? want : n));
}

/* A record size may be asked for by 0, else it must be ours. */
static int rec_size(uint32_t *size, uint32_t n, uint32_t ours)
{
	if ((n || *size) && *size != ours)
		return -EINVAL;
	*size = ours;
	return 0;
}

static int rec_sizes(struct bpf_prog_info *info)
{
	int err = rec_size(&info->func_info_rec_size, info->nr_func_info,
			   sizeof(struct bpf_func_info));

	if (!err)
		err = rec_size(&info->line_info_rec_size, info->nr_line_info,
			       sizeof(struct bpf_line_info));
	if (!err)
		err = rec_size(&info->jited_line_info_rec_size, info->nr_jited_line_info,
			       sizeof(uint64_t));
	return err;
}

/* The ids of the used maps, in new memory: the caller's may be slow, so it is not written to with
 * the lock held. */
static int map_ids(const struct xl_prog *prog, uint32_t **out_ids, uint32_t *out_n)
{
	pthread_mutex_lock(&prog->rt->lock);
	*out_n = prog->n_maps;
	*out_ids = malloc((prog->n_maps + 1) * sizeof(uint32_t));
	for (uint32_t i = 0; *out_ids && i < prog->n_maps; i++)
		(*out_ids)[i] = prog->maps[i]->obj.id;
	pthread_mutex_unlock(&prog->rt->lock);
	return *out_ids ? 0 : -ENOMEM;
}

static int map_ids_out(struct xl_sys *s, const struct xl_prog *prog, struct bpf_prog_info *info)
{
	uint32_t *ids, n;
	int err = map_ids(prog, &ids, &n);

	if (err)
		return err;
	err = array_out(s, info->map_ids, ids, sizeof(uint32_t), info->nr_map_ids, n);
	info->nr_map_ids = n;
	free(ids);
	return err;
}

static int tags_out(struct xl_sys *s, const struct xl_prog *prog, uint64_t dst, uint32_t want)
{
	uint8_t tag[XL_TAG_SIZE];
	uint32_t start, end;

	for (uint32_t i = 0; i < want && i < prog->n_subprogs; i++) {
		start = prog->subprog_start[i];
		end = i + 1 < prog->n_subprogs ? prog->subprog_start[i + 1] : prog->n_insns;
		if (prog->n_subprogs == 1)
			memcpy(tag, prog->tag, sizeof(tag));
		else
			xl_prog_tag(prog->insns_loaded + start, end - start, tag);
		if (xl_sys_out(s, dst + i * sizeof(tag), tag, sizeof(tag)))
			return -EFAULT;
	}
	return 0;
}

/* Writes the arrays and sets their true lengths. */
static int prog_arrays(struct xl_sys *s, const struct xl_prog *prog, struct bpf_prog_info *info)
{
	const uint32_t xlated_size = prog->n_insns * (uint32_t)sizeof(struct bpf_insn);

	int err = map_ids_out(s, prog, info);

	if (err)
		return err;
	if (array_out(s, info->xlated_prog_insns, prog->insns_loaded, 1, info->xlated_prog_len,
		      xlated_size) ||
	    array_out(s, info->func_info, prog->func_info, sizeof(struct bpf_func_info),
		      info->nr_func_info, prog->n_func_info) ||
	    array_out(s, info->line_info, prog->line_info, sizeof(struct bpf_line_info),
		      info->nr_line_info, prog->n_line_info) ||
	    tags_out(s, prog, info->prog_tags, info->nr_prog_tags))
		return -EFAULT;
	info->xlated_prog_len = xlated_size;
	info->nr_func_info = prog->n_func_info;
	info->nr_line_info = prog->n_line_info;
	info->nr_prog_tags = prog->n_subprogs;
	return 0;
}

static int prog_info(struct xl_sys *s, struct xl_obj *obj, union info *info)
{
	const struct xl_prog *prog = xl_prog_of(obj);
	struct bpf_prog_info *p = &info->prog;
	int err = rec_sizes(p);

	if (err)
		return err;
	p->type = prog->type;
	p->id = obj->id;
	p->load_time = prog->load_time_ns;
	p->created_by_uid = getuid();
	p->gpl_compatible = prog->gpl_compatible;
	memcpy(p->tag, prog->tag, sizeof(p->tag));
	memcpy(p->name, prog->name, sizeof(p->name));
	p->btf_id = prog->btf ? prog->btf->id : 0;
	p->verified_insns =
		prog->verified_insns < UINT32_MAX ? (uint32_t)prog->verified_insns : UINT32_MAX;
	/* Nothing of ours is the kernel's machine code. */
	p->jited_prog_len = 0;
	p->nr_jited_ksyms = 0;
	p->nr_jited_func_lens = 0;
	p->nr_jited_line_info = 0;
	p->run_time_ns = 0;
	p->run_cnt = 0;
	p->recursion_misses = 0;
	return prog_arrays(s, prog, p);
}

static int map_info(struct xl_sys *s, struct xl_obj *obj, union info *info)
{
	const struct xl_map *map = xl_map_of(obj);

	if (info->map_618.hash || info->map_618.hash_size)
		return -EINVAL; /* digests are for maps of signed loaders */
	info->map = (struct bpf_map_info){
		.type = map->type,
		.id = obj->id,
		.key_size = map->key_size,
		.value_size = map->value_size,
		.max_entries = map->max_entries,
		.map_flags = map->flags,
		.btf_id = map->btf ? map->btf->id : 0,
		.btf_key_type_id = map->btf_key_type_id,
		.btf_value_type_id = map->btf_value_type_id,
		.btf_vmlinux_value_type_id = map->btf_vmlinux_value_type_id,
		.map_extra = map->map_extra,
	};
	memcpy(info->map.name, map->name, sizeof(info->map.name));
	return 0;
}

/* The name, cut to fit and ended. -ENOSPC if it was cut, after all else was written. */
static int name_out(struct xl_sys *s, uint64_t dst, uint32_t size, const char *name)
{
	const uint32_t len = (uint32_t)strlen(name);

	if (!dst)
		return 0;
	if (xl_sys_out(s, dst, name, len < size ? len : size - 1) ||
	    xl_sys_out(s, dst + (len < size ? len : size - 1), "", 1))
		return -EFAULT;
	return len < size ? 0 : -ENOSPC;
}

static int btf_info(struct xl_sys *s, struct xl_obj *obj, union info *info)
{
	const struct xl_btf *btf = xl_btf_of(obj);
	struct bpf_btf_info *b = &info->btf;
	const uint32_t name_size = b->name_len;

	if (xl_sys_out(s, b->btf, btf->data, b->btf_size < btf->size ? b->btf_size : btf->size))
		return -EFAULT;
	if (!b->name != !name_size)
		return -EINVAL;
	b->id = obj->id;
	b->btf_size = btf->size;
	b->kernel_btf = 0;
	b->name_len = (uint32_t)strlen(btf->name);
	return name_out(s, b->name, name_size, btf->name);
}

static int link_info(struct xl_sys *s, struct xl_obj *obj, union info *info)
{
	const struct xl_link *link = xl_link_of(obj);

	info->link.type = BPF_LINK_TYPE_XDP;
	info->link.id = obj->id;
	pthread_mutex_lock(&s->rt->lock);
	info->link.prog_id = link->prog->obj.id;
	info->link.xdp.ifindex = link->ifindex;
	pthread_mutex_unlock(&s->rt->lock);
	return 0;
}

/* Fills the struct, which holds what the caller's did. -ENOSPC leaves it to be written too. */
typedef int info_fn(struct xl_sys *s, struct xl_obj *obj, union info *info);

static const struct {
	info_fn *fill;
	uint32_t end;  /* of the last field that the kernel knows, v6.18 */
	uint32_t size; /* of its struct, padding included */
} kinds[XL_OBJ_KINDS] = {
	[XL_OBJ_MAP] = { map_info, 100, 104 },
	[XL_OBJ_PROG] = { prog_info, 228, 232 },
	[XL_OBJ_BTF] = { btf_info, 32, 32 },
	[XL_OBJ_LINK] = { link_info, 64, 64 },
};

static int info_in(struct xl_sys *s, enum xl_obj_kind kind, union info *info, uint32_t *out_len)
{
	const uint64_t addr = s->attr.u.info.info;
	const uint32_t end = kinds[kind].end, len = s->attr.u.info.info_len;
	int zero = 1;

	if (len > INFO_SIZE_MAX)
		return -E2BIG;
	if (len > end)
		zero = xl_sys_is_zero(s, addr + end, len - end);
	if (zero <= 0)
		return zero ? zero : -E2BIG;
	memset(info, 0, sizeof(*info));
	*out_len = len < kinds[kind].size ? len : kinds[kind].size;
	return xl_sys_in(s, info, addr, *out_len);
}

static int get_info(struct xl_sys *s, struct xl_obj *obj)
{
	union info info;
	uint32_t len;
	int ret, err = info_in(s, obj->kind, &info, &len);

	if (err)
		return err;
	ret = kinds[obj->kind].fill(s, obj, &info);
	if (ret && ret != -ENOSPC)
		return ret;
	if (xl_sys_out(s, s->attr.u.info.info, &info, len) ||
	    xl_sys_attr_out(s, offsetof(union bpf_attr, info.info_len), len))
		return -EFAULT;
	return ret;
}

long xl_sys_obj_get_info_by_fd(struct xl_sys *s)
{
	struct xl_obj *obj;
	int err = xl_sys_any_obj(s, (int)s->attr.u.info.bpf_fd, &obj, NULL);

	if (err)
		return err == -EBADF ? -EBADFD : err;
	err = get_info(s, obj);
	xl_obj_put(obj);
	return err;
}
