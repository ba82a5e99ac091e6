/* An object file: what is in it, and its way into a runtime.
 *
 * open reads and checks (nothing is created), then the caller may set globals, sizes and which
 * programs to run; load creates maps and programs through libbpf and sysbpf.
 */
#ifndef XL_XDP_RUNTIME_OBJECT_H
#define XL_XDP_RUNTIME_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uapi.h"

struct bpf_object;
struct xl_map;
struct xl_prog;
struct xl_runtime;

struct xl_object_opts {
	/* Kernel BTF (raw, as in /sys/kernel/btf/vmlinux) for CO-RE. NULL: code stays as compiled
	 * where it only accesses types of the kernel's user API, else the host's. */
	const char *btf_path;
	/* Programs whose section and prototype name no type are XDP. */
	bool untyped_is_xdp;
	/* Called for what a person may want to know and nothing depends on: "skipped tc program
	 * …". May be NULL. */
	void (*notice)(void *arg, const char *text);
	void *notice_arg;
};

/* One program of the object, XDP or not. */
struct xl_object_prog {
	const char *name; /* function */
	const char *section;
	enum bpf_prog_type type; /* BPF_PROG_TYPE_UNSPEC if the section says nothing */
	bool is_xdp;
	uint32_t n_insns;
	uint32_t run_prio;	     /* libxdp's .xdp_run_config; 50 if there is none */
	uint32_t chain_call_actions; /* bit per action; 1 << XDP_PASS if there is none */
	struct xl_prog *prog;	     /* after load, with a reference; NULL if it cannot run */
	const char *
		why_not; /* why it is not loaded or cannot run: "type sched_cls is not XDP", …; or NULL */
};

struct xl_object_map {
	const char *name;   /* full name in the object; longer than the 15 that the kernel keeps */
	struct xl_map *map; /* after load, with a reference */
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries, flags;
	bool is_internal; /* .rodata, .data, .bss, .kconfig; `name` is that of the section */
	bool is_pinned;	  /* asks to be pinned by name: shared within the runtime */
	const char
		*why_not; /* why it cannot be made: "type sk_storage is not served", …; or NULL */
};

struct xl_object {
	char *name; /* file name without directory and suffix */
	struct xl_object_prog *progs;
	uint32_t n_progs;
	struct xl_object_map *maps;
	uint32_t n_maps;
	struct bpf_object *bpf; /* libbpf's; for BTF, owned */
	struct xl_runtime *rt;
	struct xl_object_opts opts;
	void *priv;
};

/* Reads and checks an object.
 *
 * @data     borrowed for the call only
 * Errors    -errno with @e saying what is wrong and where: not an ELF file, wrong machine,
 *           section table outside of the file, …
 */
int xl_object_open(struct xl_runtime *rt, const void *data, size_t size, const char *name,
		   const struct xl_object_opts *opts, struct xl_object **out_obj, struct xl_err *e);
int xl_object_open_file(struct xl_runtime *rt, const char *path, const struct xl_object_opts *opts,
			struct xl_object **out_obj, struct xl_err *e);

/* Sets a global variable before load, from text: integers in C notation, strings for char
 * arrays, "hex:0a0b…" for anything, members and elements as var.member[3]. By BTF where there is,
 * else by symbol and size. Errors name the variable and its type. */
int xl_object_set_global(struct xl_object *obj, const char *name, const char *value,
			 struct xl_err *e);

/* What definitions of maps leave open, before load: "NAME=type,key,value,entries" is the shape of
 * the maps that map NAME holds (the type by its name or number), "NAME=N" its number of entries.
 * Errors: -ENOENT no such map, -EINVAL, -EBUSY; in words. */
int xl_object_set_inner(struct xl_object *obj, const char *text, struct xl_err *e);
int xl_object_set_entries(struct xl_object *obj, const char *text, struct xl_err *e);

/* Creates maps and programs, once. One program that cannot run does not stop its siblings: its
 * why_not says why. Fails only when nothing can be loaded or a map cannot be made. Maps that ask
 * to be pinned by name are pinned in the runtime, at /sys/fs/bpf/NAME, or taken from there. */
int xl_object_load(struct xl_object *obj, struct xl_err *e);

/* By name; NULL if there is none. Internal maps are also found by bpftool's name for them,
 * "firewall.rodata". */
struct xl_object_prog *xl_object_prog(struct xl_object *obj, const char *name);
struct xl_object_map *xl_object_map(struct xl_object *obj, const char *name);

/* Also gives back its programs' and maps' references. */
void xl_object_close(struct xl_object *obj);

#endif
