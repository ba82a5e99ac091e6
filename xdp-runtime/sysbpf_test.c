/* What a runtime does with its objects, where the kernel is no oracle: lives, pins, refused
 * programs, limits, other processes, threads.
 */
#include <fcntl.h>
#include <linux/btf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "xdp-runtime/engine.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/run.h"
#include "xdp-runtime/sysbpf_test_sides.h"

static struct side ours;

static int setup(void **state)
{
	memset(&ours, 0, sizeof(ours));
	ours.rt = new_runtime();
	xl_caller_self(&ours.caller);
	return 0;
}

static int teardown(void **state)
{
	xl_runtime_destroy(ours.rt);
	free(ours.text);
	return 0;
}

static uint32_t count(int next_cmd)
{
	union xl_bpf_attr attr;
	uint32_t n = 0, id = 0;

	for (;; n++) {
		memset(&attr, 0, sizeof(attr));
		attr.u.start_id = id;
		if (side_call(&ours, next_cmd, &attr))
			return n;
		id = attr.u.next_id;
	}
}

static struct xl_obj *obj_of(int next_cmd, enum xl_obj_kind kind)
{
	union xl_bpf_attr attr;
	struct xl_obj *obj;

	memset(&attr, 0, sizeof(attr));
	assert_int_equal(side_call(&ours, next_cmd, &attr), 0);
	assert_int_equal(xl_runtime_obj_by_id(ours.rt, kind, attr.u.next_id, &obj), 0);
	return obj;
}

static int load(const struct bpf_insn *insns, uint32_t n)
{
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, n);

	return (int)side_call(&ours, BPF_PROG_LOAD, &attr);
}

static void objects_go_with_their_last_fd(void **state)
{
	int map = new_map(&ours, BPF_MAP_TYPE_HASH, 4, 4, 4);
	const struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, map, 0), MOV_IMM(0, 2),
					  EXIT };
	int prog = load(insns, 4);

	assert_true(prog >= 0);
	close(map);
	assert_int_equal(count(BPF_MAP_GET_NEXT_ID), 1); /* the program uses it */
	close(prog);
	assert_int_equal(count(BPF_PROG_GET_NEXT_ID), 0);
	assert_int_equal(count(BPF_MAP_GET_NEXT_ID), 0);
}

/* A program that tail-calls through an array which holds it. */
static int self_caller(int progs)
{
	const struct bpf_insn insns[] = {
		LD_MAP(2, BPF_PSEUDO_MAP_FD, progs, 0),
		MOV_IMM(3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(0, 2),
		EXIT,
	};
	uint32_t key = 0;
	int prog = load(insns, 6);

	assert_true(prog >= 0);
	assert_int_equal(elem(&ours, BPF_MAP_UPDATE_ELEM, progs, &key, &prog, 0), 0);
	return prog;
}

static void a_prog_array_is_emptied_when_nobody_can_reach_it(void **state)
{
	int progs = new_map(&ours, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2), prog = self_caller(progs);

	close(progs);
	assert_int_equal(count(BPF_PROG_GET_NEXT_ID), 1);
	close(prog);
	assert_int_equal(count(BPF_PROG_GET_NEXT_ID), 0);
	assert_int_equal(count(BPF_MAP_GET_NEXT_ID), 0);
}

/* Leaks show under a sanitizer. */
static void cycles_end_with_the_runtime(void **state)
{
	int progs = new_map(&ours, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2), prog = self_caller(progs);
	int ports = new_map(&ours, BPF_MAP_TYPE_DEVMAP, 4, 8, 2);
	const struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, ports, 0), MOV_IMM(0, 2),
					  EXIT };
	union xl_bpf_attr attr = prog_attr(BPF_PROG_TYPE_XDP, insns, 4);
	struct bpf_devmap_val val = { .ifindex = 1 };
	uint32_t key = 0;

	attr.u.expected_attach_type = BPF_XDP_DEVMAP;
	val.bpf_prog.fd = (int)side_call(&ours, BPF_PROG_LOAD, &attr);
	assert_true(val.bpf_prog.fd >= 0);
	assert_int_equal(elem(&ours, BPF_MAP_UPDATE_ELEM, ports, &key, &val, 0), 0);
	close(val.bpf_prog.fd);
	close(ports);
	xl_runtime_destroy(ours.rt);
	ours.rt = NULL;
	close(progs);
	close(prog);
}

static long pin(int cmd, const char *path, int fd, uint32_t flags)
{
	union xl_bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.u.pathname = (uintptr_t)path;
	attr.u.bpf_fd = (uint32_t)fd;
	attr.u.file_flags = flags;
	return side_call(&ours, cmd, &attr);
}

static void pins_are_names_in_the_runtime(void **state)
{
	int map = new_map(&ours, BPF_MAP_TYPE_HASH, 4, 4, 4), prog = new_prog(&ours, 0, 0), again;
	uint32_t key = 1, value = 42;
	static char long_path[5000];

	assert_int_equal(elem(&ours, BPF_MAP_UPDATE_ELEM, map, &key, &value, 0), 0);
	assert_int_equal(pin(BPF_OBJ_PIN, "/sys/fs/bpf/a/./b//../m", map, 0), 0);
	assert_int_equal(pin(BPF_OBJ_PIN, "/sys/fs/bpf/a/m", prog, 0), -EEXIST);
	assert_int_equal(pin(BPF_OBJ_PIN, "p", prog, 0), 0);
	close(map);
	close(prog);
	assert_int_equal(pin(BPF_OBJ_GET, "/nowhere", 0, 0), -ENOENT);
	assert_int_equal(pin(BPF_OBJ_GET, "", 0, 0), -ENOENT);
	assert_int_equal(pin(BPF_OBJ_GET, NULL, 0, 0), -EFAULT);
	assert_int_equal(pin(BPF_OBJ_GET, "/sys/fs/bpf/a/m", 1, 0), -EINVAL);
	assert_int_equal(pin(BPF_OBJ_GET, "/sys/fs/bpf/a/m", 0, BPF_F_RDONLY | BPF_F_WRONLY),
			 -EINVAL);
	memset(long_path, '/', sizeof(long_path) - 1);
	assert_int_equal(pin(BPF_OBJ_GET, long_path, 0, 0), -ENAMETOOLONG);
	again = (int)pin(BPF_OBJ_GET, "/sys/fs/bpf/a/m", 0, BPF_F_RDONLY);
	assert_true(again >= 0);
	value = 0;
	assert_int_equal(elem(&ours, BPF_MAP_LOOKUP_ELEM, again, &key, &value, 0), 0);
	assert_int_equal(value, 42);
	assert_int_equal(elem(&ours, BPF_MAP_UPDATE_ELEM, again, &key, &value, 0), -EPERM);
	close(again);
	again = (int)pin(BPF_OBJ_GET, "p", 0, 0);
	assert_true(again >= 0);
	close(again);
}

static void a_program_that_fails_its_checks_is_kept_on_request(void **state)
{
	const struct bpf_insn insns[] = { CALL(4711), MOV_IMM(0, 2), EXIT };
	uint8_t packet[64] = { 0 };
	union xl_bpf_attr attr;
	struct xl_prog *prog;
	int fd;

	assert_int_equal(load(insns, 3), -EINVAL);
	ours.rt->keep_refused = true;
	fd = load(insns, 3);
	assert_true(fd >= 0);
	assert_int_equal(load(insns, 0), -E2BIG); /* that is the caller's fault */
	ours.rt->keep_refused = false;
	prog = xl_prog_of(obj_of(BPF_PROG_GET_NEXT_ID, XL_OBJ_PROG));
	assert_string_equal(prog->refused, "invalid func unknown#4711");
	memset(&attr, 0, sizeof(attr));
	attr.u.test.prog_fd = (uint32_t)fd;
	attr.u.test.data_in = (uintptr_t)packet;
	attr.u.test.data_size_in = sizeof(packet);
	assert_int_equal(side_call(&ours, BPF_PROG_TEST_RUN, &attr), -EINVAL);
	xl_prog_put(prog);
	close(fd);
}

/* A refused program may sit in a prog array like its siblings; calling it ends the run. */
static void a_refused_program_aborts_who_tail_calls_it(void **state)
{
	const struct bpf_insn bad[] = { CALL(4711), MOV_IMM(0, 2), EXIT };
	int progs = new_map(&ours, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1), refused, caller;
	const struct bpf_insn insns[] = {
		LD_MAP(2, BPF_PSEUDO_MAP_FD, progs, 0),
		MOV_IMM(3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(0, 2),
		EXIT,
	};
	uint8_t packet[64] = { 0 };
	union xl_bpf_attr attr;
	uint32_t key = 0;

	ours.rt->keep_refused = true;
	refused = load(bad, 3);
	caller = load(insns, 6);
	assert_true(refused >= 0 && caller >= 0);
	assert_int_equal(elem(&ours, BPF_MAP_UPDATE_ELEM, progs, &key, &refused, 0), 0);
	memset(&attr, 0, sizeof(attr));
	attr.u.test.prog_fd = (uint32_t)caller;
	attr.u.test.data_in = (uintptr_t)packet;
	attr.u.test.data_size_in = sizeof(packet);
	assert_int_equal(side_call(&ours, BPF_PROG_TEST_RUN, &attr), 0);
	assert_int_equal(attr.u.test.retval, XDP_ABORTED);
	close(progs);
	close(refused);
	close(caller);
}

static void no_fds_left_is_emfile(void **state)
{
	struct rlimit before, tight;
	union xl_bpf_attr attr;
	int next = open("/dev/null", O_RDONLY);

	close(next); /* the lowest that is free */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* With one left there is enough for the object, and none for the caller's fd of it. */
	for (rlim_t left = 0; left < 2; left++) {
		tight = before;
		tight.rlim_cur = (rlim_t)next + left;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
		attr = map_attr(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
		assert_int_equal(side_call(&ours, BPF_MAP_CREATE, &attr), -EMFILE);
		attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
		assert_int_equal(side_call(&ours, BPF_PROG_LOAD, &attr), -EMFILE);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(count(BPF_MAP_GET_NEXT_ID), 0);
	assert_int_equal(count(BPF_PROG_GET_NEXT_ID), 0);
}

/* What was closed makes room by itself. */
static void more_maps_than_fds_can_be_made_one_by_one(void **state)
{
	struct rlimit before, tight;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (int i = 0; i < 500; i++) {
		close(new_map(&ours, BPF_MAP_TYPE_ARRAY, 4, 4, 1));
		close(new_prog(&ours, 0, 0));
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* The attributes and the element are in the memory of a child. */
static void another_process_is_served_but_for_new_fds(void **state)
{
	int map = new_map(&ours, BPF_MAP_TYPE_HASH, 4, 4, 4), ready[2];
	static uint32_t key, value;
	static union xl_bpf_attr attr;
	struct xl_caller child;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		key = 7;
		value = 77;
		attr.u.map_fd = (uint32_t)map;
		attr.u.key = (uintptr_t)&key;
		attr.u.value = (uintptr_t)&value;
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	xl_caller_process(&child, pid);
	assert_int_equal(xl_sysbpf(ours.rt, &child, BPF_MAP_UPDATE_ELEM, (uintptr_t)&attr, 32), 0);
	assert_int_equal(xl_sysbpf(ours.rt, &child, BPF_MAP_LOOKUP_ELEM, (uintptr_t)&attr, 32), 0);
	assert_int_equal(xl_sysbpf(ours.rt, &child, BPF_MAP_LOOKUP_ELEM, 16, 32), -EFAULT);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(xl_sysbpf(ours.rt, &child, BPF_MAP_LOOKUP_ELEM, (uintptr_t)&attr, 32),
			 -EFAULT);
	key = 7;
	assert_int_equal(elem(&ours, BPF_MAP_LOOKUP_ELEM, map, &key, &value, 0), 0);
	assert_int_equal(value, 77);
	close(map);
	close(ready[0]);
	close(ready[1]);
}

/* A function of one BTF, whose two lines are known. */
static void instructions_know_their_source_line(void **state)
{
	static const char strs[] = "\0int\0f\0file.c\0  return 2;";
	struct {
		struct btf_header h;
		struct btf_type int_type;
		uint32_t int_data;
		struct btf_type proto, f;
		char strs[sizeof(strs)];
	} blob = {
		.h = { .magic = BTF_MAGIC,
		       .version = BTF_VERSION,
		       .hdr_len = sizeof(struct btf_header),
		       .type_len = 40,
		       .str_off = 40,
		       .str_len = sizeof(strs) },
		.int_type = { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
		.int_data = 32,
		.proto = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
		.f = { .name_off = 5, .info = BTF_KIND_FUNC << 24, .type = 2 },
	};
	struct bpf_func_info func = { 0, 3 };
	struct bpf_line_info lines[] = { { 0, 7, 14, 5 << 10 | 3 }, { 1, 7, 0, 9 << 10 } };
	union xl_bpf_attr attr;
	const char *file, *text;
	struct xl_prog *prog;
	uint32_t line;
	long btf, fd;

	memcpy(blob.strs, strs, sizeof(strs));
	memset(&attr, 0, sizeof(attr));
	attr.u.btf = (uintptr_t)&blob;
	attr.u.btf_size = 24 + 40 + sizeof(strs);
	btf = side_call(&ours, BPF_BTF_LOAD, &attr);
	assert_true(btf >= 0);
	attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
	attr.u.prog_btf_fd = (uint32_t)btf;
	attr.u.func_info = (uintptr_t)&func;
	attr.u.func_info_cnt = 1;
	attr.u.func_info_rec_size = sizeof(func);
	attr.u.line_info = (uintptr_t)lines;
	attr.u.line_info_cnt = 2;
	attr.u.line_info_rec_size = sizeof(lines[0]);
	fd = side_call(&ours, BPF_PROG_LOAD, &attr);
	assert_true(fd >= 0);
	prog = xl_prog_of(obj_of(BPF_PROG_GET_NEXT_ID, XL_OBJ_PROG));
	assert_true(xl_prog_line(prog, 0, &file, &line, &text));
	assert_string_equal(file, "file.c");
	assert_string_equal(text, "return 2;");
	assert_int_equal(line, 5);
	assert_true(xl_prog_line(prog, 1, &file, &line, &text));
	assert_int_equal(line, 9);
	assert_string_equal(text, "");
	xl_prog_put(prog);
	close((int)fd);
	close((int)btf);
}

/* Threads. */

#define N_ROUNDS 200

static void *create_and_close(void *arg)
{
	const uint32_t *type = arg;
	union xl_bpf_attr attr;
	uint32_t key = 0, value = 1;
	long fd, again;

	for (int i = 0; i < N_ROUNDS; i++) {
		attr = map_attr(*type, 4, 4, 4);
		fd = side_call(&ours, BPF_MAP_CREATE, &attr);
		if (fd < 0)
			return "create";
		if (elem(&ours, BPF_MAP_UPDATE_ELEM, (int)fd, &key, &value, 0))
			return "update";
		memset(&attr, 0, sizeof(attr));
		attr.u.start_id = (uint32_t)i;
		again = side_call(&ours, BPF_MAP_GET_FD_BY_ID, &attr);
		if (again >= 0)
			close((int)again);
		close((int)fd);
	}
	return NULL;
}

static void *swap_and_run(void *arg)
{
	const int *fds = arg; /* prog array, caller */
	uint8_t packet[64] = { 0 };
	union xl_bpf_attr attr;
	uint32_t key = 0;
	int prog;

	for (int i = 0; i < N_ROUNDS; i++) {
		attr = prog_attr(BPF_PROG_TYPE_XDP, pass_insns, 2);
		prog = (int)side_call(&ours, BPF_PROG_LOAD, &attr);
		if (prog < 0)
			return "load";
		if (elem(&ours, BPF_MAP_UPDATE_ELEM, fds[0], &key, &prog, 0))
			return "swap";
		close(prog);
		memset(&attr, 0, sizeof(attr));
		attr.u.test.prog_fd = (uint32_t)fds[1];
		attr.u.test.data_in = (uintptr_t)packet;
		attr.u.test.data_size_in = sizeof(packet);
		attr.u.test.repeat = 10;
		if (side_call(&ours, BPF_PROG_TEST_RUN, &attr) || attr.u.test.retval != XDP_PASS)
			return "run";
	}
	return NULL;
}

static void threads_share_a_runtime(void **state)
{
	uint32_t types[2] = { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH };
	int progs = new_map(&ours, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1), caller;
	const struct bpf_insn insns[] = {
		LD_MAP(2, BPF_PSEUDO_MAP_FD, progs, 0),
		MOV_IMM(3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(0, 2),
		EXIT,
	};
	pthread_t thread[4];
	void *failed;
	int fds[2];

	caller = load(insns, 6);
	assert_true(caller >= 0);
	fds[0] = progs;
	fds[1] = caller;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						i < 2 ? create_and_close : swap_and_run,
						i < 2 ? (void *)&types[i] : fds),
				 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	close(progs);
	close(caller);
	assert_int_equal(count(BPF_MAP_GET_NEXT_ID), 0);
	assert_int_equal(count(BPF_PROG_GET_NEXT_ID), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(objects_go_with_their_last_fd),
		T(a_prog_array_is_emptied_when_nobody_can_reach_it),
		T(cycles_end_with_the_runtime),
		T(pins_are_names_in_the_runtime),
		T(a_program_that_fails_its_checks_is_kept_on_request),
		T(a_refused_program_aborts_who_tail_calls_it),
		T(no_fds_left_is_emfile),
		T(more_maps_than_fds_can_be_made_one_by_one),
		T(another_process_is_served_but_for_new_fds),
		T(instructions_know_their_source_line),
		T(threads_share_a_runtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
