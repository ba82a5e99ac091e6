/* Fuzz target: bytes choose a map and what is done to it; the model must agree with every answer.
 * With the first bit set they are the attributes of a map to create instead: right or wrong, huge
 * or empty, creation and the first use must not crash.
 */
#include <stdlib.h>

#include "maps/map_test_drive.h"

#define STEPS_MAX 2000 /* chosen: keeps one input under a few ms */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct xl_map *map)
{
	static uint8_t key[1 << 16], value[1 << 20], next[1 << 16];
	struct xl_region regions[XL_MAP_REGIONS_MAX];

	xl_map_regions(map, regions);
	if (map->key_size > sizeof(key) || xl_map_value_size_sys(map) > sizeof(value))
		return;
	xl_map_sys_update(map, key, value, NULL, BPF_ANY);
	xl_map_sys_lookup(map, key, value, 0);
	xl_map_next_key(map, NULL, next);
	xl_map_sys_delete(map, key);
}

static void create(const uint8_t *data, size_t size)
{
	const struct xl_map_env env = { .n_cpus = 2, .seed = 1 };
	struct xl_map *inner, *map;
	union bpf_attr attr;
	struct xl_err e = { 0 };

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, data, size < sizeof(attr) ? size : sizeof(attr));
	inner = drive_new_map(&inner_shape, env.n_cpus, NULL);
	if (!xl_map_create(&attr, &env, inner, &map, &e)) {
		touch(map);
		xl_map_put(map);
	}
	xl_map_put(inner);
}

static void drive(const uint8_t *data, size_t size)
{
	static struct drive d;
	struct source source = { .data = data, .size = size };
	unsigned n_steps = 0;

	drive_init(&d, &shapes[draw(&source, N_SHAPES)], 1 + draw(&source, 4));
	while (source.size && n_steps++ < STEPS_MAX)
		drive_one(&d, &source);
	drive_walk(&d);
	drive_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (*data & 1)
		create(data + 1, size - 1);
	else
		drive(data + 1, size - 1);
	return 0;
}
