/* What the files of the object loader share; nobody else includes this.
 *
 *   elf_check.c        bytes -> a checked image
 *   object_norm.c      old and foreign forms become the one that libbpf knows
 *   object_btf_ext.c   .BTF.ext: checks and walks
 *   object_fix.c       changes to the image before libbpf sees it: code
 *   object_fix_btf.c   BTF
 *   object_core.c      CO-RE
 *   object.c           open: the way through, and the programs
 *   object_maps.c      open: the maps, their sizes and inner maps
 *   object_slots.c     prog arrays and maps of maps that the object fills
 *   object_load.c      load and close
 *   object_msg.c       what libbpf says
 *   object_config.c    .xdp_run_config
 *   object_btf.c       small questions to BTF
 *   object_global.c    global variables
 */
#ifndef XL_XDP_RUNTIME_OBJECT_PRIV_H
#define XL_XDP_RUNTIME_OBJECT_PRIV_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "xdp-runtime/object/elf_check.h"
#include "xdp-runtime/object/object.h"
#include "xdp-runtime/object/object_norm.h"

/* Beside each struct xl_object_prog. */
struct xl_object_func {
	const struct xl_elf_func *func;
	enum bpf_attach_type attach_type;
	bool frags;
	struct bpf_program *bpf;
	char *why_not; /* owns the text of the public field, if it is not a constant */
};

/* Beside each struct xl_object_map. */
struct xl_object_store {
	struct bpf_map *bpf;
	char *name;	 /* owns the text of the public field */
	char *full_name; /* libbpf's: "firewall.rodata" */
	/* What the user said of inner maps. */
	struct {
		bool given;
		uint32_t type, key_size, value_size, max_entries;
		int fd; /* while loading; else -1 */
	} inner;
	bool pinned; /* by name: is or becomes a pin of the runtime */
};

/* object_msg.c: while a struct xl_object_msg is on, this thread's messages of libbpf go there. */
struct xl_object_msg {
	struct xl_object_msg *before;
	char text[512]; /* the last warning of substance; "" if there was none */
	/* What functions access that the target BTF of CO-RE does not have. */
	struct {
		char func[64];
		char what[128]; /* "struct task_struct.pid" */
	} lacks[16];
	uint32_t n_lacks;
	char access[256]; /* the one being looked for */
};
void xl_object_msg_on(struct xl_object_msg *msg);
void xl_object_msg_off(struct xl_object_msg *msg);

struct xl_object_priv {
	struct xl_elf elf;
	struct xl_object_lore lore;
	struct btf *btf; /* a view of .BTF as the file has it; NULL: there is none */
	const struct btf_type *kconfig, *ksyms; /* DATASECs in btf, or NULL */
	int kernel_btf_fd;			/* checked copy of opts.btf_path; -1: none */
	struct xl_object_func *funcs;		/* [n_progs] */
	struct xl_object_store *stores;		/* [n_maps] */
	/* Names of maps whose definition asks to be pinned. */
	char **pins;
	uint32_t n_pins;
	/* Reasons for which an instruction was replaced by a call of helper XL_POISON + index. */
	char **poisons;
	uint32_t n_poisons;
	struct xl_object_msg msg; /* of the load */
	bool loaded;
};

/* Above all helpers, below what libbpf uses itself (195896080 and 2001000000). */
#define XL_POISON 0x0b000000

static inline struct xl_object_priv *xl_object_priv(const struct xl_object *obj)
{
	return obj->priv;
}

void xl_object_notice(const struct xl_object *obj, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* object_btf_ext.c
 * Checks records, offsets, type ids and access strings of .BTF.ext. Errors: -EINVAL. */
int xl_object_btf_ext_check(const struct xl_elf *elf, const struct btf *btf, struct xl_err *e);
/* Calls @fn with each CO-RE relocation and the function that it changes (NULL: none). */
void xl_object_core_each(const struct xl_elf *elf, const struct btf *btf,
			 void (*fn)(void *arg, const struct xl_elf_func *func,
				    const struct bpf_core_relo *relo),
			 void *arg);
/* Takes the CO-RE relocations away, so that code stays as it was compiled. */
void xl_object_core_drop(struct xl_elf *elf);

/* object_fix.c
 * Prepares the image for libbpf. Errors: -EINVAL, -ENOMEM. */
int xl_object_fix(struct xl_object *obj, struct xl_err *e);
/* Whether @func is a program that is not XDP. NULL and subprograms are not. */
bool xl_object_is_foreign(const struct xl_object *obj, const struct xl_elf_func *func);
/* object_core.c, object_fix_btf.c: parts of the above. */
int xl_object_fix_core(struct xl_object *obj, struct xl_err *e);
int xl_object_fix_btf(struct xl_object *obj, struct xl_err *e);
/* Whether @name is a variable of .kconfig, or of .ksyms. After xl_object_fix_btf(). */
bool xl_object_is_kconfig(const struct xl_object *obj, const char *name);
bool xl_object_is_ksym(const struct xl_object *obj, const char *name);

/* object_maps.c
 * Fills obj->maps. Errors: -ENOMEM. */
int xl_object_list_maps(struct xl_object *obj, struct xl_err *e);
/* Before load: decides what nobody said. */
void xl_object_settle_maps(struct xl_object *obj);
/* Around libbpf's load, inside the door: makes the inner maps that the user described, and lets
 * go of them. */
int xl_object_make_inners(struct xl_object *obj, struct xl_err *e);
void xl_object_drop_inners(struct xl_object *obj);

/* object_slots.c
 * Inside the door, after load: fills what the object says by names of sections, tags and ids. */
void xl_object_fill_slots(struct xl_object *obj);

/* object_config.c
 * Fills run_prio and chain_call_actions of the programs. */
void xl_object_config_read(struct xl_object *obj);

/* object_btf.c
 * BTF type without const, volatile, typedef …; NULL for void. */
const struct btf_type *xl_object_btf_resolve(const struct btf *btf, uint32_t id);
/* Whether function @name is declared to take a struct xdp_md *: 1, 0, or -1 if BTF knows no such
 * function, or takes it to take what can be anything, such as void *. */
int xl_object_btf_takes_xdp_md(const struct btf *btf, const char *name);
/* N of a `__uint(name, N)` member: a pointer to int[N]. */
bool xl_object_btf_uint(const struct btf *btf, const struct btf_member *m, uint32_t *out);

#endif
