/* Maps as bpf(2) sees them; private to the sysbpf_*.c files. */
#ifndef XL_XDP_RUNTIME_SYSBPF_MAP_H
#define XL_XDP_RUNTIME_SYSBPF_MAP_H

#include <stdint.h>

#include "maps/map.h"
#include "xdp-runtime/sysbpf_call.h"

struct xl_prog;

#define XL_SYS_READ  1u
#define XL_SYS_WRITE 2u

/* The map behind the caller's fd, with a reference.
 * @need     XL_SYS_*: what the fd must allow; a frozen map allows no write
 * Errors    -EBADF, -EINVAL, -EPERM */
int xl_sys_map(struct xl_sys *s, int fd, uint32_t need, struct xl_map **out_map);

/* BPF_F_LOCK is for maps whose value has a spin lock: -EINVAL. */
int xl_sys_check_lock_flag(const struct xl_map *map, uint64_t flags);

/* Updates an element; fds in @value are the caller's and become references. */
int xl_sys_map_store(struct xl_sys *s, struct xl_map *map, const void *key, const void *value,
		     uint64_t flags);

/* Whether @prog may be put into @map, or use it: all programs that meet in a map must agree in type
 * and frags, and in a prog array in attach type. The first one decides. */
bool xl_sys_map_takes_prog(struct xl_sys *s, struct xl_map *map, const struct xl_prog *prog);

#endif
