/* Claims about objects that grow, and about map definitions of before BTF that make no sense. */
#include "xdp-runtime/object/elf_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "xdp-runtime/object/object_norm.h"
#include "xdp-runtime/object/object_test_data.h"

static struct xl_elf elf; /* legacy.o: one map of before BTF, 20 bytes */

static int setup(void **state)
{
	struct test_bytes b = test_object("legacy");
	struct xl_err e = { 0 };
	int err = xl_elf_check(b.data, b.size, &elf, &e);

	free(b.data);
	return err;
}

static int teardown(void **state)
{
	xl_elf_release(&elf);
	return 0;
}

static struct xl_elf_image read_image(void)
{
	struct xl_elf_image img;

	assert_int_equal(xl_elf_image_read(&elf, &img, NULL), 0);
	return img;
}

/* Writes @img, releases it, and checks what comes out. */
static struct xl_elf written(struct xl_elf_image *img)
{
	struct xl_elf out;
	struct xl_err e = { 0 };
	uint8_t *data;
	size_t size;

	assert_int_equal(xl_elf_image_write(img, &data, &size, &e), 0);
	if (xl_elf_check(data, size, &out, &e))
		fail_msg("%s", e.text);
	free(data);
	xl_elf_image_release(img);
	return out;
}

static uint32_t find_sym(const struct xl_elf *in, const char *name)
{
	for (uint32_t i = 0; i < in->n_syms; i++)
		if (!strcmp(xl_elf_sym_name(in, i), name))
			return i;
	fail_msg("no symbol %s", name);
	return 0;
}

static uint32_t maps_section(void)
{
	return elf.sym[find_sym(&elf, "old")].st_shndx;
}

/* -- images --------------------------------------------------------------------------------- */

static void an_unchanged_image_is_the_same_object(void **state)
{
	struct xl_elf_image img = read_image();
	struct xl_elf out = written(&img);

	assert_int_equal(out.n_secs, elf.n_secs);
	assert_int_equal(out.n_syms, elf.n_syms);
	assert_int_equal(out.n_funcs, elf.n_funcs);
	for (uint32_t i = 1; i < elf.n_secs; i++) {
		assert_int_equal(out.sec[i].kept, elf.sec[i].kept);
		if (elf.sec[i].kept && elf.sec[i].data)
			assert_memory_equal(out.sec[i].data, elf.sec[i].data, elf.sec[i].size);
	}
	xl_elf_release(&out);
}

static void sections_and_symbols_can_be_added(void **state)
{
	struct xl_elf_image img = read_image();
	Elf64_Sym sym = { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_size = 3 };
	struct xl_elf out;
	uint64_t at = 0;
	uint32_t sec = 0, i = 0;

	assert_int_equal(xl_elf_image_add_sec(&img, ".data.more", SHF_ALLOC, &sec, NULL), 0);
	assert_int_equal(xl_elf_image_append(&img, sec, "abcde", 5, &at, NULL), 0);
	assert_int_equal(at, 0);
	assert_int_equal(xl_elf_image_append(&img, sec, NULL, 3, &at, NULL), 0);
	assert_int_equal(at, 5);
	sym.st_shndx = (uint16_t)sec;
	sym.st_value = at;
	assert_int_equal(xl_elf_image_add_sym(&img, "more", &sym, &i, NULL), 0);
	assert_int_equal(xl_elf_image_rename_sym(&img, find_sym(&elf, "old"), "older", NULL), 0);
	out = written(&img);
	assert_string_equal(out.sec[sec].name, ".data.more");
	assert_memory_equal(out.sec[sec].data, "abcde\0\0\0", 8);
	assert_int_equal(find_sym(&out, "more"), i);
	assert_int_equal(out.sym[i].st_value, 5);
	assert_int_equal(find_sym(&out, "older"), find_sym(&elf, "old"));
	xl_elf_release(&out);
}

static void a_dropped_section_leaves_its_index(void **state)
{
	struct xl_elf_image img = read_image();
	struct xl_elf out;

	xl_elf_image_drop_sec(&img, maps_section());
	out = written(&img);
	assert_int_equal(out.n_secs, elf.n_secs);
	assert_false(out.sec[maps_section()].kept);
	assert_int_equal(find_sym(&out, "prog"), find_sym(&elf, "prog"));
	xl_elf_release(&out);
}

static void an_image_has_a_limit(void **state)
{
	struct xl_elf_image img = read_image();
	struct xl_err e = { 0 };

	assert_int_equal(xl_elf_image_append(&img, maps_section(), NULL, XL_ELF_SIZE_MAX, NULL, &e),
			 -EFBIG);
	assert_non_null(strstr(e.text, "larger than any object"));
	xl_elf_image_release(&img);
}

/* -- definitions of before BTF -------------------------------------------------------------- */

static void refused(const char *words)
{
	struct xl_legacy_maps maps;
	struct xl_err e = { 0 };

	assert_int_equal(xl_legacy_read(&elf, &maps, &e), -EINVAL);
	if (!strstr(e.text, words))
		fail_msg("says '%s', not '%s'", e.text, words);
	assert_null(maps.map);
}

static void a_definition_is_read(void **state)
{
	struct xl_legacy_maps maps;

	assert_int_equal(xl_legacy_read(&elf, &maps, NULL), 0);
	assert_int_equal(maps.n, 1);
	assert_string_equal(maps.map[0].name, "old");
	assert_int_equal(maps.map[0].type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(maps.map[0].key_size, 4);
	assert_int_equal(maps.map[0].value_size, 8);
	assert_int_equal(maps.map[0].max_entries, 1);
	assert_int_equal(maps.map[0].inner, XL_LEGACY_NONE);
	free(maps.map);
}

static void entries_have_a_least_size(void **state)
{
	elf.sec[maps_section()].size = 12;
	refused("12 bytes for 1 maps are no definitions");
	elf.sec[maps_section()].size = 18;
	refused("18 bytes for 1 maps");
}

static void maps_lie_where_entries_begin(void **state)
{
	elf.sym[find_sym(&elf, "old")].st_value = 4;
	refused("map 'old' at offset 4 of section 'maps', whose entries have 20 bytes");
	elf.sym[find_sym(&elf, "old")].st_value = 20; /* right behind the last one */
	refused("map 'old' at offset 20");
}

static void names_become_identifiers(void **state)
{
	char buf[8];

	xl_legacy_name("a.b-c", buf, sizeof(buf));
	assert_string_equal(buf, "a_b_c");
	xl_legacy_name("longer_than_that", buf, sizeof(buf));
	assert_string_equal(buf, "longer_");
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(an_unchanged_image_is_the_same_object),
		CLAIM(sections_and_symbols_can_be_added),
		CLAIM(a_dropped_section_leaves_its_index),
		CLAIM(an_image_has_a_limit),
		CLAIM(a_definition_is_read),
		CLAIM(entries_have_a_least_size),
		CLAIM(maps_lie_where_entries_begin),
		CLAIM(names_become_identifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
