/* What there is to say of map types: of those that are served what one may not expect, of the
 * others why they are not. See map.h. */
#include <stddef.h>

#include "maps/map.h"

/* Reasons that several share. */
#define NO_SOCKETS "it holds sockets of the kernel, and there are none here"
#define NO_OBJECTS "it keeps data in objects of the kernel, of which there are none here"

struct note {
	const char *note, *why_not;
};

static const struct note notes[] = {
	[BPF_MAP_TYPE_HASH] = { .note = "memory is lazy with and without BPF_F_NO_PREALLOC" },
	[BPF_MAP_TYPE_ARRAY] = { .note = "memory is lazy" },
	[BPF_MAP_TYPE_PROG_ARRAY] = { .note = "for bpf_tail_call" },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { .note = "for bpf_perf_event_output; events are fds of "
						    "the kernel, kept as numbers" },
	[BPF_MAP_TYPE_PERCPU_HASH] = { .note = "a value for each possible CPU" },
	[BPF_MAP_TYPE_PERCPU_ARRAY] = { .note = "a value for each possible CPU" },
	[BPF_MAP_TYPE_LRU_HASH] = { .note = "evicts only when it is full, by second chance; the "
					    "kernel evicts in batches, and earlier" },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { .note = "a value for each possible CPU; evicts as "
						   "lru_hash" },
	[BPF_MAP_TYPE_DEVMAP] = { .note = "ports are numbers: that one exists is not checked" },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { .note = "ports are numbers: that one exists is not "
					       "checked" },
	[BPF_MAP_TYPE_XSKMAP] = { .note = "sockets are fds of the kernel, kept as numbers" },

	[BPF_MAP_TYPE_UNSPEC] = { .why_not = "it is no type" },
	[BPF_MAP_TYPE_STACK_TRACE] = { .why_not = "there are no kernel stacks to keep" },
	[BPF_MAP_TYPE_CGROUP_ARRAY] = { .why_not = "a packet's run belongs to no cgroup" },
	[BPF_MAP_TYPE_SOCKMAP] = { .note = NO_SOCKETS ": it stays empty" },
	[BPF_MAP_TYPE_SOCKHASH] = { .note = NO_SOCKETS ": it stays empty" },
	[BPF_MAP_TYPE_CGROUP_STORAGE] = { .why_not = NO_OBJECTS },
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = { .why_not = NO_SOCKETS },
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = { .why_not = NO_OBJECTS },
	[BPF_MAP_TYPE_SK_STORAGE] = { .why_not = NO_OBJECTS },
	[BPF_MAP_TYPE_STRUCT_OPS] = { .why_not = "it puts programs in place of kernel functions" },
	[BPF_MAP_TYPE_INODE_STORAGE] = { .why_not = NO_OBJECTS },
	[BPF_MAP_TYPE_TASK_STORAGE] = { .why_not = NO_OBJECTS },
	/* Debian 12's header does not name these. */
	[32] = { .why_not = NO_OBJECTS }, /* cgrp_storage */
	[33] = { .why_not = "its pages are the kernel's to share with user space" }, /* arena */
};

static const struct note *note_of(enum bpf_map_type type)
{
	static const struct note none;

	return (size_t)type < sizeof(notes) / sizeof(notes[0]) ? &notes[type] : &none;
}

const char *xl_map_type_note(enum bpf_map_type type)
{
	return xl_map_ops_of(type) ? note_of(type)->note : NULL;
}

const char *xl_map_type_why_not(enum bpf_map_type type)
{
	return xl_map_ops_of(type) ? NULL : note_of(type)->why_not;
}
