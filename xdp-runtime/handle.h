/* Fds, ids and pins: how objects are named from outside.
 *
 * An fd that we hand out is a real fd: a memfd whose inode names the object, so that dup, fork,
 * SCM_RIGHTS, mmap and /proc/self/fd just work. Each hand-out is a new open file of that memfd,
 * and inotify tells when the last copy of one is closed: that is how references held by fds end.
 * Ids count up per kind and are not reused, as in the kernel. A pin is a name inside the runtime.
 *
 * Source: kernel/bpf/syscall.c (map_idr, prog_idr), kernel/bpf/inode.c.
 */
#ifndef XL_XDP_RUNTIME_HANDLE_H
#define XL_XDP_RUNTIME_HANDLE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/obj.h"

struct xl_handles;

int xl_handles_create(struct xl_handles **out_h);
void xl_handles_destroy(struct xl_handles *h);

/* All below: Thread: control, with the runtime's lock held. */

/* Gives @obj an id and a place in the table; objects without a memfd get one named
 * "bpf-map:ID", "bpf-prog:ID", "btf:ID", "bpf_link:ID". The table holds no reference: it forgets
 * the object when the last one goes (xl_handle_forget, from the object's release). */
int xl_handle_publish(struct xl_handles *h, struct xl_obj *obj, int memfd_or_minus_1);
void xl_handle_forget(struct xl_handles *h, struct xl_obj *obj);

/* A new fd of this process for @obj, O_CLOEXEC, which holds a reference until it and all its
 * copies are closed (noticed by the next xl_handles_reap). -errno. */
int xl_handle_open(struct xl_handles *h, struct xl_obj *obj);
/* Gives back references whose fds are closed. */
void xl_handles_reap(struct xl_handles *h);

/* The object behind an inode, NULL if it is none of ours. Borrowed while the lock is held. */
struct xl_obj *xl_handle_by_ino(struct xl_handles *h, dev_t dev, ino_t ino);
struct xl_obj *xl_handle_by_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id);
/* The lowest id above @id, 0 if there is none. */
uint32_t xl_handle_next_id(struct xl_handles *h, enum xl_obj_kind kind, uint32_t id);

/* Pins. -EEXIST, -ENOENT, -ENAMETOOLONG, -ENOMEM. A pin holds a reference. */
int xl_handle_pin(struct xl_handles *h, const char *path, struct xl_obj *obj);
struct xl_obj *xl_handle_pinned(struct xl_handles *h, const char *path);
int xl_handle_unpin(struct xl_handles *h, const char *path);

#endif
