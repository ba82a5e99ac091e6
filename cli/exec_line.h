/* A line of `xdpland exec --raw`, read and checked: a program, its maps, its packets. Lines of
 * `verify --raw` are the same, where packets and what stands in maps do not matter.
 *
 * All that can be said of a line without running it is said here; what is left are a kernel's
 * answers. Maps and programs name each other by index: the line's own program is number 0, those
 * of "progs" follow.
 */
#ifndef XL_CLI_EXEC_LINE_H
#define XL_CLI_EXEC_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uapi.h"

#define XL_EXEC_PACKET_MAX 262144u /* bytes; libpcap's MAXIMUM_SNAPLEN */

struct xl_engine;

/* What a line takes where it says nothing. */
struct xl_exec_defaults {
	const struct xl_engine *engine;
	uint64_t insn_limit;
	uint32_t n_cpus; /* slots of per-CPU values */
};

struct xl_exec_entry {
	uint8_t *key;
	uint8_t *value;	 /* as bpf(2) has it, all CPUs; NULL where there is a target */
	uint32_t target; /* the map or program that the value names */
};

struct xl_exec_map {
	const char *name; /* "" if it has none */
	uint32_t type, key_size, value_size, max_entries, flags;
	uint64_t map_extra;
	struct xl_exec_map *inner; /* the template of a map-in-map, or NULL */
	const uint8_t *btf;	   /* of key and value, or NULL */
	size_t btf_len;
	uint32_t btf_key, btf_value; /* type ids in it */
	struct xl_exec_entry *init;
	size_t n_init;
};

struct xl_exec_fixup {
	uint32_t insn, map;
};

struct xl_exec_prog {
	const char *name;
	uint32_t type, expected_attach_type, flags;
	const char *license;
	struct bpf_insn *insns;
	size_t n_insns;
	struct xl_exec_fixup *fixups;
	size_t n_fixups;
	const uint8_t *btf; /* of its functions, or NULL */
	size_t btf_len;
	const struct bpf_func_info *func_info;
	size_t n_func_info;
};

struct xl_exec_packet {
	uint8_t *data;
	uint32_t len;
};

struct xl_exec_dump {
	uint32_t map;
	uint8_t *key; /* xl_exec_question_size() bytes */
};

struct xl_exec_line {
	const json_t *name; /* as it came; NULL: none */
	struct xl_exec_prog *progs;
	size_t n_progs; /* at least 1 */
	struct xl_exec_map *maps;
	size_t n_maps;
	struct xl_exec_packet *packets;
	size_t n_packets;
	struct xl_exec_dump *dump;
	size_t n_dump;
	const struct xl_engine *engine;
	uint64_t insn_limit, time_ns;
	uint32_t cpu, ifindex, rx_queue;

	json_t *json;		      /* what names point into */
	struct xl_exec_block *blocks; /* all that was allocated */
};

/* Reads a line. What the line holds of itself is valid until xl_exec_line_free(), which also takes
 * a line that failed: its name may be there then.
 *
 * Errors    -EINVAL: "maps[1]: init[0][1]: not hex digits"; -ENOMEM
 */
int xl_exec_line_read(const char *text, size_t len, const struct xl_exec_defaults *defaults,
		      struct xl_exec_line *out, struct xl_err *e);
void xl_exec_line_free(struct xl_exec_line *line);

/* Bytes of a value of @map as bpf(2) has it. */
size_t xl_exec_value_size(const struct xl_exec_map *map, uint32_t n_cpus);
/* Whether @map is asked for a value (bloom filter) and not for a key; and bytes of either. */
bool xl_exec_asks_for_value(const struct xl_exec_map *map);
size_t xl_exec_question_size(const struct xl_exec_map *map);

#endif
