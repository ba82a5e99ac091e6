/* Loads a forwarding table from what `ip -j` prints.
 *
 * An entry tells by its fields what it is: "ifname" makes a link (with its addresses, if it has
 * "addr_info"), "state" a neighbour, "dst" alone a route. Several dumps may follow each other in
 * one file.
 */
#include "xdp-runtime/fib/fib_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_entry(struct xl_fib_reader *r, const json_t *obj)
{
	if (!json_is_object(obj))
		return xl_fib_json_bad(r, NULL, "not an object");
	if (!json_object_size(obj))
		return 0; /* `ip` prints {} for what a filter left out */
	if (json_object_get(obj, "ifname"))
		return xl_fib_json_add_link(r, obj);
	if (json_object_get(obj, "state"))
		return xl_fib_json_neigh(r, obj);
	if (json_object_get(obj, "dst"))
		return xl_fib_json_route(r, obj);
	return xl_fib_json_bad(r, NULL,
			       "neither a route (\"dst\") nor a neighbour (\"state\") nor a link "
			       "(\"ifname\")");
}

static int read_entries(struct xl_fib_reader *r, const char *part, const json_t *array)
{
	const json_t *entry;
	int err;

	r->part = part;
	json_array_foreach(array, r->index, entry)
	{
		err = read_entry(r, entry);
		if (err)
			return err;
	}
	return 0;
}

static int read_parts(struct xl_fib_reader *r, const json_t *obj)
{
	static const char *const parts[] = { "links", "routes", "neighbours" };
	const json_t *forwarding = json_object_get(obj, "forwarding"), *part;
	size_t n_known = forwarding != NULL;
	int err;

	if (forwarding && !json_is_boolean(forwarding))
		return xl_err_set(r->e, -EINVAL, "%s: forwarding: neither true nor false", r->path);
	if (forwarding) {
		r->fib->forwarding = json_is_true(forwarding);
		r->fib->forwarding_said = true;
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		part = json_object_get(obj, parts[i]);
		if (!part)
			continue;
		n_known++;
		if (!json_is_array(part))
			return xl_err_set(r->e, -EINVAL, "%s: %s: not a list", r->path, parts[i]);
		err = read_entries(r, parts[i], part);
		if (err)
			return err;
	}
	if (n_known != json_object_size(obj))
		return xl_err_set(r->e, -EINVAL,
				  "%s: knows \"links\", \"routes\", \"neighbours\" and "
				  "\"forwarding\", and nothing else",
				  r->path);
	return 0;
}

/* Reads one JSON document; *@out_end is set when there is none left. */
static int read_document(struct xl_fib_reader *r, FILE *f, bool *out_end)
{
	json_error_t error;
	json_t *doc;
	int c, err;

	do
		c = getc(f);
	while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
	*out_end = c == EOF;
	if (*out_end)
		return ferror(f) ? xl_err_set(r->e, -EIO, "%s: cannot be read", r->path) : 0;
	ungetc(c, f);
	doc = json_loadf(f, JSON_DISABLE_EOF_CHECK, &error);
	if (!doc)
		return xl_err_set(r->e, -EINVAL, "%s: document %u, line %d: %s", r->path,
				  r->document, error.line, error.text);
	err = json_is_array(doc) ? read_entries(r, "", doc) : read_parts(r, doc);
	json_decref(doc);
	return err;
}

int xl_fib_load(struct xl_fib *fib, const char *path, struct xl_err *e)
{
	struct xl_fib_reader r = { .fib = fib, .e = e, .path = path };
	FILE *f = fopen(path, "re");
	bool end = false;
	int err = 0;

	if (!f)
		return xl_err_set(e, -errno, "%s: %s", path, strerror(errno));
	/* Every host has these, also one of which only a part was dumped. */
	if (fib->is_empty)
		err = xl_fib_json_loopback(&r);
	while (!err && !end) {
		r.document++;
		err = read_document(&r, f, &end);
	}
	fclose(f);
	if (err)
		return err;
	err = xl_fib_settle(fib);
	if (err == -EEXIST)
		return xl_err_set(e, -EINVAL, "%s: two links have one ifindex", path);
	return err ? xl_fib_json_no_memory(&r) : 0;
}
