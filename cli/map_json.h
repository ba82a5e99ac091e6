/* Maps from JSON files and to JSON, in the shape of `bpftool map dump -j`.
 *
 * A file is an array of entries, or an object {"maps": {NAME: [entries]}} as the dump of replay
 * writes it. An entry has "key" and "value" (or "values" for per-CPU maps), and may have
 * "formatted" with the same inside, or only that:
 *
 *	{"key": ["0x01","0x00"], "value": ["0x0a"]}	bytes, as hex or as numbers
 *	{"key": 1, "value": {"port": 80}}		by the map's BTF (btf_json.h), or a
 *							number of the size, host order
 *	{"key": …, "values": [{"cpu": 0, "value": …}]}	per CPU; CPUs left out are zero
 *	{"key": …, "value": …}				per CPU: the same for each
 *	{"key": "10.0.0.0/8", …}			LPM trie
 *	{"key": 0, "value": "name"}			prog array, map-in-map: of the object
 *	{"key": 0, "value": {"ifindex": 3, "prog": "name"}}	devmap; cpumap: "qsize"
 *
 * What an entry does not say is zero; in arrays it stays as it is.
 */
#ifndef XL_CLI_MAP_JSON_H
#define XL_CLI_MAP_JSON_H

#include <jansson.h>

#include "base/err.h"
#include "cli/json_out.h"

struct xl_object;
struct xl_object_map;

/* Enters what @doc has into a loaded map of @obj. Entries before a bad one are in the map then.
 *
 * @where    names the file in messages
 * Errors    -EINVAL, -E2BIG, -EPERM, in words: file, map, number of the entry, what is wrong
 */
int xl_map_json_load(struct xl_object *obj, struct xl_object_map *om, const json_t *doc,
		     const char *where, struct xl_err *e);

/* Writes all entries of a loaded map as an array that is member @name (NULL: element), arrays in
 * order of their index, others by the bytes of their keys. What can be loaded again looks so.
 * Errors    -ENOMEM; nothing is written then */
int xl_map_json_dump(const struct xl_object *obj, const struct xl_object_map *om, const char *name,
		     struct xl_json *j);

#endif
