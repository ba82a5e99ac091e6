/* A checked object that can be changed in size: sections grow, symbols and names are added.
 *
 * elf_check.c makes an image whose parts lie where they lay. Repairs that need more room than
 * there was read it into this model, change it, and write it out as a file again, which then goes
 * through the same check as any other: what a repair does wrong is caught at the border.
 *
 * Indexes of sections and symbols never change, so that relocations hold.
 */
#ifndef XL_XDP_RUNTIME_ELF_IMAGE_H
#define XL_XDP_RUNTIME_ELF_IMAGE_H

#include "xdp-runtime/object/elf_check.h"

struct xl_elf_image_sec {
	Elf64_Shdr sh;
	uint8_t *data; /* sh.sh_size bytes, owned; NULL for SHT_NOBITS */
};

struct xl_elf_image {
	Elf64_Ehdr eh;
	struct xl_elf_image_sec *sec; /* [eh.e_shnum] */
	uint32_t symtab, strtab;
};

/* Reads what passed the check into a model of its own. Errors: -ENOMEM.
 * Owns      *out, by the caller, until xl_elf_image_release() */
int xl_elf_image_read(const struct xl_elf *elf, struct xl_elf_image *out, struct xl_err *e);
void xl_elf_image_release(struct xl_elf_image *img);

/* Writes a file; malloc()ed. Errors: -ENOMEM, -EFBIG. */
int xl_elf_image_write(const struct xl_elf_image *img, uint8_t **out_data, size_t *out_size,
		       struct xl_err *e);

/* Puts @size bytes behind what section @sec holds (zeros where @data is NULL), and tells where. */
int xl_elf_image_append(struct xl_elf_image *img, uint32_t sec, const void *data, size_t size,
			uint64_t *out_at, struct xl_err *e);
/* Replaces the contents of section @sec. */
int xl_elf_image_set(struct xl_elf_image *img, uint32_t sec, const void *data, size_t size,
		     struct xl_err *e);
/* A new, empty section of type PROGBITS. */
int xl_elf_image_add_sec(struct xl_elf_image *img, const char *name, uint64_t flags,
			 uint32_t *out_sec, struct xl_err *e);
/* A section that is there no more; its index stays. */
void xl_elf_image_drop_sec(struct xl_elf_image *img, uint32_t sec);

static inline Elf64_Sym *xl_elf_image_sym(const struct xl_elf_image *img, uint32_t sym)
{
	return (Elf64_Sym *)img->sec[img->symtab].data + sym;
}

/* A symbol called @name with the other fields of @sym. */
int xl_elf_image_add_sym(struct xl_elf_image *img, const char *name, const Elf64_Sym *sym,
			 uint32_t *out_sym, struct xl_err *e);
int xl_elf_image_rename_sym(struct xl_elf_image *img, uint32_t sym, const char *name,
			    struct xl_err *e);

#endif
