/* A line of exec; see exec_line.h. */
#include "cli/exec_line.h"

#include <errno.h>
#include <string.h>

#include "cli/engines.h"
#include "cli/exec_json.h"

/* A second after boot: a program that takes 0 for "no time" works. */
#define FIRST_TIME_NS UINT64_C(1000000000)
#define LO_IFINDEX    1 /* where the kernel's test runs come in by */

static int read_packets(struct xl_exec_reader *r, const json_t *obj)
{
	struct xl_exec_line *line = r->line;
	const json_t *array;
	size_t n, len;
	int err = xl_exec_array(r, obj, "packets", &array, &n);

	if (err || !n)
		return err;
	line->packets = xl_exec_alloc(r, n, sizeof(*line->packets));
	if (!line->packets)
		return -ENOMEM;
	for (; line->n_packets < n; line->n_packets++) {
		struct xl_exec_packet *packet = &line->packets[line->n_packets];

		err = xl_exec_hex(r, json_array_get(array, line->n_packets), &packet->data, &len);
		if (!err && len > XL_EXEC_PACKET_MAX)
			err = xl_err_set(r->e, -EINVAL, "%zu bytes are more than %u", len,
					 XL_EXEC_PACKET_MAX);
		if (err) {
			xl_err_prefix(r->e, "packets[%zu]", line->n_packets);
			return err;
		}
		packet->len = (uint32_t)len;
	}
	return 0;
}

static int read_dump_item(struct xl_exec_reader *r, const json_t *in, struct xl_exec_dump *out)
{
	int err;

	if (json_array_size(in) != 2)
		return xl_err_set(r->e, -EINVAL, "expected [map, key]");
	err = xl_exec_read_map_ref(r, json_array_get(in, 0), &out->map);
	if (err)
		return err;
	err = xl_exec_hex_of(r, json_array_get(in, 1),
			     xl_exec_question_size(&r->line->maps[out->map]), &out->key);
	if (err)
		xl_err_prefix(r->e, "key");
	return err;
}

static int read_dump(struct xl_exec_reader *r, const json_t *obj)
{
	struct xl_exec_line *line = r->line;
	const json_t *array;
	size_t n;
	int err = xl_exec_array(r, obj, "dump", &array, &n);

	if (err || !n)
		return err;
	line->dump = xl_exec_alloc(r, n, sizeof(*line->dump));
	if (!line->dump)
		return -ENOMEM;
	for (; line->n_dump < n; line->n_dump++) {
		err = read_dump_item(r, json_array_get(array, line->n_dump),
				     &line->dump[line->n_dump]);
		if (!err)
			continue;
		xl_err_prefix(r->e, "dump[%zu]", line->n_dump);
		return err;
	}
	return 0;
}

static int read_engine(struct xl_exec_reader *r, const json_t *obj)
{
	const char *name = NULL;
	int err = xl_exec_string(r, obj, "engine", &name);

	if (err || !name)
		return err;
	r->line->engine = xl_engine_of_name(name);
	if (r->line->engine)
		return 0;
	return xl_err_set(r->e, -EINVAL, "engine: no '%.64s'; there is: %s", name,
			  xl_engine_names());
}

/* What a run sees besides packet and maps. */
static int read_surroundings(struct xl_exec_reader *r, const json_t *obj)
{
	struct xl_exec_line *line = r->line;
	int err = xl_exec_u32(r, obj, "cpu", &line->cpu);

	if (!err && line->cpu >= r->defaults->n_cpus)
		err = xl_err_set(r->e, -EINVAL, "cpu: there are %u", r->defaults->n_cpus);
	if (!err)
		err = xl_exec_u32(r, obj, "ifindex", &line->ifindex);
	if (!err)
		err = xl_exec_u32(r, obj, "rx_queue", &line->rx_queue);
	if (!err)
		err = xl_exec_u64(r, obj, "time_ns", &line->time_ns);
	if (!err)
		err = xl_exec_u64(r, obj, "insn_limit", &line->insn_limit);
	if (!err && !line->insn_limit)
		err = xl_err_set(r->e, -EINVAL, "insn_limit: expected a number from 1");
	return err;
}

static int read_line(struct xl_exec_reader *r, const json_t *obj)
{
	int err;

	if (!json_is_object(obj))
		return xl_err_set(r->e, -EINVAL, "expected an object");
	r->line->name = xl_exec_get(obj, "name");
	err = read_engine(r, obj);
	if (!err)
		err = read_surroundings(r, obj);
	if (!err)
		err = xl_exec_read_maps(r, obj);
	if (!err)
		err = xl_exec_read_progs(r, obj);
	if (!err)
		err = xl_exec_read_inits(r, obj);
	if (!err)
		err = read_packets(r, obj);
	if (!err)
		err = read_dump(r, obj);
	return err;
}

int xl_exec_line_read(const char *text, size_t len, const struct xl_exec_defaults *defaults,
		      struct xl_exec_line *out, struct xl_err *e)
{
	struct xl_exec_reader r = { .line = out, .defaults = defaults, .e = e };
	json_error_t error;

	*out = (struct xl_exec_line){
		.engine = defaults->engine,
		.insn_limit = defaults->insn_limit,
		.time_ns = FIRST_TIME_NS,
		.ifindex = LO_IFINDEX,
	};
	out->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (out->json)
		return read_line(&r, out->json);
	return xl_err_set(e, -EINVAL, "not JSON: %s (column %d)", error.text, error.column);
}
