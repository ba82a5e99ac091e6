/* bpf(2) on many elements at once.
 *
 * Two ways of saying where a batch ended. Most types give the last key. Hashes give 4 bytes, a
 * position in the table, whatever the size of their keys: callers provide just that much room.
 *
 * Source: generic_map_lookup_batch() and its siblings in kernel/bpf/syscall.c,
 * __htab_map_lookup_and_delete_batch() in kernel/bpf/hashtab.c; v6.18.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xdp-runtime/sysbpf_map.h"

#define CAN_LOOKUP	      1u
#define CAN_UPDATE	      2u
#define CAN_DELETE	      4u
#define CAN_LOOKUP_AND_DELETE 8u
#define BY_POSITION	      16u /* batches of the hash kind */
#define CAN_ALL_OF_HASH	      (CAN_LOOKUP | CAN_UPDATE | CAN_DELETE | CAN_LOOKUP_AND_DELETE | BY_POSITION)

/* What the kernel's map types have batch operations for. */
static const uint8_t batch_ops[] = {
	[BPF_MAP_TYPE_ARRAY] = CAN_LOOKUP | CAN_UPDATE,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = CAN_LOOKUP | CAN_UPDATE,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = CAN_LOOKUP | CAN_UPDATE,
	[BPF_MAP_TYPE_LPM_TRIE] = CAN_LOOKUP | CAN_UPDATE | CAN_DELETE,
	[BPF_MAP_TYPE_HASH] = CAN_ALL_OF_HASH,
	[BPF_MAP_TYPE_PERCPU_HASH] = CAN_ALL_OF_HASH,
	[BPF_MAP_TYPE_LRU_HASH] = CAN_ALL_OF_HASH,
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = CAN_ALL_OF_HASH,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = CAN_ALL_OF_HASH,
};

static uint32_t ops_of(const struct xl_map *map)
{
	return (size_t)map->type < sizeof(batch_ops) ? batch_ops[map->type] : 0;
}

/* A batch under way. */
struct batch {
	struct xl_sys *s;
	struct xl_map *map;
	size_t value_size;
	uint8_t *key, *next, *value; /* room for one of each */
	uint32_t done;		     /* elements so far */
};

static int put_count(struct xl_sys *s, uint32_t count)
{
	return xl_sys_attr_out(s, offsetof(union bpf_attr, batch.count), count);
}

static int key_at(struct batch *b, uint32_t i)
{
	return xl_sys_in(b->s, b->key, b->s->attr.u.batch.keys + (uint64_t)i * b->map->key_size,
			 b->map->key_size);
}

static int update_all(struct batch *b)
{
	const union bpf_attr *attr = &b->s->attr.u;
	int err = 0;

	for (; b->done < attr->batch.count; b->done++) {
		if (key_at(b, b->done) ||
		    xl_sys_in(b->s, b->value, attr->batch.values + b->done * b->value_size,
			      b->value_size))
			err = -EFAULT;
		else
			err = xl_sys_map_store(b->s, b->map, b->key, b->value,
					       attr->batch.elem_flags);
		if (err)
			break;
	}
	return put_count(b->s, b->done) ? -EFAULT : err;
}

static int delete_all(struct batch *b)
{
	int err = 0;

	for (; b->done < b->s->attr.u.batch.count; b->done++) {
		err = key_at(b, b->done) ? -EFAULT : xl_map_sys_delete(b->map, b->key);
		if (err)
			break;
	}
	return put_count(b->s, b->done) ? -EFAULT : err;
}

/* Looks @key up and gives it out as the next element; -ENOENT if it has gone meanwhile. */
static int give(struct batch *b, const void *key)
{
	const union bpf_attr *attr = &b->s->attr.u;
	int err = xl_map_sys_lookup(b->map, key, b->value, attr->batch.elem_flags);

	if (err)
		return err;
	if (xl_sys_out(b->s, attr->batch.keys + (uint64_t)b->done * b->map->key_size, key,
		       b->map->key_size) ||
	    xl_sys_out(b->s, attr->batch.values + b->done * b->value_size, b->value, b->value_size))
		return -EFAULT;
	b->done++;
	return 0;
}

/* From the key after in_batch on; out_batch gets the last one. */
static int lookup_by_key(struct batch *b)
{
	const union bpf_attr *attr = &b->s->attr.u;
	uint8_t *prev = NULL, *key = b->next, *other = b->key;
	int err = 0;

	if (attr->batch.in_batch) {
		if (xl_sys_in(b->s, b->key, attr->batch.in_batch, b->map->key_size))
			return -EFAULT;
		prev = b->key;
	}
	while (b->done < attr->batch.count) {
		err = xl_map_next_key(b->map, prev, key);
		if (err)
			break;
		err = give(b, key);
		if (err && err != -ENOENT)
			return err;
		prev = key;
		key = other;
		other = prev;
		err = 0;
	}
	if (put_count(b->s, b->done) ||
	    (b->done && xl_sys_out(b->s, attr->batch.out_batch, prev, b->map->key_size)))
		return -EFAULT;
	return err;
}

/* From the position in_batch on; out_batch gets the one after the last. */
static int lookup_by_position(struct batch *b, bool and_delete)
{
	const union bpf_attr *attr = &b->s->attr.u;
	uint32_t at = 0;
	int err = 0;

	if (attr->batch.in_batch && xl_sys_in(b->s, &at, attr->batch.in_batch, sizeof(at)))
		return -EFAULT;
	while (b->done < attr->batch.count) {
		err = b->map->ops->next_at(b->map, &at, b->key);
		if (err)
			break;
		err = give(b, b->key);
		if (err && err != -ENOENT)
			return err;
		if (!err && and_delete)
			xl_map_sys_delete(b->map, b->key);
		err = 0;
	}
	/* The end is told together with the last elements. */
	if (!err) {
		uint32_t peek = at;

		err = b->map->ops->next_at(b->map, &peek, b->key);
	}
	if (xl_sys_out(b->s, attr->batch.out_batch, &at, sizeof(at)) || put_count(b->s, b->done))
		return -EFAULT;
	return err;
}

static int lookup_all(struct batch *b)
{
	return ops_of(b->map) & BY_POSITION ? lookup_by_position(b, false) : lookup_by_key(b);
}

static int lookup_and_delete_all(struct batch *b)
{
	return lookup_by_position(b, true);
}

/* What a command needs of the fd and of the type, and does. */
struct batch_cmd {
	uint32_t access; /* XL_SYS_* */
	uint32_t can;	 /* CAN_* */
	bool looks_up;
	int (*all)(struct batch *b);
};

static int run(struct batch *b, const struct batch_cmd *cmd)
{
	const union bpf_attr *attr = &b->s->attr.u;
	int err;

	if (attr->batch.elem_flags & ~(uint64_t)BPF_F_LOCK)
		return -EINVAL;
	err = xl_sys_check_lock_flag(b->map, attr->batch.elem_flags);
	if (err)
		return err;
	if (cmd->looks_up && (ops_of(b->map) & BY_POSITION) && attr->batch.flags)
		return -EINVAL;
	if (!attr->batch.count)
		return 0;
	if (put_count(b->s, 0))
		return -EFAULT;
	b->value_size = xl_map_value_size_sys(b->map);
	b->key = malloc(2 * (size_t)b->map->key_size + b->value_size);
	if (!b->key)
		return -ENOMEM;
	b->next = b->key + b->map->key_size;
	b->value = b->next + b->map->key_size;
	err = cmd->all(b);
	free(b->key);
	return err;
}

static long batch(struct xl_sys *s, const struct batch_cmd *cmd)
{
	struct batch b = { .s = s };
	int err = xl_sys_map(s, (int)s->attr.u.batch.map_fd, cmd->access, &b.map);

	if (err)
		return err;
	err = ops_of(b.map) & cmd->can ? run(&b, cmd) : -ENOTSUPP;
	xl_map_put(b.map);
	return err;
}

long xl_sys_map_lookup_batch(struct xl_sys *s)
{
	static const struct batch_cmd cmd = { XL_SYS_READ, CAN_LOOKUP, true, lookup_all };

	return batch(s, &cmd);
}

long xl_sys_map_lookup_and_delete_batch(struct xl_sys *s)
{
	static const struct batch_cmd cmd = { XL_SYS_READ | XL_SYS_WRITE, CAN_LOOKUP_AND_DELETE,
					      true, lookup_and_delete_all };

	return batch(s, &cmd);
}

long xl_sys_map_update_batch(struct xl_sys *s)
{
	static const struct batch_cmd cmd = { XL_SYS_WRITE, CAN_UPDATE, false, update_all };

	return batch(s, &cmd);
}

long xl_sys_map_delete_batch(struct xl_sys *s)
{
	static const struct batch_cmd cmd = { XL_SYS_WRITE, CAN_DELETE, false, delete_all };

	return batch(s, &cmd);
}
