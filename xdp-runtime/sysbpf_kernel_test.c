/* bpf(2) of a runtime against the kernel's: the same calls, the same answers. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>

#include "xdp-runtime/sysbpf_test_sides.h"

#define BAD_ADDR UINT64_C(0x10) /* nothing is mapped there */

static const int served[] = {
	BPF_MAP_CREATE,	       BPF_MAP_LOOKUP_ELEM,   BPF_MAP_UPDATE_ELEM,
	BPF_MAP_DELETE_ELEM,   BPF_MAP_GET_NEXT_KEY,  BPF_PROG_LOAD,
	BPF_OBJ_PIN,	       BPF_OBJ_GET,	      BPF_PROG_TEST_RUN,
	BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,  BPF_OBJ_GET_INFO_BY_FD,
	BPF_BTF_LOAD,	       BPF_BTF_GET_FD_BY_ID,  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_MAP_FREEZE,	       BPF_MAP_LOOKUP_BATCH,  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
	BPF_MAP_UPDATE_BATCH,  BPF_MAP_DELETE_BATCH,  BPF_LINK_CREATE,
	BPF_LINK_UPDATE,       BPF_LINK_GET_FD_BY_ID, BPF_LINK_DETACH,
	BPF_PROG_BIND_MAP,
};
#define N_SERVED (sizeof(served) / sizeof(served[0]))

/* One byte after the other is set in otherwise empty attributes: so it shows which fields each
 * command has, and which it looks at first. */
static void every_byte_scenario(struct side *side)
{
	uint8_t attr[200];
	char what[64];

	for (size_t i = 0; i < N_SERVED; i++) {
		for (uint32_t at = 0; at < sizeof(attr); at++) {
			memset(attr, 0, sizeof(attr));
			attr[at] = 0xff;
			snprintf(what, sizeof(what), "cmd %d byte %u", served[i], at);
			note(side, what, side_bpf(side, served[i], attr, sizeof(attr)));
		}
	}
}

static void each_command_knows_its_fields(void **state)
{
	play(every_byte_scenario);
}

static void sizes_scenario(struct side *side)
{
	static uint8_t attr[8192];
	const uint32_t sizes[] = { 0, 1, 4, 16, 167, 168, 169, 4096, 4097, UINT32_MAX };
	const int cmds[] = { BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, 4711, -1 };
	char what[64];

	for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			snprintf(what, sizeof(what), "cmd %d size %u", cmds[c], sizes[i]);
			memset(attr, 0, sizeof(attr));
			note(side, what, side_bpf(side, cmds[c], attr, sizes[i]));
			attr[4095] = 1;
			note(side, "tail", side_bpf(side, cmds[c], attr, sizes[i]));
		}
	}
	note(side, "attr NULL", side_bpf(side, BPF_MAP_CREATE, NULL, 64));
	note(side, "attr bad", side_bpf(side, BPF_MAP_CREATE, (void *)BAD_ADDR, 64));
	note(side, "attr bad, long", side_bpf(side, BPF_MAP_CREATE, (void *)BAD_ADDR, 300));
	note(side, "attr high", side_bpf(side, BPF_MAP_CREATE, (void *)-64L, 64));
}

static void attributes_may_be_shorter_and_longer(void **state)
{
	play(sizes_scenario);
}

static void create_scenario(struct side *side)
{
	const uint32_t types[] = { 0,  1,  2,  3,  4,  5,  6,  9,  10, 11,
				   12, 13, 14, 16, 17, 22, 23, 25, 99 };
	const uint32_t sizes[] = { 0, 1, 4, 8, 100, 513, 0x10000, 0x80000000 };
	const uint32_t flags[] = { 0,
				   BPF_F_NO_PREALLOC,
				   BPF_F_NO_COMMON_LRU,
				   BPF_F_NUMA_NODE,
				   BPF_F_RDONLY,
				   BPF_F_WRONLY,
				   BPF_F_RDONLY | BPF_F_WRONLY,
				   BPF_F_ZERO_SEED,
				   BPF_F_RDONLY_PROG,
				   BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
				   BPF_F_MMAPABLE,
				   BPF_F_INNER_MAP,
				   BPF_F_TOKEN_FD,
				   1u << 20 };
	union xl_bpf_attr attr;
	char what[96];
	long fd;

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			for (size_t v = 0; v < sizeof(sizes) / sizeof(sizes[0]); v++) {
				attr = map_attr(types[t], sizes[k], sizes[v], 3);
				snprintf(what, sizeof(what), "type %u key %u value %u", types[t],
					 sizes[k], sizes[v]);
				fd = note(side, what, side_call(side, BPF_MAP_CREATE, &attr));
				if (fd >= 0)
					close((int)fd);
			}
		}
		for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
			attr = map_attr(types[t], 4, 4, 3);
			attr.u.map_flags = flags[f];
			snprintf(what, sizeof(what), "type %u flags %x", types[t], flags[f]);
			fd = note(side, what, side_call(side, BPF_MAP_CREATE, &attr));
			if (fd >= 0)
				close((int)fd);
		}
	}
}

static void maps_are_created_and_refused_alike(void **state)
{
	play(create_scenario);
}

static void create_with(struct side *side, const char *what, union xl_bpf_attr attr)
{
	long fd = note(side, what, side_call(side, BPF_MAP_CREATE, &attr));

	if (fd >= 0)
		close((int)fd);
}

static void create_fields_scenario(struct side *side)
{
	union xl_bpf_attr attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	int map = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1), pipe_fd[2];

	assert_int_equal(pipe(pipe_fd), 0);
	memcpy(attr.u.map_name, "a_good.name", 12);
	create_with(side, "name", attr);
	memcpy(attr.u.map_name, "sixteen_letters_", 16);
	create_with(side, "name without end", attr);
	memcpy(attr.u.map_name, "a-b", 4);
	create_with(side, "name with a dash", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 0);
	create_with(side, "no entries", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.u.map_extra = 1;
	create_with(side, "map_extra", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.u.map_ifindex = 4711;
	create_with(side, "ifindex", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.u.map_flags = BPF_F_NUMA_NODE;
	attr.u.numa_node = 4711;
	create_with(side, "node", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.u.btf_key_type_id = 1;
	create_with(side, "key type only", attr);
	attr.u.btf_value_type_id = 1;
	attr.u.btf_fd = 4711;
	create_with(side, "types, bad fd", attr);
	attr.u.btf_fd = (uint32_t)map;
	create_with(side, "types, fd of a map", attr);
	attr.u.btf_vmlinux_value_type_id = 1;
	create_with(side, "kernel type", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.map_create.excl_prog_hash_size = 1;
	create_with(side, "digest size without digest", attr);
	attr = map_attr(BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 1);
	attr.u.inner_map_fd = (uint32_t)-1;
	create_with(side, "inner -1", attr);
	attr.u.inner_map_fd = (uint32_t)pipe_fd[0];
	create_with(side, "inner no bpf fd", attr);
	attr.u.inner_map_fd = (uint32_t)map;
	create_with(side, "inner", attr);
	attr.u.value_size = 8;
	attr.u.inner_map_fd = (uint32_t)-1;
	create_with(side, "value size 8, inner -1", attr);
	attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 1);
	attr.u.map_flags = BPF_F_TOKEN_FD;
	attr.map_create.map_token_fd = -1;
	create_with(side, "token -1", attr);
	attr.map_create.map_token_fd = map;
	create_with(side, "token fd of a map", attr);
	close(map);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void fields_of_creation_are_checked_in_order(void **state)
{
	play(create_fields_scenario);
}

static const struct {
	uint32_t type, key_size, value_size;
} plain_types[] = {
	{ BPF_MAP_TYPE_ARRAY, 4, 8 },	  { BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12 },
	{ BPF_MAP_TYPE_HASH, 6, 5 },	  { BPF_MAP_TYPE_PERCPU_HASH, 4, 4 },
	{ BPF_MAP_TYPE_LRU_HASH, 4, 16 }, { BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 4 },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 4 },  { BPF_MAP_TYPE_QUEUE, 0, 4 },
	{ BPF_MAP_TYPE_STACK, 0, 4 },	  { BPF_MAP_TYPE_BLOOM_FILTER, 0, 4 },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0 },	  { BPF_MAP_TYPE_USER_RINGBUF, 0, 0 },
};
#define N_PLAIN_TYPES (sizeof(plain_types) / sizeof(plain_types[0]))

static void elem_scenario(struct side *side)
{
	const int cmds[] = { BPF_MAP_LOOKUP_ELEM,
			     BPF_MAP_UPDATE_ELEM,
			     BPF_MAP_LOOKUP_ELEM,
			     BPF_MAP_GET_NEXT_KEY,
			     BPF_MAP_LOOKUP_AND_DELETE_ELEM,
			     BPF_MAP_UPDATE_ELEM,
			     BPF_MAP_DELETE_ELEM,
			     BPF_MAP_DELETE_ELEM };
	const uint64_t flags[] = { 0, BPF_NOEXIST, BPF_EXIST, 3, BPF_F_LOCK, 8, 1ull << 40 };
	static uint8_t key[64], value[4096];
	char what[64];
	int fd;

	key[0] = 1;
	for (size_t t = 0; t < N_PLAIN_TYPES; t++) {
		union xl_bpf_attr attr = map_attr(plain_types[t].type, plain_types[t].key_size,
						  plain_types[t].value_size, 4);

		if (!plain_types[t].value_size)
			attr.u.max_entries = 4096;
		if (plain_types[t].type == BPF_MAP_TYPE_LPM_TRIE)
			attr.u.map_flags = BPF_F_NO_PREALLOC;
		fd = (int)side_call(side, BPF_MAP_CREATE, &attr);
		assert_true(fd >= 0);
		for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
			for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++) {
				const void *k = plain_types[t].key_size ? key : NULL;

				snprintf(what, sizeof(what), "type %u cmd %d flags %llx",
					 plain_types[t].type, cmds[c],
					 (unsigned long long)flags[f]);
				note(side, what, elem(side, cmds[c], fd, k, value, flags[f]));
				note(side, "no key",
				     elem(side, cmds[c], fd, NULL, value, flags[f]));
				note(side, "some key",
				     elem(side, cmds[c], fd, key, value, flags[f]));
				note(side, "bad key",
				     elem(side, cmds[c], fd, (void *)BAD_ADDR, value, flags[f]));
				note(side, "bad value",
				     elem(side, cmds[c], fd, k, (void *)BAD_ADDR, flags[f]));
			}
		}
		close(fd);
	}
}

static void elements_answer_alike(void **state)
{
	play(elem_scenario);
}

static void bad_fds_scenario(struct side *side)
{
	const int elem_cmds[] = { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM,
				  BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
				  BPF_MAP_FREEZE,      BPF_MAP_LOOKUP_AND_DELETE_ELEM };
	const int batch_cmds[] = { BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH,
				   BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH };
	int prog = new_prog(side, 0, 0), map = new_map(side, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	int fds[] = { -1, 4711, prog, open("/dev/null", O_RDWR) };
	union xl_bpf_attr attr;
	char what[64];

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		for (size_t c = 0; c < sizeof(elem_cmds) / sizeof(elem_cmds[0]); c++) {
			memset(&attr, 0, sizeof(attr));
			attr.u.map_fd = (uint32_t)fds[i];
			snprintf(what, sizeof(what), "cmd %d fd %zu", elem_cmds[c], i);
			note(side, what, side_call(side, elem_cmds[c], &attr));
		}
		for (size_t c = 0; c < sizeof(batch_cmds) / sizeof(batch_cmds[0]); c++) {
			memset(&attr, 0, sizeof(attr));
			attr.u.batch.map_fd = (uint32_t)fds[i];
			note(side, "batch", side_call(side, batch_cmds[c], &attr));
		}
		memset(&attr, 0, sizeof(attr));
		attr.u.info.bpf_fd = (uint32_t)fds[i];
		note(side, "info",
		     fds[i] == prog ? -1 : side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
		memset(&attr, 0, sizeof(attr));
		attr.u.prog_bind_map.prog_fd = (uint32_t)prog;
		attr.u.prog_bind_map.map_fd = (uint32_t)fds[i];
		note(side, "bind map", side_call(side, BPF_PROG_BIND_MAP, &attr));
		memset(&attr, 0, sizeof(attr));
		attr.u.prog_bind_map.prog_fd = (uint32_t)(fds[i] == prog ? map : fds[i]);
		attr.u.prog_bind_map.map_fd = (uint32_t)map;
		note(side, "bind prog", side_call(side, BPF_PROG_BIND_MAP, &attr));
		memset(&attr, 0, sizeof(attr));
		attr.u.link_create.prog_fd = (uint32_t)(fds[i] == prog ? map : fds[i]);
		attr.u.link_create.attach_type = BPF_XDP;
		note(side, "link", side_call(side, BPF_LINK_CREATE, &attr));
		memset(&attr, 0, sizeof(attr));
		attr.u.test.prog_fd = (uint32_t)(fds[i] == prog ? map : fds[i]);
		note(side, "run", side_call(side, BPF_PROG_TEST_RUN, &attr));
		memset(&attr, 0, sizeof(attr));
		attr.u.bpf_fd = (uint32_t)(fds[i] == prog ? -1 : fds[i]);
		attr.u.pathname = (uintptr_t) "/nowhere/at/all";
		note(side, "pin", side_call(side, BPF_OBJ_PIN, &attr));
	}
	close(fds[3]);
	close(prog);
	close(map);
}

static void wrong_fds_are_told_apart(void **state)
{
	play(bad_fds_scenario);
}

/* Opens a map's fd anew by its id, with flags. */
static long by_id(struct side *side, int fd, uint32_t flags)
{
	struct bpf_map_info info = { 0 };
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.info.bpf_fd = (uint32_t)fd;
	attr.u.info.info = (uintptr_t)&info;
	attr.u.info.info_len = sizeof(info);
	assert_int_equal(side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	memset(&attr, 0, sizeof(attr));
	attr.u.map_id = info.id;
	attr.u.open_flags = flags;
	return side_call(side, BPF_MAP_GET_FD_BY_ID, &attr);
}

static void try_all(struct side *side, int fd)
{
	const int cmds[] = { BPF_MAP_UPDATE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY,
			     BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_DELETE_ELEM };
	uint32_t key[2] = { 0 }, value[2] = { 0 };
	union xl_bpf_attr attr;

	for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++)
		note(side, "elem", elem(side, cmds[c], fd, key, value, 0));
	for (int cmd = BPF_MAP_LOOKUP_BATCH; cmd <= BPF_MAP_DELETE_BATCH; cmd++) {
		memset(&attr, 0, sizeof(attr));
		attr.u.batch.map_fd = (uint32_t)fd;
		note(side, "batch", side_call(side, cmd, &attr));
	}
}

static void permission_scenario(struct side *side)
{
	const uint32_t flags[] = { 0, BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_RDONLY | BPF_F_WRONLY,
				   BPF_F_MMAPABLE };
	union xl_bpf_attr attr;
	long fd, again;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		attr = map_attr(BPF_MAP_TYPE_HASH, 4, 4, 4);
		attr.u.map_flags = flags[i];
		fd = note(side, "create", side_call(side, BPF_MAP_CREATE, &attr));
		if (fd < 0)
			continue;
		try_all(side, (int)fd);
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
			again = note(side, "by id", by_id(side, (int)fd, flags[j]));
			if (again < 0)
				continue;
			try_all(side, (int)again);
			close((int)again);
		}
		memset(&attr, 0, sizeof(attr));
		attr.u.map_fd = (uint32_t)fd;
		note(side, "freeze", side_call(side, BPF_MAP_FREEZE, &attr));
		try_all(side, (int)fd);
		note(side, "freeze again", side_call(side, BPF_MAP_FREEZE, &attr));
		again = by_id(side, (int)fd, 0);
		try_all(side, (int)again);
		close((int)again);
		close((int)fd);
	}
}

static void fds_allow_what_they_were_opened_for(void **state)
{
	play(permission_scenario);
}

static void frozen_mmap_scenario(struct side *side)
{
	union xl_bpf_attr attr = map_attr(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	uint32_t zero = 0, value = 42;
	long fd, rd;
	void *p;

	attr.u.map_flags = BPF_F_MMAPABLE;
	fd = side_call(side, BPF_MAP_CREATE, &attr);
	assert_true(fd >= 0);
	assert_int_equal(elem(side, BPF_MAP_UPDATE_ELEM, (int)fd, &zero, &value, 0), 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	note(side, "mmap", p == MAP_FAILED ? -errno : 0);
	say(side, "value %u\n", *(uint32_t *)p);
	*(uint32_t *)p = 43;
	munmap(p, 4096);
	note(side, "lookup", elem(side, BPF_MAP_LOOKUP_ELEM, (int)fd, &zero, &value, 0));
	say(side, "value %u\n", value);
	rd = by_id(side, (int)fd, BPF_F_RDONLY);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)rd, 0);
	note(side, "mmap rw of a read-only fd", p == MAP_FAILED ? -errno : 0);
	/* The kernel maps read-only fds not at all, we for reading. */
	memset(&attr, 0, sizeof(attr));
	attr.u.map_fd = (uint32_t)fd;
	note(side, "freeze", side_call(side, BPF_MAP_FREEZE, &attr));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	note(side, "mmap rw, frozen", p == MAP_FAILED ? -errno : 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, (int)fd, 0);
	note(side, "mmap ro, frozen", p == MAP_FAILED ? -errno : 0);
	munmap(p, 4096);
	close((int)rd);
	close((int)fd);
}

static void a_mapped_array_shows_its_values_and_freezes(void **state)
{
	play(frozen_mmap_scenario);
}

/* Ids and info. */

static void ids_scenario(struct side *side)
{
	const int cmds[] = { BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_BTF_GET_FD_BY_ID,
			     BPF_LINK_GET_FD_BY_ID };
	const int next[] = { BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_BTF_GET_NEXT_ID,
			     BPF_LINK_GET_NEXT_ID };
	union xl_bpf_attr attr;

	for (size_t c = 0; c < 4; c++) {
		const uint32_t ids[] = { 0, 0x7ffffffe, 0x7fffffff, UINT32_MAX };

		for (size_t i = 0; i < 4; i++) {
			memset(&attr, 0, sizeof(attr));
			attr.u.start_id = ids[i];
			note(side, "by id", side_call(side, cmds[c], &attr));
			memset(&attr, 0, sizeof(attr));
			attr.u.start_id = ids[i];
			if (i)
				note(side, "next", side_call(side, next[c], &attr));
		}
		for (uint32_t flags = 1; flags; flags <<= 1) {
			memset(&attr, 0, sizeof(attr));
			attr.u.start_id = 0x7ffffffe;
			attr.u.open_flags = flags;
			note(side, "flags", side_call(side, cmds[c], &attr));
		}
	}
}

static void ids_that_are_not_there_are_told_alike(void **state)
{
	play(ids_scenario);
}

static void info_scenario(struct side *side)
{
	int fds[] = { new_map(side, BPF_MAP_TYPE_HASH, 4, 8, 16), new_prog(side, 0, 0) };
	const uint32_t lens[] = { 0, 1, 4, 80, 88, 100, 104, 200, 228, 232, 240, 4096, 4097 };
	static uint8_t info[8192];
	union xl_bpf_attr attr;
	char what[64];

	for (size_t i = 0; i < 2; i++) {
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			for (uint32_t fill = 0; fill < 2; fill++) {
				memset(info, 0, sizeof(info));
				info[4096 - 1] = (uint8_t)fill;
				info[101] = (uint8_t)(i ? 0 : fill);
				memset(&attr, 0, sizeof(attr));
				attr.u.info.bpf_fd = (uint32_t)fds[i];
				attr.u.info.info = (uintptr_t)info;
				attr.u.info.info_len = lens[l];
				snprintf(what, sizeof(what), "info %zu len %u fill %u", i, lens[l],
					 fill);
				note(side, what, side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
				say(side, "len %u\n", attr.u.info.info_len);
			}
		}
		memset(&attr, 0, sizeof(attr));
		attr.u.info.bpf_fd = (uint32_t)fds[i];
		attr.u.info.info = BAD_ADDR;
		attr.u.info.info_len = 80;
		note(side, "bad info", side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
		close(fds[i]);
	}
}

static void info_structs_may_be_shorter_and_longer(void **state)
{
	play(info_scenario);
}

static void map_info_scenario(struct side *side)
{
	union xl_bpf_attr attr = map_attr(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 5);
	struct bpf_map_info info = { 0 };
	long fd;

	attr.u.map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG;
	memcpy(attr.u.map_name, "routes", 7);
	fd = side_call(side, BPF_MAP_CREATE, &attr);
	assert_true(fd >= 0);
	memset(&attr, 0, sizeof(attr));
	attr.u.info.bpf_fd = (uint32_t)fd;
	attr.u.info.info = (uintptr_t)&info;
	attr.u.info.info_len = sizeof(info);
	note(side, "info", side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
	say(side, "type %u key %u value %u entries %u flags %x name %s ifindex %u extra %llu\n",
	    info.type, info.key_size, info.value_size, info.max_entries, info.map_flags, info.name,
	    info.ifindex, (unsigned long long)info.map_extra);
	close((int)fd);
}

static void map_info_has_the_same_fields(void **state)
{
	play(map_info_scenario);
}

/* Links. */

static void link_scenario(struct side *side)
{
	int prog = new_prog(side, 0, 0), dev = new_prog(side, BPF_XDP_DEVMAP, 0);
	int other = new_prog(side, BPF_XDP, 0), frags = new_prog(side, 0, BPF_F_XDP_HAS_FRAGS);
	const uint32_t attach_types[] = { BPF_XDP, 0, BPF_XDP_DEVMAP, 4711 };
	const uint32_t flags[] = { 0, 1, 2, 3, 4, 6, 16, 0x80000000 };
	struct bpf_link_info info = { 0 };
	union xl_bpf_attr attr;
	char what[64];
	long link, second;

	for (size_t a = 0; a < 4; a++) {
		memset(&attr, 0, sizeof(attr));
		attr.u.link_create.prog_fd = (uint32_t)prog;
		attr.u.link_create.attach_type = attach_types[a];
		attr.u.link_create.target_ifindex = 0x7fffffffu + (a == 0);
		note(side, "attach type",
		     side_call(side, BPF_LINK_CREATE, &attr) == -EINVAL ? -EINVAL : 0);
	}
	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
		memset(&attr, 0, sizeof(attr));
		attr.u.link_create.prog_fd = (uint32_t)prog;
		attr.u.link_create.attach_type = BPF_XDP;
		attr.u.link_create.target_ifindex = 1;
		attr.u.link_create.flags = flags[f];
		snprintf(what, sizeof(what), "flags %x", flags[f]);
		/* lo has no native mode in the kernel; here no port needs any. */
		if (flags[f] == 0 || flags[f] == 4 || flags[f] == 8)
			continue;
		link = note(side, what, side_call(side, BPF_LINK_CREATE, &attr));
		if (link >= 0)
			close((int)link);
	}
	memset(&attr, 0, sizeof(attr));
	attr.u.link_create.prog_fd = (uint32_t)dev;
	attr.u.link_create.attach_type = BPF_XDP;
	attr.u.link_create.target_ifindex = 1;
	attr.u.link_create.flags = 2;
	note(side, "devmap program", side_call(side, BPF_LINK_CREATE, &attr));
	attr.u.link_create.prog_fd = (uint32_t)prog;
	link = note(side, "link", side_call(side, BPF_LINK_CREATE, &attr));
	second = note(side, "second", side_call(side, BPF_LINK_CREATE, &attr));
	assert_true(second < 0);

	memset(&attr, 0, sizeof(attr));
	attr.u.info.bpf_fd = (uint32_t)link;
	attr.u.info.info = (uintptr_t)&info;
	attr.u.info.info_len = sizeof(info);
	note(side, "info", side_call(side, BPF_OBJ_GET_INFO_BY_FD, &attr));
	say(side, "type %u ifindex %u prog %d\n", info.type, info.xdp.ifindex, info.prog_id > 0);

	const struct {
		int new, old;
		uint32_t flags;
	} updates[] = { { other, 0, 0 },
			{ -1, 0, 0 },
			{ (int)link, 0, 0 },
			{ prog, prog, 0 },
			{ prog, prog, BPF_F_REPLACE },
			{ prog, other, BPF_F_REPLACE },
			{ dev, 0, 0 },
			{ frags, 0, 0 },
			{ prog, 0, 1 },
			{ prog, -1, BPF_F_REPLACE } };

	for (size_t u = 0; u < sizeof(updates) / sizeof(updates[0]); u++) {
		memset(&attr, 0, sizeof(attr));
		attr.u.link_update.link_fd = (uint32_t)link;
		attr.u.link_update.new_prog_fd = (uint32_t)updates[u].new;
		attr.u.link_update.old_prog_fd = (uint32_t)updates[u].old;
		attr.u.link_update.flags = updates[u].flags;
		snprintf(what, sizeof(what), "update %zu", u);
		note(side, what, side_call(side, BPF_LINK_UPDATE, &attr));
	}
	memset(&attr, 0, sizeof(attr));
	attr.u.link_detach.link_fd = (uint32_t)link;
	note(side, "detach", side_call(side, BPF_LINK_DETACH, &attr));
	note(side, "detach again", side_call(side, BPF_LINK_DETACH, &attr));
	memset(&attr, 0, sizeof(attr));
	attr.u.link_update.link_fd = (uint32_t)link;
	attr.u.link_update.new_prog_fd = (uint32_t)prog;
	note(side, "update, detached", side_call(side, BPF_LINK_UPDATE, &attr));
	memset(&attr, 0, sizeof(attr));
	attr.u.link_create.prog_fd = (uint32_t)prog;
	attr.u.link_create.attach_type = BPF_XDP;
	attr.u.link_create.target_ifindex = 1;
	attr.u.link_create.flags = 2;
	second = note(side, "after detach", side_call(side, BPF_LINK_CREATE, &attr));
	close((int)second);
	second = note(side, "after close", side_call(side, BPF_LINK_CREATE, &attr));
	close((int)second);
	close((int)link);
	close(prog);
	close(dev);
	close(other);
	close(frags);
}

/* The kernel's half needs a loopback device of its own. */
static void links_hold_a_port_alike(void **state)
{
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "skipped: no network namespace: %s\n", strerror(errno));
		skip();
	}
	play(link_scenario);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_knows_its_fields),
		cmocka_unit_test(attributes_may_be_shorter_and_longer),
		cmocka_unit_test(maps_are_created_and_refused_alike),
		cmocka_unit_test(fields_of_creation_are_checked_in_order),
		cmocka_unit_test(elements_answer_alike),
		cmocka_unit_test(wrong_fds_are_told_apart),
		cmocka_unit_test(fds_allow_what_they_were_opened_for),
		cmocka_unit_test(a_mapped_array_shows_its_values_and_freezes),
		cmocka_unit_test(ids_that_are_not_there_are_told_alike),
		cmocka_unit_test(info_structs_may_be_shorter_and_longer),
		cmocka_unit_test(map_info_has_the_same_fields),
		cmocka_unit_test(links_hold_a_port_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_against_kernel(run);
}
