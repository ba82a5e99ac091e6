/* The families' ops, for THE TABLE in map_types.c and for each other. Internal to maps/. */
#ifndef XL_MAPS_MAP_TYPES_H
#define XL_MAPS_MAP_TYPES_H

#include <pthread.h>

#include "maps/map.h"

extern const struct xl_map_ops xl_array_ops;
extern const struct xl_map_ops xl_percpu_array_ops;
extern const struct xl_map_ops xl_hash_ops;
extern const struct xl_map_ops xl_percpu_hash_ops;
extern const struct xl_map_ops xl_lru_hash_ops;
extern const struct xl_map_ops xl_lru_percpu_hash_ops;
extern const struct xl_map_ops xl_lpm_trie_ops;
extern const struct xl_map_ops xl_prog_array_ops;
extern const struct xl_map_ops xl_array_of_maps_ops;
extern const struct xl_map_ops xl_hash_of_maps_ops;
extern const struct xl_map_ops xl_devmap_ops;
extern const struct xl_map_ops xl_devmap_hash_ops;
extern const struct xl_map_ops xl_cpumap_ops;
extern const struct xl_map_ops xl_xskmap_ops;
extern const struct xl_map_ops xl_sockmap_ops;
extern const struct xl_map_ops xl_sockhash_ops;
extern const struct xl_map_ops xl_perf_event_array_ops;
extern const struct xl_map_ops xl_queue_ops;
extern const struct xl_map_ops xl_stack_ops;
extern const struct xl_map_ops xl_bloom_filter_ops;
extern const struct xl_map_ops xl_ringbuf_ops;
extern const struct xl_map_ops xl_user_ringbuf_ops;

/* What several families share. */

/* Bits of map_flags that set who may read and write. Source: BPF_F_ACCESS_MASK. */
#define XL_MAP_ACCESS_FLAGS (BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)

#define XL_KMALLOC_MAX	    (4U << 20)	/* KMALLOC_MAX_SIZE on x86-64: largest element */
#define XL_PERCPU_UNIT_MIN  (32U << 10) /* PCPU_MIN_UNIT_SIZE: largest per-CPU value */

/* A lock that many readers cannot keep a writer out of: workers look up without a pause. */
void xl_map_lock_init(pthread_rwlock_t *lock);

/* Source: bpf_map_meta_equal(). */
bool xl_map_meta_equal_basic(const struct xl_map *meta, const struct xl_map *map);
/* The same, and as many entries. Source: xsk_map_meta_equal(). */
bool xl_map_meta_equal_sized(const struct xl_map *meta, const struct xl_map *map);

/* array.c: checks and walks of all types that are indexed by a number. */
int xl_array_check(const union bpf_attr *attr, struct xl_err *e);
/* For arrays of fds: values are 4 bytes, no access flags for programs. */
int xl_fd_array_check(const union bpf_attr *attr, struct xl_err *e);
int xl_array_next_key(struct xl_map *map, const void *key, void *out_next);
/* hash.c: of all types with hash flags. */
#define XL_HASH_FLAGS	    (BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | XL_MAP_ACCESS_FLAGS)
#define XL_HASH_ENTRIES_MAX (1U << 27) /* the kernel counts 16 bytes for each in a u32 */
int xl_hash_check(const union bpf_attr *attr, struct xl_err *e);

static inline uint32_t xl_array_index(const void *key)
{
	uint32_t index;

	__builtin_memcpy(&index, key, sizeof(index));
	return index;
}

#endif
