/* BTF of any bytes: it is refused, or libbpf can walk all of it. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include "xdp-runtime/btf.h"

#define FIND_MAX 50 /* chosen: a search walks all types */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* What libbpf's loader and our own formatting do with types. */
static void walk(const struct btf *btf)
{
	const struct btf_type *t;
	const char *name;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		name = t ? btf__name_by_offset(btf, t->name_off) : NULL;
		if (!name)
			abort();
		btf__resolve_size(btf, id);
		btf__resolve_type(btf, id);
		btf__align_of(btf, id);
		if (id < FIND_MAX)
			btf__find_by_name_kind(btf, name, btf_kind(t));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xl_vlog log;
	struct xl_btf *btf;

	libbpf_set_print(quiet);
	xl_vlog_init(&log, 1);
	if (!xl_btf_create(data, size, &log, &btf)) {
		walk(btf->btf);
		xl_obj_put(&btf->obj);
	} else if (!log.buf) {
		abort(); /* each refusal says why */
	}
	xl_vlog_fini(&log);
	return 0;
}
