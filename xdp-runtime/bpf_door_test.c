/* libbpf inside of the door: its calls are ours, and only those of this thread, and only there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/kernel_bpf.h"
#include "xdp-runtime/runtime.h"
#include "xdp-runtime/sysbpf.h"

static struct xl_runtime *rt;

static int setup(void **state)
{
	const struct xl_runtime_opts opts = { .seed = 1 };

	return xl_runtime_create(&opts, &rt);
}

static int teardown(void **state)
{
	xl_runtime_destroy(rt);
	return 0;
}

/* Whose bpf(2) this thread reaches: the memfd of a runtime's map has another name than the
 * kernel's inode. Without privileges the kernel gives no map at all. */
static bool calls_are_ours(void)
{
	union bpf_attr attr;
	char path[64], name[64] = "";
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	fd = syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	assert_true(readlink(path, name, sizeof(name) - 1) > 0);
	close((int)fd);
	return !strncmp(name, "/memfd:", 7);
}

static void calls_are_ours_between_enter_and_leave(void **state)
{
	struct xl_runtime *before;

	assert_false(calls_are_ours());
	before = xl_bpf_door_enter(rt);
	assert_true(calls_are_ours());
	xl_bpf_door_leave(before);
	assert_false(calls_are_ours());
	before = xl_bpf_door_enter(rt);
	assert_true(calls_are_ours());
	xl_bpf_door_leave(before);
}

static uint32_t n_maps_made(struct xl_runtime *in)
{
	struct xl_runtime *before = xl_bpf_door_enter(in);
	uint32_t id = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_get_next_id(0, &id), 0);
	close(fd);
	xl_bpf_door_leave(before);
	return id;
}

static void doors_nest_and_runtimes_are_apart(void **state)
{
	const struct xl_runtime_opts opts = { .seed = 2 };
	struct xl_runtime *other, *first, *second;

	assert_int_equal(xl_runtime_create(&opts, &other), 0);
	first = xl_bpf_door_enter(rt);
	assert_null(first);
	assert_int_equal(n_maps_made(other), 1);
	second = xl_bpf_door_enter(other);
	assert_ptr_equal(second, rt);
	assert_int_equal(n_maps_made(rt), 1);
	assert_int_equal(n_maps_made(other), 2);
	xl_bpf_door_leave(second);
	assert_true(calls_are_ours());
	/* The kernel in the middle of it. */
	second = xl_bpf_door_enter(NULL);
	assert_false(calls_are_ours());
	xl_bpf_door_leave(second);
	xl_bpf_door_leave(first);
	assert_false(calls_are_ours());
	xl_runtime_destroy(other);
}

static void *ask(void *arg)
{
	*(bool *)arg = calls_are_ours();
	return NULL;
}

static void other_threads_reach_the_kernel(void **state)
{
	struct xl_runtime *before = xl_bpf_door_enter(rt);
	bool ours = true;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, ask, &ours), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(ours);
	assert_true(calls_are_ours());
	xl_bpf_door_leave(before);
}

static void other_system_calls_pass_with_all_their_arguments(void **state)
{
	struct xl_runtime *before = xl_bpf_door_enter(rt);
	char page[4096];
	void *p;

	assert_int_equal(syscall(__NR_getpid), getpid());
	assert_int_equal(syscall(__NR_close, -1), -1);
	assert_int_equal(errno, EBADF);
	/* The sixth one is the offset. */
	FILE *f = tmpfile();

	memset(page, 'a', sizeof(page));
	assert_int_equal(fwrite(page, 1, sizeof(page), f), sizeof(page));
	memset(page, 'b', sizeof(page));
	assert_int_equal(fwrite(page, 1, sizeof(page), f), sizeof(page));
	fflush(f);
	p = (void *)syscall(__NR_mmap, NULL, 4096, 1 /* PROT_READ */, 1 /* MAP_SHARED */, fileno(f),
			    4096);
	assert_int_equal(*(char *)p, 'b');
	syscall(__NR_munmap, p, 4096);
	fclose(f);
	xl_bpf_door_leave(before);
}

static void errors_come_by_errno(void **state)
{
	struct xl_runtime *before = xl_bpf_door_enter(rt);

	errno = 0;
	assert_int_equal(syscall(__NR_bpf, 4711, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(bpf_obj_get("/nowhere"), -ENOENT);
	xl_bpf_door_leave(before);
}

/* -- what libbpf asks before it loads anything ------------------------------------------------ */

static void program_types_and_maps_probe_as_on_a_kernel(void **state)
{
	struct xl_runtime *before = xl_bpf_door_enter(rt);

	assert_int_equal(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SOCKET_FILTER, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACEPOINT, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_ARRAY, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_PERCPU_HASH, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_LPM_TRIE, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_HASH_OF_MAPS, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_DEVMAP_HASH, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_map_lookup_elem, NULL),
			 1);
	xl_bpf_door_leave(before);
}

static char said[65536];

static int remember(enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t len = strlen(said);

	vsnprintf(said + len, sizeof(said) - len, fmt, args);
	return 0;
}

static struct bpf_object *load_object(void)
{
	const char *folder = getenv("XL_TESTDATA");
	struct bpf_object *obj;
	char path[4096];

	snprintf(path, sizeof(path), "%s/door.o", folder ? folder : ".");
	obj = bpf_object__open(path);
	assert_non_null(obj);
	assert_int_equal(bpf_object__load(obj), 0);
	return obj;
}

/* An object that has something of everything comes in without one "retrying", "not supported" or
 * "failed" from libbpf, as on a current kernel. */
static void an_object_loads_without_fallbacks(void **state)
{
	libbpf_print_fn_t print = libbpf_set_print(remember);
	struct xl_runtime *before = xl_bpf_door_enter(rt);
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_prog_info info;
	uint32_t len;

	said[0] = '\0';
	obj = load_object();
	assert_null(strcasestr(said, "retrying"));
	assert_null(strcasestr(said, "not supported"));
	assert_null(strcasestr(said, "failed"));
	bpf_object__for_each_program(prog, obj)
	{
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
		assert_int_equal(info.type, BPF_PROG_TYPE_XDP);
		assert_true(info.btf_id > 0);
		assert_true(info.nr_line_info > 0);
		assert_true(info.nr_func_info > 0);
	}
	bpf_object__close(obj);
	xl_bpf_door_leave(before);
	libbpf_set_print(print);
}

/* What a program and its maps look like from outside, without what differs from load to load. Of
 * lines there are fewer in the kernel, which removes code that is never reached. */
static void describe(struct bpf_object *obj, char *text, size_t size)
{
	struct bpf_prog_info prog_info;
	struct bpf_map_info map_info;
	struct bpf_program *prog;
	struct bpf_map *map;
	size_t n = 0;
	uint32_t len;

	bpf_object__for_each_program(prog, obj)
	{
		memset(&prog_info, 0, sizeof(prog_info));
		len = sizeof(prog_info);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &prog_info, &len),
				 0);
		n += (size_t)snprintf(text + n, size - n,
				      "prog %s type %u gpl %u maps %u funcs %u lines %d tag",
				      prog_info.name, prog_info.type, prog_info.gpl_compatible,
				      prog_info.nr_map_ids, prog_info.nr_func_info,
				      prog_info.nr_line_info > 0);
		for (int i = 0; i < BPF_TAG_SIZE; i++)
			n += (size_t)snprintf(text + n, size - n, " %02x", prog_info.tag[i]);
		n += (size_t)snprintf(text + n, size - n, "\n");
	}
	bpf_object__for_each_map(map, obj)
	{
		memset(&map_info, 0, sizeof(map_info));
		len = sizeof(map_info);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_map__fd(map), &map_info, &len), 0);
		n += (size_t)snprintf(
			text + n, size - n,
			"map %s type %u key %u value %u entries %u flags %x types %u %u\n",
			map_info.name, map_info.type, map_info.key_size, map_info.value_size,
			map_info.max_entries, map_info.map_flags, map_info.btf_key_type_id,
			map_info.btf_value_type_id);
	}
	assert_true(n < size);
}

/* Fds differ. */
static void strip_numbers(const char *from, char *to)
{
	for (; *from; from++)
		if (*from < '0' || *from > '9')
			*to++ = *from;
	*to = '\0';
}

static void a_loaded_object_looks_as_in_the_kernel(void **state)
{
	libbpf_print_fn_t print = libbpf_set_print(remember);
	static char text[2][16384], log[2][sizeof(said)];
	struct xl_runtime *before;
	struct bpf_object *obj;

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "skipped: needs root and the kernel's bpf(2)\n");
		skip();
	}
	for (int ours = 0; ours < 2; ours++) {
		before = xl_bpf_door_enter(ours ? rt : NULL);
		said[0] = '\0';
		obj = load_object();
		describe(obj, text[ours], sizeof(text[ours]));
		strip_numbers(said, log[ours]);
		bpf_object__close(obj);
		xl_bpf_door_leave(before);
	}
	libbpf_set_print(print);
	assert_string_equal(text[0], text[1]);
	/* All that libbpf found and did on the way, too. */
	assert_string_equal(log[0], log[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(calls_are_ours_between_enter_and_leave),
		T(doors_nest_and_runtimes_are_apart),
		T(other_threads_reach_the_kernel),
		T(other_system_calls_pass_with_all_their_arguments),
		T(errors_come_by_errno),
		T(program_types_and_maps_probe_as_on_a_kernel),
		T(an_object_loads_without_fallbacks),
		T(a_loaded_object_looks_as_in_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
