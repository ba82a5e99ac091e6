/* Changes to a checked image before libbpf sees it: BTF.
 *
 * - "pinning" in map definitions loses its name, so that libbpf neither touches the file system
 *   nor stumbles over another loader's values; object_load.c pins;
 * - .ksyms is no DATASEC any more, since object_fix.c has taken its symbols away;
 * - .kconfig, which libbpf fills, holds nothing but small variables.
 *
 * Type ids, names and sizes stay what they are, so that all else stays true.
 *
 * Source: parse_btf_map_def() and bpf_object__collect_externs() of libbpf 1.1.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_priv.h"

/* linux/btf.h has it in the kernel only. */
#define BTF_INFO_ENC(kind, vlen) (((uint32_t)(kind) << 24) | (uint32_t)(vlen))

#define MAPS_MAX		 4096 /* chosen: ten times what any known object has */
#define KCONFIG_VAR_MAX		 4096 /* bytes; chosen: CONFIG_* strings are far shorter */
#define KCONFIG_VARS_MAX	 1024 /* chosen */

struct fixer {
	struct xl_object_priv *priv;
	struct xl_err *e;
};

/* The place in the image of something that btf__type_by_id() led to. */
static void *in_image(const struct fixer *f, const void *p)
{
	uint32_t size;
	const uint8_t *raw = btf__raw_data(f->priv->btf, &size);

	return f->priv->elf.sec[f->priv->elf.btf].data + ((const uint8_t *)p - raw);
}

static int add_pin(struct fixer *f, const char *name)
{
	char **grown = reallocarray(f->priv->pins, f->priv->n_pins + 1, sizeof(*grown));
	char *copy = strdup(name);

	if (grown)
		f->priv->pins = grown;
	if (!grown || !copy) {
		free(copy);
		return xl_err_set(f->e, -ENOMEM, "out of memory");
	}
	f->priv->pins[f->priv->n_pins++] = copy;
	return 0;
}

/* One member of a map definition. */
static int fix_map_member(struct fixer *f, const char *map, const struct btf_member *m)
{
	static const char *const known[] = { "type",	 "max_entries", "map_flags", "numa_node",
					     "key_size", "key",		"value",     "value_size",
					     "values",	 "map_extra" };
	const char *name = btf__str_by_offset(f->priv->btf, m->name_off);
	uint32_t pinning = 0, type = 0;

	if (!strcmp(name, "type") && xl_object_btf_uint(f->priv->btf, m, &type) &&
	    type == BPF_MAP_TYPE_STRUCT_OPS) /* libbpf takes it for one of .struct_ops */
		return xl_err_set(f->e, -EINVAL,
				  "map '%s': struct_ops maps cannot be defined like others", map);
	if (!strcmp(name, "pinning")) {
		((struct btf_member *)in_image(f, m))->name_off = 0;
		if (!xl_object_btf_uint(f->priv->btf, m, &pinning))
			return xl_err_set(f->e, -EINVAL, "map '%s': bad 'pinning'", map);
		return pinning ? add_pin(f, map) : 0;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i]))
			return 0;
	return xl_err_set(f->e, -EINVAL, "map '%s': unknown field '%s' in its definition", map,
			  name);
}

static int fix_map_definitions(struct fixer *f, const struct btf_type *sec)
{
	int err = 0;

	if (btf_vlen(sec) > MAPS_MAX)
		return xl_err_set(f->e, -EINVAL, "%u maps are too many", btf_vlen(sec));
	for (int i = 0; i < btf_vlen(sec) && !err; i++) {
		const struct btf_type *var =
			btf__type_by_id(f->priv->btf, btf_var_secinfos(sec)[i].type);
		const char *name = btf__str_by_offset(f->priv->btf, var->name_off);
		const struct btf_type *def =
			btf_is_var(var) ? xl_object_btf_resolve(f->priv->btf, var->type) : NULL;

		if (!def || !btf_is_struct(def))
			continue; /* libbpf says what is wrong */
		for (int k = 0; k < btf_vlen(def) && !err; k++)
			err = fix_map_member(f, name, &btf_members(def)[k]);
	}
	return err;
}

static uint32_t any_int(const struct btf *btf)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++)
		if (btf_is_int(btf__type_by_id(btf, id)))
			return id;
	return 0;
}

/* .ksyms as a struct: its entries have the same size, and nobody looks for it. What it named is
 * made into types that stand for themselves. */
static void fix_ksyms(struct fixer *f, const struct btf_type *sec)
{
	struct btf_type *t = in_image(f, sec);
	uint32_t id = any_int(f->priv->btf);

	f->priv->ksyms = sec;
	for (int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *old =
			btf__type_by_id(f->priv->btf, btf_var_secinfos(sec)[i].type);
		struct btf_type *is = in_image(f, old);

		if (btf_is_var(old))
			btf_var(is)->linkage = BTF_VAR_GLOBAL_ALLOCATED;
		else if (btf_is_func(old))
			is->info = BTF_INFO_ENC(BTF_KIND_TYPEDEF, 0);
		btf_members(t)[i] = (struct btf_member){ .type = id };
	}
	t->name_off = 0;
	t->info = BTF_INFO_ENC(BTF_KIND_STRUCT, btf_vlen(sec));
	t->size = 16; /* the largest int */
}

/* libbpf fills these from the kernel's configuration, and trusts that they are small variables. */
static int check_kconfig(struct fixer *f, const struct btf_type *sec)
{
	const struct btf *btf = f->priv->btf;

	if (btf_vlen(sec) > KCONFIG_VARS_MAX)
		return xl_err_set(f->e, -EINVAL, "section '.kconfig' has %u variables",
				  btf_vlen(sec));
	for (int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *var = btf__type_by_id(btf, btf_var_secinfos(sec)[i].type);
		const char *name = btf__str_by_offset(btf, var->name_off);

		if (!btf_is_var(var) || btf_var(var)->linkage != BTF_VAR_GLOBAL_EXTERN)
			return xl_err_set(f->e, -EINVAL,
					  "'%s' of section '.kconfig' is no extern variable", name);
		if (btf__resolve_size(btf, var->type) > KCONFIG_VAR_MAX)
			return xl_err_set(f->e, -EINVAL,
					  "variable '%s' of section '.kconfig' is too large", name);
	}
	if (f->priv->kconfig)
		return xl_err_set(f->e, -EINVAL, "two sections '.kconfig' in BTF");
	f->priv->kconfig = sec;
	return 0;
}

static bool names(const struct btf *btf, const struct btf_type *sec, const char *name)
{
	for (int i = 0; sec && i < btf_vlen(sec); i++) {
		const struct btf_type *t = btf__type_by_id(btf, btf_var_secinfos(sec)[i].type);

		if (!strcmp(btf__str_by_offset(btf, t->name_off), name))
			return true;
	}
	return false;
}

bool xl_object_is_kconfig(const struct xl_object *obj, const char *name)
{
	return names(xl_object_priv(obj)->btf, xl_object_priv(obj)->kconfig, name);
}

bool xl_object_is_ksym(const struct xl_object *obj, const char *name)
{
	return names(xl_object_priv(obj)->btf, xl_object_priv(obj)->ksyms, name);
}

int xl_object_fix_btf(struct xl_object *obj, struct xl_err *e)
{
	struct fixer fixer = { .priv = xl_object_priv(obj), .e = e }, *f = &fixer;
	int err = 0;

	if (!f->priv->btf)
		return 0;
	for (uint32_t id = 1; id < btf__type_cnt(f->priv->btf) && !err; id++) {
		const struct btf_type *t = btf__type_by_id(f->priv->btf, id);
		const char *name = btf__str_by_offset(f->priv->btf, t->name_off);

		if (!btf_is_datasec(t))
			continue;
		if (!strcmp(name, ".maps"))
			err = fix_map_definitions(f, t);
		else if (!strcmp(name, ".ksyms"))
			fix_ksyms(f, t);
		else if (!strcmp(name, ".kconfig"))
			err = check_kconfig(f, t);
	}
	return err;
}
