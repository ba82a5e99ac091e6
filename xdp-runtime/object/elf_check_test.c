/* Claims about the border for object files. Each starts from an object that passes and breaks one
 * thing. */
#include "xdp-runtime/object/elf_check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "xdp-runtime/object/object_test_data.h"

static struct test_bytes good; /* pins.o, stripped of DWARF */

static Elf64_Ehdr *header(struct test_bytes *b)
{
	return (Elf64_Ehdr *)b->data;
}

static Elf64_Shdr *sections(struct test_bytes *b)
{
	return (Elf64_Shdr *)(b->data + header(b)->e_shoff);
}

static Elf64_Shdr *section(struct test_bytes *b, const char *name)
{
	const char *names = (const char *)b->data + sections(b)[header(b)->e_shstrndx].sh_offset;

	for (unsigned i = 1; i < header(b)->e_shnum; i++)
		if (!strcmp(names + sections(b)[i].sh_name, name))
			return &sections(b)[i];
	fail_msg("no section %s", name);
	return NULL;
}

static Elf64_Sym *symbol(struct test_bytes *b, const char *name)
{
	Elf64_Shdr *table = section(b, ".symtab");
	const char *names = (const char *)b->data + sections(b)[table->sh_link].sh_offset;
	Elf64_Sym *sym = (Elf64_Sym *)(b->data + table->sh_offset);

	for (unsigned i = 0; i < table->sh_size / sizeof(*sym); i++)
		if (!strcmp(names + sym[i].st_name, name))
			return &sym[i];
	fail_msg("no symbol %s", name);
	return NULL;
}

static struct test_bytes copy(void)
{
	struct test_bytes b = { malloc(good.size), good.size };

	memcpy(b.data, good.data, good.size);
	return b;
}

/* Checks that @b is refused with a text that holds @words, and frees it. */
static void refused(struct test_bytes b, const char *words)
{
	struct xl_elf elf;
	struct xl_err e = { 0 };
	int err = xl_elf_check(b.data, b.size, &elf, &e);

	if (!err)
		fail_msg("passed, but should say '%s'", words);
	if (!strstr(e.text, words))
		fail_msg("says '%s', not '%s'", e.text, words);
	assert_null(strchr(e.text, '\n'));
	assert_int_equal(e.err, err);
	free(b.data);
}

static void a_good_object_is_described(void **state)
{
	struct xl_elf elf;
	struct xl_err e = { 0 };

	assert_int_equal(xl_elf_check(good.data, good.size, &elf, &e), 0);
	assert_int_equal(elf.n_funcs, 1);
	assert_string_equal(elf.func[0].name, "prog");
	assert_string_equal(elf.sec[elf.func[0].sec].name, "xdp");
	assert_int_equal(elf.func[0].insn, 0);
	assert_true(elf.maps && elf.btf && elf.btf_ext && elf.symtab);
	assert_int_equal(elf.text, 0); /* it is empty */
	assert_ptr_equal(xl_elf_func_at(&elf, elf.func[0].sec, 0), &elf.func[0]);
	assert_ptr_equal(xl_elf_func_at(&elf, elf.func[0].sec, elf.func[0].n_insns - 1),
			 &elf.func[0]);
	assert_null(xl_elf_func_at(&elf, elf.func[0].sec, elf.func[0].n_insns));
	xl_elf_release(&elf);
}

static void the_image_passes_again(void **state)
{
	struct xl_elf elf, again;
	struct xl_err e = { 0 };

	assert_int_equal(xl_elf_check(good.data, good.size, &elf, &e), 0);
	assert_int_equal(xl_elf_check(elf.image, elf.size, &again, &e), 0);
	assert_int_equal(again.n_funcs, elf.n_funcs);
	assert_int_equal(again.n_syms, elf.n_syms);
	xl_elf_release(&again);
	xl_elf_release(&elf);
}

static void what_is_not_bpf_is_named(void **state)
{
	struct test_bytes b = copy();

	b.data[1] = 'X';
	refused(b, "not an ELF file");
	b = copy();
	header(&b)->e_machine = EM_X86_64;
	refused(b, "compiled for x86-64, not for BPF");
	b = copy();
	header(&b)->e_machine = 4711;
	refused(b, "ELF machine 4711");
	b = copy();
	b.data[EI_DATA] = ELFDATA2MSB;
	refused(b, "big-endian");
	b = copy();
	b.data[EI_CLASS] = ELFCLASS32;
	refused(b, "not a 64-bit ELF file");
	b = copy();
	header(&b)->e_type = ET_DYN;
	refused(b, "not that of an object file");
}

static void every_truncation_is_refused(void **state)
{
	for (size_t size = 0; size < good.size; size++) {
		struct test_bytes b = { malloc(size ? size : 1), size };

		memcpy(b.data, good.data, size);
		refused(b, size < 4 ? "not an ELF file" : "truncated");
	}
}

static void sections_lie_in_the_file_and_apart(void **state)
{
	struct test_bytes b = copy();

	section(&b, "xdp")->sh_offset = b.size - 8;
	refused(b, "truncated: section");
	b = copy();
	section(&b, "xdp")->sh_size = UINT64_MAX - 7;
	refused(b, "truncated: section");
	b = copy();
	section(&b, "xdp")->sh_offset += 8;
	refused(b, "overlaps");
	b = copy();
	section(&b, ".maps")->sh_offset = 0;
	refused(b, "overlaps");
	b = copy();
	header(&b)->e_shoff = UINT64_MAX - 63;
	refused(b, "section table");
	b = copy();
	header(&b)->e_shentsize = 63;
	refused(b, "section headers of 63 bytes");
	b = copy();
	header(&b)->e_shstrndx = 60000;
	refused(b, "cannot hold the section names");
}

static void names_are_strings_of_one_line(void **state)
{
	struct test_bytes b = copy();

	section(&b, "xdp")->sh_name = 1 << 30;
	refused(b, "outside of the names");
	b = copy();
	symbol(&b, "prog")->st_name = 1 << 30;
	refused(b, "outside of the names");
	b = copy();
	b.data[section(&b, ".strtab")->sh_offset + section(&b, "xdp")->sh_name] = '\n';
	refused(b, "control characters");
	b = copy();
	b.data[section(&b, ".strtab")->sh_offset + symbol(&b, "prog")->st_name] = 0x1b;
	refused(b, "control characters");
	b = copy();
	/* a section that nobody needs becomes the string table: one long name */
	section(&b, ".BTF")->sh_type = SHT_STRTAB;
	memset(b.data + section(&b, ".BTF")->sh_offset + 1, 'x', section(&b, ".BTF")->sh_size - 2);
	b.data[section(&b, ".BTF")->sh_offset] = '\0';
	b.data[section(&b, ".BTF")->sh_offset + section(&b, ".BTF")->sh_size - 1] = '\0';
	symbol(&b, "prog")->st_name = 1;
	section(&b, ".symtab")->sh_link = (Elf32_Word)(section(&b, ".BTF") - sections(&b));
	b.data[section(&b, ".strtab")->sh_offset + section(&b, ".BTF")->sh_name] = 'x';
	refused(b, "too long");
	b = copy();
	b.data[section(&b, ".strtab")->sh_offset + section(&b, ".strtab")->sh_size - 1] = 'x';
	refused(b, "zero byte");
}

static void symbols_lie_in_their_sections(void **state)
{
	struct test_bytes b = copy();

	symbol(&b, "prog")->st_value = 8;
	refused(b, "ends outside of section 'xdp'");
	b = copy();
	symbol(&b, "prog")->st_size = UINT64_MAX;
	refused(b, "ends outside of section 'xdp'");
	b = copy();
	symbol(&b, "prog")->st_size -= 1;
	refused(b, "not whole instructions");
	b = copy();
	symbol(&b, "prog")->st_shndx = 500;
	refused(b, "lies in section 500");
	b = copy();
	section(&b, ".symtab")->sh_entsize = 23;
	refused(b, "in entries of 23");
	b = copy();
	section(&b, ".symtab")->sh_link = 500;
	refused(b, "section 500");
	b = copy();
	section(&b, ".symtab")->sh_type = SHT_PROGBITS;
	refused(b, "no symbol table");
	b = copy();
	*symbol(&b, "shared") = *symbol(&b, "prog");
	refused(b, "overlap");
}

static void relocations_stay_in_their_sections(void **state)
{
	struct test_bytes b = copy();
	Elf64_Rel *rel = (Elf64_Rel *)(b.data + section(&b, ".relxdp")->sh_offset);

	rel->r_offset = section(&b, "xdp")->sh_size;
	refused(b, "changes offset");
	b = copy();
	rel = (Elf64_Rel *)(b.data + section(&b, ".relxdp")->sh_offset);
	rel->r_offset += 4;
	refused(b, "changes offset");
	b = copy();
	rel = (Elf64_Rel *)(b.data + section(&b, ".relxdp")->sh_offset);
	rel->r_info = ELF64_R_INFO(70000, 1);
	refused(b, "names symbol 70000");
	b = copy();
	section(&b, ".relxdp")->sh_info = 500;
	refused(b, "relocates section 500");
	b = copy();
	section(&b, ".relxdp")->sh_type = SHT_RELA;
	refused(b, "RELA");
	b = copy();
	symbol(&b, "shared")->st_shndx = SHN_COMMON;
	refused(b, "-fno-common");
}

/* A relocated 16-byte load whose second half belongs to nobody: libbpf would write past its copy
 * of the function. */
static void a_relocated_load_is_not_cut_in_two(void **state)
{
	struct test_bytes b = copy();
	Elf64_Rel *rel = (Elf64_Rel *)(b.data + section(&b, ".relxdp")->sh_offset);

	symbol(&b, "prog")->st_size = rel->r_offset + 8;
	refused(b, "cut by the end of function 'prog'");
}

/* Whatever one byte of the file is changed to, the answer comes without a bad access. */
static void no_single_byte_does_harm(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

	for (size_t at = 0; at < good.size; at++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			struct test_bytes b = copy();
			struct xl_elf elf;

			b.data[at] = values[v];
			if (!xl_elf_check(b.data, b.size, &elf, NULL))
				xl_elf_release(&elf);
			free(b.data);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_object_is_described),
		cmocka_unit_test(the_image_passes_again),
		cmocka_unit_test(what_is_not_bpf_is_named),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(sections_lie_in_the_file_and_apart),
		cmocka_unit_test(names_are_strings_of_one_line),
		cmocka_unit_test(symbols_lie_in_their_sections),
		cmocka_unit_test(relocations_stay_in_their_sections),
		cmocka_unit_test(a_relocated_load_is_not_cut_in_two),
		cmocka_unit_test(no_single_byte_does_harm),
	};
	int failed;

	good = test_object("pins");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(good.data);
	return failed;
}
