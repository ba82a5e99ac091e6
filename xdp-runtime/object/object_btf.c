/* Small questions to BTF that was checked; see object_priv.h. */
#include <string.h>

#include "xdp-runtime/object/object_priv.h"

const struct btf_type *xl_object_btf_resolve(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = id ? btf__type_by_id(btf, id) : NULL;

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = t->type ? btf__type_by_id(btf, t->type) : NULL;
	return t;
}

int xl_object_btf_takes_xdp_md(const struct btf *btf, const char *name)
{
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -1;
	const struct btf_type *t;

	if (id <= 0)
		return -1;
	t = btf__type_by_id(btf, (uint32_t)id);
	t = t->type ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) != 1)
		return 0;
	t = xl_object_btf_resolve(btf, btf_params(t)[0].type);
	if (!t || !btf_is_ptr(t) || !xl_object_btf_resolve(btf, t->type))
		return -1;
	t = xl_object_btf_resolve(btf, t->type);
	return (btf_is_struct(t) || btf_is_fwd(t)) &&
	       !strcmp(btf__str_by_offset(btf, t->name_off), "xdp_md");
}

bool xl_object_btf_uint(const struct btf *btf, const struct btf_member *m, uint32_t *out)
{
	const struct btf_type *t = xl_object_btf_resolve(btf, m->type);

	if (!t || !btf_is_ptr(t) || !t->type)
		return false;
	t = btf__type_by_id(btf, t->type);
	if (!btf_is_array(t))
		return false;
	*out = btf_array(t)->nelems;
	return true;
}
