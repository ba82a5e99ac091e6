/* Fds, ids and pins; see handle.h.
 *
 * One struct handle per published object. It is found by id (an array per kind: ids only grow, so
 * appending keeps it sorted), by inode (what a caller's fd tells) and by inotify watch (what a
 * close tells); the latter two are small hashes. All fds of an object hold one reference between
 * them (`has_fds`), each pin holds one.
 *
 * Locks: a readable hand-out holds a read lock on byte 0, which they can share. A write-only one
 * cannot have a read lock, so it gets a write lock on a byte of its own.
 */
#include "xdp-runtime/handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define HASH_SIZE 1024u /* chosen: chains stay short up to some thousand objects */
/* From so many objects on inotify says which to look at. Fewer are asked one by one: that takes
 * some microseconds, while the end of an inotify instance takes the kernel 3 ms. */
#define WATCH_FROM 64u

struct handle {
	struct xl_obj *obj;
	dev_t dev;
	ino_t ino;
	int memfd;
	bool own_memfd; /* closed by us, not by the object */
	bool has_fds;	/* the fds handed out hold a reference */
	bool kept;	/* … for good: their closing cannot be noticed */
	int wd;		/* inotify watch, -1 if there is none */
	uint32_t n_pins;
	struct handle *next_ino, *next_wd;
};

/* The objects of one kind, by ascending id. */
struct id_table {
	struct handle **at;
	uint32_t n, size;
	uint32_t last_id;
};

struct pin {
	struct pin *next;
	struct xl_obj *obj;
	char path[];
};

struct xl_handles {
	void (*user_gone)(struct xl_obj *obj);
	struct id_table kind[XL_OBJ_KINDS];
	struct handle *by_ino[HASH_SIZE], *by_wd[HASH_SIZE];
	struct pin *pins;
	uint32_t n;	  /* objects of all kinds */
	int inotify;	  /* -1 if there is none, or not yet */
	bool all_suspect; /* some handle has no watch: ask each one's lock */
	bool missed;	  /* closes before the watches were set, or too many to be told */
	off_t next_lock_byte;
};

static const char *const memfd_name[XL_OBJ_KINDS] = {
	[XL_OBJ_MAP] = "bpf-map",
	[XL_OBJ_PROG] = "bpf-prog",
	[XL_OBJ_BTF] = "btf",
	[XL_OBJ_LINK] = "bpf_link",
};

static struct handle **ino_slot(struct xl_handles *h, ino_t ino)
{
	return &h->by_ino[ino % HASH_SIZE];
}

static struct handle **wd_slot(struct xl_handles *h, int wd)
{
	return &h->by_wd[(unsigned int)wd % HASH_SIZE];
}

/* Index of the first handle with an id above @id. */
static uint32_t upper_bound(const struct id_table *t, uint32_t id)
{
	uint32_t lo = 0, hi = t->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (t->at[mid]->obj->id > id)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static struct handle *find_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id)
{
	const struct id_table *t = &h->kind[kind];
	uint32_t i = upper_bound(t, id);

	return i && t->at[i - 1]->obj->id == id ? t->at[i - 1] : NULL;
}

static struct handle *handle_of(struct xl_handles *h, const struct xl_obj *obj)
{
	struct handle *e = find_id(h, obj->kind, obj->id);

	return e && e->obj == obj ? e : NULL;
}

/* Each map, program and hand-out is an fd: let there be many. Once per process; a failure shows
 * later as -EMFILE. */
static void raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) || lim.rlim_cur >= lim.rlim_max)
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

int xl_handles_create(void (*user_gone)(struct xl_obj *obj), struct xl_handles **out_h)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct xl_handles *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	pthread_once(&once, raise_fd_limit);
	h->user_gone = user_gone;
	h->next_lock_byte = 1;
	h->inotify = -1;
	h->all_suspect = true;
	*out_h = h;
	return 0;
}

/* Fds. */

static int self_path(int fd, char *buf, size_t size)
{
	return snprintf(buf, size, "/proc/self/fd/%d", fd);
}

static void watch(struct xl_handles *h, struct handle *e)
{
	char path[40];

	self_path(e->memfd, path, sizeof(path));
	e->wd = inotify_add_watch(h->inotify, path, IN_CLOSE);
	if (e->wd < 0) {
		h->all_suspect = true;
		return;
	}
	e->next_wd = *wd_slot(h, e->wd);
	*wd_slot(h, e->wd) = e;
}

/* Watches all objects from now on. */
static void start_watching(struct xl_handles *h)
{
	h->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (h->inotify < 0)
		return;
	h->all_suspect = false;
	h->missed = true;
	for (int kind = 0; kind < XL_OBJ_KINDS; kind++)
		for (uint32_t i = 0; i < h->kind[kind].n; i++)
			watch(h, h->kind[kind].at[i]);
}

/* Takes the lock that marks a hand-out as alive. */
static int mark(struct xl_handles *h, int fd, int accmode)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };

	if (accmode == O_WRONLY) {
		lock.l_type = F_WRLCK;
		lock.l_start = h->next_lock_byte++;
	}
	return fcntl(fd, F_OFD_SETLK, &lock);
}

static bool any_fd_left(const struct handle *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(e->memfd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK;
}

int xl_handle_open(struct xl_handles *h, struct xl_obj *obj, int accmode)
{
	struct handle *e = handle_of(h, obj);
	bool kept = false;
	char path[40];
	int fd;

	assert(e);
	self_path(e->memfd, path, sizeof(path));
	fd = open(path, accmode | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == EPERM)) {
		/* No /proc: a copy of our own fd does, but never tells that it is gone. */
		fd = fcntl(e->memfd, F_DUPFD_CLOEXEC, 0);
		kept = true;
	}
	if (fd < 0)
		return -errno;
	e->kept |= kept || mark(h, fd, accmode);
	if (!e->has_fds) {
		e->has_fds = true;
		xl_obj_get(obj);
	}
	return fd;
}

/* Puts a reference of an fd or a pin that has gone. */
static void user_put(struct xl_handles *h, struct handle *e)
{
	struct xl_obj *obj = e->obj;

	if (!e->has_fds && !e->n_pins)
		h->user_gone(obj);
	xl_obj_put(obj); /* may free e */
}

static void reap_one(struct xl_handles *h, struct handle *e)
{
	if (!e->has_fds || e->kept || any_fd_left(e))
		return;
	e->has_fds = false;
	user_put(h, e);
}

/* Asks every lock. Putting one object may put others (a prog array's programs), so the table can
 * shrink while we walk it: ids tell where we are. */
static void reap_all(struct xl_handles *h)
{
	for (int kind = 0; kind < XL_OBJ_KINDS; kind++) {
		struct id_table *t = &h->kind[kind];
		uint32_t id = 0, i;

		while ((i = upper_bound(t, id)) < t->n) {
			id = t->at[i]->obj->id;
			reap_one(h, t->at[i]);
		}
	}
}

static void reap_watched(struct xl_handles *h, int wd)
{
	struct handle *e;

	for (e = *wd_slot(h, wd); e; e = e->next_wd) {
		if (e->wd != wd)
			continue;
		reap_one(h, e);
		return;
	}
}

void xl_handles_reap(struct xl_handles *h)
{
	_Alignas(struct inotify_event) char buf[4096];
	const struct inotify_event *event;
	ssize_t n, off;

	while (h->inotify >= 0 && (n = read(h->inotify, buf, sizeof(buf))) > 0) {
		for (off = 0; off < n; off += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(buf + off);
			if (event->mask & IN_Q_OVERFLOW)
				h->missed = true;
			else if (!(event->mask & IN_IGNORED))
				reap_watched(h, event->wd);
		}
	}
	if (h->all_suspect || h->missed) {
		h->missed = false;
		reap_all(h);
	}
}

/* Ids. */

static int reserve(struct id_table *t)
{
	uint32_t size = t->size ? t->size * 2 : 16;
	struct handle **at;

	if (t->last_id == INT_MAX - 1)
		return -ENOSPC;
	if (t->n < t->size)
		return 0;
	at = reallocarray(t->at, size, sizeof(struct handle *));
	if (!at)
		return -ENOMEM;
	t->at = at;
	t->size = size;
	return 0;
}

int xl_handle_publish(struct xl_handles *h, struct xl_obj *obj, int memfd_or_minus_1)
{
	struct id_table *t = &h->kind[obj->kind];
	struct xl_mem mem = XL_MEM_NONE;
	struct handle *e;
	struct stat st;
	int err = reserve(t);

	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->obj = obj;
	e->wd = -1;
	e->memfd = memfd_or_minus_1;
	if (e->memfd < 0) {
		err = xl_mem_create(memfd_name[obj->kind], 0, &mem);
		if (err)
			goto err_handle;
		e->memfd = mem.fd;
		e->own_memfd = true;
	}
	if (fstat(e->memfd, &st)) {
		err = -errno;
		goto err_memfd;
	}
	e->dev = st.st_dev;
	e->ino = st.st_ino;
	e->next_ino = *ino_slot(h, e->ino);
	*ino_slot(h, e->ino) = e;
	obj->id = ++t->last_id;
	t->at[t->n++] = e;
	h->n++;
	if (h->inotify >= 0)
		watch(h, e);
	else if (h->n == WATCH_FROM)
		start_watching(h);
	return 0;

err_memfd:
	xl_mem_destroy(&mem);
err_handle:
	free(e);
	return err;
}

static void unchain_ino(struct xl_handles *h, struct handle *e)
{
	struct handle **link = ino_slot(h, e->ino);

	while (*link != e)
		link = &(*link)->next_ino;
	*link = e->next_ino;
}

static void unchain_wd(struct xl_handles *h, struct handle *e)
{
	struct handle **link = wd_slot(h, e->wd);

	while (*link != e)
		link = &(*link)->next_wd;
	*link = e->next_wd;
}

void xl_handle_forget(struct xl_handles *h, struct xl_obj *obj)
{
	struct id_table *t = &h->kind[obj->kind];
	uint32_t i = upper_bound(t, obj->id);
	struct handle *e;

	if (!i || t->at[i - 1]->obj != obj)
		return;
	e = t->at[i - 1];
	memmove(&t->at[i - 1], &t->at[i], (t->n - i) * sizeof(struct handle *));
	t->n--;
	h->n--;
	unchain_ino(h, e);
	if (e->wd >= 0) {
		unchain_wd(h, e);
		inotify_rm_watch(h->inotify, e->wd);
	}
	if (e->own_memfd)
		close(e->memfd);
	free(e);
}

static struct xl_obj *alive(const struct handle *e)
{
	return e && atomic_load_explicit(&e->obj->refs, memory_order_relaxed) ? e->obj : NULL;
}

struct xl_obj *xl_handle_by_ino(struct xl_handles *h, dev_t dev, ino_t ino)
{
	struct handle *e;

	for (e = *ino_slot(h, ino); e; e = e->next_ino)
		if (e->ino == ino && e->dev == dev)
			return alive(e);
	return NULL;
}

struct xl_obj *xl_handle_by_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id)
{
	return alive(find_id(h, kind, id));
}

uint32_t xl_handle_next_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id)
{
	const struct id_table *t = &h->kind[kind];
	uint32_t i;

	for (i = upper_bound(t, id); i < t->n; i++)
		if (alive(t->at[i]))
			return t->at[i]->obj->id;
	return 0;
}

/* Pins. */

static struct pin **find_pin(struct xl_handles *h, const char *path)
{
	struct pin **link = &h->pins;

	while (*link && strcmp((*link)->path, path))
		link = &(*link)->next;
	return link;
}

int xl_handle_pin(struct xl_handles *h, const char *path, struct xl_obj *obj)
{
	const size_t len = strlen(path) + 1;
	struct pin **link = find_pin(h, path), *pin;

	if (*link)
		return -EEXIST;
	pin = malloc(sizeof(*pin) + len);
	if (!pin)
		return -ENOMEM;
	pin->next = NULL;
	pin->obj = xl_obj_get(obj);
	memcpy(pin->path, path, len);
	handle_of(h, obj)->n_pins++;
	*link = pin;
	return 0;
}

struct xl_obj *xl_handle_pinned(struct xl_handles *h, const char *path)
{
	struct pin *pin = *find_pin(h, path);

	return pin ? pin->obj : NULL;
}

static void unpin(struct xl_handles *h, struct pin **link)
{
	struct pin *pin = *link;
	struct handle *e = handle_of(h, pin->obj);

	*link = pin->next;
	free(pin);
	e->n_pins--;
	user_put(h, e);
}

int xl_handle_unpin(struct xl_handles *h, const char *path)
{
	struct pin **link = find_pin(h, path);

	if (!*link)
		return -ENOENT;
	unpin(h, link);
	return 0;
}

/* Lets go of all fds, open or not. */
static void drop_fds(struct xl_handles *h, struct id_table *t)
{
	uint32_t id = 0, i;
	struct handle *e;

	while ((i = upper_bound(t, id)) < t->n) {
		e = t->at[i];
		id = e->obj->id;
		if (!e->has_fds)
			continue;
		e->has_fds = false;
		user_put(h, e);
	}
}

void xl_handles_destroy(struct xl_handles *h)
{
	if (!h)
		return;
	while (h->pins)
		unpin(h, &h->pins);
	/* Links first: they hold programs, which hold maps. */
	for (int kind = XL_OBJ_KINDS - 1; kind >= 0; kind--)
		drop_fds(h, &h->kind[kind]);
	for (int kind = 0; kind < XL_OBJ_KINDS; kind++) {
		struct id_table *t = &h->kind[kind];

		while (t->n) {
			struct xl_obj *obj = t->at[t->n - 1]->obj;

			obj->unpublish = NULL;
			xl_handle_forget(h, obj);
		}
		free(t->at);
	}
	if (h->inotify >= 0)
		close(h->inotify);
	free(h);
}
