/* Sockmaps and sockhashes, which stay empty: what they hold are sockets of the kernel, and there
 * are none here. An object that has one loads, and what its programs look for is not there.
 *
 * Semantics: net/core/sock_map.c, v6.18.
 */
#include "maps/map_types.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define KEY_MAX	   512u		    /* MAX_BPF_STACK */
#define COOKIE	   sizeof(uint64_t) /* a value as the control side reads it */
#define SOCK_FLAGS (BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)

static int check_values(const union bpf_attr *attr, struct xl_err *e)
{
	if (!attr->max_entries)
		return xl_err_set(e, -EINVAL, "a map of sockets needs max_entries");
	if (attr->value_size != sizeof(uint32_t) && attr->value_size != COOKIE)
		return xl_err_set(e, -EINVAL, "values of a map of sockets have 4 or 8 bytes");
	return 0;
}

static int check_map(const union bpf_attr *attr, struct xl_err *e)
{
	if (attr->key_size != sizeof(uint32_t))
		return xl_err_set(e, -EINVAL, "keys of a sockmap have 4 bytes");
	return check_values(attr, e);
}

static int check_hash(const union bpf_attr *attr, struct xl_err *e)
{
	int err = attr->key_size ? check_values(attr, e)
				 : xl_err_set(e, -EINVAL, "a sockhash needs a key_size");

	if (!err && attr->key_size > KEY_MAX)
		err = xl_err_set(e, -E2BIG, "keys of a sockhash have at most %u bytes", KEY_MAX);
	return err;
}

static int alloc(struct xl_map *map)
{
	return 0;
}

static int delete_index(struct xl_map *map, const void *key)
{
	return -EINVAL; /* beyond the map, and where there is no socket */
}

static int delete_key(struct xl_map *map, const void *key)
{
	return -ENOENT;
}

static int sys_lookup(struct xl_map *map, const void *key, void *out_value)
{
	return map->value_size == COOKIE ? -ENOENT : -ENOSPC;
}

/* No socket is of a kind that can be held, which the kernel says last. */
static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	uint64_t wide = 0;
	uint32_t narrow;
	int type;

	if (map->value_size == sizeof(wide)) {
		memcpy(&wide, value, sizeof(wide));
	} else {
		memcpy(&narrow, value, sizeof(narrow));
		wide = narrow;
	}
	if (wide > INT32_MAX)
		return -EINVAL;
	if (getsockopt((int)wide, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }))
		return -errno;
	return -EOPNOTSUPP;
}

static int next_key(struct xl_map *map, const void *key, void *out_next)
{
	return -ENOENT;
}

const struct xl_map_ops xl_sockmap_ops = {
	.name = "sockmap",
	.value_kind = XL_VALUE_FOREIGN_FD,
	.allowed_flags = SOCK_FLAGS,
	.check = check_map,
	.alloc = alloc,
	.meta_equal = xl_map_meta_equal_basic,
	.delete = delete_index,
	.sys_lookup = sys_lookup,
	.sys_update = sys_update,
	.next_key = xl_array_next_key,
};

const struct xl_map_ops xl_sockhash_ops = {
	.name = "sockhash",
	.value_kind = XL_VALUE_FOREIGN_FD,
	.allowed_flags = SOCK_FLAGS,
	.check = check_hash,
	.alloc = alloc,
	.meta_equal = xl_map_meta_equal_basic,
	.delete = delete_key,
	.sys_lookup = sys_lookup,
	.sys_update = sys_update,
	.next_key = next_key,
};
