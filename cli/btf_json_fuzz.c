/* Fuzzes BTF values as JSON: BTF from an object is hostile, and so is a map file.
 *
 * Input: BTF, behind it text. Each type of the BTF is written with zero bytes as value, and what
 * was written must read back; then the text is read as JSON into each type.
 */
#include "cli/btf_json.h"

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_in.h"
#include "xdp-runtime/btf.h"

#define VALUE_SIZE 96
#define TYPES_MAX  200 /* chosen: keeps an input under a few milliseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct btf *btf, uint32_t id)
{
	uint8_t *value = calloc(1, VALUE_SIZE);
	struct xl_err e = { 0 };
	char *text = NULL;
	struct xl_json j;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *json;

	xl_json_init(&j, out);
	xl_json_begin_array(&j, NULL);
	xl_btf_json_write(&j, NULL, btf, id, value, VALUE_SIZE);
	xl_json_end_array(&j);
	fclose(out);
	/* Members of one name in one struct make JSON that is refused; otherwise it is JSON. */
	if (!xl_json_load_text(text, len, "fuzz", &json, &e)) {
		xl_btf_json_read(btf, id, json_array_get(json, 0), value, VALUE_SIZE, "value", &e);
		json_decref(json);
	} else if (!strstr(e.text, "duplicate")) {
		fprintf(stderr, "%s\n%s\n", e.text, text);
		abort();
	}
	free(text);
	free(value);
}

static void read_text(const struct btf *btf, uint32_t n_types, const char *text, size_t len)
{
	uint8_t *value = calloc(1, VALUE_SIZE);
	struct xl_err e = { 0 };
	json_t *json;

	if (!xl_json_load_text(text, len, "fuzz", &json, &e)) {
		for (uint32_t id = 1; id < n_types; id++) {
			e = (struct xl_err){ 0 };
			xl_btf_json_read(btf, id, json, value, VALUE_SIZE, "value", &e);
		}
		json_decref(json);
	}
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf_header header;
	struct xl_btf *btf;
	uint32_t n_types;
	size_t btf_size = size;

	if (size >= sizeof(header)) {
		memcpy(&header, data, sizeof(header));
		if ((uint64_t)header.hdr_len + header.str_off + header.str_len < size)
			btf_size = header.hdr_len + header.str_off + header.str_len;
	}
	if (xl_btf_create(data, btf_size, NULL, &btf))
		return 0;
	n_types = btf__type_cnt(btf->btf);
	if (n_types > TYPES_MAX)
		n_types = TYPES_MAX;
	for (uint32_t id = 1; id < n_types; id++)
		write_and_read(btf->btf, id);
	read_text(btf->btf, n_types, (const char *)data + btf_size, size - btf_size);
	xl_obj_put(&btf->obj);
	return 0;
}
