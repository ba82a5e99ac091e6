/* What `--diff kernel` found, for a person and as JSON. */
#include "cli/diff_kernel_priv.h"

#include <inttypes.h>
#include <string.h>

#include "cli/json_out.h"
#include "xdp-runtime/verdict.h"

#define NEAR		8u   /* chosen: bytes shown before the one that differs, and after it */
#define HEX_MAX		256u /* bytes; metadata has 255 at most, all else is shorter */
#define VALUE_SHOWN_MAX 64u  /* chosen: longer values are shown around the difference */

static uint64_t n_skipped(const struct xl_diff *diff)
{
	uint64_t n = 0;

	for (int i = 0; i < XL_DIFF_SKIPS; i++)
		n += diff->skipped[i];
	return n;
}

/* A stretch of bytes that a report shows: around @off, or from the start. */
struct stretch {
	uint32_t from, n;
};

static struct stretch around(uint32_t off, uint32_t len)
{
	struct stretch s = { .from = off > NEAR ? off - NEAR : 0 };
	uint32_t end = off + NEAR + 1;

	end = end > len ? len : end;
	s.n = end > s.from ? end - s.from : 0;
	return s;
}

static void print_hex(FILE *out, const uint8_t *bytes, struct stretch s, uint32_t mark)
{
	for (uint32_t i = s.from; i < s.from + s.n; i++)
		fprintf(out, i == mark ? " [%02x]" : " %02x", bytes[i]);
	if (mark == s.from + s.n)
		fprintf(out, " [end]");
	fputc('\n', out);
}

static void print_packet(const struct xl_diff *diff, FILE *out)
{
	const struct xl_diff_side *a = &diff->first_ours, *b = &diff->first_kernel;
	const uint32_t off = diff->first_off;

	fprintf(out,
		"  packet %" PRIu64
		" is the first that differs: %s (%u) here, %s (%u) in the kernel",
		diff->first_n, xl_verdict_name(a->retval), a->retval, xl_verdict_name(b->retval),
		b->retval);
	fprintf(out, "%s\n", a->faulted ? "; the program was stopped here" : "");
	if (off != a->len || off != b->len) {
		fprintf(out, "    packets of %u and %u bytes differ from byte %u on:\n", a->len,
			b->len, off);
		fprintf(out, "      here  ");
		print_hex(out, a->bytes + a->meta_len, around(off, a->len), off);
		fprintf(out, "      kernel");
		print_hex(out, b->bytes + b->meta_len, around(off, b->len), off);
	}
	if (a->meta_len != b->meta_len || memcmp(a->bytes, b->bytes, a->meta_len)) {
		fprintf(out, "    metadata differ:\n      here  ");
		print_hex(out, a->bytes, (struct stretch){ 0, a->meta_len }, UINT32_MAX);
		fprintf(out, "      kernel");
		print_hex(out, b->bytes, (struct stretch){ 0, b->meta_len }, UINT32_MAX);
	}
}

/* The part of a map's value that is shown. */
static struct stretch value_stretch(const struct xl_diff *diff)
{
	uint32_t size = diff->map.value_size;

	return size <= VALUE_SHOWN_MAX ? (struct stretch){ 0, size } : around(diff->map.off, size);
}

static void print_value(const struct xl_diff *diff, const uint8_t *value, FILE *out)
{
	if (value)
		print_hex(out, value, value_stretch(diff),
			  diff->map.ours && diff->map.kernel ? diff->map.off : UINT32_MAX);
	else
		fprintf(out, " no such entry\n");
}

static void print_map(const struct xl_diff *diff, FILE *out)
{
	const struct xl_twin_map_diff *m = &diff->map;

	fprintf(out, "  map %s differs after packet %" PRIu64, diff->map_name,
		diff->maps_window.first);
	if (diff->maps_window.first < diff->maps_window.last)
		fprintf(out, " or one of those up to %" PRIu64, diff->maps_window.last);
	fprintf(out, ": key");
	for (uint32_t i = 0; i < m->key_size; i++)
		fprintf(out, " %02x", m->key[i]);
	if (m->cpu >= 0)
		fprintf(out, ", CPU %d", m->cpu);
	if (m->ours && m->kernel)
		fprintf(out, ", byte %u of the value", m->off);
	if (*m->field)
		fprintf(out, " (%s)", m->field);
	fprintf(out, "\n      here  ");
	print_value(diff, m->ours, out);
	fprintf(out, "      kernel");
	print_value(diff, m->kernel, out);
}

void xl_diff_print(const struct xl_diff *diff, FILE *out)
{
	const char *text, *sep = " (";

	fprintf(out,
		"kernel: %" PRIu64 " packets compared, %" PRIu64 " equal, %" PRIu64 " different",
		diff->compared, diff->compared - diff->differing, diff->differing);
	if (n_skipped(diff)) {
		fprintf(out, "; %" PRIu64 " skipped", n_skipped(diff));
		for (enum xl_diff_skip i = 0; i < XL_DIFF_SKIPS; i++) {
			if (!diff->skipped[i])
				continue;
			fprintf(out, "%s%" PRIu64 " %s", sep, diff->skipped[i],
				xl_diff_skip_reason(i));
			if (i == XL_DIFF_SKIP_REFUSED)
				fprintf(out, ": %s", strerror(-diff->refused_err));
			sep = ", ";
		}
		fputc(')', out);
	}
	fprintf(out, "; maps %s\n",
		diff->maps_differ ? "differ"
		: diff->err.err	  ? "not compared to the end"
				  : "equal");
	if (diff->first_n)
		print_packet(diff, out);
	if (diff->maps_differ)
		print_map(diff, out);
	if (diff->err.err)
		fprintf(out, "  %s\n", diff->err.text);
	for (uint32_t i = 0; (text = xl_twin_note(diff->twin, i)); i++)
		fprintf(out, "  note: %s\n", text);
}

static void json_hex(struct xl_json *j, const char *name, const uint8_t *bytes, struct stretch s)
{
	char hex[2 * HEX_MAX + 1] = "";

	for (uint32_t i = 0; i < s.n && i < sizeof(hex) / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[s.from + i]);
	xl_json_str(j, name, hex);
}

static void json_side(struct xl_json *j, const char *name, const struct xl_diff_side *side,
		      uint32_t off)
{
	struct stretch s = around(off, side->len);

	xl_json_begin_object(j, name);
	xl_json_str(j, "verdict", xl_verdict_name(side->retval));
	xl_json_u64(j, "retval", side->retval);
	if (side->faulted)
		xl_json_bool(j, "faulted", true);
	xl_json_u64(j, "len", side->len);
	xl_json_u64(j, "bytes_from", s.from);
	json_hex(j, "bytes", side->bytes + side->meta_len, s);
	json_hex(j, "meta", side->bytes, (struct stretch){ 0, side->meta_len });
	xl_json_end_object(j);
}

static void json_value(struct xl_json *j, const char *name, const struct xl_diff *diff,
		       const uint8_t *value)
{
	if (value)
		json_hex(j, name, value, value_stretch(diff));
	else
		xl_json_null(j, name);
}

static void json_map(struct xl_json *j, const struct xl_diff *diff)
{
	const struct xl_twin_map_diff *m = &diff->map;

	xl_json_begin_object(j, "map");
	xl_json_str(j, "name", diff->map_name);
	xl_json_u64(j, "first_packet", diff->maps_window.first);
	xl_json_u64(j, "last_packet", diff->maps_window.last);
	json_hex(j, "key", m->key, (struct stretch){ 0, m->key_size });
	if (m->cpu >= 0)
		xl_json_u64(j, "cpu", (uint64_t)m->cpu);
	if (m->ours && m->kernel)
		xl_json_u64(j, "byte", m->off);
	if (*m->field)
		xl_json_str(j, "field", m->field);
	xl_json_u64(j, "bytes_from", value_stretch(diff).from);
	json_value(j, "here", diff, m->ours);
	json_value(j, "kernel", diff, m->kernel);
	xl_json_end_object(j);
}

void xl_diff_json(const struct xl_diff *diff, struct xl_json *j)
{
	const char *text;

	xl_json_begin_object(j, "diff");
	xl_json_u64(j, "compared", diff->compared);
	xl_json_u64(j, "equal", diff->compared - diff->differing);
	xl_json_u64(j, "different", diff->differing);
	xl_json_begin_object(j, "skipped");
	for (enum xl_diff_skip i = 0; i < XL_DIFF_SKIPS; i++)
		if (diff->skipped[i])
			xl_json_u64(j, xl_diff_skip_reason(i), diff->skipped[i]);
	xl_json_end_object(j);
	if (diff->first_n) {
		xl_json_begin_object(j, "first");
		xl_json_u64(j, "n", diff->first_n);
		xl_json_u64(j, "byte", diff->first_off);
		json_side(j, "here", &diff->first_ours, diff->first_off);
		json_side(j, "kernel", &diff->first_kernel, diff->first_off);
		xl_json_end_object(j);
	}
	xl_json_bool(j, "maps_equal", !diff->maps_differ && !diff->err.err);
	if (diff->maps_differ)
		json_map(j, diff);
	if (diff->err.err)
		xl_json_str(j, "error", diff->err.text);
	xl_json_begin_array(j, "notes");
	for (uint32_t i = 0; (text = xl_twin_note(diff->twin, i)); i++)
		xl_json_str(j, NULL, text);
	xl_json_end_array(j);
	xl_json_end_object(j);
}
