/* Bloom filters: "was this value pushed?", answered "no" or "probably".
 *
 * A value sets n_hashes bits of a power of two of bits; it may be there when all of them are set.
 * Nothing is ever taken out. The bits are the map's lazy memory. The hash is the kernel's, Jenkins's
 * lookup3, so with BPF_F_ZERO_SEED even what is found by mistake is the same.
 *
 * Semantics: kernel/bpf/bloom_filter.c, v6.18. Hash: Bob Jenkins, lookup3.c, hashlittle().
 */
#include "maps/map_types.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define N_HASHES_DEFAULT 5
#define N_HASHES_MASK	 0xfu /* of map_extra */
#define WORD_BITS	 64u
#define BITS_MAX	 (UINT64_C(1) << 32)
#define FLAGS		 (uint32_t)(BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | XL_MAP_ACCESS_FLAGS)

struct lookup3 {
	uint32_t a, b, c;
};

static uint32_t rol(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void mix(struct lookup3 *h)
{
	static const uint8_t turns[][3] = { { 4, 6, 8 }, { 16, 19, 4 } };

	for (size_t i = 0; i < 2; i++) {
		h->a = (h->a - h->c) ^ rol(h->c, turns[i][0]);
		h->c += h->b;
		h->b = (h->b - h->a) ^ rol(h->a, turns[i][1]);
		h->a += h->c;
		h->c = (h->c - h->b) ^ rol(h->b, turns[i][2]);
		h->b += h->a;
	}
}

static uint32_t finish(struct lookup3 *h)
{
	h->c = (h->c ^ h->b) - rol(h->b, 14);
	h->a = (h->a ^ h->c) - rol(h->c, 11);
	h->b = (h->b ^ h->a) - rol(h->a, 25);
	h->c = (h->c ^ h->b) - rol(h->b, 16);
	h->a = (h->a ^ h->c) - rol(h->c, 4);
	h->b = (h->b ^ h->a) - rol(h->a, 14);
	h->c = (h->c ^ h->b) - rol(h->b, 24);
	return h->c;
}

/* Takes in up to 12 bytes; those that are missing count as 0. */
static void take_in(struct lookup3 *h, const uint8_t *data, size_t n)
{
	uint32_t words[3] = { 0 };

	memcpy(words, data, n);
	h->a += words[0];
	h->b += words[1];
	h->c += words[2];
}

static uint32_t hash(const void *value, uint32_t size, uint32_t seed)
{
	const uint32_t start = 0xdeadbeef + size + seed;
	struct lookup3 h = { start, start, start };
	const uint8_t *data = value;

	for (; size > 12; size -= 12, data += 12) {
		take_in(&h, data, 12);
		mix(&h);
	}
	take_in(&h, data, size);
	return finish(&h);
}

struct bloom {
	uint32_t mask, seed, n_hashes;
};

/* Values are hashed from a copy of the caller's, so only the bits are shared. */
static _Atomic uint64_t *word_of(const struct xl_map *map, uint32_t bit)
{
	return (_Atomic uint64_t *)map->mem.base + bit / WORD_BITS;
}

static int push(struct xl_map *map, const void *value, uint64_t flags)
{
	const struct bloom *b = map->priv;

	if (flags != BPF_ANY)
		return -EINVAL;
	for (uint32_t i = 0; i < b->n_hashes; i++) {
		const uint32_t bit = hash(value, map->value_size, b->seed + i) & b->mask;

		atomic_fetch_or_explicit(word_of(map, bit), UINT64_C(1) << bit % WORD_BITS,
					 memory_order_relaxed);
	}
	return 0;
}

static int peek(struct xl_map *map, void *value)
{
	const struct bloom *b = map->priv;

	for (uint32_t i = 0; i < b->n_hashes; i++) {
		const uint32_t bit = hash(value, map->value_size, b->seed + i) & b->mask;

		if (!(atomic_load_explicit(word_of(map, bit), memory_order_relaxed) >>
			      bit % WORD_BITS &
		      1))
			return -ENOENT;
	}
	return 0;
}

static int sys_lookup(struct xl_map *map, const void *key, void *value)
{
	return peek(map, value);
}

static int sys_update(struct xl_map *map, const void *key, const void *value, uint64_t flags)
{
	return push(map, value, flags);
}

static int check(const union bpf_attr *attr, struct xl_err *e)
{
	if (attr->value_size > XL_KMALLOC_MAX)
		return xl_err_set(e, -E2BIG, "value_size of a bloom filter is at most 4 MiB");
	if (attr->map_flags & ~FLAGS)
		return xl_err_set(e, -EINVAL, "a bloom filter does not take the flags 0x%x",
				  attr->map_flags & ~FLAGS);
	if (attr->key_size)
		return xl_err_set(e, -EINVAL, "key_size of a bloom filter is 0, not %u",
				  attr->key_size);
	if (!attr->max_entries || !attr->value_size)
		return xl_err_set(e, -EINVAL, "a bloom filter needs max_entries and value_size");
	if (attr->map_extra & ~(uint64_t)N_HASHES_MASK)
		return xl_err_set(e, -EINVAL, "map_extra of a bloom filter is 1 to 15 hashes");
	return 0;
}

/* Entries times hashes divided by ln 2, for which the kernel takes 7/5, then up to a power of
 * two. It counts in 32 bits, and beyond takes all that 32 bits can number. */
static uint64_t n_bits(uint32_t max_entries, uint32_t n_hashes)
{
	uint64_t want = (uint64_t)max_entries * n_hashes, bits = WORD_BITS;

	if (want > UINT32_MAX || want / 5 * 7 > BITS_MAX / 2)
		return BITS_MAX;
	while (bits < want / 5 * 7)
		bits *= 2;
	return bits;
}

static int alloc(struct xl_map *map)
{
	const uint32_t n_hashes = map->map_extra ? (uint32_t)map->map_extra : N_HASHES_DEFAULT;
	const uint64_t bits = n_bits(map->max_entries, n_hashes);
	struct bloom *b;
	int err = xl_mem_create("bpf-map", bits / 8, &map->mem);

	if (err)
		return err;
	b = malloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct bloom){ (uint32_t)(bits - 1), (uint32_t)map->seed, n_hashes };
	map->priv = b;
	return 0;
}

static void bloom_free(struct xl_map *map)
{
	free(map->priv);
}

const struct xl_map_ops xl_bloom_filter_ops = {
	.name = "bloom_filter",
	.no_prog_access = true,
	.takes_extra = true,
	.peek_asks = true,
	.allowed_flags = UINT32_MAX, /* check() judges them, after the size */
	.check = check,
	.alloc = alloc,
	.free = bloom_free,
	.meta_equal = xl_map_meta_equal_basic,
	.push = push,
	.peek = peek,
	.sys_lookup = sys_lookup,
	.sys_update = sys_update,
};
