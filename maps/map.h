/* A BPF map: the head that all types share, and what a type must provide.
 *
 * Two sides use a map. The *program side* (helpers, generated code) works on one key at a time,
 * gets pointers to values, and for per-CPU types sees the slot of xl_cpu. The *control side*
 * (bpf(2)) copies values in and out; for per-CPU types a value there is n_cpus slots of
 * round_up(value_size, 8) bytes.
 *
 * Values of all types lie in `mem`, in slots that never move; keys and indexes are the type's own
 * affair. Values therefore have a short description, the regions, by which an engine that checks
 * each access knows what a program may touch. Memory is lazy: a slot costs nothing until used.
 *
 * Semantics: kernel/bpf/syscall.c and the type's file in kernel/bpf, v6.18. Errors are theirs.
 */
#ifndef XL_MAPS_MAP_H
#define XL_MAPS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/obj.h"
#include "base/uapi.h"

struct xl_map;
struct xl_map_retired;

/* One range of value memory: `size / stride` slots, of each of which the first `value_size`
 * bytes belong to the program. */
struct xl_region {
	uintptr_t base;
	size_t size;
	uint32_t stride;     /* bytes from slot to slot; > 0 */
	uint32_t value_size; /* bytes of a slot that a program may touch; <= stride */
};
#define XL_MAP_REGIONS_MAX 2

/* What the u32 that the control side calls "value" stands for, where it is not plain bytes. */
enum xl_map_value_kind {
	XL_VALUE_BYTES,	  /* plain */
	XL_VALUE_PROG_FD, /* prog array: in a fd, out an id; the program side sees none */
	XL_VALUE_MAP_FD,  /* map-in-map: likewise; the program side gets the inner map */
	XL_VALUE_DEVMAP,  /* struct bpf_devmap_val (or its first 4 bytes): ifindex and prog fd/id */
	XL_VALUE_CPUMAP,  /* struct bpf_cpumap_val (or its first 4 bytes): qsize and prog fd/id */
	XL_VALUE_FOREIGN_FD /* xskmap, perf event array: an fd of the real kernel, kept as a number */
};

struct xl_map_ops {
	const char *name; /* bpftool's name of the type: "percpu_hash" */
	enum xl_map_value_kind value_kind;
	bool per_cpu;		/* the control side's value is n_cpus slots */
	bool no_prog_access;	/* programs may not call lookup/update/delete on it */
	bool no_prog_write;	/* programs may call lookup only */
	bool takes_extra;	/* map_extra of creation means something */
	bool peek_asks;		/* peek, and sys_lookup, read the value and say if it is there */
	uint32_t allowed_flags; /* of map_flags; others are -EINVAL */

	/* Checks sizes and flags beyond what the table says; @e says what was wrong.
	 * Errors: -EINVAL, -E2BIG, -ENOTSUPP, as the kernel's *_map_alloc_check. */
	int (*check)(const union bpf_attr *attr, struct xl_err *e);
	/* Makes index and value memory (mem, priv); head fields, n_cpus and value_stride are set.
	 * On error priv is left NULL. */
	int (*alloc)(struct xl_map *map);
	/* Frees priv and gives back references held in elements; mem is map.c's. Called if priv. */
	void (*free)(struct xl_map *map);
	/* The last fd and pin are gone: a map that may hold what holds it (prog array) lets go, so
	 * that both can die. May be NULL. */
	void (*release_uref)(struct xl_map *map);
	/* Whether @map can stand where @meta was declared; NULL: the type cannot be an inner map. */
	bool (*meta_equal)(const struct xl_map *meta, const struct xl_map *map);
	/* Writes the map's value regions; returns how many (<= XL_MAP_REGIONS_MAX). They hold for
	 * the map's whole life. NULL: none. */
	uint32_t (*regions)(const struct xl_map *map, struct xl_region *out);

	/* Program side. NULL ops answer -EOPNOTSUPP, a NULL lookup finds nothing. */

	/* The value for @key, for this CPU, or NULL. Valid until the end of the run.
	 * Map-in-map: the inner struct xl_map. */
	void *(*lookup)(struct xl_map *map, const void *key);
	int (*update)(struct xl_map *map, const void *key, const void *value, uint64_t flags);
	int (*delete)(struct xl_map *map, const void *key);
	int (*push)(struct xl_map *map, const void *value, uint64_t flags);
	int (*pop)(struct xl_map *map, void *value);
	int (*peek)(struct xl_map *map, void *value);
	/* As lookup, for CPU @cpu. Per-CPU types only. */
	void *(*lookup_percpu)(struct xl_map *map, const void *key, uint32_t cpu);
	/* The key of the element with @value, as long as it is there; NULL if it is not. Types whose
	 * values may have timers. Valid until the next call by this thread. */
	const void *(*key_of)(const struct xl_map *map, const void *value);
	/* Whether bpf_redirect_map() may target @index (devmap, cpumap, xskmap). For devmap and
	 * devmap_hash @out_ifindex is set to the port. */
	bool (*redirect_target)(struct xl_map *map, uint64_t index, uint32_t *out_ifindex);

	/* Control side. Where NULL, map.c does it with the program side's. Values are whole:
	 * xl_map_value_size_sys() bytes. */
	int (*sys_lookup)(struct xl_map *map, const void *key, void *out_value);
	int (*sys_update)(struct xl_map *map, const void *key, const void *value, uint64_t flags);
	/* -ENOENT when there is none. NULL: -ENOTSUPP, as the kernel for all but hashes and queues. */
	int (*sys_lookup_and_delete)(struct xl_map *map, const void *key, void *out_value,
				     uint64_t flags);
	/* Stores a reference to @obj (which it takes on success) under @key; for the kinds PROG_FD
	 * and MAP_FD, and for DEVMAP and CPUMAP together with @value: a program is stored if @obj
	 * is not NULL. Where an object is needed (an fd > 0 in the value) and @obj is NULL, the
	 * caller could not resolve the fd: that is found in the kernel's order and answered with
	 * -EBADF (prog array, map-in-map), -EINVAL (devmap), -ENOMEM (cpumap). */
	int (*update_obj)(struct xl_map *map, const void *key, const void *value,
			  struct xl_obj *obj, uint64_t flags);
	/* The key that follows @key (NULL, or gone: the first). Errors: -ENOENT at the end. */
	int (*next_key)(struct xl_map *map, const void *key, void *out_next);
	/* The first key at position *@at or behind; moves *@at behind it. Where batches of bpf(2)
	 * say by 4 bytes how far they came: hashes only. Errors: -ENOENT at the end. */
	int (*next_at)(struct xl_map *map, uint32_t *at, void *out_key);
};

/* What a program must be to be called from a map, or to tail-call into one: the first program that
 * meets the map decides. Source: bpf_prog_map_compatible(), kernel/bpf/core.c. */
struct xl_map_owner {
	bool set;
	bool has_frags;
	uint32_t prog_type, expected_attach_type;
};

/* A part of each value that is not bytes: programs use it by helpers only. See fields.h. */
struct xl_map_field {
	uint32_t off, size; /* bytes; both multiples of 4 */
};
#define XL_MAP_FIELDS_MAX 11 /* BTF_FIELDS_MAX */
#define XL_MAP_FIELD_MAX  64 /* bytes; more than any has */

struct xl_map {
	struct xl_obj obj; /* first: an xl_obj of kind XL_OBJ_MAP is an xl_map */
	const struct xl_map_ops *ops;
	enum bpf_map_type type;
	uint32_t key_size;    /* bytes */
	uint32_t value_size;  /* bytes, as declared */
	uint32_t max_entries; /* as declared; types may round up inside */
	uint32_t flags; /* BPF_F_* of creation, without RDONLY and WRONLY: those are the fd's */
	uint64_t map_extra;
	char name[BPF_OBJ_NAME_LEN];
	uint32_t n_cpus;       /* slots of a per-CPU value */
	uint32_t value_stride; /* round_up(value_size, 8) */
	uint64_t seed;	       /* of hashes; from the environment, so that replays repeat */
	_Atomic bool frozen;   /* no more writes from the control side */
	bool rdonly_prog;      /* BPF_F_RDONLY_PROG: programs may not write values */
	bool wronly_prog;
	struct xl_mem
		mem; /* value memory and the map's identity as an fd; types may leave it unmapped */
	struct xl_map *inner_meta; /* map-in-map: the template, a head without values; else NULL */
	void (*defer_put)(void *arg, struct xl_obj *obj); /* see xl_map_env */
	void *defer_arg;
	struct xl_map_retired *_Atomic retired; /* references that wait for the map's end */
	void *priv;				/* the type's own */

	/* BTF, kept for info and formatting; owned by the runtime that made the map. */
	struct xl_obj *btf; /* with a reference, or NULL */
	uint32_t btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;

	/* What BTF says of the values. Written by the runtime before anybody else sees the map. */
	struct xl_map_field field[XL_MAP_FIELDS_MAX]; /* ascending, disjoint */
	uint32_t n_fields;
	int32_t lock_off;  /* of the struct bpf_spin_lock among them; -1: there is none */
	int32_t timer_off; /* of the struct bpf_timer; -1 */

	/* Prog array, devmap, cpumap. The runtime writes it, under its lock. */
	struct xl_map_owner owner;
};

/* What a map takes from its surroundings at creation. */
struct xl_map_env {
	uint32_t n_cpus; /* xl_percpu_n_possible() in earnest */
	uint64_t seed;	 /* ignored with BPF_F_ZERO_SEED */
	/* Gives a reference back once no program that runs now can see @obj any more: for programs
	 * and inner maps that were replaced. NULL: the map keeps them until its own end. */
	void (*defer_put)(void *arg, struct xl_obj *obj);
	void *defer_arg;
};

/* Creates a map from the attributes of BPF_MAP_CREATE, whose fields are checked here in the
 * kernel's order; BTF and tokens are the caller's business.
 *
 * @inner    map-in-map only: what the caller found behind inner_map_fd, NULL if nothing
 * Errors    -EINVAL bad type, size or flag; -E2BIG, -ENOMEM too large; -ENOTSUPP (524) where the
 *           kernel says so; -EBADF all is right but @inner is NULL. @e, if not NULL, says in words
 *           what was wrong.
 * Owns      one reference is the caller's. @inner is looked at, not kept. The map frees itself
 *           through obj.release; who must hear of that puts an own release in its place, and calls
 *           xl_map_release() from there.
 */
int xl_map_create(const union bpf_attr *attr, const struct xl_map_env *env, struct xl_map *inner,
		  struct xl_map **out_map, struct xl_err *e);
void xl_map_release(struct xl_obj *obj);
/* Tells @map that its last fd and pin are gone. Programs may still use it. */
void xl_map_release_uref(struct xl_map *map);

static inline struct xl_map *xl_map_of(struct xl_obj *obj)
{
	return (struct xl_map *)obj; /* obj is the first member */
}
static inline void xl_map_get(struct xl_map *map)
{
	xl_obj_get(&map->obj);
}
static inline void xl_map_put(struct xl_map *map)
{
	if (map)
		xl_obj_put(&map->obj);
}

/* The row of a type, NULL for types that are not served. */
const struct xl_map_ops *xl_map_ops_of(enum bpf_map_type type);
/* Name of any type, "?" for an unknown number; and back, -1 when unknown ("percpu_hash",
 * "BPF_MAP_TYPE_PERCPU_HASH" and "6" are all understood). */
const char *xl_map_type_name(enum bpf_map_type type);
int xl_map_type_of_name(const char *name);
/* Words about types, for docs and messages: what is special about one that is served, and why
 * another is not. NULL: nothing. */
const char *xl_map_type_note(enum bpf_map_type type);
const char *xl_map_type_why_not(enum bpf_map_type type);

/* Bytes of a value on the control side. */
size_t xl_map_value_size_sys(const struct xl_map *map);

/* Whether @map may stand where the template @meta was declared in a map-in-map.
 * Source: map_meta_equal of the type's bpf_map_ops, array's own stricter rule included. */
bool xl_map_meta_equal(const struct xl_map *meta, const struct xl_map *map);

/* The program side, with the kernel's checks: what the helpers of the same names call.
 * update:  -EINVAL flags, -E2BIG full or out of range, -EEXIST, -ENOENT, -ENOMEM, -EBUSY */
void *xl_map_lookup(struct xl_map *map, const void *key);
int xl_map_update(struct xl_map *map, const void *key, const void *value, uint64_t flags);
int xl_map_delete(struct xl_map *map, const void *key);

/* The control side: BPF_MAP_*_ELEM on whole values. -EPERM by frozen and BPF_F_RDONLY/WRONLY is
 * the caller's business (it depends on the fd). Types of objects (prog array …) take @obj.
 * Thread: any. */
int xl_map_sys_lookup(struct xl_map *map, const void *key, void *out_value, uint64_t flags);
int xl_map_sys_update(struct xl_map *map, const void *key, const void *value, struct xl_obj *obj,
		      uint64_t flags);
int xl_map_sys_delete(struct xl_map *map, const void *key);
int xl_map_sys_lookup_and_delete(struct xl_map *map, const void *key, void *out_value,
				 uint64_t flags);
int xl_map_next_key(struct xl_map *map, const void *key, void *out_next);

/* The program in slot @index of a prog array, NULL if empty. Borrowed until the end of the run. */
struct xl_obj *xl_prog_array_at(struct xl_map *map, uint32_t index);

/* Gives the reference back by env.defer_put, or at the end of @map; @obj may be NULL. For types. */
void xl_map_retire(struct xl_map *map, struct xl_obj *obj);

/* Value regions of @map; see xl_map_ops.regions. */
uint32_t xl_map_regions(const struct xl_map *map, struct xl_region *out);

#endif
