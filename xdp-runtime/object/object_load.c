/* Creating what an object holds: maps, pins, programs; and saying why something was refused.
 *
 * libbpf does the work, inside the door. The runtime keeps programs that fail its checks
 * (keep_refused), so that libbpf does not stop at the first of them.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xdp-runtime/handle.h"
#include "xdp-runtime/helpers/helpers.h"
#include "xdp-runtime/object/object_priv.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf.h"

/* What libbpf itself puts in the place of instructions; the names are ours. */
#define LIBBPF_POISON_CORE 195896080
#define LIBBPF_POISON_MAP  2001000000

static void pin_path(const struct xl_object_map *map, char *buf, size_t size)
{
	snprintf(buf, size, "/sys/fs/bpf/%s", map->name);
}

/* The object behind one of our fds, with a reference; NULL if there is none. */
static struct xl_obj *obj_of_fd(struct xl_runtime *rt, int fd, enum xl_obj_kind kind)
{
	struct xl_obj *obj = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	pthread_mutex_lock(&rt->lock);
	obj = xl_handle_by_ino(rt->handles, st.st_dev, st.st_ino);
	if (obj && (obj->kind != kind || !xl_obj_tryget(obj)))
		obj = NULL;
	pthread_mutex_unlock(&rt->lock);
	return obj;
}

/* -- pins -------------------------------------------------------------------------------- */

/* Source: map_is_reuse_compat() of libbpf. */
static bool fits(const struct xl_object_map *map, const struct bpf_map_info *info)
{
	return info->type == map->type && info->key_size == map->key_size &&
	       info->value_size == map->value_size && info->max_entries == map->max_entries &&
	       info->map_flags == map->flags;
}

static int take_pin(struct xl_object *obj, uint32_t i, struct xl_err *e)
{
	const struct xl_object_map *map = &obj->maps[i];
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	char path[256];
	int fd, err;

	pin_path(map, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0; /* none yet */
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (!err && !fits(map, &info))
		err = xl_err_set(e, -EINVAL,
				 "map '%s' does not have the shape of the one that is pinned at %s",
				 map->name, path);
	if (!err)
		err = bpf_map__reuse_fd(xl_object_priv(obj)->stores[i].bpf, fd);
	close(fd);
	return err ? xl_err_set(e, -EINVAL, "map '%s': cannot share %s", map->name, path) : 0;
}

static int take_pins(struct xl_object *obj, struct xl_err *e)
{
	int err = 0;

	for (uint32_t i = 0; i < obj->n_maps && !err; i++)
		if (obj->maps[i].is_pinned && !obj->maps[i].why_not)
			err = take_pin(obj, i, e);
	return err;
}

static int make_pins(struct xl_object *obj, struct xl_err *e)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		char path[256];

		if (!obj->maps[i].is_pinned || obj->maps[i].why_not)
			continue;
		pin_path(&obj->maps[i], path, sizeof(path));
		if (bpf_obj_pin(bpf_map__fd(xl_object_priv(obj)->stores[i].bpf), path) &&
		    errno != EEXIST)
			return xl_err_set(e, -errno, "map '%s': cannot pin at %s: %s",
					  obj->maps[i].name, path, strerror(errno));
	}
	return 0;
}

/* -- why a program was refused ------------------------------------------------------------ */

/* What program @name, or one of its subprograms, asks of CO-RE in vain. */
static char *why_core(const struct xl_object_msg *msg, const char *name)
{
	const char *what = NULL;
	char *s = NULL;

	for (uint32_t i = 0; i < msg->n_lacks; i++)
		if (!what || !strcmp(msg->lacks[i].func, name))
			what = msg->lacks[i].what;
	if (asprintf(&s, "accesses %s, which the kernel's BTF does not have",
		     what ? what : "something") < 0)
		return NULL;
	return s;
}

static int why_helper(char **out, int32_t func)
{
	const char *why_not = xl_helper_why_not(func);

	return asprintf(out, "needs helper %s, which is not served%s%s", xl_helper_name(func),
			why_not ? ": " : "", why_not ? why_not : "");
}

static char *why_number(const struct xl_object *obj, const char *name, long func)
{
	const struct xl_object_priv *priv = xl_object_priv(obj);
	char *s = NULL;
	int n = 0;

	if (func >= XL_POISON && (uint64_t)(func - XL_POISON) < priv->n_poisons)
		return strdup(priv->poisons[func - XL_POISON]);
	if (func == LIBBPF_POISON_CORE)
		return why_core(&priv->msg, name);
	if (func >= LIBBPF_POISON_MAP && func - LIBBPF_POISON_MAP < obj->n_maps)
		n = asprintf(&s, "needs map '%s' (%s), but %s",
			     obj->maps[func - LIBBPF_POISON_MAP].name,
			     xl_map_type_name(obj->maps[func - LIBBPF_POISON_MAP].type),
			     obj->maps[func - LIBBPF_POISON_MAP].why_not);
	else if (func >= 0 && func < INT32_MAX && xl_helper_name((int32_t)func))
		n = why_helper(&s, (int32_t)func);
	return n < 0 ? NULL : s;
}

/* The reason in words. "invalid func unknown#N" stands for something that was replaced. */
static char *why_refused(const struct xl_object *obj, const char *name, const char *refused)
{
	const char *hash = strrchr(refused, '#');
	char *s = NULL;

	if (hash && (strstr(refused, "invalid func") || strstr(refused, "unknown func")))
		s = why_number(obj, name, strtol(hash + 1, NULL, 10));
	return s ? s : strdup(refused);
}

/* -- load -------------------------------------------------------------------------------- */

static void collect_prog(struct xl_object *obj, uint32_t i)
{
	struct xl_object_func *func = &xl_object_priv(obj)->funcs[i];
	struct xl_object_prog *prog = &obj->progs[i];
	struct xl_obj *o;

	if (!func->bpf)
		return;
	o = obj_of_fd(obj->rt, bpf_program__fd(func->bpf), XL_OBJ_PROG);
	if (o && !xl_prog_of(o)->refused) {
		prog->prog = xl_prog_of(o);
		return;
	}
	free(func->why_not);
	func->why_not = o ? why_refused(obj, prog->name, xl_prog_of(o)->refused) : NULL;
	prog->why_not = func->why_not ? func->why_not : "it was not loaded";
	xl_obj_put(o);
}

static void collect(struct xl_object *obj)
{
	struct xl_object_priv *priv = xl_object_priv(obj);

	for (uint32_t i = 0; i < obj->n_maps; i++) {
		struct xl_obj *o = obj_of_fd(obj->rt, bpf_map__fd(priv->stores[i].bpf), XL_OBJ_MAP);

		if (!o)
			continue;
		obj->maps[i].map = xl_map_of(o);
		/* libbpf rounds some sizes, and a reused map has its own. */
		obj->maps[i].max_entries = obj->maps[i].map->max_entries;
	}
	for (uint32_t i = 0; i < obj->n_progs; i++)
		collect_prog(obj, i);
}

/* A file without any function is mostly one whose functions have no type. */
static int no_program(const struct xl_elf *elf, struct xl_err *e)
{
	for (uint32_t i = 1; i < elf->n_secs; i++)
		if (elf->sec[i].kept && elf->sec[i].flags & SHF_EXECINSTR)
			return xl_err_set(e, -ENOENT,
					  "no XDP program in it: section '%s' has code but no "
					  "function symbol (compiled by LLVM before 7?)",
					  elf->sec[i].name);
	return xl_err_set(e, -ENOENT, "no XDP program in it, nor any other");
}

static int check_some_xdp(const struct xl_object *obj, struct xl_err *e)
{
	for (uint32_t i = 0; i < obj->n_progs; i++)
		if (obj->progs[i].is_xdp)
			return 0;
	if (!obj->n_progs)
		return no_program(&xl_object_priv(obj)->elf, e);
	return xl_err_set(e, -ENOENT, "no XDP program in it: '%s' in section '%s': %s",
			  obj->progs[0].name, obj->progs[0].section, obj->progs[0].why_not);
}

static int check_some_loaded(const struct xl_object *obj, struct xl_err *e)
{
	const struct xl_object_prog *first = NULL;

	for (uint32_t i = 0; i < obj->n_progs; i++) {
		if (obj->progs[i].prog)
			return 0;
		if (obj->progs[i].is_xdp && !first)
			first = &obj->progs[i];
	}
	return xl_err_set(e, -EACCES, "program '%s' cannot run: %s", first->name, first->why_not);
}

/* The first map that cannot be made, in the words of who makes it. */
static int explain_maps(struct xl_object *obj, int err, struct xl_err *e)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		const struct xl_object_map *m = &obj->maps[i];
		union bpf_attr attr = { .map_type = m->type,
					.key_size = m->key_size,
					.value_size = m->value_size,
					.max_entries = m->max_entries,
					.map_flags = m->flags };
		struct xl_err why = { 0 };
		struct xl_map *map;

		if (m->why_not || (m->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY && !m->max_entries) ||
		    m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || m->type == BPF_MAP_TYPE_HASH_OF_MAPS)
			continue;
		if (!xl_map_create(&attr, &obj->rt->map_env, NULL, &map, &why))
			xl_map_put(map);
		else if (why.text[0])
			return xl_err_set(e, err, "map '%s': %s", m->name, why.text);
	}
	return err;
}

static int load_bpf(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_msg *msg = &xl_object_priv(obj)->msg;
	int err;

	xl_object_msg_on(msg);
	err = bpf_object__load(obj->bpf);
	xl_object_msg_off(msg);
	if (!err)
		return 0;
	if (err <= -4000) /* libbpf's own numbers */
		err = -EINVAL;
	if (strstr(msg->text, "failed to create"))
		explain_maps(obj, err, e);
	if (!msg->text[0] || strstr(msg->text, strerror(-err)))
		return xl_err_set(e, err, "%s", msg->text[0] ? msg->text : strerror(-err));
	return xl_err_set(e, err, "%s: %s", msg->text, strerror(-err));
}

int xl_object_load(struct xl_object *obj, struct xl_err *e)
{
	struct xl_runtime *before;
	bool keep = obj->rt->keep_refused;
	int err;

	if (xl_object_priv(obj)->loaded)
		return xl_err_set(e, -EBUSY, "already loaded");
	xl_object_priv(obj)->loaded = true;
	err = check_some_xdp(obj, e);
	if (err)
		return err;
	xl_object_settle_maps(obj);
	before = xl_bpf_door_enter(obj->rt);
	obj->rt->keep_refused = true;
	err = take_pins(obj, e);
	err = err ? err : xl_object_make_inners(obj, e);
	err = err ? err : load_bpf(obj, e);
	xl_object_drop_inners(obj);
	err = err ? err : make_pins(obj, e);
	if (!err)
		xl_object_fill_slots(obj);
	obj->rt->keep_refused = keep;
	xl_bpf_door_leave(before);
	if (err)
		return err;
	collect(obj);
	return check_some_loaded(obj, e);
}

struct xl_object_prog *xl_object_prog(struct xl_object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_progs; i++)
		if (!strcmp(obj->progs[i].name, name))
			return &obj->progs[i];
	return NULL;
}

struct xl_object_map *xl_object_map(struct xl_object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_maps; i++)
		if (!strcmp(obj->maps[i].name, name) ||
		    !strcmp(xl_object_priv(obj)->stores[i].full_name, name))
			return &obj->maps[i];
	return NULL;
}

void xl_object_close(struct xl_object *obj)
{
	struct xl_object_priv *priv;

	if (!obj)
		return;
	priv = xl_object_priv(obj);
	for (uint32_t i = 0; i < obj->n_progs; i++) {
		xl_prog_put(obj->progs[i].prog);
		free(priv->funcs[i].why_not);
	}
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		xl_map_put(obj->maps[i].map);
		free(priv->stores[i].name);
		free(priv->stores[i].full_name);
	}
	bpf_object__close(obj->bpf);
	btf__free(priv->btf);
	if (priv->kernel_btf_fd >= 0)
		close(priv->kernel_btf_fd);
	for (uint32_t i = 0; i < priv->n_pins; i++)
		free(priv->pins[i]);
	for (uint32_t i = 0; i < priv->n_poisons; i++)
		free(priv->poisons[i]);
	free(priv->pins);
	free(priv->poisons);
	free(priv->funcs);
	free(priv->stores);
	xl_object_lore_release(&priv->lore);
	xl_elf_release(&priv->elf);
	free(obj->progs);
	free(obj->maps);
	free(obj->name);
	free(priv);
	free(obj);
}
