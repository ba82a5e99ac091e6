/* Fds, ids and pins: how objects are named from outside.
 *
 * An fd that we hand out is a real fd: a memfd whose inode names the object, so that dup, fork,
 * SCM_RIGHTS, mmap and /proc/self/fd just work. Each hand-out is a new open file of that memfd
 * with a read lock on it (an "open file description" lock, fcntl(2)). Such a lock lives exactly as
 * long as the open file does: through every copy of the fd and every mapping, and no longer. So
 * asking the memfd for a conflicting lock tells whether any hand-out is left; where there are
 * many objects, inotify says which to ask. Neither needs privileges. Where /proc or these locks are missing, what was
 * handed out keeps its reference until the runtime goes.
 *
 * Ids count up per kind and are not reused, as in the kernel. A pin is a name inside the runtime.
 *
 * Source: kernel/bpf/syscall.c (map_idr, prog_idr, map_release_uref), kernel/bpf/inode.c.
 */
#ifndef XL_XDP_RUNTIME_HANDLE_H
#define XL_XDP_RUNTIME_HANDLE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/obj.h"

struct xl_handles;

/* @user_gone is called when the last fd and pin of an object have gone, while other references may
 * remain: prog arrays are emptied then, or they and their programs would hold each other. */
int xl_handles_create(void (*user_gone)(struct xl_obj *obj), struct xl_handles **out_h);
/* Gives back all references of fds and pins, then forgets every object that is left. */
void xl_handles_destroy(struct xl_handles *h);

/* All below: Thread: control, with the runtime's lock held. */

/* Gives @obj an id and a place in the table; objects without a memfd get one named "bpf-map",
 * "bpf-prog", "btf" or "bpf_link". The table holds no reference: it forgets the object when the
 * last one goes (xl_handle_forget, from the object's unpublish).
 * Errors    -ENOMEM, -EMFILE, -ENFILE, -ENOSPC ids are used up */
int xl_handle_publish(struct xl_handles *h, struct xl_obj *obj, int memfd_or_minus_1);
void xl_handle_forget(struct xl_handles *h, struct xl_obj *obj);

/* A new fd of this process for @obj, O_CLOEXEC. Until all copies of all fds of @obj are closed
 * (noticed by the next xl_handles_reap) they hold one reference.
 * @accmode  O_RDWR, O_RDONLY or O_WRONLY
 * Errors    -EMFILE, -ENFILE, -ENOMEM */
int xl_handle_open(struct xl_handles *h, struct xl_obj *obj, int accmode);
/* Gives back references whose fds are closed. */
void xl_handles_reap(struct xl_handles *h);

/* The object behind an inode or id, NULL if it is none of ours. Borrowed while the lock is held:
 * xl_obj_tryget() before that ends. */
struct xl_obj *xl_handle_by_ino(struct xl_handles *h, dev_t dev, ino_t ino);
struct xl_obj *xl_handle_by_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id);
/* The lowest id above @id, 0 if there is none. */
uint32_t xl_handle_next_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id);

/* Pins. -EEXIST, -ENOENT, -ENOMEM. A pin holds a reference. */
int xl_handle_pin(struct xl_handles *h, const char *path, struct xl_obj *obj);
struct xl_obj *xl_handle_pinned(struct xl_handles *h, const char *path);
int xl_handle_unpin(struct xl_handles *h, const char *path);

#endif
