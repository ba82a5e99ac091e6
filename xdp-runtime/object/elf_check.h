/* The border for object files: bytes in, an ELF image that cannot hurt its readers out.
 *
 * libelf and libbpf trust their input, so each section header, name, symbol and relocation is
 * checked here first, and what passes is written out anew: a private image whose sections lie
 * apart from each other and aligned, and in which everything that no loader needs (DWARF, notes,
 * struct_ops …) has lost its name and meaning. What libbpf sees is only what was checked.
 *
 * Source: ELF-64 Object File Format 1.5; what libbpf 1.1 reads (bpf_object__elf_collect()).
 */
#ifndef XL_XDP_RUNTIME_ELF_CHECK_H
#define XL_XDP_RUNTIME_ELF_CHECK_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uapi.h"

#define XL_ELF_SIZE_MAX	 (UINT64_C(64) << 20) /* chosen: the largest known object has 12 MB */
#define XL_ELF_FUNCS_MAX 2048 /* chosen: bounds libbpf's recursion over subprograms */
#define XL_ELF_DATA_MAX	 (UINT64_C(1) << 30) /* of one data section, .bss included; chosen */

struct xl_elf_sec {
	const char *name;
	uint32_t type; /* SHT_* */
	uint32_t link, info;
	uint64_t flags; /* SHF_* */
	uint64_t size;	/* bytes */
	uint8_t *data;	/* in the image, 8-byte aligned; NULL for SHT_NOBITS */
	bool kept;	/* a loader reads it */
};

/* A function with code. */
struct xl_elf_func {
	const char *name;
	uint32_t sym; /* its symbol */
	uint32_t sec;
	uint32_t insn; /* its first instruction in the section */
	uint32_t n_insns;
};

struct xl_elf {
	uint8_t *image; /* what libbpf gets */
	size_t size;
	struct xl_elf_sec *sec; /* [0] is the null section */
	uint32_t n_secs;
	Elf64_Sym *sym; /* in the image */
	uint32_t n_syms;
	struct xl_elf_func *func; /* ascending by section and instruction, disjoint */
	uint32_t n_funcs;
	/* Indexes of the sections of these names; 0: there is none. */
	uint32_t symtab, strtab, text, maps, btf, btf_ext;
};

/* Reads @data and makes the image.
 *
 * @data     borrowed for the call
 * Errors    -EINVAL with @e naming section and offset; -EFBIG, -ENOMEM
 * Owns      *out_elf, by the caller, until xl_elf_release()
 */
int xl_elf_check(const void *data, size_t size, struct xl_elf *out_elf, struct xl_err *e);
void xl_elf_release(struct xl_elf *elf);

/* Name of a symbol; checked, so never NULL. A section symbol is called like its section. */
const char *xl_elf_sym_name(const struct xl_elf *elf, uint32_t sym);

/* The relocations of code and map definitions: entries of SHT_REL section @sec. */
static inline Elf64_Rel *xl_elf_rels(const struct xl_elf *elf, uint32_t sec, uint32_t *out_n)
{
	*out_n = (uint32_t)(elf->sec[sec].size / sizeof(Elf64_Rel));
	return (Elf64_Rel *)elf->sec[sec].data;
}

/* The function which holds instruction @insn of section @sec, NULL if none does. */
const struct xl_elf_func *xl_elf_func_at(const struct xl_elf *elf, uint32_t sec, uint64_t insn);

/* Whether section @sec holds map definitions in the style of before BTF: "maps", "maps/NAME". */
bool xl_elf_is_old_maps(const struct xl_elf *elf, uint32_t sec);

/* Shortens relocation section @sec to its first @n_rels entries. */
void xl_elf_cut_rels(struct xl_elf *elf, uint32_t sec, uint32_t n_rels);

#endif
