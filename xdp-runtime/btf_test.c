/* Which BTF is refused: by itself, and against the kernel's word for thousands of damaged blobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bpf/btf.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/btf.h"

/* One type of each kind, in several shapes. */
static struct btf *all_kinds(void)
{
	struct btf *btf = btf__new_empty();
	int u32, u64, boolean, proto, s;

	assert_non_null(btf);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	u64 = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	boolean = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	btf__add_ptr(btf, u32);
	btf__add_array(btf, u32, u64, 5);
	s = btf__add_struct(btf, "pair", 24);
	btf__add_field(btf, "packets", u64, 0, 0);
	btf__add_field(btf, "bits", u32, 64, 3);
	btf__add_field(btf, "more", u32, 67, 7);
	btf__add_field(btf, "rest", u64, 128, 0);
	btf__add_struct(btf, NULL, 16);
	btf__add_field(btf, "a", boolean, 0, 0);
	btf__add_field(btf, "b", u32, 32, 0);
	btf__add_field(btf, "p", 4, 64, 0);
	btf__add_union(btf, "either", 8);
	btf__add_field(btf, "x", u64, 0, 0);
	btf__add_field(btf, "y", u32, 0, 0);
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 1);
	btf__add_enum_value(btf, "GREEN", 2);
	btf__add_enum64(btf, "big", 8, false);
	btf__add_enum64_value(btf, "BIG", 1ull << 40);
	btf__add_fwd(btf, "later", BTF_FWD_STRUCT);
	btf__add_typedef(btf, "pair_t", s);
	btf__add_volatile(btf, u32);
	btf__add_const(btf, s);
	btf__add_restrict(btf, 4);
	proto = btf__add_func_proto(btf, u32);
	btf__add_func_param(btf, "arg", 4);
	btf__add_func_param(btf, "n", u64);
	btf__add_func(btf, "count", BTF_FUNC_GLOBAL, proto);
	btf__add_func(btf, "local", BTF_FUNC_STATIC, proto);
	btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, NULL, u32);
	btf__add_func_param(btf, NULL, 0);
	btf__add_var(btf, "limit", BTF_VAR_GLOBAL_ALLOCATED, u32);
	btf__add_var(btf, "seen", BTF_VAR_STATIC, s);
	btf__add_datasec(btf, ".data", 28);
	btf__add_datasec_var_info(btf, btf__find_by_name(btf, "limit"), 0, 4);
	btf__add_datasec_var_info(btf, btf__find_by_name(btf, "seen"), 4, 24);
	btf__add_float(btf, "double", 8);
	btf__add_decl_tag(btf, "tagged", s, 1);
	btf__add_decl_tag(btf, "tagged too", btf__find_by_name(btf, "count"), 0);
	btf__add_ptr(btf, btf__add_type_tag(btf, "user", s));
	return btf;
}

static uint8_t *blob_of(struct btf *btf, uint32_t *out_size)
{
	const void *data = btf__raw_data(btf, out_size);
	uint8_t *copy = malloc(*out_size);

	assert_non_null(copy);
	memcpy(copy, data, *out_size);
	btf__free(btf);
	return copy;
}

/* What the kernel says; @log, if not NULL, gets its words. */
static long kernel_load(const void *data, uint32_t size, char *log, uint32_t log_size)
{
	union bpf_attr attr;
	long ret;

	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)data;
	attr.btf_size = size;
	attr.btf_log_buf = (uintptr_t)log;
	attr.btf_log_size = log_size;
	attr.btf_log_level = log != NULL;
	ret = xl_kernel_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	if (ret >= 0)
		close((int)ret);
	return ret < 0 ? ret : 0;
}

static void btf_of_every_kind_is_good(void **state)
{
	uint32_t size;
	uint8_t *blob = blob_of(all_kinds(), &size);
	struct xl_btf *btf;

	assert_int_equal(xl_btf_create(blob, size, NULL, &btf), 0);
	assert_int_equal(btf->size, size);
	assert_true(btf__find_by_name(btf->btf, "pair") > 0);
	xl_obj_put(&btf->obj);
	free(blob);
}

/* The end of the blob is the end of its memory, so that a sanitizer sees who reads on. */
static void every_truncation_is_refused(void **state)
{
	uint32_t size;
	uint8_t *blob = blob_of(all_kinds(), &size), *part;

	for (uint32_t n = 0; n < size; n++) {
		part = malloc(n ? n : 1);
		memcpy(part, blob, n);
		assert_true(xl_btf_check(part, n, NULL) < 0);
		free(part);
	}
	free(blob);
}

static int check(struct btf *btf)
{
	uint32_t size;
	uint8_t *blob = blob_of(btf, &size);
	int ret = xl_btf_check(blob, size, NULL);

	if (xl_kernel_bpf_usable())
		assert_int_equal(kernel_load(blob, size, NULL, 0), ret);
	free(blob);
	return ret;
}

static void types_that_hold_themselves_are_refused(void **state)
{
	struct btf *btf = btf__new_empty();

	btf__add_struct(btf, "self", 8);
	btf__add_field(btf, "me", 1, 0, 0);
	assert_int_equal(check(btf), -EEXIST);

	btf = btf__new_empty();
	btf__add_typedef(btf, "a", 2);
	btf__add_const(btf, 1);
	assert_int_equal(check(btf), -EEXIST);

	btf = btf__new_empty();
	btf__add_int(btf, "int", 4, 0);
	btf__add_array(btf, 1, 3, 2);
	btf__add_typedef(btf, "a", 2);
	assert_int_equal(check(btf), -EEXIST);

	btf = btf__new_empty();
	btf__add_ptr(btf, 2);
	btf__add_const(btf, 1);
	assert_int_equal(check(btf), -EEXIST);
}

static void a_list_that_points_to_itself_is_good(void **state)
{
	struct btf *btf = btf__new_empty();

	btf__add_struct(btf, "list", 8);
	btf__add_field(btf, "next", 2, 0, 0);
	btf__add_ptr(btf, 1);
	assert_int_equal(check(btf), 0);
}

static void nesting_has_a_limit(void **state)
{
	for (int depth = 25; depth < 40; depth++) {
		struct btf *btf = btf__new_empty();

		/* 33 deep with the INT, which is not followed. The outermost comes first, or each would be finished by the time it is used. */
		for (int i = 1; i < depth; i++) {
			btf__add_struct(btf, NULL, 4);
			btf__add_field(btf, "in", i + 1, 0, 0);
		}
		btf__add_int(btf, "int", 4, 0);
		assert_int_equal(check(btf), depth > 33 ? -E2BIG : 0);
	}
}

static void what_compilers_leave_open_is_good(void **state)
{
	struct btf *btf = btf__new_empty();
	uint32_t size;
	uint8_t *blob;

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_var(btf, "x", BTF_VAR_GLOBAL_EXTERN, 1);
	btf__add_func_proto(btf, 0);
	btf__add_func(btf, "kfunc", BTF_FUNC_EXTERN, 3);
	btf__add_datasec(btf, ".ksyms", 0);
	btf__add_datasec_var_info(btf, 4, 0, 0);
	btf__add_datasec(btf, ".bss", 0);
	btf__add_datasec_var_info(btf, 2, 0, 4);
	btf__add_datasec_var_info(btf, 2, 0, 4);
	blob = blob_of(btf, &size);
	assert_int_equal(xl_btf_check(blob, size, NULL), 0);
	free(blob);
}

static void an_argument_without_a_name_is_safe_but_not_good(void **state)
{
	struct btf *btf = btf__new_empty();
	uint32_t size;
	uint8_t *blob;

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(btf, 1);
	btf__add_func_param(btf, NULL, 1);
	btf__add_func(btf, "f", BTF_FUNC_GLOBAL, 2);
	blob = blob_of(btf, &size);
	assert_int_equal(xl_btf_check(blob, size, NULL), -EINVAL);
	assert_int_equal(xl_btf_check_safe(blob, size, NULL), 0);
	if (xl_kernel_bpf_usable())
		assert_int_equal(kernel_load(blob, size, NULL, 0), -EINVAL);
	free(blob);
}

/* What we take though the kernel does not: what the loader completes, and the order of tags. */
static bool left_open(const uint8_t *blob, uint32_t size)
{
	static const char *const words[] = { "Invalid func linkage", "Linkage not supported",
					     "size == 0", "Not a VAR kind member", "Type tags" };
	static char log[65536];

	kernel_load(blob, size, log, sizeof(log));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(log, words[i]))
			return true;
	return false;
}

/* What we do not take though the kernel does: references to a FUNC, odd INTs and letters. */
static bool unusual(const struct xl_vlog *log, bool letter)
{
	return letter || strstr(log->last, "Unsupported size") ||
	       strstr(log->last, "Invalid type_id");
}

static uint32_t strings_at(const uint8_t *blob)
{
	const struct btf_header *h = (const struct btf_header *)blob;

	return h->hdr_len + h->str_off;
}

static void judge(const uint8_t *blob, uint32_t size, uint32_t at, bool letter)
{
	const long kernel = kernel_load(blob, size, NULL, 0);
	struct xl_vlog log;
	int ours;

	xl_vlog_init(&log, 1);
	ours = xl_btf_check(blob, size, &log);
	if (ours != kernel && !(!ours && left_open(blob, size)) &&
	    !(!kernel && unusual(&log, letter)))
		fail_msg("byte %u = %02x: kernel %ld, ours %d %s", at, blob[at], kernel, ours,
			 log.last);
	xl_vlog_fini(&log);
}

static void damaged_btf_is_judged_as_by_the_kernel(void **state)
{
	uint32_t size;
	uint8_t *blob = blob_of(all_kinds(), &size);
	const uint32_t strs = strings_at(blob);

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		skip();
	}
	for (uint32_t at = 0; at < size; at++) {
		const uint8_t keep = blob[at];

		for (int value = 0; value < 256; value++) {
			blob[at] = (uint8_t)value;
			judge(blob, size, at, at >= strs && value >= 0x80);
		}
		blob[at] = keep;
	}
	free(blob);
}

/* Whole words: ids, offsets, counts that are far off, or a little. */
static void damaged_words_are_judged_as_by_the_kernel(void **state)
{
	static const uint32_t words[] = { 0x7fffffff, 0x80000000, UINT32_MAX, 0x01000000,
					  0x00100000, 0xffff,	  0x10000,    0x84000001 };
	uint32_t size, keep;
	uint8_t *blob = blob_of(all_kinds(), &size);
	const uint32_t strs = strings_at(blob);

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		skip();
	}
	for (uint32_t at = 0; at < strs; at += 4) {
		memcpy(&keep, blob + at, 4);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			memcpy(blob + at, &words[i], 4);
			judge(blob, size, at, false);
		}
		for (uint32_t d = 1; d < 40; d++) {
			const uint32_t word = keep ^ d;

			memcpy(blob + at, &word, 4);
			judge(blob, size, at, false);
		}
		memcpy(blob + at, &keep, 4);
	}
	free(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(btf_of_every_kind_is_good),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(types_that_hold_themselves_are_refused),
		cmocka_unit_test(a_list_that_points_to_itself_is_good),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(what_compilers_leave_open_is_good),
		cmocka_unit_test(an_argument_without_a_name_is_safe_but_not_good),
		cmocka_unit_test(damaged_btf_is_judged_as_by_the_kernel),
		cmocka_unit_test(damaged_words_are_judged_as_by_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
