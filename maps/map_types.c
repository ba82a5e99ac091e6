/* THE TABLE: BPF_MAP_TYPE_* -> the family that serves it, or just its name.
 *
 * Names are bpftool's. Source: enum bpf_map_type, include/uapi/linux/bpf.h, v6.18.
 */
#include "maps/map_types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define N_TYPES 34 /* up to BPF_MAP_TYPE_ARENA, which Debian 12's header does not name */

static const struct {
	const struct xl_map_ops *ops; /* NULL: not served */
	const char *name;	      /* of those that are not */
} types[N_TYPES] = {
	[BPF_MAP_TYPE_UNSPEC] = { .name = "unspec" },
	[BPF_MAP_TYPE_HASH] = { .ops = &xl_hash_ops },
	[BPF_MAP_TYPE_ARRAY] = { .ops = &xl_array_ops },
	[BPF_MAP_TYPE_PROG_ARRAY] = { .ops = &xl_prog_array_ops },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { .ops = &xl_perf_event_array_ops },
	[BPF_MAP_TYPE_PERCPU_HASH] = { .ops = &xl_percpu_hash_ops },
	[BPF_MAP_TYPE_PERCPU_ARRAY] = { .ops = &xl_percpu_array_ops },
	[BPF_MAP_TYPE_STACK_TRACE] = { .name = "stack_trace" },
	[BPF_MAP_TYPE_CGROUP_ARRAY] = { .name = "cgroup_array" },
	[BPF_MAP_TYPE_LRU_HASH] = { .ops = &xl_lru_hash_ops },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { .ops = &xl_lru_percpu_hash_ops },
	[BPF_MAP_TYPE_LPM_TRIE] = { .ops = &xl_lpm_trie_ops },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { .ops = &xl_array_of_maps_ops },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { .ops = &xl_hash_of_maps_ops },
	[BPF_MAP_TYPE_DEVMAP] = { .ops = &xl_devmap_ops },
	[BPF_MAP_TYPE_SOCKMAP] = { .ops = &xl_sockmap_ops },
	[BPF_MAP_TYPE_CPUMAP] = { .ops = &xl_cpumap_ops },
	[BPF_MAP_TYPE_XSKMAP] = { .ops = &xl_xskmap_ops },
	[BPF_MAP_TYPE_SOCKHASH] = { .ops = &xl_sockhash_ops },
	[BPF_MAP_TYPE_CGROUP_STORAGE] = { .name = "cgroup_storage" },
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = { .name = "reuseport_sockarray" },
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = { .name = "percpu_cgroup_storage" },
	[BPF_MAP_TYPE_QUEUE] = { .ops = &xl_queue_ops },
	[BPF_MAP_TYPE_STACK] = { .ops = &xl_stack_ops },
	[BPF_MAP_TYPE_SK_STORAGE] = { .name = "sk_storage" },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { .ops = &xl_devmap_hash_ops },
	[BPF_MAP_TYPE_STRUCT_OPS] = { .name = "struct_ops" },
	[BPF_MAP_TYPE_RINGBUF] = { .ops = &xl_ringbuf_ops },
	[BPF_MAP_TYPE_INODE_STORAGE] = { .name = "inode_storage" },
	[BPF_MAP_TYPE_TASK_STORAGE] = { .name = "task_storage" },
	[BPF_MAP_TYPE_BLOOM_FILTER] = { .ops = &xl_bloom_filter_ops },
	[BPF_MAP_TYPE_USER_RINGBUF] = { .ops = &xl_user_ringbuf_ops },
	[32] = { .name = "cgrp_storage" },
	[33] = { .name = "arena" },
};

const struct xl_map_ops *xl_map_ops_of(enum bpf_map_type type)
{
	return (unsigned)type < N_TYPES ? types[type].ops : NULL;
}

const char *xl_map_type_name(enum bpf_map_type type)
{
	if ((unsigned)type >= N_TYPES)
		return "?";
	return types[type].ops ? types[type].ops->name : types[type].name;
}

int xl_map_type_of_name(const char *name)
{
	static const char prefix[] = "BPF_MAP_TYPE_";
	unsigned long number;
	char *end;

	if (isdigit((unsigned char)*name)) {
		number = strtoul(name, &end, 10);
		return !*end && number < N_TYPES ? (int)number : -1;
	}
	if (!strncasecmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	for (int type = 0; type < N_TYPES; type++)
		if (!strcasecmp(name, xl_map_type_name((enum bpf_map_type)type)))
			return type;
	return -1;
}

void xl_map_lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

bool xl_map_meta_equal_basic(const struct xl_map *meta, const struct xl_map *map)
{
	return meta->type == map->type && meta->key_size == map->key_size &&
	       meta->value_size == map->value_size && meta->flags == map->flags &&
	       meta->n_fields == map->n_fields && meta->lock_off == map->lock_off &&
	       meta->timer_off == map->timer_off &&
	       !memcmp(meta->field, map->field, sizeof(map->field));
}

bool xl_map_meta_equal_sized(const struct xl_map *meta, const struct xl_map *map)
{
	return xl_map_meta_equal_basic(meta, map) && meta->max_entries == map->max_entries;
}
