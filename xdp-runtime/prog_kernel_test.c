/* BPF_PROG_LOAD of a runtime against the kernel's: what is refused with which error, tags, info.
 *
 * Programs here are such that the kernel's verifier and our checks agree: what needs values to be
 * followed is not tried.
 */
#include <fcntl.h>
#include <linux/btf.h>

#include "xdp-runtime/sysbpf_test_sides.h"

#define BAD_ADDR UINT64_C(0x10)

static long load(struct side *side, const char *what, union xl_bpf_attr attr)
{
	long fd = note(side, what, side_call(side, BPF_PROG_LOAD, &attr));

	if (fd >= 0)
		close((int)fd);
	return fd;
}

static void attr_scenario(struct side *side)
{
	static const struct bpf_insn no_exit[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K } };
	int map = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	union xl_bpf_attr attr;
	char what[64];

	for (uint32_t type = 0; type < 40; type++) {
		/* Those need something to attach to, or are not served. */
		if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_STRUCT_OPS ||
		    type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_LSM ||
		    type == BPF_PROG_TYPE_FLOW_DISSECTOR || type == BPF_PROG_TYPE_LIRC_MODE2 ||
		    type == BPF_PROG_TYPE_CGROUP_SYSCTL)
			continue;
		for (uint32_t attach = 0; attach < 60; attach++) {
			static const struct bpf_insn one[] = {
				{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
				{ .code = BPF_JMP | BPF_EXIT },
			};

			/* Sleepable, session and netfilter programs and what 6.1 has not. */
			if (attach > 42 || type > 30)
				continue;
			attr = prog_attr(type, one, 2);
			attr.u.expected_attach_type = attach;
			snprintf(what, sizeof(what), "type %u attach %u", type, attach);
			load(side, what, attr);
		}
	}
	for (uint32_t flag = 1; flag; flag <<= 1) {
		if (flag == BPF_F_SLEEPABLE)
			continue; /* XDP cannot sleep: that is the verifier's to say */
		attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
		attr.u.prog_flags = flag;
		snprintf(what, sizeof(what), "flag %x", flag);
		load(side, what, attr);
	}
	load(side, "no insns", prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 0));
	load(side, "too many insns", prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 1000001));
	load(side, "insns NULL", prog_attr(BPF_PROG_TYPE_XDP, NULL, 2));
	load(side, "insns bad", prog_attr(BPF_PROG_TYPE_XDP, (void *)BAD_ADDR, 2));
	load(side, "no exit", prog_attr(BPF_PROG_TYPE_XDP, no_exit, 1));
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.license = 0;
	load(side, "no license", attr);
	attr.u.license = BAD_ADDR;
	load(side, "license bad", attr);
	attr = prog_attr(4711, (void *)BAD_ADDR, 2);
	load(side, "type and insns bad", attr);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	memcpy(attr.u.prog_name, "a_good.name", 12);
	load(side, "name", attr);
	memcpy(attr.u.prog_name, "sixteen_letters_", 16);
	load(side, "name without end", attr);
	memcpy(attr.u.prog_name, "a-b", 4);
	load(side, "name with a dash", attr);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.attach_btf_id = 1;
	load(side, "attach_btf_id", attr);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.attach_prog_fd = (uint32_t)map;
	load(side, "attach_prog_fd of a map", attr);
	attr.u.attach_prog_fd = 4711;
	load(side, "attach_prog_fd bad", attr);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.prog_ifindex = 4711;
	load(side, "ifindex", attr);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.prog_flags = BPF_F_TOKEN_FD;
	attr.prog_load.prog_token_fd = -1;
	load(side, "token -1", attr);
	attr.prog_load.prog_token_fd = map;
	load(side, "token fd of a map", attr);
	close(map);
}

static void attributes_are_checked_alike(void **state)
{
	play(attr_scenario);
}

static void log_scenario(struct side *side)
{
	static const struct bpf_insn bad[] = { { .code = 0xff }, { .code = BPF_JMP | BPF_EXIT } };
	static char buf[4096];
	const struct {
		uint32_t level;
		bool buf;
		uint32_t size;
	} logs[] = { { 0, true, 4096 }, { 0, true, 0 },		{ 0, false, 4096 },
		     { 1, false, 0 },	{ 1, false, 16 },	{ 1, true, 0 },
		     { 1, true, 1 },	{ 1, true, 5 },		{ 1, true, 4096 },
		     { 9, true, 5 },	{ 9, true, 1 },		{ 9, true, 4096 },
		     { 16, true, 64 },	{ 1, true, 0x40000000 } };
	union xl_bpf_attr attr;
	char what[64];

	/* Level 2 and statistics say how the kernel works: that differs. */
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		memset(buf, 'x', sizeof(buf));
		attr = prog_attr(BPF_PROG_TYPE_XDP, bad, 2);
		attr.u.log_level = logs[i].level;
		attr.u.log_buf = logs[i].buf ? (uintptr_t)buf : 0;
		attr.u.log_size = logs[i].size;
		snprintf(what, sizeof(what), "log %zu", i);
		note(side, what, side_call(side, BPF_PROG_LOAD, &attr));
		if (buf[0] != 'x')
			say(side, "%.20s|\n", buf);
		say(side, "true size %u\n", attr.prog_load.log_true_size);
	}
	attr = prog_attr(BPF_PROG_TYPE_XDP, bad, 2);
	attr.u.log_level = 1;
	attr.u.log_buf = BAD_ADDR;
	attr.u.log_size = 64;
	note(side, "bad buffer", side_call(side, BPF_PROG_LOAD, &attr));
	attr.u.log_buf = (uintptr_t)buf;
	note(side, "short attr", side_bpf(side, BPF_PROG_LOAD, &attr, 140));
}

static void logs_are_cut_and_counted_alike(void **state)
{
	play(log_scenario);
}

static void map_ref_scenario(struct side *side)
{
	int array = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 64, 1);
	int array2 = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 64, 2);
	int hash = new_map(side, BPF_MAP_TYPE_HASH, 4, 64, 1), prog = new_prog(side, 0, 0);
	const int fds[] = { array, array2, hash, prog, -1, 4711 };
	const int offs[] = { 0, 1, 63, 64, 1 << 29, -1 };
	int fd_array[] = { array, -1 };
	union xl_bpf_attr attr;
	char what[64];

	for (int kind = 0; kind < 16; kind++) {
		if (kind == BPF_PSEUDO_BTF_ID || kind == BPF_PSEUDO_FUNC)
			continue;
		for (size_t f = 0; f < sizeof(fds) / sizeof(fds[0]); f++) {
			for (size_t o = 0; o < sizeof(offs) / sizeof(offs[0]); o++) {
				const bool idx = kind == BPF_PSEUDO_MAP_IDX ||
						 kind == BPF_PSEUDO_MAP_IDX_VALUE;
				const struct bpf_insn insns[] = {
					LD_MAP(1, kind, idx ? (int)f % 2 : fds[f], offs[o]),
					MOV_IMM(0, 2),
					EXIT,
				};

				snprintf(what, sizeof(what), "kind %d fd %zu off %d", kind, f,
					 offs[o]);
				attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 4);
				load(side, what, attr);
				attr.u.fd_array = (uintptr_t)fd_array;
				load(side, "fd_array", attr);
				attr.u.fd_array = BAD_ADDR;
				load(side, "bad fd_array", attr);
			}
		}
	}
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.fd_array = (uintptr_t)fd_array;
	attr.prog_load.fd_array_cnt = 1;
	load(side, "fd_array_cnt 1", attr);
	attr.prog_load.fd_array_cnt = 2;
	load(side, "fd_array_cnt 2", attr);
	attr.prog_load.fd_array_cnt = UINT32_MAX;
	load(side, "fd_array_cnt max", attr);
	fd_array[1] = prog;
	attr.prog_load.fd_array_cnt = 2;
	load(side, "fd_array with a program", attr);
	close(array);
	close(array2);
	close(hash);
	close(prog);
}

static void map_references_are_resolved_alike(void **state)
{
	play(map_ref_scenario);
}

/* The kernel takes at most 64 maps; the limit is reached by as many loads. */
static void used_maps_scenario(struct side *side)
{
	struct bpf_insn insns[2 * 65 + 2];
	int fds[65];

	for (int i = 0; i < 65; i++) {
		fds[i] = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
		insns[2 * i] = INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, fds[i]);
		insns[2 * i + 1] = INSN(0, 0, 0, 0, 0);
	}
	for (int n = 63; n <= 65; n++) {
		insns[2 * n] = MOV_IMM(0, 2);
		insns[2 * n + 1] = EXIT;
		load(side, "maps", prog_attr(BPF_PROG_TYPE_XDP, insns, (uint32_t)(2 * n + 2)));
		insns[2 * n] = INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0,
				    n < 65 ? fds[n] : 0);
		insns[2 * n + 1] = INSN(0, 0, 0, 0, 0);
	}
	for (int i = 0; i < 65; i++)
		close(fds[i]);
}

static void a_program_uses_up_to_64_maps(void **state)
{
	play(used_maps_scenario);
}

static void tail_call_scenario(struct side *side)
{
	int progs = new_map(side, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2);
	const struct bpf_insn insns[] = {
		LD_MAP(2, BPF_PSEUDO_MAP_FD, progs, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(0, 2),
		EXIT,
	};
	union xl_bpf_attr attr;
	uint32_t key = 0;
	int fd;

	attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 6);
	load(side, "first", attr);
	attr.u.prog_flags = BPF_F_XDP_HAS_FRAGS;
	load(side, "with frags", attr);
	attr.u.prog_flags = 0;
	attr.u.expected_attach_type = BPF_XDP_DEVMAP;
	load(side, "for a devmap", attr);
	attr.u.expected_attach_type = BPF_XDP;
	load(side, "attach type BPF_XDP", attr);
	attr.u.expected_attach_type = 0;
	load(side, "again", attr);
	attr.u.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	load(side, "another type", attr);
	fd = new_prog(side, 0, 0);
	note(side, "member", elem(side, BPF_MAP_UPDATE_ELEM, progs, &key, &fd, 0));
	close(fd);
	fd = new_prog(side, 0, BPF_F_XDP_HAS_FRAGS);
	note(side, "member with frags", elem(side, BPF_MAP_UPDATE_ELEM, progs, &key, &fd, 0));
	close(fd);
	fd = new_prog(side, BPF_XDP, 0);
	note(side, "member with BPF_XDP", elem(side, BPF_MAP_UPDATE_ELEM, progs, &key, &fd, 0));
	close(fd);
	close(progs);
}

static void programs_that_share_a_prog_array_must_match(void **state)
{
	play(tail_call_scenario);
}

static void devmap_user_scenario(struct side *side)
{
	int map = new_map(side, BPF_MAP_TYPE_DEVMAP, 4, 8, 2);
	int dev = new_prog(side, BPF_XDP_DEVMAP, 0);
	int dev_frags = new_prog(side, BPF_XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS);
	const struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, map, 0), MOV_IMM(0, 2),
					  EXIT };
	struct bpf_devmap_val val = { .ifindex = 1 };
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 4);
	uint32_t key = 0;

	load(side, "user", attr);
	val.bpf_prog.fd = dev;
	note(side, "devmap program", elem(side, BPF_MAP_UPDATE_ELEM, map, &key, &val, 0));
	val.bpf_prog.fd = dev_frags;
	note(side, "with frags", elem(side, BPF_MAP_UPDATE_ELEM, map, &key, &val, 0));
	attr.u.prog_flags = BPF_F_XDP_HAS_FRAGS;
	load(side, "user with frags", attr);
	attr.u.prog_flags = 0;
	attr.u.expected_attach_type = BPF_XDP_DEVMAP;
	load(side, "user for a devmap", attr);
	close(dev);
	close(dev_frags);
	close(map);
}

static void programs_and_their_devmaps_must_match(void **state)
{
	play(devmap_user_scenario);
}

static void gpl_scenario(struct side *side)
{
	const char *const licenses[] = { "GPL",
					 "GPL v2",
					 "GPL and additional rights",
					 "Dual BSD/GPL",
					 "Dual MIT/GPL",
					 "Dual MPL/GPL",
					 "MIT",
					 "",
					 "GPL v3",
					 "gpl" };
	/* A program that calls a helper for GPL programs only, and one that does not. */
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8),
		INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 0x41),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8),
		CALL(BPF_FUNC_trace_printk),
		MOV_IMM(0, 2),
		EXIT,
	};
	const struct bpf_insn free_insns[] = { CALL(BPF_FUNC_ktime_get_ns), MOV_IMM(0, 2), EXIT };
	union xl_bpf_attr attr;

	for (size_t i = 0; i < sizeof(licenses) / sizeof(licenses[0]); i++) {
		attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 7);
		attr.u.license = (uintptr_t)licenses[i];
		load(side, licenses[i], attr);
		attr = prog_attr(BPF_PROG_TYPE_XDP, free_insns, 3);
		attr.u.license = (uintptr_t)licenses[i];
		load(side, "ktime", attr);
	}
}

static void gpl_only_helpers_need_the_license(void **state)
{
	play(gpl_scenario);
}

/* Info. */

static void info_of(struct side *side, int fd, struct bpf_prog_info *info)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.info.bpf_fd = (uint32_t)fd;
	attr.u.info.info = (uintptr_t)info;
	attr.u.info.info_len = sizeof(*info);
	note(side, "info", side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
}

static void say_tag(struct side *side, const uint8_t *tag)
{
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		say(side, "%02x", tag[i]);
	say(side, "\n");
}

static void info_scenario(struct side *side)
{
	int array = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 64, 1);
	int hash = new_map(side, BPF_MAP_TYPE_HASH, 4, 64, 1);
	/* Two functions; two maps, one of them twice. */
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_FD, hash, 0),
		LD_MAP(2, BPF_PSEUDO_MAP_VALUE, array, 8),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, array, 0),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2),
		MOV_IMM(0, 2),
		EXIT,
		MOV_IMM(0, 1),
		EXIT,
	};
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 11);
	struct bpf_prog_info info = { 0 };
	uint8_t tags[4][BPF_TAG_SIZE] = { 0 };
	uint32_t ids[4] = { 0 };
	long fd;

	memcpy(attr.u.prog_name, "two_functions", 14);
	attr.u.license = (uintptr_t) "MIT";
	fd = note(side, "load", side_call(side, BPF_PROG_LOAD, &attr));
	assert_true(fd >= 0);
	info.nr_map_ids = 4;
	info.map_ids = (uintptr_t)ids;
	info.nr_prog_tags = 4;
	info.prog_tags = (uintptr_t)tags;
	info_of(side, (int)fd, &info);
	say(side, "type %u name %s gpl %u maps %u tags %u btf %u funcs %u lines %u uid %u\n",
	    info.type, info.name, info.gpl_compatible, info.nr_map_ids, info.nr_prog_tags,
	    info.btf_id, info.nr_func_info, info.nr_line_info, info.created_by_uid);
	say(side, "rec sizes %u %u %u ids %d %d %d\n", info.func_info_rec_size,
	    info.line_info_rec_size, info.jited_line_info_rec_size, ids[0] > 0, ids[1] > 0,
	    ids[2] > 0);
	say_tag(side, info.tag);
	memset(&info, 0, sizeof(info));
	info.nr_func_info = 1;
	info.func_info_rec_size = 4;
	info_of(side, (int)fd, &info);
	memset(&info, 0, sizeof(info));
	info.nr_map_ids = 1;
	info_of(side, (int)fd, &info);
	memset(&info, 0, sizeof(info));
	info.xlated_prog_len = 8;
	info_of(side, (int)fd, &info);
	close((int)fd);
	close(array);
	close(hash);
}

static void info_and_tag_are_the_kernels(void **state)
{
	play(info_scenario);
}

/* The tag of every program that differs in a bit is the kernel's. */
static void tag_scenario(struct side *side)
{
	struct bpf_prog_info info;
	long fd;

	for (int i = 0; i < 100; i++) {
		struct bpf_insn insns[64];
		union xl_bpf_attr attr;
		uint32_t n = (uint32_t)i % 60 + 1;

		for (uint32_t j = 0; j < n; j++)
			insns[j] = MOV_IMM((uint8_t)(j % 10), i * 7919 + (int)j);
		insns[n - 1] = MOV_IMM(0, 2);
		insns[n] = EXIT;
		attr = prog_attr(BPF_PROG_TYPE_XDP, insns, n + 1);
		fd = side_call(side, BPF_PROG_LOAD, &attr);
		assert_true(fd >= 0);
		memset(&info, 0, sizeof(info));
		info_of(side, (int)fd, &info);
		say_tag(side, info.tag);
		close((int)fd);
	}
}

static void tags_are_the_kernels(void **state)
{
	play(tag_scenario);
}

/* Function and line records. */

/* BTF: int; void f(void) as FUNC_PROTO and FUNC; another FUNC. Strings: "", "int", "f", "g",
 * "file.c", "return 2;". */
struct small_btf {
	struct btf_header h;
	struct {
		struct btf_type t;
		uint32_t data;
	} int_type;		     /* 1 */
	struct btf_type proto, f, g; /* 2 3 4 */
	char strs[32];
};

static const char strings[32] = "\0int\0f\0g\0file.c\0return 2;";

static const struct small_btf small_btf = {
	.h = { .magic = BTF_MAGIC,
	       .version = BTF_VERSION,
	       .hdr_len = sizeof(struct btf_header),
	       .type_len = offsetof(struct small_btf, strs) - sizeof(struct btf_header),
	       .str_off = offsetof(struct small_btf, strs) - sizeof(struct btf_header),
	       .str_len = 32 },
	.int_type = { { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
		      BTF_INT_SIGNED << 24 | 32 },
	.proto = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
	.f = { .name_off = 5, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 2 },
	.g = { .name_off = 7, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC, .type = 2 },
};

static long load_btf(struct side *side)
{
	static struct small_btf blob;
	union xl_bpf_attr attr;

	blob = small_btf;
	memcpy(blob.strs, strings, sizeof(strings));
	memset(&attr, 0, sizeof(attr));
	attr.u.btf = (uintptr_t)&blob;
	attr.u.btf_size = sizeof(blob);
	return side_call(side, BPF_BTF_LOAD, &attr);
}

static const struct bpf_insn two_functions[] = {
	{ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1 },
	{ .code = BPF_JMP | BPF_EXIT },
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 0, .imm = 2 },
	{ .code = 0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static void records_scenario(struct side *side)
{
	const long btf = note(side, "btf", load_btf(side));
	int map = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	struct bpf_func_info funcs[3] = { { 0, 3 }, { 2, 4 } };
	struct bpf_line_info lines[4] = { { 0, 9, 16, 5 << 10 },
					  { 1, 9, 16, 6 << 10 },
					  { 2, 9, 16, 7 << 10 } };
	struct {
		struct bpf_func_info f;
		uint32_t more;
	} longer[2] = { { funcs[0], 0 }, { funcs[1], 0 } };
	union xl_bpf_attr attr, good = prog_attr(BPF_PROG_TYPE_XDP, two_functions, 5);
	struct bpf_prog_info info = { 0 };
	long fd;

	good.u.prog_btf_fd = (uint32_t)btf;
	good.u.func_info = (uintptr_t)funcs;
	good.u.func_info_cnt = 2;
	good.u.func_info_rec_size = sizeof(funcs[0]);
	good.u.line_info = (uintptr_t)lines;
	good.u.line_info_cnt = 3;
	good.u.line_info_rec_size = sizeof(lines[0]);
	fd = note(side, "good", side_call(side, BPF_PROG_LOAD, &good));
	info_of(side, (int)fd, &info);
	say(side, "funcs %u lines %u btf %d\n", info.nr_func_info, info.nr_line_info,
	    info.btf_id > 0);
	close((int)fd);

	const uint32_t sizes[] = { 0, 4, 8, 10, 12, 16, 20, 252, 256 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		attr = good;
		attr.u.func_info_rec_size = sizes[i];
		attr.u.func_info = (uintptr_t)longer;
		if (sizes[i] <= 12)
			load(side, "func record size", attr);
		attr = good;
		attr.u.line_info_rec_size = sizes[i];
		if (sizes[i] <= 16 || sizes[i] == 256)
			load(side, "line record size", attr);
	}
	longer[1].more = 1;
	attr = good;
	attr.u.func_info_rec_size = 12;
	attr.u.func_info = (uintptr_t)longer;
	load(side, "func record with more", attr);
	say(side, "size back %u\n", attr.u.func_info_rec_size);
	for (uint32_t n = 0; n < 5; n++) {
		attr = good;
		attr.u.func_info_cnt = n;
		if (n < 4)
			load(side, "func count", attr);
		attr = good;
		attr.u.line_info_cnt = n;
		load(side, "line count", attr);
	}
	attr = good;
	attr.u.func_info = BAD_ADDR;
	load(side, "bad funcs", attr);
	attr = good;
	attr.u.line_info = BAD_ADDR;
	load(side, "bad lines", attr);
	attr = good;
	attr.u.prog_btf_fd = (uint32_t)map;
	load(side, "btf fd of a map", attr);
	attr.u.prog_btf_fd = 4711;
	load(side, "btf fd bad", attr);
	attr.u.func_info_cnt = attr.u.line_info_cnt = 0;
	load(side, "btf fd bad, not needed", attr);
	for (int at = 0; at < 2; at++) {
		for (uint32_t v = 0; v < 7; v++) {
			struct bpf_func_info keep_f = funcs[at];
			struct bpf_line_info keep_l = lines[at + 1];

			funcs[at].insn_off = v;
			load(side, "func insn_off", good);
			funcs[at] = keep_f;
			funcs[at].type_id = v;
			load(side, "func type_id", good);
			funcs[at] = keep_f;
			lines[at + 1].insn_off = v;
			load(side, "line insn_off", good);
			lines[at + 1] = keep_l;
			lines[at + 1].line_off = v * 8;
			load(side, "line line_off", good);
			lines[at + 1] = keep_l;
			lines[at + 1].file_name_off = v * 8;
			load(side, "line file_name_off", good);
			lines[at + 1] = keep_l;
		}
	}
	close(map);
	close((int)btf);
}

static void function_and_line_records_are_checked_alike(void **state)
{
	play(records_scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_checked_alike),
		cmocka_unit_test(logs_are_cut_and_counted_alike),
		cmocka_unit_test(map_references_are_resolved_alike),
		cmocka_unit_test(a_program_uses_up_to_64_maps),
		cmocka_unit_test(programs_that_share_a_prog_array_must_match),
		cmocka_unit_test(programs_and_their_devmaps_must_match),
		cmocka_unit_test(gpl_only_helpers_need_the_license),
		cmocka_unit_test(info_and_tag_are_the_kernels),
		cmocka_unit_test(tags_are_the_kernels),
		cmocka_unit_test(function_and_line_records_are_checked_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
