/* Fields of an exec line; see exec_json.h. */
#include "cli/exec_json.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/hex.h"

struct xl_exec_block {
	struct xl_exec_block *next;
	_Alignas(16) uint8_t bytes[];
};

void *xl_exec_alloc(struct xl_exec_reader *r, size_t n, size_t size)
{
	struct xl_exec_block *block = NULL;
	size_t total;

	if (!__builtin_mul_overflow(n, size, &total) && total < SIZE_MAX / 2)
		block = calloc(1, sizeof(*block) + total);
	if (!block) {
		xl_err_set(r->e, -ENOMEM, "out of memory");
		return NULL;
	}
	block->next = r->line->blocks;
	r->line->blocks = block;
	return block->bytes;
}

void xl_exec_line_free(struct xl_exec_line *line)
{
	struct xl_exec_block *next;

	for (struct xl_exec_block *b = line->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	json_decref(line->json);
	*line = (struct xl_exec_line){ 0 };
}

const json_t *xl_exec_get(const json_t *obj, const char *field)
{
	const json_t *in = json_object_get(obj, field);

	return json_is_null(in) ? NULL : in;
}

int xl_exec_u64(struct xl_exec_reader *r, const json_t *obj, const char *field, uint64_t *out)
{
	const json_t *in = xl_exec_get(obj, field);

	if (!in)
		return 0;
	if (!json_is_integer(in) || json_integer_value(in) < 0)
		return xl_err_set(r->e, -EINVAL, "%s: expected a number from 0", field);
	*out = (uint64_t)json_integer_value(in);
	return 0;
}

int xl_exec_u32(struct xl_exec_reader *r, const json_t *obj, const char *field, uint32_t *out)
{
	uint64_t number = *out;
	int err = xl_exec_u64(r, obj, field, &number);

	if (!err && number > UINT32_MAX)
		err = xl_err_set(r->e, -EINVAL, "%s: does not fit into 32 bits", field);
	if (!err)
		*out = (uint32_t)number;
	return err;
}

int xl_exec_string(struct xl_exec_reader *r, const json_t *obj, const char *field, const char **out)
{
	const json_t *in = xl_exec_get(obj, field);

	if (!in)
		return 0;
	if (!json_is_string(in))
		return xl_err_set(r->e, -EINVAL, "%s: expected a string", field);
	*out = json_string_value(in);
	return 0;
}

int xl_exec_array(struct xl_exec_reader *r, const json_t *obj, const char *field,
		  const json_t **out, size_t *out_n)
{
	const json_t *in = xl_exec_get(obj, field);

	*out = in;
	*out_n = json_array_size(in);
	if (in && !json_is_array(in))
		return xl_err_set(r->e, -EINVAL, "%s: expected an array", field);
	return 0;
}

int xl_exec_hex(struct xl_exec_reader *r, const json_t *in, uint8_t **out, size_t *out_len)
{
	const size_t len = json_string_length(in);

	if (!json_is_string(in))
		return xl_err_set(r->e, -EINVAL, "expected a string of hex digits");
	*out = xl_exec_alloc(r, len / 2 + 1, 1);
	if (!*out)
		return -ENOMEM;
	*out_len = len / 2;
	if (xl_hex_parse(json_string_value(in), len, *out))
		return 0;
	return xl_err_set(r->e, -EINVAL, "%s",
			  len % 2 ? "odd number of hex digits" : "expected hex digits only");
}

int xl_exec_hex_of(struct xl_exec_reader *r, const json_t *in, size_t size, uint8_t **out)
{
	size_t len;
	const int err = xl_exec_hex(r, in, out, &len);

	if (err || len == size)
		return err;
	return xl_err_set(r->e, -EINVAL, "expected %zu bytes, not %zu", size, len);
}

int xl_exec_bytes(struct xl_exec_reader *r, const json_t *obj, const char *field,
		  const uint8_t **out, size_t *out_len)
{
	const json_t *in = xl_exec_get(obj, field);
	uint8_t *bytes;
	int err;

	*out = NULL;
	*out_len = 0;
	if (!in || !json_string_length(in))
		return in && !json_is_string(in)
			       ? xl_err_set(r->e, -EINVAL, "%s: expected hex digits", field)
			       : 0;
	err = xl_exec_hex(r, in, &bytes, out_len);
	if (err) {
		xl_err_prefix(r->e, "%s", field);
		return err;
	}
	*out = bytes;
	return 0;
}
