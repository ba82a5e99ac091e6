/* Fds, ids and pins as a caller sees them: when objects come, how long they stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xdp-runtime/handle.h"

struct thing {
	struct xl_obj obj;
	bool *gone;
};

static struct xl_handles *handles;
static int n_user_gone;

static void user_gone(struct xl_obj *obj)
{
	n_user_gone++;
}

static void release(struct xl_obj *obj)
{
	struct thing *thing = (struct thing *)obj;

	*thing->gone = true;
	free(thing);
}

static void unpublish(struct xl_obj *obj)
{
	xl_handle_forget(handles, obj);
}

/* A published object with one reference, the caller's; @gone tells when it dies. */
static struct xl_obj *new_thing(enum xl_obj_kind kind, bool *gone)
{
	struct thing *thing = calloc(1, sizeof(*thing));

	assert_non_null(thing);
	xl_obj_init(&thing->obj, kind, release);
	thing->gone = gone;
	*gone = false;
	assert_int_equal(xl_handle_publish(handles, &thing->obj, -1), 0);
	thing->obj.unpublish = unpublish;
	return &thing->obj;
}

/* Hands out a fd, which is then all that holds the object. */
static int only_fd(enum xl_obj_kind kind, int accmode, bool *gone)
{
	struct xl_obj *obj = new_thing(kind, gone);
	int fd = xl_handle_open(handles, obj, accmode);

	assert_true(fd >= 0);
	xl_obj_put(obj);
	assert_false(*gone);
	return fd;
}

static int setup(void **state)
{
	n_user_gone = 0;
	return xl_handles_create(user_gone, &handles);
}

static int teardown(void **state)
{
	xl_handles_destroy(handles);
	return 0;
}

static void an_object_lives_until_its_last_fd_is_closed(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_MAP, O_RDWR, &gone);

	xl_handles_reap(handles);
	assert_false(gone);
	close(fd);
	xl_handles_reap(handles);
	assert_true(gone);
	assert_int_equal(n_user_gone, 1);
}

/* Several closes between two looks may arrive as one event. */
static void closes_in_a_row_are_all_noticed(void **state)
{
	struct xl_obj *obj;
	static bool gone;
	int fds[50];

	obj = new_thing(XL_OBJ_PROG, &gone);
	for (int i = 0; i < 50; i++) {
		fds[i] = xl_handle_open(handles, obj, i % 3 ? O_RDWR : i % 2 ? O_RDONLY : O_WRONLY);
		assert_true(fds[i] >= 0);
	}
	xl_obj_put(obj);
	for (int i = 0; i < 49; i++)
		close(fds[i]);
	xl_handles_reap(handles);
	assert_false(gone);
	close(fds[49]);
	xl_handles_reap(handles);
	assert_true(gone);
}

/* With many objects the way of noticing changes. */
static void many_objects_go_one_by_one(void **state)
{
	enum { N = 300 };
	static bool gone[N];
	int fds[N];

	for (int i = 0; i < N; i++) {
		fds[i] = only_fd(i % XL_OBJ_KINDS, O_RDWR, &gone[i]);
		/* Some go while the table grows. */
		if (i % 3 == 0)
			close(fds[i]);
		if (i % 51 == 0) {
			xl_handles_reap(handles);
			assert_true(gone[i]);
		}
	}
	xl_handles_reap(handles);
	for (int i = 0; i < N; i++)
		assert_int_equal(gone[i], i % 3 == 0);
	for (int i = N - 1; i >= 0; i--) {
		if (i % 3 == 0)
			continue;
		close(fds[i]);
		if (i % 7 == 0) {
			xl_handles_reap(handles);
			assert_true(gone[i]);
		}
	}
	xl_handles_reap(handles);
	for (int i = 0; i < N; i++)
		assert_true(gone[i]);
}

static void a_dup_keeps_the_object(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_MAP, O_RDWR, &gone), copy = dup(fd);

	close(fd);
	xl_handles_reap(handles);
	assert_false(gone);
	close(copy);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void a_write_only_fd_keeps_the_object(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_MAP, O_WRONLY, &gone);

	xl_handles_reap(handles);
	assert_false(gone);
	close(fd);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void a_child_process_keeps_the_object(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_LINK, O_RDWR, &gone), go[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1) < 0);
	}
	close(go[0]);
	close(fd);
	xl_handles_reap(handles);
	assert_false(gone);
	close(go[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void send_fd(int sock, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static void an_fd_on_its_way_through_a_socket_keeps_the_object(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_MAP, O_RDWR, &gone), socks[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, socks), 0);
	send_fd(socks[0], fd);
	close(fd);
	xl_handles_reap(handles);
	assert_false(gone);
	close(socks[0]);
	close(socks[1]);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void a_mapping_keeps_the_object(void **state)
{
	static bool gone;
	int fd = only_fd(XL_OBJ_MAP, O_RDWR, &gone);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	close(fd);
	xl_handles_reap(handles);
	assert_false(gone);
	munmap(p, 4096);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void an_object_can_be_opened_again_after_all_fds_were_closed(void **state)
{
	struct xl_obj *obj;
	static bool gone;
	int fd;

	obj = new_thing(XL_OBJ_MAP, &gone);
	for (int i = 0; i < 3; i++) {
		fd = xl_handle_open(handles, obj, O_RDWR);
		assert_true(fd >= 0);
		close(fd);
		xl_handles_reap(handles);
		assert_false(gone);
		assert_int_equal(n_user_gone, i + 1);
	}
	xl_obj_put(obj);
	assert_true(gone);
}

static void an_fd_names_its_object_by_inode(void **state)
{
	struct xl_obj *obj;
	struct stat st;
	static bool gone;
	int fd;

	obj = new_thing(XL_OBJ_PROG, &gone);
	fd = xl_handle_open(handles, obj, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	assert_ptr_equal(xl_handle_by_ino(handles, st.st_dev, st.st_ino), obj);
	assert_null(xl_handle_by_ino(handles, st.st_dev, st.st_ino + 4711));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	assert_null(xl_handle_by_ino(handles, st.st_dev, st.st_ino));
	xl_obj_put(obj);
}

static void the_link_of_an_fd_tells_the_kind(void **state)
{
	static const char *const names[] = { [XL_OBJ_MAP] = "bpf-map",
					     [XL_OBJ_PROG] = "bpf-prog",
					     [XL_OBJ_BTF] = "btf",
					     [XL_OBJ_LINK] = "bpf_link" };
	char path[64], text[64];
	ssize_t n;
	static bool gone;
	int fd;

	for (int kind = 0; kind < XL_OBJ_KINDS; kind++) {
		fd = only_fd(kind, O_RDWR, &gone);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, text, sizeof(text) - 1);
		assert_true(n > 0);
		text[n] = '\0';
		assert_non_null(strstr(text, names[kind]));
		close(fd);
	}
}

static void ids_count_up_and_are_not_reused(void **state)
{
	struct xl_obj *obj[4];
	static bool gone[4];

	for (int i = 0; i < 3; i++) {
		obj[i] = new_thing(XL_OBJ_MAP, &gone[i]);
		assert_int_equal(obj[i]->id, i + 1);
	}
	xl_obj_put(obj[2]);
	xl_obj_put(obj[0]);
	obj[3] = new_thing(XL_OBJ_MAP, &gone[3]);
	assert_int_equal(obj[3]->id, 4);
	assert_null(xl_handle_by_id(handles, XL_OBJ_MAP, 1));
	assert_ptr_equal(xl_handle_by_id(handles, XL_OBJ_MAP, 2), obj[1]);
	assert_null(xl_handle_by_id(handles, XL_OBJ_PROG, 2));
	assert_int_equal(xl_handle_next_id(handles, XL_OBJ_MAP, 0), 2);
	assert_int_equal(xl_handle_next_id(handles, XL_OBJ_MAP, 2), 4);
	assert_int_equal(xl_handle_next_id(handles, XL_OBJ_MAP, 4), 0);
	assert_int_equal(xl_handle_next_id(handles, XL_OBJ_PROG, 0), 0);
	xl_obj_put(obj[1]);
	xl_obj_put(obj[3]);
}

static void a_pin_holds_its_object(void **state)
{
	struct xl_obj *obj;
	static bool gone, other_gone;
	struct xl_obj *other = new_thing(XL_OBJ_MAP, &other_gone);

	obj = new_thing(XL_OBJ_MAP, &gone);
	assert_int_equal(xl_handle_pin(handles, "/a", obj), 0);
	assert_int_equal(xl_handle_pin(handles, "/a", other), -EEXIST);
	assert_int_equal(xl_handle_pin(handles, "/b", obj), 0);
	xl_obj_put(other);
	assert_true(other_gone);
	xl_obj_put(obj);
	assert_false(gone);
	assert_ptr_equal(xl_handle_pinned(handles, "/b"), obj);
	assert_null(xl_handle_pinned(handles, "/c"));
	assert_int_equal(xl_handle_unpin(handles, "/c"), -ENOENT);
	assert_int_equal(xl_handle_unpin(handles, "/a"), 0);
	assert_false(gone);
	assert_int_equal(n_user_gone, 0);
	assert_int_equal(xl_handle_unpin(handles, "/b"), 0);
	assert_true(gone);
	assert_int_equal(n_user_gone, 1);
}

static void running_out_of_fds_is_an_error_and_no_more(void **state)
{
	struct rlimit before, tight;
	struct xl_obj *obj;
	static bool gone;
	int fd;

	obj = new_thing(XL_OBJ_MAP, &gone);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = 3; /* 0, 1 and 2 are taken */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_int_equal(xl_handle_open(handles, obj, O_RDWR), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	fd = xl_handle_open(handles, obj, O_RDWR);
	assert_true(fd >= 0);
	close(fd);
	xl_obj_put(obj);
	xl_handles_reap(handles);
	assert_true(gone);
}

static void destroying_the_table_lets_go_of_open_fds(void **state)
{
	static bool gone[2];
	int fd = only_fd(XL_OBJ_MAP, O_RDWR, &gone[0]);
	struct xl_obj *pinned = new_thing(XL_OBJ_PROG, &gone[1]);

	assert_int_equal(xl_handle_pin(handles, "/p", pinned), 0);
	xl_obj_put(pinned);
	xl_handles_destroy(handles);
	handles = NULL;
	assert_true(gone[0]);
	assert_true(gone[1]);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_object_lives_until_its_last_fd_is_closed),
		T(closes_in_a_row_are_all_noticed),
		T(many_objects_go_one_by_one),
		T(a_dup_keeps_the_object),
		T(a_write_only_fd_keeps_the_object),
		T(a_child_process_keeps_the_object),
		T(an_fd_on_its_way_through_a_socket_keeps_the_object),
		T(a_mapping_keeps_the_object),
		T(an_object_can_be_opened_again_after_all_fds_were_closed),
		T(an_fd_names_its_object_by_inode),
		T(the_link_of_an_fd_tells_the_kind),
		T(ids_count_up_and_are_not_reused),
		T(a_pin_holds_its_object),
		T(running_out_of_fds_is_an_error_and_no_more),
		T(destroying_the_table_lets_go_of_open_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
