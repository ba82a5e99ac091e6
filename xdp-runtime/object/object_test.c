/* Claims about object files on their way into a runtime, without privileges. */
#include "xdp-runtime/object/object.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "maps/map.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/object/object_test_data.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/runtime.h"

struct fixture {
	struct xl_runtime *rt;
	unsigned n_notices;
	char notice[512];
};

static void take_notice(void *arg, const char *text)
{
	struct fixture *f = arg;

	f->n_notices++;
	snprintf(f->notice, sizeof(f->notice), "%s", text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return xl_runtime_create(&(struct xl_runtime_opts){ .n_cpus = 2, .seed = 1 }, &f->rt);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	xl_runtime_destroy(f->rt);
	free(f);
	return 0;
}

static struct xl_object *open_with(struct fixture *f, const char *name, const char *btf_path)
{
	struct xl_object_opts opts = { .btf_path = btf_path,
				       .notice = take_notice,
				       .notice_arg = f };
	struct xl_object *obj = NULL;
	struct xl_err e = { 0 };
	char path[4096];

	test_object_path(name, path, sizeof(path));
	if (xl_object_open_file(f->rt, path, &opts, &obj, &e))
		fail_msg("%s", e.text);
	return obj;
}

static struct xl_object *open_object(struct fixture *f, const char *name)
{
	return open_with(f, name, NULL);
}

static struct xl_object *load_object(struct fixture *f, const char *name)
{
	struct xl_object *obj = open_object(f, name);
	struct xl_err e = { 0 };

	if (xl_object_load(obj, &e))
		fail_msg("%s: %s", name, e.text);
	return obj;
}

static const struct xl_object_prog *prog(struct xl_object *obj, const char *name)
{
	const struct xl_object_prog *p = xl_object_prog(obj, name);

	assert_non_null(p);
	return p;
}

static struct xl_map *map(struct xl_object *obj, const char *name)
{
	struct xl_object_map *m = xl_object_map(obj, name);

	assert_non_null(m);
	assert_non_null(m->map);
	return m->map;
}

static void contains(const char *text, const char *words)
{
	if (!text || !strstr(text, words))
		fail_msg("'%s' does not say '%s'", text ? text : "(null)", words);
}

/* -- programs ----------------------------------------------------------------------------- */

static void only_xdp_is_loaded_from_a_mixed_object(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj = load_object(f, "mixed");

	assert_int_equal(obj->n_progs, 7);
	assert_non_null(prog(obj, "first")->prog);
	assert_non_null(prog(obj, "second")->prog);
	assert_int_equal(prog(obj, "first")->prog->type, BPF_PROG_TYPE_XDP);
	assert_null(prog(obj, "first")->why_not);
	assert_null(prog(obj, "shaper")->prog);
	assert_string_equal(prog(obj, "shaper")->why_not, "type sched_cls is not XDP");
	assert_string_equal(prog(obj, "probe")->why_not, "type kprobe is not XDP");
	/* one notice for them all */
	assert_int_equal(f->n_notices, 1);
	contains(f->notice, "skipped 3 programs that are not XDP");
	contains(f->notice, "shaper (sched_cls)");
	/* a map that only they use does not stop it */
	assert_null(xl_object_map(obj, "storage")->map);
	assert_non_null(xl_object_map(obj, "storage")->why_not);
	xl_object_close(obj);
}

static void a_prototype_makes_a_program_xdp(void **state)
{
	struct xl_object *obj = load_object(*state, "mixed");

	assert_string_equal(prog(obj, "second")->section, "prog");
	assert_true(prog(obj, "second")->is_xdp);
	assert_int_equal(prog(obj, "second")->prog->type, BPF_PROG_TYPE_XDP);
	xl_object_close(obj);
}

static void sections_give_flags_and_attach_types(void **state)
{
	struct xl_object *obj = load_object(*state, "mixed");

	assert_int_equal(prog(obj, "fragmented")->prog->flags, BPF_F_XDP_HAS_FRAGS);
	assert_int_equal(prog(obj, "at_egress")->prog->expected_attach_type, BPF_XDP_DEVMAP);
	xl_object_close(obj);
}

static void subprograms_come_along(void **state)
{
	struct xl_object *obj = load_object(*state, "mixed");

	assert_int_equal(prog(obj, "first")->prog->n_subprogs, 3);
	assert_int_equal(prog(obj, "second")->prog->n_subprogs, 2);
	assert_true(prog(obj, "first")->prog->n_insns > prog(obj, "first")->n_insns);
	xl_object_close(obj);
}

static void run_config_is_that_of_libxdp(void **state)
{
	struct xl_object *obj = open_object(*state, "mixed");

	assert_int_equal(prog(obj, "first")->run_prio, 7);
	assert_int_equal(prog(obj, "first")->chain_call_actions, 1 << XDP_DROP);
	assert_int_equal(prog(obj, "second")->run_prio, 50);
	assert_int_equal(prog(obj, "second")->chain_call_actions, 1 << XDP_PASS);
	xl_object_close(obj);
}

static void what_a_program_lacks_stops_that_program_only(void **state)
{
	struct xl_object *obj = load_object(*state, "needs");

	assert_non_null(prog(obj, "runs")->prog);
	contains(prog(obj, "wants_kfunc")->why_not, "needs kernel function bpf_kernel_only");
	contains(prog(obj, "wants_kfunc_below")->why_not, "kernel function bpf_kernel_only");
	contains(prog(obj, "wants_weak_kfunc")->why_not, "needs kernel function bpf_maybe");
	contains(prog(obj, "wants_ksym")->why_not, "needs kernel symbol kernel_symbol");
	contains(prog(obj, "wants_helper")->why_not, "needs helper bpf_probe_read_user");
	contains(prog(obj, "wants_map")->why_not,
		 "needs map 'storage' (sk_storage), but its type is not served");
	contains(prog(obj, "wants_shape")->why_not,
		 "needs map 'shapeless' (array_of_maps), but its definition");
	for (uint32_t i = 0; i < obj->n_progs; i++)
		assert_int_equal(!obj->progs[i].prog, !!obj->progs[i].why_not);
	xl_object_close(obj);
}

static void maps_of_other_types_do_no_harm(void **state)
{
	struct xl_object *obj = load_object(*state, "kinds_of_maps");

	assert_non_null(prog(obj, "does_without")->prog);
	assert_non_null(prog(obj, "looks_for_socks")->prog);
	contains(prog(obj, "wants_socks")->why_not,
		 "needs map 'socks' (reuseport_sockarray), but its type is not served");
	contains(prog(obj, "wants_stacks")->why_not, "needs map 'stacks' (stack_trace), but");
	contains(prog(obj, "wants_arena")->why_not, "needs map 'arena' (arena), but");
	assert_non_null(prog(obj, "wants_commands")->prog);
	xl_object_close(obj);
}

static void entry_points_may_be_static_or_optional(void **state)
{
	struct xl_object *obj = load_object(*state, "odd");

	assert_non_null(prog(obj, "hidden")->prog);
	assert_non_null(prog(obj, "optional")->prog);
	assert_string_equal(prog(obj, "optional")->section, "xdp");
	xl_object_close(obj);
}

static void an_object_without_xdp_says_so(void **state)
{
	struct xl_object *obj = open_object(*state, "only_tc");
	struct xl_err e = { 0 };

	assert_int_equal(xl_object_load(obj, &e), -ENOENT);
	contains(e.text, "no XDP program");
	contains(e.text, "'shaper'");
	xl_object_close(obj);
}

static void an_object_loads_once(void **state)
{
	struct xl_object *obj = load_object(*state, "odd");
	struct xl_err e = { 0 };

	assert_int_equal(xl_object_load(obj, &e), -EBUSY);
	xl_object_close(obj);
}

static void closing_leaves_nothing_in_the_runtime(void **state)
{
	struct fixture *f = *state;

	xl_object_close(load_object(f, "mixed"));
	xl_object_close(load_object(f, "tails"));
	pthread_mutex_lock(&f->rt->lock);
	xl_handles_reap(f->rt->handles);
	assert_int_equal(xl_handle_next_id(f->rt->handles, XL_OBJ_MAP, 0), 0);
	assert_int_equal(xl_handle_next_id(f->rt->handles, XL_OBJ_PROG, 0), 0);
	assert_int_equal(xl_handle_next_id(f->rt->handles, XL_OBJ_BTF, 0), 0);
	pthread_mutex_unlock(&f->rt->lock);
}

/* -- maps --------------------------------------------------------------------------------- */

static void prog_arrays_are_filled_as_written(void **state)
{
	struct xl_object *obj = load_object(*state, "tails");
	struct xl_map *jumps = map(obj, "jumps");

	assert_ptr_equal(xl_prog_array_at(jumps, 0), &prog(obj, "leaf")->prog->obj);
	assert_null(xl_prog_array_at(jumps, 1));
	assert_ptr_equal(xl_prog_array_at(jumps, 2), &prog(obj, "other_leaf")->prog->obj);
	/* the tc program is not loaded, so its slot stays empty */
	assert_null(xl_prog_array_at(map(obj, "tc_jumps"), 1));
	xl_object_close(obj);
}

static void maps_of_maps_are_filled_as_written(void **state)
{
	struct xl_object *obj = load_object(*state, "tails");
	struct xl_map *outer = map(obj, "outer");
	uint32_t key = 1;

	assert_ptr_equal(xl_map_lookup(outer, &key), map(obj, "inner_a"));
	key = 3;
	assert_ptr_equal(xl_map_lookup(outer, &key), map(obj, "inner_b"));
	key = 0;
	assert_null(xl_map_lookup(outer, &key));
	xl_object_close(obj);
}

static void pins_are_shared_in_the_runtime_only(void **state)
{
	struct fixture *f = *state;
	struct xl_object *a = load_object(f, "pins"), *b = load_object(f, "pins");

	assert_true(xl_object_map(a, "shared")->is_pinned);
	assert_true(xl_object_map(a, "cilium_like")->is_pinned);
	assert_false(xl_object_map(a, "own")->is_pinned);
	assert_ptr_equal(map(a, "shared"), map(b, "shared"));
	assert_ptr_equal(map(a, "cilium_like"), map(b, "cilium_like"));
	assert_ptr_not_equal(map(a, "own"), map(b, "own"));
	/* the foreign value of "pinning" took nothing else of the same value with it */
	assert_int_equal(map(a, "cilium_like")->max_entries, 16);
	assert_int_equal(access("/sys/fs/bpf/cilium_like", F_OK), -1);
	xl_object_close(a);
	xl_object_close(b);
}

static void a_pin_of_another_shape_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct xl_object *a = load_object(f, "pins"), *b = open_object(f, "pins_other");
	struct xl_err e = { 0 };

	assert_int_equal(xl_object_load(b, &e), -EINVAL);
	contains(e.text, "map 'shared' does not have the shape");
	xl_object_close(b);
	xl_object_close(a);
}

static void a_map_without_a_size_gets_one(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj = load_object(f, "odd");

	assert_int_equal(map(obj, "sizeless")->max_entries, 1024);
	contains(f->notice, "'sizeless' leaves its size to its control program");
	xl_object_close(obj);
}

static void maps_of_before_btf_are_made(void **state)
{
	struct xl_object *obj = load_object(*state, "legacy");

	assert_int_equal(map(obj, "old")->type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(map(obj, "old")->value_size, 8);
	assert_ptr_equal(prog(obj, "prog")->prog->maps[0], map(obj, "old"));
	xl_object_close(obj);
}

static void internal_maps_have_the_names_of_their_sections(void **state)
{
	struct xl_object *obj = load_object(*state, "mixed");

	assert_true(xl_object_map(obj, ".rodata")->is_internal);
	assert_ptr_equal(xl_object_map(obj, "mixed.rodata"), xl_object_map(obj, ".rodata"));
	assert_non_null(xl_object_map(obj, ".bss"));
	assert_non_null(xl_object_map(obj, ".data.own"));
	assert_false(xl_object_map(obj, "hits")->is_internal);
	assert_true(map(obj, ".rodata")->frozen);
	assert_null(xl_object_map(obj, "nonesuch"));
	xl_object_close(obj);
}

/* -- CO-RE -------------------------------------------------------------------------------- */

/* Offset of the load of the byte ip->ttl, 8 as compiled. */
static int ttl_offset(const struct xl_prog *p)
{
	for (uint32_t i = 0; i < p->n_insns; i++)
		if (p->insns[i].code == (BPF_LDX | BPF_MEM | BPF_B))
			return p->insns[i].off;
	return -1;
}

static void packet_headers_stay_as_compiled(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj = load_object(f, "core");

	assert_int_equal(ttl_offset(prog(obj, "plain")->prog), 8);
	assert_int_equal(f->n_notices, 0);
	xl_object_close(obj);
}

static void a_part_of_a_header_is_completed(void **state)
{
	struct xl_object *obj;

	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		fprintf(stderr, "no BTF of the kernel\n");
		skip();
	}
	obj = load_object(*state, "core_part"); /* declared without what lies before the ttl */
	assert_int_equal(ttl_offset(prog(obj, "plain")->prog), 8);
	xl_object_close(obj);
}

/* A kernel in whose iphdr the ttl comes later. */
static void write_other_kernel(char *path, size_t size)
{
	struct btf *btf = btf__new_empty();
	int u8 = btf__add_int(btf, "unsigned char", 1, 0), u32;
	int fd = memfd_create("btf", 0);
	const void *raw;
	uint32_t len;

	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	btf__add_struct(btf, "iphdr", 44);
	btf__add_field(btf, "ttl", u8, 12 * 8, 0);
	btf__add_field(btf, "daddr", u32, 16 * 8, 0);
	btf__add_struct(btf, "xdp_md", 24);
	btf__add_field(btf, "data", u32, 0, 0);
	btf__add_field(btf, "data_end", u32, 32, 0);
	raw = btf__raw_data(btf, &len);
	assert_int_equal(write(fd, raw, len), len);
	btf__free(btf);
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

static void a_given_btf_decides(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj;
	struct xl_err e = { 0 };
	char path[64];

	write_other_kernel(path, sizeof(path));
	obj = open_with(f, "core", path);
	assert_int_equal(xl_object_load(obj, &e), 0);
	assert_int_equal(ttl_offset(prog(obj, "plain")->prog), 12);
	xl_object_close(obj);
}

static void a_given_btf_must_be_one(void **state)
{
	struct fixture *f = *state;
	struct xl_object_opts opts = { .btf_path = "/proc/self/exe" };
	struct xl_object *obj;
	struct xl_err e = { 0 };
	char path[4096];

	test_object_path("core", path, sizeof(path));
	assert_int_equal(xl_object_open_file(f->rt, path, &opts, &obj, &e), -EINVAL);
	contains(e.text, "not raw BTF");
	e = (struct xl_err){ 0 };
	opts.btf_path = "/nonesuch";
	assert_int_equal(xl_object_open_file(f->rt, path, &opts, &obj, &e), -ENOENT);
	contains(e.text, "/nonesuch");
}

static void a_kernel_type_is_asked_of_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj = load_object(f, "core_kernel");

	assert_non_null(prog(obj, "plain")->prog);
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		assert_non_null(prog(obj, "kernel")->prog);
		contains(f->notice, "task_struct");
	} else {
		contains(prog(obj, "kernel")->why_not,
			 "accesses struct task_struct.no_such_member, which the kernel's BTF");
	}
	xl_object_close(obj);
}

/* -- global variables --------------------------------------------------------------------- */

static void set(struct xl_object *obj, const char *name, const char *value)
{
	struct xl_err e = { 0 };

	if (xl_object_set_global(obj, name, value, &e))
		fail_msg("%s", e.text);
}

static void set_fails(struct xl_object *obj, const char *name, const char *value, const char *words)
{
	struct xl_err e = { 0 };

	assert_int_not_equal(xl_object_set_global(obj, name, value, &e), 0);
	contains(e.text, words);
}

/* The bytes of a variable in the loaded map of its section. */
static const void *global(struct xl_object *obj, const char *section, const char *name)
{
	const struct btf *btf = bpf_object__btf(obj->bpf);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)id);
	uint32_t key = 0;

	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *v = &btf_var_secinfos(t)[i];

		if (!strcmp(name,
			    btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off)))
			return (const char *)xl_map_lookup(map(obj, section), &key) + v->offset;
	}
	fail_msg("no variable %s", name);
	return NULL;
}

static void numbers_reach_the_program(void **state)
{
	struct xl_object *obj = open_object(*state, "mixed");

	set(obj, "threshold", "0xffffffff");
	set(obj, "tiny", "-128");
	set(obj, "counter", "18446744073709551615");
	set(obj, "offset64", "-9223372036854775808");
	set(obj, "enabled", "true");
	set(obj, "pointer", "0x1000");
	set(obj, "table[2]", "017");
	set(obj, "apart", "99");
	set(obj, "own", "98");
	assert_int_equal(xl_object_load(obj, NULL), 0);
	assert_int_equal(*(uint32_t *)global(obj, ".rodata", "threshold"), UINT32_MAX);
	assert_int_equal(*(int8_t *)global(obj, ".rodata", "tiny"), -128);
	assert_true(*(uint64_t *)global(obj, ".data", "counter") == UINT64_MAX);
	assert_true(*(int64_t *)global(obj, ".bss", "offset64") == INT64_MIN);
	assert_int_equal(*(uint8_t *)global(obj, ".bss", "enabled"), 1);
	assert_int_equal(*(uint64_t *)global(obj, ".bss", "pointer"), 0x1000);
	assert_int_equal(((uint32_t *)global(obj, ".bss", "table"))[2], 15);
	assert_int_equal(*(uint32_t *)global(obj, ".rodata.apart", "apart"), 99);
	assert_int_equal(*(uint32_t *)global(obj, ".data.own", "own"), 98);
	xl_object_close(obj);
}

static void strings_enums_and_members_reach_the_program(void **state)
{
	struct xl_object *obj = open_object(*state, "mixed");
	const uint8_t *limits;

	set(obj, "label", "fifteen letters");
	set(obj, "mode", "MODE_LOW");
	set(obj, "big", "BIG_ONE");
	set(obj, "limits.rate[3]", "65535");
	set(obj, "limits.tag", "ab");
	set(obj, "limits.low", "5");
	set(obj, "limits.high", "30");
	set(obj, "limits.mode", "7");
	set(obj, "table", "hex:0100000002000000ffffffff");
	assert_int_equal(xl_object_load(obj, NULL), 0);
	assert_string_equal(global(obj, ".rodata", "label"), "fifteen letters");
	assert_int_equal(*(int32_t *)global(obj, ".bss", "mode"), -3);
	assert_true(*(uint64_t *)global(obj, ".bss", "big") == UINT64_C(0x100000000));
	limits = global(obj, ".rodata", "limits");
	assert_int_equal(((uint16_t *)limits)[2], 3);
	assert_int_equal(((uint16_t *)limits)[3], 65535);
	assert_memory_equal(limits + 8, "ab\0\0\0\0\0\0", 8);
	assert_int_equal(limits[16], 30 << 3 | 5);
	assert_int_equal(*(int32_t *)(limits + 20), 7);
	assert_int_equal(((uint32_t *)global(obj, ".bss", "table"))[2], UINT32_MAX);
	xl_object_close(obj);
}

static void values_that_do_not_fit_are_named(void **state)
{
	struct xl_object *obj = open_object(*state, "mixed");

	set_fails(obj, "threshold", "4294967296", "0 to 4294967295");
	set_fails(obj, "threshold", "-1", "'threshold' (unsigned int)");
	set_fails(obj, "tiny", "128", "-128 to 127");
	set_fails(obj, "tiny", "-129", "-128 to 127");
	set_fails(obj, "counter", "18446744073709551616", "not a number");
	set_fails(obj, "threshold", "12x", "'12x' is not a number");
	set_fails(obj, "threshold", "", "not a number");
	set_fails(obj, "enabled", "maybe", "neither true nor false");
	set_fails(obj, "label", "sixteen letters!", "at most 15");
	set_fails(obj, "mode", "MODE_NONE", "none of its names");
	set_fails(obj, "limits.low", "8", "0 to 7");
	set_fails(obj, "limits", "1", "members one by one");
	set_fails(obj, "table", "1", "elements one by one");
	set_fails(obj, "table[3]", "1", "not below 3");
	set_fails(obj, "table[x]", "1", "not an index");
	set_fails(obj, "limits.nonesuch", "1", "no member 'nonesuch'");
	set_fails(obj, "threshold.x", "1", "no member");
	set_fails(obj, "threshold]", "1", "no global variable");
	set_fails(obj, "table", "hex:01", "24 digits for 12 bytes");
	set_fails(obj, "table", "hex:zz", "not a hex digit");
	set_fails(obj, "nonesuch", "1", "there are: ");
	set_fails(obj, "hits", "1", "no global variable 'hits'");
	set_fails(obj, "_license", "GPL", "no global variable");
	xl_object_close(obj);
}

static void variables_are_set_before_load(void **state)
{
	struct xl_object *obj = load_object(*state, "mixed");

	set_fails(obj, "threshold", "1", "loaded already");
	xl_object_close(obj);
}

static void without_btf_symbols_lead_to_variables(void **state)
{
	struct fixture *f = *state;
	struct xl_object *obj;
	struct xl_err e = { 0 };
	char path[4096];

	test_object_path("plain", path, sizeof(path));
	if (xl_object_open_file(f->rt, path, NULL, &obj, &e))
		fail_msg("%s", e.text);
	set(obj, "knob", "-2");
	set_fails(obj, "knob", "4294967296", "does not fit");
	set_fails(obj, "knob.x", "1", "no BTF");
	set(obj, "bytes", "hex:000102030405060708090a");
	assert_int_equal(xl_object_load(obj, &e), 0);
	assert_int_equal(*(int32_t *)xl_map_lookup(map(obj, ".data"), &(uint32_t){ 0 }), -2);
	assert_non_null(prog(obj, "by_section")->prog);
	xl_object_close(obj);
}

/* -- objects that people have -------------------------------------------------------------- */

static void the_objects_of_xdp_tools_load(void **state)
{
	static const char *const names[] = {
		"xdp-dispatcher",   "xdpdump_xdp",	    "xdpfilt_alw_all", "xdpfilt_alw_eth",
		"xdpfilt_alw_ip",   "xdpfilt_alw_tcp",	    "xdpfilt_alw_udp", "xdpfilt_dny_all",
		"xdpfilt_dny_eth",  "xdpfilt_dny_ip",	    "xdpfilt_dny_tcp", "xdpfilt_dny_udp",
		"xsk_def_xdp_prog", "xsk_def_xdp_prog_5.3",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct xl_object *obj;
		struct xl_err e = { 0 };
		char path[256];

		snprintf(path, sizeof(path), "/usr/lib/x86_64-linux-gnu/bpf/%s.o", names[i]);
		if (access(path, R_OK)) {
			fprintf(stderr, "no %s: install xdp-tools and libxdp1\n", path);
			skip();
		}
		if (xl_object_open_file(f->rt, path, NULL, &obj, &e) || xl_object_load(obj, &e))
			fail_msg("%s", e.text);
		for (uint32_t k = 0; k < obj->n_progs; k++)
			if (obj->progs[k].is_xdp && !obj->progs[k].prog)
				fail_msg("%s: %s: %s", path, obj->progs[k].name,
					 obj->progs[k].why_not);
		xl_object_close(obj);
	}
}

static void btf_that_the_kernel_does_not_take_is_left_out(void **state)
{
	struct xl_object *obj = load_object(*state, "nameless");

	assert_non_null(prog(obj, "drops")->prog);
	assert_null(prog(obj, "drops")->prog->btf);
	assert_int_equal(map(obj, "counter")->max_entries, 1);
	contains(((struct fixture *)*state)->notice, "loaded without its BTF");
	xl_object_close(obj);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(only_xdp_is_loaded_from_a_mixed_object),
		CLAIM(a_prototype_makes_a_program_xdp),
		CLAIM(sections_give_flags_and_attach_types),
		CLAIM(subprograms_come_along),
		CLAIM(run_config_is_that_of_libxdp),
		CLAIM(what_a_program_lacks_stops_that_program_only),
		CLAIM(maps_of_other_types_do_no_harm),
		CLAIM(entry_points_may_be_static_or_optional),
		CLAIM(an_object_without_xdp_says_so),
		CLAIM(an_object_loads_once),
		CLAIM(closing_leaves_nothing_in_the_runtime),
		CLAIM(prog_arrays_are_filled_as_written),
		CLAIM(maps_of_maps_are_filled_as_written),
		CLAIM(pins_are_shared_in_the_runtime_only),
		CLAIM(a_pin_of_another_shape_is_an_error),
		CLAIM(a_map_without_a_size_gets_one),
		CLAIM(maps_of_before_btf_are_made),
		CLAIM(internal_maps_have_the_names_of_their_sections),
		CLAIM(packet_headers_stay_as_compiled),
		CLAIM(a_part_of_a_header_is_completed),
		CLAIM(a_given_btf_decides),
		CLAIM(a_given_btf_must_be_one),
		CLAIM(a_kernel_type_is_asked_of_the_kernel),
		CLAIM(numbers_reach_the_program),
		CLAIM(strings_enums_and_members_reach_the_program),
		CLAIM(values_that_do_not_fit_are_named),
		CLAIM(variables_are_set_before_load),
		CLAIM(without_btf_symbols_lead_to_variables),
		CLAIM(btf_that_the_kernel_does_not_take_is_left_out),
		CLAIM(the_objects_of_xdp_tools_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
