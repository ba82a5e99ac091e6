/* Claims about BTF values as JSON: the BTF is made here, as compilers make it. */
#include "cli/btf_json.h"

#include <bpf/btf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/json_in.h"

enum { T_U8 = 1, T_S8, T_U16, T_S32, T_U64, T_S64, T_BOOL, T_CHAR, T_U128, T_ENUM, T_ENUM64 };

/* What the struct of the tests looks like in C. */
struct all {
	uint8_t u8;
	int8_t s8;
	uint16_t u16;
	int32_t s32;
	uint64_t u64;
	int64_t s64;
	_Bool flag;
	char name[15];
	unsigned __int128 wide;
	int32_t color;
	uint32_t bits_3 : 3, bits_29 : 29;
	uint64_t big;
	uint8_t mac[6];
	uint8_t pad[2];
	union {
		uint32_t v4; /* anonymous, with v6 below */
		uint8_t v6[16];
	};
	struct {
		uint16_t p, q;
	};
	uint8_t tail[12];
	void *pointer;
};

struct types {
	struct btf *btf;
	uint32_t all, array_all;
};

static uint32_t array(struct btf *btf, int type, unsigned n)
{
	return (uint32_t)btf__add_array(btf, T_U64, type, n);
}

static void field(struct btf *btf, const char *name, uint32_t type, size_t byte)
{
	assert_int_equal(btf__add_field(btf, name, (int)type, (uint32_t)byte * 8, 0), 0);
}

static int make_types(void **state)
{
	static struct types types;
	struct btf *btf = btf__new_empty();
	uint32_t name, mac, v6, addr, pair, pointer, cname;

	btf__add_int(btf, "unsigned char", 1, 0);
	btf__add_int(btf, "signed char", 1, BTF_INT_SIGNED);
	btf__add_int(btf, "unsigned short", 2, 0);
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_int(btf, "unsigned long long", 8, 0);
	btf__add_int(btf, "long long", 8, BTF_INT_SIGNED);
	btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	btf__add_int(btf, "unsigned __int128", 16, 0);
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 0);
	btf__add_enum_value(btf, "BLUE", -3);
	assert_int_equal(btf__add_enum64(btf, "big", 8, false), T_ENUM64);
	btf__add_enum64_value(btf, "HUGE", UINT64_C(1) << 63);
	cname = (uint32_t)btf__add_const(btf, T_CHAR);
	name = array(btf, (int)cname, 15);
	mac = array(btf, T_U8, 6);
	v6 = array(btf, T_U8, 16);
	addr = (uint32_t)btf__add_union(btf, NULL, 16);
	field(btf, "v4", T_S32, 0);
	field(btf, "v6", v6, 0);
	pair = (uint32_t)btf__add_struct(btf, NULL, 4);
	field(btf, "p", T_U16, 0);
	field(btf, "q", T_U16, 2);
	pointer = (uint32_t)btf__add_ptr(btf, 0);
	types.all = (uint32_t)btf__add_struct(btf, "all", sizeof(struct all));
	field(btf, "u8", T_U8, 0);
	field(btf, "s8", T_S8, 1);
	field(btf, "u16", T_U16, 2);
	field(btf, "s32", T_S32, 4);
	field(btf, "u64", T_U64, 8);
	field(btf, "s64", T_S64, 16);
	field(btf, "flag", T_BOOL, 24);
	field(btf, "name", name, 25);
	field(btf, "wide", T_U128, offsetof(struct all, wide));
	field(btf, "color", T_ENUM, offsetof(struct all, color));
	btf__add_field(btf, "bits_3", T_S32, (offsetof(struct all, color) + 4) * 8, 3);
	btf__add_field(btf, "bits_29", T_U64, (offsetof(struct all, color) + 4) * 8 + 3, 29);
	field(btf, "big", T_ENUM64, offsetof(struct all, big));
	field(btf, "mac", mac, offsetof(struct all, mac));
	field(btf, NULL, addr, offsetof(struct all, v4));
	field(btf, NULL, pair, offsetof(struct all, p));
	field(btf, "pointer", pointer, offsetof(struct all, pointer));
	types.btf = btf;
	types.array_all = array(btf, (int)types.all, 2);
	*state = &types;
	return 0;
}

static int free_types(void **state)
{
	struct types *types = *state;

	btf__free(types->btf);
	return 0;
}

static char *write_text(const struct types *types, uint32_t id, const void *data, size_t size)
{
	struct xl_json j;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	xl_json_init(&j, out);
	xl_json_begin_array(&j, NULL);
	xl_btf_json_write(&j, NULL, types->btf, id, data, size);
	xl_json_end_array(&j);
	fclose(out);
	return text;
}

static int read_text(const struct types *types, uint32_t id, const char *text, void *data,
		     size_t size, struct xl_err *e)
{
	json_t *json;
	int err;

	if (xl_json_load_text(text, strlen(text), "in.json", &json, e))
		fail_msg("%s", e->text);
	/* In an array, as written above. */
	err = xl_btf_json_read(types->btf, id, json_array_get(json, 0), data, size, "value", e);
	json_decref(json);
	return err;
}

static const struct all sample = {
	.u8 = 200,
	.s8 = -5,
	.u16 = 60000,
	.s32 = -7,
	.u64 = UINT64_MAX,
	.s64 = INT64_MIN,
	.flag = 1,
	.name = "eth0",
	.wide = (unsigned __int128)5 << 64 | 6,
	.color = -3,
	.bits_3 = 5,
	.bits_29 = 70000,
	.big = UINT64_C(1) << 63,
	.mac = { 2, 0, 0, 0, 0, 255 },
	.v6 = { 10, 0, 0, 1, [15] = 9 },
	.p = 8,
	.q = 9,
	.pointer = (void *)4096,
};

/* bpftool 7.1 prints the same for such a value. */
static const char sample_text[] =
	"[{\"u8\":200,\"s8\":-5,\"u16\":60000,\"s32\":-7,\"u64\":18446744073709551615,"
	"\"s64\":-9223372036854775808,\"flag\":true,\"name\":\"eth0\","
	"\"wide\":\"0x50000000000000006\",\"color\":\"BLUE\",\"bits_3\":\"0x5\","
	"\"bits_29\":\"0x11170\",\"big\":\"HUGE\",\"mac\":[2,0,0,0,0,255],"
	"\"\":{\"v4\":16777226,\"v6\":[10,0,0,1,0,0,0,0,0,0,0,0,0,0,0,9]},"
	"\"\":{\"p\":8,\"q\":9},\"pointer\":4096}]";

static void every_kind_is_written_as_bpftool_does(void **state)
{
	char *text = write_text(*state, ((struct types *)*state)->all, &sample, sizeof(sample));

	assert_string_equal(text, sample_text);
	free(text);
}

static void what_is_written_reads_back(void **state)
{
	const struct types *types = *state;
	struct xl_err e = { 0 };
	struct all out[2];
	char *text;

	memset(out, 0, sizeof(out));
	assert_int_equal(read_text(types, types->all, sample_text, out, sizeof(out[0]), &e), 0);
	assert_memory_equal(out, &sample, sizeof(sample));
	out[1] = out[0];
	text = write_text(types, types->array_all, out, sizeof(out));
	memset(out, 0, sizeof(out));
	assert_int_equal(read_text(types, types->array_all, text, out, sizeof(out), &e), 0);
	assert_memory_equal(&out[1], &sample, sizeof(sample));
	free(text);
}

static void people_may_write_it_shorter(void **state)
{
	const struct types *types = *state;
	struct xl_err e = { 0 };
	struct all out = { .u8 = 1, .u16 = 2 };
	static const char text[] = "[{\"u8\":\"0xff\",\"s8\":\"-1\",\"v4\":\"10.0.0.1\",\"q\":7,"
				   "\"mac\":\"02:00:00:00:00:ff\",\"color\":-3,\"big\":0,"
				   "\"bits_3\":\"0x7\",\"u64\":\"18446744073709551615\"}]";
	static const char v6[] = "[{\"v6\":\"2001:db8::1\"}]";

	assert_int_equal(read_text(types, types->all, text, &out, sizeof(out), &e), 0);
	assert_int_equal(out.u8, 255);
	assert_int_equal(out.s8, -1);
	assert_int_equal(out.u16, 2); /* as it was */
	assert_memory_equal(out.v6, "\x0a\0\0\x01", 4);
	assert_int_equal(out.q, 7);
	assert_memory_equal(out.mac, "\x02\0\0\0\0\xff", 6);
	assert_int_equal(out.color, -3);
	assert_int_equal(out.bits_3, 7);
	assert_true(out.u64 == UINT64_MAX);
	assert_int_equal(read_text(types, types->all, v6, &out, sizeof(out), &e), 0);
	assert_memory_equal(out.v6, "\x20\x01\x0d\xb8", 4);
}

static void what_does_not_fit_is_refused_with_its_path(void **state)
{
	const struct types *types = *state;
	static const struct {
		const char *in, *text;
	} rows[] = {
		{ "{\"u8\":256}", "value.u8: number does not fit into 8 bits" },
		{ "{\"u8\":-1}", "value.u8: number does not fit into 8 bits" },
		{ "{\"s8\":128}", "value.s8: number does not fit into signed 8 bits" },
		{ "{\"s8\":-129}", "value.s8: number does not fit into signed 8 bits" },
		{ "{\"u64\":18446744073709551616}", "value.u64: number does not fit into 64 bits" },
		{ "{\"bits_29\":536870912}", "value.bits_29: number does not fit into 29 bits" },
		{ "{\"u16\":\"80x\"}", "value.u16: expected a whole number, not \"80x\"" },
		{ "{\"u16\":1.5}", "value.u16: expected a whole number, not a fraction" },
		{ "{\"u16\":[80]}", "value.u16: expected a whole number, not an array" },
		{ "{\"color\":\"PINK\"}",
		  "value.color: expected a number or a name of the enum, not \"PINK\"" },
		{ "{\"mac\":[1,2,3]}", "value.mac: expected 6 elements, not 3" },
		{ "{\"mac\":[0,0,0,300,0,0]}", "value.mac[3]: number does not fit into 8 bits" },
		{ "{\"mac\":\"nonsense\"}", "value.mac: expected an array, not \"nonsense\"" },
		{ "{\"name\":\"0123456789abcdef\"}",
		  "value.name: text of 16 bytes does not fit into 15" },
		{ "{\"colour\":1}", "value: no member 'colour'; there are: u8, s8, u16, " },
		{ "7", "value: expected an object (a struct), not a number" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xl_err e = { 0 };
		struct all out = { 0 };
		char in[256];

		snprintf(in, sizeof(in), "[%s]", rows[i].in);
		assert_int_equal(read_text(types, types->all, in, &out, sizeof(out), &e), -EINVAL);
		assert_int_equal(strncmp(e.text, rows[i].text, strlen(rows[i].text)), 0);
	}
}

/* BTF says nothing about how many bytes a map's value really has. */
static void a_value_that_is_shorter_than_its_type_is_safe(void **state)
{
	const struct types *types = *state;

	for (size_t size = 0; size < sizeof(sample); size++) {
		uint8_t *data = malloc(size ? size : 1); /* ASan sees a step too far */
		struct xl_err e = { 0 };
		char *text;

		memcpy(data, &sample, size);
		text = write_text(types, types->all, data, size);
		assert_non_null(strstr(text, "null"));
		assert_int_not_equal(read_text(types, types->all, sample_text, data, size, &e), 0);
		free(text);
		free(data);
	}
}

static void characters_read_back_whatever_they_are(void **state)
{
	struct btf *btf = btf__new_empty();
	const struct types types = { .btf = btf };

	btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	for (unsigned c = 0; c < 256; c++) {
		struct xl_err e = { 0 };
		uint8_t in = (uint8_t)c, out = (uint8_t)~c;
		char *text = write_text(&types, 1, &in, 1);

		assert_int_equal(read_text(&types, 1, text, &out, 1, &e), 0);
		assert_int_equal(out, in);
		free(text);
	}
	btf__free(btf);
}

static void types_that_multiply_end(void **state)
{
	struct btf *btf = btf__new_empty();
	struct types types = { .btf = btf };
	struct xl_err e = { 0 };
	uint8_t data[1] = { 0 };
	uint32_t inner;
	char *text;

	btf__add_int(btf, "unsigned char", 1, 0);
	inner = 1;
	for (int depth = 0; depth < 20; depth++) {
		const uint32_t id = (uint32_t)btf__add_union(btf, NULL, 1);

		for (int i = 0; i < 20; i++)
			field(btf, NULL, inner, 0);
		inner = id;
	}
	text = write_text(&types, inner, data, 1);
	assert_non_null(strstr(text, "null"));
	free(text);
	assert_int_equal(read_text(&types, inner, "[{\"x\":1}]", data, 1, &e), -EINVAL);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_written_as_bpftool_does),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(people_may_write_it_shorter),
		cmocka_unit_test(what_does_not_fit_is_refused_with_its_path),
		cmocka_unit_test(a_value_that_is_shorter_than_its_type_is_safe),
		cmocka_unit_test(characters_read_back_whatever_they_are),
		cmocka_unit_test(types_that_multiply_end),
	};

	return cmocka_run_group_tests(tests, make_types, free_types);
}
