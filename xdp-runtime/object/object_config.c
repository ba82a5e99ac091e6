/* How programs want to be chained, as libxdp writes it into an object:
 *
 *     struct {
 *             __uint(priority, 10);
 *             __uint(XDP_PASS, 1);
 *             __uint(XDP_DROP, 0);
 *     } XDP_RUN_CONFIG(my_prog);     a variable _my_prog in section .xdp_run_config
 *
 * Nothing is stored: the numbers are the lengths of arrays in the BTF of that struct. What it
 * does not name keeps libxdp's default.
 *
 * Source: xdp_helpers.h and the "Metadata" chapter of libxdp(3).
 */
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/object/object_priv.h"

#define DEFAULT_PRIO	50
#define DEFAULT_ACTIONS (1U << XDP_PASS)

static const char *const action_names[] = {
	[XDP_ABORTED] = "XDP_ABORTED", [XDP_DROP] = "XDP_DROP",		[XDP_PASS] = "XDP_PASS",
	[XDP_TX] = "XDP_TX",	       [XDP_REDIRECT] = "XDP_REDIRECT",
};

static void read_member(const struct btf *btf, const struct btf_member *m,
			struct xl_object_prog *prog)
{
	const char *name = btf__str_by_offset(btf, m->name_off);
	uint32_t value;

	if (!xl_object_btf_uint(btf, m, &value))
		return;
	if (!strcmp(name, "priority"))
		prog->run_prio = value;
	for (unsigned i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
		if (strcmp(name, action_names[i]))
			continue;
		if (value)
			prog->chain_call_actions |= 1U << i;
		else
			prog->chain_call_actions &= ~(1U << i);
	}
}

static void read_config(const struct btf *btf, const struct btf_type *sec,
			struct xl_object_prog *prog)
{
	for (int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *t = btf__type_by_id(btf, btf_var_secinfos(sec)[i].type);
		const char *name = btf__str_by_offset(btf, t->name_off);

		if (!btf_is_var(t) || name[0] != '_' || strcmp(name + 1, prog->name))
			continue;
		t = xl_object_btf_resolve(btf, t->type);
		for (int k = 0; t && btf_is_struct(t) && k < btf_vlen(t); k++)
			read_member(btf, &btf_members(t)[k], prog);
		return;
	}
}

void xl_object_config_read(struct xl_object *obj)
{
	const struct btf *btf = xl_object_priv(obj)->btf;
	int sec = btf ? btf__find_by_name_kind(btf, ".xdp_run_config", BTF_KIND_DATASEC) : -1;

	for (uint32_t i = 0; i < obj->n_progs; i++) {
		obj->progs[i].run_prio = DEFAULT_PRIO;
		obj->progs[i].chain_call_actions = DEFAULT_ACTIONS;
		if (sec > 0)
			read_config(btf, btf__type_by_id(btf, (uint32_t)sec), &obj->progs[i]);
	}
}
