/* Changing the size of a checked object; see elf_image.h.
 *
 * The file that comes out is  | header | bodies, each aligned to 8 | section table |
 */
#include "xdp-runtime/object/elf_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t round_up8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

int xl_elf_image_read(const struct xl_elf *elf, struct xl_elf_image *out, struct xl_err *e)
{
	struct xl_elf_image img = { .symtab = elf->symtab, .strtab = elf->strtab };
	const Elf64_Shdr *table;

	memcpy(&img.eh, elf->image, sizeof(img.eh));
	table = (const Elf64_Shdr *)(elf->image + img.eh.e_shoff);
	img.sec = calloc(elf->n_secs, sizeof(*img.sec));
	if (!img.sec)
		return xl_err_set(e, -ENOMEM, "out of memory");
	for (uint32_t i = 1; i < elf->n_secs; i++) {
		img.sec[i].sh = table[i];
		if (table[i].sh_type == SHT_NOBITS || table[i].sh_type == SHT_NULL)
			continue;
		img.sec[i].data = malloc(table[i].sh_size + 1);
		if (!img.sec[i].data) {
			xl_elf_image_release(&img);
			return xl_err_set(e, -ENOMEM, "out of memory");
		}
		memcpy(img.sec[i].data, elf->image + table[i].sh_offset, table[i].sh_size);
	}
	*out = img;
	return 0;
}

void xl_elf_image_release(struct xl_elf_image *img)
{
	for (uint32_t i = 0; img->sec && i < img->eh.e_shnum; i++)
		free(img->sec[i].data);
	free(img->sec);
	memset(img, 0, sizeof(*img));
}

int xl_elf_image_write(const struct xl_elf_image *img, uint8_t **out_data, size_t *out_size,
		       struct xl_err *e)
{
	const size_t table_size = img->eh.e_shnum * sizeof(Elf64_Shdr);
	size_t at = round_up8(sizeof(img->eh)), size = at + table_size;
	Elf64_Ehdr eh = img->eh;
	Elf64_Shdr *table;
	uint8_t *data;

	for (uint32_t i = 1; i < eh.e_shnum; i++)
		if (img->sec[i].data)
			size += round_up8(img->sec[i].sh.sh_size);
	if (size > XL_ELF_SIZE_MAX)
		return xl_err_set(e, -EFBIG, "larger than any object");
	data = calloc(1, size);
	if (!data)
		return xl_err_set(e, -ENOMEM, "out of memory");
	eh.e_shoff = size - table_size;
	memcpy(data, &eh, sizeof(eh));
	table = (Elf64_Shdr *)(data + eh.e_shoff);
	for (uint32_t i = 1; i < eh.e_shnum; i++) {
		table[i] = img->sec[i].sh;
		if (!img->sec[i].data)
			continue;
		table[i].sh_offset = at;
		memcpy(data + at, img->sec[i].data, table[i].sh_size);
		at += round_up8(table[i].sh_size);
	}
	*out_data = data;
	*out_size = size;
	return 0;
}

int xl_elf_image_append(struct xl_elf_image *img, uint32_t sec, const void *data, size_t size,
			uint64_t *out_at, struct xl_err *e)
{
	struct xl_elf_image_sec *s = &img->sec[sec];
	const uint64_t at = s->sh.sh_size;
	uint8_t *grown;

	if (at > XL_ELF_SIZE_MAX || size > XL_ELF_SIZE_MAX - at)
		return xl_err_set(e, -EFBIG, "larger than any object");
	grown = realloc(s->data, at + size + 1);
	if (!grown)
		return xl_err_set(e, -ENOMEM, "out of memory");
	s->data = grown;
	if (data)
		memcpy(grown + at, data, size);
	else
		memset(grown + at, 0, size);
	s->sh.sh_size = at + size;
	if (out_at)
		*out_at = at;
	return 0;
}

int xl_elf_image_set(struct xl_elf_image *img, uint32_t sec, const void *data, size_t size,
		     struct xl_err *e)
{
	img->sec[sec].sh.sh_size = 0;
	return xl_elf_image_append(img, sec, data, size, NULL, e);
}

/* Adds @name to string table @sec. */
static int add_name(struct xl_elf_image *img, uint32_t sec, const char *name, uint32_t *out_off,
		    struct xl_err *e)
{
	uint64_t at = 0;
	int err = xl_elf_image_append(img, sec, name, strlen(name) + 1, &at, e);

	if (!err)
		*out_off = (uint32_t)at;
	return err;
}

int xl_elf_image_add_sec(struct xl_elf_image *img, const char *name, uint64_t flags,
			 uint32_t *out_sec, struct xl_err *e)
{
	const uint32_t n = img->eh.e_shnum;
	struct xl_elf_image_sec *grown;
	uint32_t name_off = 0;
	int err;

	if (n + 1 >= SHN_LORESERVE)
		return xl_err_set(e, -EFBIG, "too many sections");
	grown = reallocarray(img->sec, n + 1, sizeof(*grown));
	if (!grown)
		return xl_err_set(e, -ENOMEM, "out of memory");
	img->sec = grown;
	err = add_name(img, img->eh.e_shstrndx, name, &name_off, e);
	if (err)
		return err;
	grown[n] = (struct xl_elf_image_sec){
		.sh = { .sh_name = name_off,
			.sh_type = SHT_PROGBITS,
			.sh_flags = flags,
			.sh_addralign = 8 },
	};
	img->eh.e_shnum++;
	*out_sec = n;
	return 0;
}

void xl_elf_image_drop_sec(struct xl_elf_image *img, uint32_t sec)
{
	free(img->sec[sec].data);
	memset(&img->sec[sec], 0, sizeof(img->sec[sec]));
}

int xl_elf_image_add_sym(struct xl_elf_image *img, const char *name, const Elf64_Sym *sym,
			 uint32_t *out_sym, struct xl_err *e)
{
	Elf64_Sym copy = *sym;
	uint64_t at = 0;
	int err = add_name(img, img->strtab, name, &copy.st_name, e);

	err = err ? err : xl_elf_image_append(img, img->symtab, &copy, sizeof(copy), &at, e);
	if (!err)
		*out_sym = (uint32_t)(at / sizeof(copy));
	return err;
}

int xl_elf_image_rename_sym(struct xl_elf_image *img, uint32_t sym, const char *name,
			    struct xl_err *e)
{
	uint32_t off = 0;
	int err = add_name(img, img->strtab, name, &off, e);

	if (!err)
		xl_elf_image_sym(img, sym)->st_name = off;
	return err;
}
