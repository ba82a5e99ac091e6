/* Whose types CO-RE accesses are adjusted to.
 *
 * To those of the BTF that the user gives. Else, if a program only reads what is the same in each
 * kernel, to none: it stays as it was compiled, and the result does not depend on the host. Else
 * to those of the host's kernel, if it shows them.
 */
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/seg6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-runtime/object/object_priv.h"

#define HOST_BTF       "/sys/kernel/btf/vmlinux"
#define CORE_TYPES_MAX 1024 /* chosen: libbpf walks the kernel's types for each of them */

/* Types whose layout is the same in each kernel, because user space relies on it, and the packet
 * headers, which no kernel can change. A program may declare a part of one only, and rely on
 * CO-RE for the offsets: then the size differs, and the kernel must be asked. */
static const struct {
	const char *name;
	uint32_t size; /* 0: any; such types are only asked for by name or value */
} stable_types[] = {
	{ "__sk_buff", sizeof(struct __sk_buff) },
	{ "arphdr", 8 }, /* <linux/if_arp.h> needs libc's headers */
	{ "bpf_cpumap_val", sizeof(struct bpf_cpumap_val) },
	{ "bpf_devmap_val", sizeof(struct bpf_devmap_val) },
	{ "bpf_dynptr", sizeof(struct bpf_dynptr) },
	{ "bpf_fib_lookup", sizeof(struct bpf_fib_lookup) },
	{ "bpf_func_id", 0 },
	{ "bpf_map_type", 0 },
	{ "bpf_sock", sizeof(struct bpf_sock) },
	{ "bpf_sock_tuple", sizeof(struct bpf_sock_tuple) },
	{ "bpf_spin_lock", sizeof(struct bpf_spin_lock) },
	{ "bpf_timer", sizeof(struct bpf_timer) },
	{ "ethhdr", sizeof(struct ethhdr) },
	{ "frag_hdr", 8 },
	{ "gre_base_hdr", 4 },
	{ "icmp6hdr", sizeof(struct icmp6hdr) },
	{ "icmphdr", sizeof(struct icmphdr) },
	{ "in6_addr", sizeof(struct in6_addr) },
	{ "in_addr", sizeof(struct in_addr) },
	{ "ip_auth_hdr", sizeof(struct ip_auth_hdr) },
	{ "ip_esp_hdr", sizeof(struct ip_esp_hdr) },
	{ "iphdr", sizeof(struct iphdr) },
	{ "ipv6_opt_hdr", sizeof(struct ipv6_opt_hdr) },
	{ "ipv6_rt_hdr", sizeof(struct ipv6_rt_hdr) },
	{ "ipv6_sr_hdr", sizeof(struct ipv6_sr_hdr) },
	{ "ipv6hdr", sizeof(struct ipv6hdr) },
	{ "rt0_hdr", sizeof(struct rt0_hdr) },
	{ "sctphdr", 12 },
	{ "tcphdr", sizeof(struct tcphdr) },
	{ "udphdr", sizeof(struct udphdr) },
	{ "vlan_ethhdr", 18 },
	{ "vlan_hdr", 4 },
	{ "xdp_action", 0 },
	{ "xdp_md", sizeof(struct xdp_md) },
	{ "xdp_md", 20 }, /* before Linux 5.8 */
};

struct core_use {
	const struct xl_object *obj;
	const struct btf *btf;
	bool *seen; /* by type id */
	uint32_t n_seen;
	bool kernel;   /* some access needs to know the kernel */
	char type[64]; /* the first such type */
};

/* Whether the layout of @t is known. "iphdr___mine" is a view of iphdr. */
static bool is_stable(const char *name, const struct btf_type *t)
{
	const char *flavor = strstr(name, "___");
	const size_t n = flavor && flavor != name ? (size_t)(flavor - name) : strlen(name);

	for (size_t i = 0; i < sizeof(stable_types) / sizeof(stable_types[0]); i++)
		if (!strncmp(name, stable_types[i].name, n) && !stable_types[i].name[n] &&
		    (!btf_is_composite(t) || !stable_types[i].size ||
		     t->size == stable_types[i].size))
			return true;
	return false;
}

static void look(void *arg, const struct xl_elf_func *func, const struct bpf_core_relo *relo)
{
	struct core_use *use = arg;
	const struct btf_type *t = btf__type_by_id(use->btf, relo->type_id);
	const char *name = btf__str_by_offset(use->btf, t->name_off);

	use->n_seen += !use->seen[relo->type_id];
	use->seen[relo->type_id] = true;
	if (use->kernel || !func || xl_object_is_foreign(use->obj, func) ||
	    relo->kind == BPF_CORE_TYPE_ID_LOCAL)
		return;
	if (is_stable(name, t))
		return;
	use->kernel = true;
	snprintf(use->type, sizeof(use->type), "%s", name);
}

int xl_object_fix_core(struct xl_object *obj, struct xl_err *e)
{
	struct xl_object_priv *priv = xl_object_priv(obj);
	struct core_use use = { .obj = obj, .btf = priv->btf };

	if (!priv->btf || !priv->elf.btf_ext)
		return 0;
	use.seen = calloc(btf__type_cnt(priv->btf), sizeof(*use.seen));
	if (!use.seen)
		return xl_err_set(e, -ENOMEM, "out of memory");
	xl_object_core_each(&priv->elf, priv->btf, look, &use);
	free(use.seen);
	if (use.n_seen > CORE_TYPES_MAX)
		return xl_err_set(e, -EINVAL, "CO-RE accesses to %u types", use.n_seen);
	if (obj->opts.btf_path || (use.kernel && !access(HOST_BTF, R_OK)))
		return 0;
	if (use.kernel)
		xl_object_notice(obj,
				 "type %s of the kernel is taken as it was compiled, since this "
				 "host has no %s",
				 use.type, HOST_BTF);
	xl_object_core_drop(&priv->elf);
	return 0;
}
