/* The maps of an object as libbpf found them, and what they still lack.
 *
 * Some definitions leave to a control program what only it knows: how many entries, what the
 * inner maps of a map of maps look like. There is none here. The user says it instead, or a
 * sensible number is taken with a notice. Others ask for what no kernel makes, but which the
 * loader that they were written for puts right; so does this.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/object/object_priv.h"
#include "xdp-runtime/runtime.h"

#define DEFAULT_ENTRIES 1024	  /* chosen */
#define DEFAULT_RING	(1 << 18) /* bytes; chosen: what examples of libbpf take */
#define NO_INNER                                                \
	"its definition does not say what its inner maps are: " \
	"--inner NAME=type,key,value,entries does"

static bool is_map_in_map(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* -- what is put right ------------------------------------------------------------------------ */

/* Whether the kernel has fewer CPUs than the map has entries. */
static bool is_too_large(const struct bpf_map *bpf)
{
	const union bpf_attr attr = { .map_type = bpf_map__type(bpf),
				      .key_size = bpf_map__key_size(bpf),
				      .value_size = bpf_map__value_size(bpf),
				      .max_entries = bpf_map__max_entries(bpf),
				      .map_flags = bpf_map__map_flags(bpf) };
	struct xl_err e = { 0 };

	return bpf_map__type(bpf) == BPF_MAP_TYPE_CPUMAP &&
	       xl_map_ops_of(bpf_map__type(bpf))->check(&attr, &e) == -E2BIG;
}

static void size_map(struct xl_object *obj, struct bpf_map *bpf)
{
	const bool sizeless = !bpf_map__max_entries(bpf);
	uint32_t n = DEFAULT_ENTRIES;

	/* libbpf gives perf event arrays one entry per CPU */
	if ((!sizeless && !is_too_large(bpf)) ||
	    bpf_map__type(bpf) == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return;
	if (bpf_map__type(bpf) == BPF_MAP_TYPE_CPUMAP)
		n = obj->rt->map_env.n_cpus;
	else if (bpf_map__type(bpf) == BPF_MAP_TYPE_RINGBUF)
		n = DEFAULT_RING;
	if (bpf_map__set_max_entries(bpf, n))
		return;
	if (sizeless)
		xl_object_notice(obj,
				 "%s: map '%s' leaves its size to its control program: taken as "
				 "%u (--max-entries %s=N says another)",
				 obj->name, bpf_map__name(bpf), n, bpf_map__name(bpf));
	else
		xl_object_notice(obj,
				 "%s: cpumap '%s' has more entries than CPUs can be: taken as %u",
				 obj->name, bpf_map__name(bpf), n);
}

/* Loaders for Go and of BCC make what these types must be of them. */
static void mend_map(struct xl_object *obj, struct bpf_map *bpf)
{
	if (bpf_map__type(bpf) == BPF_MAP_TYPE_PERF_EVENT_ARRAY &&
	    (bpf_map__key_size(bpf) != 4 || bpf_map__value_size(bpf) != 4)) {
		bpf_map__set_key_size(bpf, 4);
		bpf_map__set_value_size(bpf, 4);
		xl_object_notice(obj, "%s: perf event array '%s': keys and values taken as 4 bytes",
				 obj->name, bpf_map__name(bpf));
	}
	if (bpf_map__type(bpf) == BPF_MAP_TYPE_LPM_TRIE &&
	    !(bpf_map__map_flags(bpf) & BPF_F_NO_PREALLOC)) {
		bpf_map__set_map_flags(bpf, bpf_map__map_flags(bpf) | BPF_F_NO_PREALLOC);
		xl_object_notice(obj, "%s: LPM trie '%s': flag BPF_F_NO_PREALLOC taken as given",
				 obj->name, bpf_map__name(bpf));
	}
}

/* libbpf sizes perf event arrays, but not those that a map of maps holds. */
static void mend_inner(const struct xl_object *obj, struct xl_object_store *store)
{
	const struct bpf_map *inner = bpf_map__inner_map(store->bpf);

	if (!inner || bpf_map__type(inner) != BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
	    bpf_map__max_entries(inner))
		return;
	store->inner.type = BPF_MAP_TYPE_PERF_EVENT_ARRAY;
	store->inner.key_size = store->inner.value_size = 4;
	store->inner.max_entries = obj->rt->map_env.n_cpus;
	store->inner.given = true;
}

/* -- the list --------------------------------------------------------------------------------- */

/* What would stop a map; NULL: nothing is known to. */
static const char *map_why_not(const struct xl_object_store *store)
{
	const struct bpf_map *inner;

	if (!xl_map_ops_of(bpf_map__type(store->bpf)))
		return "its type is not served";
	if (!is_map_in_map(bpf_map__type(store->bpf)) || store->inner.given)
		return NULL;
	inner = bpf_map__inner_map(store->bpf);
	if (!inner)
		return NO_INNER;
	return xl_map_ops_of(bpf_map__type(inner)) ? NULL : "its inner maps are not served";
}

static bool wants_pin(const struct xl_object_priv *priv, const char *name)
{
	for (uint32_t i = 0; i < priv->n_pins; i++)
		if (!strcmp(priv->pins[i], name))
			return true;
	return false;
}

static int name_map(struct xl_object *obj, struct bpf_map *bpf, struct xl_err *e)
{
	struct xl_object_store *store = &xl_object_priv(obj)->stores[obj->n_maps];
	struct xl_object_map *map = &obj->maps[obj->n_maps++];
	const char *full = bpf_map__name(bpf), *name = full;

	map->is_internal = bpf_map__is_internal(bpf);
	if (map->is_internal && strchr(full, '.'))
		name = strchr(full, '.');
	store->bpf = bpf;
	store->inner.fd = -1;
	store->name = strdup(name);
	store->full_name = strdup(full);
	if (!store->name || !store->full_name)
		return xl_err_set(e, -ENOMEM, "out of memory");
	map->name = store->name;
	map->is_pinned = !map->is_internal && wants_pin(xl_object_priv(obj), name);
	return 0;
}

static void describe_map(struct xl_object *obj, uint32_t i)
{
	struct xl_object_store *store = &xl_object_priv(obj)->stores[i];
	struct xl_object_map *map = &obj->maps[i];

	map->why_not = map_why_not(store);
	if (map->why_not)
		bpf_map__set_autocreate(store->bpf, false);
	map->type = bpf_map__type(store->bpf);
	map->key_size = bpf_map__key_size(store->bpf);
	map->value_size = bpf_map__value_size(store->bpf);
	map->max_entries = bpf_map__max_entries(store->bpf);
	map->flags = bpf_map__map_flags(store->bpf);
}

int xl_object_list_maps(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	struct bpf_map *bpf;
	uint32_t n = 0;
	int err = 0;

	bpf_object__for_each_map(bpf, obj->bpf) n++;
	obj->maps = calloc(n + 1, sizeof(*obj->maps));
	priv->stores = calloc(n + 1, sizeof(*priv->stores));
	if (!obj->maps || !priv->stores)
		return xl_err_set(e, -ENOMEM, "out of memory");
	bpf_object__for_each_map(bpf, obj->bpf) err = err ? err : name_map(obj, bpf, e);
	for (uint32_t i = 0; i < obj->n_maps && !err; i++)
		describe_map(obj, i);
	return err;
}

void xl_object_settle_maps(struct xl_object *obj)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (obj->maps[i].why_not)
			continue;
		mend_map(obj, xl_object_priv(obj)->stores[i].bpf);
		mend_inner(obj, &xl_object_priv(obj)->stores[i]);
		size_map(obj, xl_object_priv(obj)->stores[i].bpf);
		describe_map(obj, i);
	}
}

/* -- what the user says ----------------------------------------------------------------------- */

/* Finds the map that @text, "NAME=…", is about; points @out_rest behind the '='. */
static int find_map(const struct xl_object *obj, const char *option, const char *text,
		    const char **out_rest, uint32_t *out_map, struct xl_err *e)
{
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : 0;

	if (xl_object_priv(obj)->loaded)
		return xl_err_set(e, -EBUSY, "--%s %s: the object is loaded already", option, text);
	if (!n)
		return xl_err_set(e, -EINVAL, "--%s '%s': no NAME=…", option, text);
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		if (strncmp(obj->maps[i].name, text, n) || obj->maps[i].name[n])
			continue;
		*out_map = i;
		*out_rest = equals + 1;
		return 0;
	}
	return xl_err_set(e, -ENOENT, "--%s %s: no such map", option, text);
}

/* A number, up to a comma or the end. */
static bool read_number(const char **at, uint32_t *out)
{
	char *end;
	unsigned long long value = strtoull(*at, &end, 0);

	if (**at < '0' || **at > '9' || (*end && *end != ',') || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	*at = end + (*end == ',');
	return true;
}

/* A type by its name, "lru_hash", or number. */
static bool read_type(const char **at, uint32_t *out)
{
	const size_t n = strcspn(*at, ",");

	for (uint32_t type = 1; libbpf_bpf_map_type_str((enum bpf_map_type)type); type++) {
		const char *name = libbpf_bpf_map_type_str((enum bpf_map_type)type);

		if (strncmp(name, *at, n) || name[n])
			continue;
		*out = type;
		*at += n + ((*at)[n] == ',');
		return true;
	}
	return read_number(at, out);
}

int xl_object_set_inner(struct xl_object *obj, const char *text, struct xl_err *e)
{
	struct xl_object_store *store;
	const char *at;
	uint32_t i = 0;
	int err = find_map(obj, "inner", text, &at, &i, e);

	if (err)
		return err;
	store = &xl_object_priv(obj)->stores[i];
	if (!is_map_in_map(bpf_map__type(store->bpf)))
		return xl_err_set(e, -EINVAL, "--inner %s: that map holds no maps", text);
	if (!read_type(&at, &store->inner.type) || !read_number(&at, &store->inner.key_size) ||
	    !read_number(&at, &store->inner.value_size) ||
	    !read_number(&at, &store->inner.max_entries) || *at)
		return xl_err_set(e, -EINVAL,
				  "--inner %s: not of the form NAME=type,key,value,entries, as in "
				  "NAME=array,4,8,16",
				  text);
	if (!xl_map_ops_of(store->inner.type) || is_map_in_map(store->inner.type))
		return xl_err_set(e, -EINVAL, "--inner %s: maps of that type cannot be held", text);
	store->inner.given = true;
	bpf_map__set_autocreate(store->bpf, true);
	describe_map(obj, i);
	return 0;
}

int xl_object_set_entries(struct xl_object *obj, const char *text, struct xl_err *e)
{
	struct bpf_map *bpf;
	const char *at;
	uint32_t i = 0, n;
	int err = find_map(obj, "max-entries", text, &at, &i, e);

	if (err)
		return err;
	bpf = xl_object_priv(obj)->stores[i].bpf;
	if (!read_number(&at, &n) || *at || !n)
		return xl_err_set(e, -EINVAL, "--max-entries %s: not a number above 0", text);
	if (bpf_map__is_internal(bpf) || bpf_map__set_max_entries(bpf, n))
		return xl_err_set(e, -EINVAL, "--max-entries %s: the map has the size that it has",
				  text);
	describe_map(obj, i);
	return 0;
}

/* -- inner maps ------------------------------------------------------------------------------- */

int xl_object_make_inners(struct xl_object *obj, struct xl_err *e)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		struct xl_object_store *store = &xl_object_priv(obj)->stores[i];
		LIBBPF_OPTS(bpf_map_create_opts, opts,
			    .map_flags = store->inner.type == BPF_MAP_TYPE_LPM_TRIE
						 ? BPF_F_NO_PREALLOC
						 : 0, );

		if (!store->inner.given)
			continue;
		store->inner.fd = bpf_map_create((enum bpf_map_type)store->inner.type, "inner",
						 store->inner.key_size, store->inner.value_size,
						 store->inner.max_entries, &opts);
		if (store->inner.fd < 0)
			return xl_err_set(e, store->inner.fd,
					  "map '%s': such inner maps cannot be made: %s",
					  store->name, strerror(-store->inner.fd));
		if (bpf_map__set_inner_map_fd(store->bpf, store->inner.fd))
			return xl_err_set(e, -EINVAL, "map '%s': it takes no inner maps",
					  store->name);
	}
	return 0;
}

void xl_object_drop_inners(struct xl_object *obj)
{
	for (uint32_t i = 0; i < obj->n_maps; i++) {
		struct xl_object_store *store = &xl_object_priv(obj)->stores[i];

		if (store->inner.fd >= 0)
			close(store->inner.fd);
		store->inner.fd = -1;
	}
}
