/* Ways out; see ways.h. */
#include "cli/ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/map.h"
#include "xdp-runtime/object/object.h"

const struct xl_redirect_words xl_redirect_words[] = {
	[XL_REDIRECT_NONE] = { "none", false, false },
	[XL_REDIRECT_IFINDEX] = { "ifindex", false, false },
	[XL_REDIRECT_DEVMAP] = { "devmap", true, true },
	[XL_REDIRECT_DEVMAP_ALL] = { "devmap_all", true, false },
	[XL_REDIRECT_CPUMAP] = { "cpumap", true, true },
	[XL_REDIRECT_XSKMAP] = { "xskmap", true, true },
};

const char *xl_ways_map_name(const struct xl_object *obj, uint32_t map_id, char *buf, size_t size)
{
	for (uint32_t i = 0; i < obj->n_maps; i++)
		if (obj->maps[i].map && obj->maps[i].map->obj.id == map_id)
			return obj->maps[i].name;
	snprintf(buf, size, "map#%u", map_id);
	return buf;
}

/* What tells ways apart; all that a verdict has beyond that is 0 in the key. */
static struct xl_way key_of(const struct xl_verdict *verdict)
{
	struct xl_way key = { .action = verdict->action };
	const struct xl_redirect *redirect = &verdict->redirect;

	if (verdict->action != XDP_REDIRECT)
		return key;
	key.kind = redirect->kind;
	key.map_id = redirect->map_id;
	key.key = xl_redirect_words[redirect->kind].has_key ? redirect->key : 0;
	key.ifindex = redirect->ifindex;
	return key;
}

static bool same(const struct xl_way *a, const struct xl_way *b)
{
	return a->action == b->action && a->kind == b->kind && a->map_id == b->map_id &&
	       a->key == b->key && a->ifindex == b->ifindex;
}

static size_t hash(const struct xl_way *way)
{
	uint64_t h = way->action | (uint64_t)way->kind << 8 | (uint64_t)way->map_id << 16;

	h = (h ^ way->key * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 32 ^ way->ifindex) * UINT64_C(0xff51afd7ed558ccd);
	return (size_t)(h ^ h >> 32);
}

static struct xl_way **slot_of(struct xl_way **slots, size_t n_slots, const struct xl_way *key)
{
	size_t i = hash(key) & (n_slots - 1);

	while (slots[i] && !same(slots[i], key))
		i = (i + 1) & (n_slots - 1);
	return &slots[i];
}

static int grow(struct xl_ways *ways)
{
	const size_t n_slots = ways->n_slots ? ways->n_slots * 2 : 32;
	struct xl_way **slots = calloc(n_slots, sizeof(struct xl_way *));
	struct xl_way **order = realloc(ways->order, n_slots * sizeof(struct xl_way *));

	if (order)
		ways->order = order;
	if (!slots || !order) {
		free(slots);
		return -1;
	}
	for (size_t i = 0; i < ways->n; i++)
		*slot_of(slots, n_slots, order[i]) = order[i];
	free(ways->slots);
	ways->slots = slots;
	ways->n_slots = n_slots;
	return 0;
}

static char *name_redirect(const struct xl_way *way, const struct xl_object *obj)
{
	const struct xl_redirect_words *words = &xl_redirect_words[way->kind];
	char map_buf[32], *name = NULL;
	const char *map = xl_ways_map_name(obj, way->map_id, map_buf, sizeof(map_buf));
	int n;

	if (words->has_key)
		n = asprintf(&name, "redirect:%s[%" PRIu64 "]", map, way->key);
	else if (words->has_map)
		n = asprintf(&name, "redirect:%s[*]", map);
	else if (way->kind == XL_REDIRECT_IFINDEX)
		n = asprintf(&name, "redirect:%u", way->ifindex);
	else
		n = asprintf(&name, "redirect:nowhere");
	return n < 0 ? NULL : name;
}

static char *name_of(const struct xl_way *way, const struct xl_object *obj)
{
	static const char *const names[] = {
		[XDP_ABORTED] = "aborted",
		[XDP_DROP] = "drop",
		[XDP_PASS] = "pass",
		[XDP_TX] = "tx",
	};

	return way->action == XDP_REDIRECT ? name_redirect(way, obj) : strdup(names[way->action]);
}

struct xl_way *xl_ways_find(struct xl_ways *ways, const struct xl_verdict *verdict,
			    const struct xl_object *obj)
{
	const struct xl_way key = key_of(verdict);
	struct xl_way **slot, *way;

	if (ways->n_slots) {
		slot = slot_of(ways->slots, ways->n_slots, &key);
		if (*slot)
			return *slot;
	}
	if (ways->n * 2 >= ways->n_slots && grow(ways))
		return NULL;
	way = malloc(sizeof(*way));
	if (!way)
		return NULL;
	*way = key;
	way->interface = -1;
	way->name = name_of(way, obj);
	if (!way->name) {
		free(way);
		return NULL;
	}
	*slot_of(ways->slots, ways->n_slots, way) = way;
	ways->order[ways->n++] = way;
	return way;
}

void xl_ways_fini(struct xl_ways *ways)
{
	for (size_t i = 0; i < ways->n; i++) {
		free(ways->order[i]->name);
		free(ways->order[i]);
	}
	free(ways->order);
	free(ways->slots);
	*ways = (struct xl_ways){ 0 };
}
