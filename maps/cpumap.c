/* Cpumaps: CPUs to redirect to, by number.
 *
 * A value is the length of that CPU's queue and the id of a program that runs there. Programs do
 * not see values; they only redirect.
 *
 * Semantics: kernel/bpf/cpumap.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <stdio.h>

#include "maps/target_array.h"

#define QSIZE_MAX	16384 /* the kernel's "sanity limit" */
#define NR_CPUS_UNKNOWN 8192  /* CONFIG_NR_CPUS of Debian's kernels */

/* NR_CPUS of the running kernel. */
static uint32_t nr_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/kernel_max", "re");
	uint32_t max = NR_CPUS_UNKNOWN - 1;

	if (!f)
		return NR_CPUS_UNKNOWN;
	if (fscanf(f, "%u", &max) != 1)
		max = NR_CPUS_UNKNOWN - 1;
	fclose(f);
	return max + 1;
}

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	int err = xl_target_check(attr, e);

	if (err)
		return err;
	if (attr->max_entries > nr_cpus())
		return xl_err_set(e, -E2BIG, "max_entries of a cpumap is at most %u on this kernel",
				  nr_cpus());
	return 0;
}

static int update_obj(struct xl_map *map, const void *key, const void *value, struct xl_obj *prog,
		      uint64_t flags)
{
	const struct xl_target cpu = xl_target_of(map, value);
	uint32_t index = xl_array_index(key);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (cpu.number > QSIZE_MAX)
		return -EOVERFLOW;
	if (index >= map->n_cpus)
		return -ENODEV;
	if (cpu.number && cpu.fd > 0 && !prog)
		return -ENOMEM; /* the kernel says so for any reason to refuse the program */
	if (!cpu.number) {	/* the same as deleting, whatever program was named */
		xl_obj_put(prog);
		prog = NULL;
	}
	xl_target_array_set(map, index, cpu.number, prog);
	return 0;
}

static bool redirect_target(struct xl_map *map, uint64_t index, uint32_t *out_ifindex)
{
	return xl_target_array_at(map, index);
}

const struct xl_map_ops xl_cpumap_ops = {
	.name = "cpumap",
	.value_kind = XL_VALUE_CPUMAP,
	.no_prog_access = true,
	.allowed_flags = BPF_F_NUMA_NODE,
	.check = check,
	.alloc = xl_target_array_alloc,
	.free = xl_target_array_free,
	.meta_equal = xl_map_meta_equal_basic,
	.lookup = xl_target_array_lookup,
	.delete = xl_target_array_delete,
	.redirect_target = redirect_target,
	.update_obj = update_obj,
	.next_key = xl_array_next_key,
};
