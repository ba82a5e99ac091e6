/* For tests: the same helper calls, made by the kernel and by us, must have the same effects.
 *
 * A list of calls becomes a small XDP program, which the kernel runs on a packet; the same list
 * is made with our functions on a frame. What can be seen afterwards is compared: each r0, the
 * io area (memory that both sides pass to helpers), the packet and its metadata.
 */
#ifndef XL_XDP_RUNTIME_HELPER_CALLS_TEST_H
#define XL_XDP_RUNTIME_HELPER_CALLS_TEST_H

#include <stddef.h>
#include <stdint.h>

#include "maps/map.h"
#include "xdp-runtime/run.h"

#define XT_IO_SIZE     4096
#define XT_CALLS_MAX   16
#define XT_PACKET_SIZE 16384

enum xt_arg_kind { XT_IMM, XT_CTX, XT_IO, XT_MAP, XT_TEXT };

struct xt_arg {
	enum xt_arg_kind kind;
	uint64_t v; /* the number; offset in io or text; index of the map */
};
#define IMM(x)	((struct xt_arg){ XT_IMM, (uint64_t)(x) })
#define IO(off) ((struct xt_arg){ XT_IO, off })
#define CTX	((struct xt_arg){ XT_CTX, 0 })
#define MAP(i)	((struct xt_arg){ XT_MAP, i })
#define TEXT	((struct xt_arg){ XT_TEXT, 0 }) /* env->text */

/* Not a helper: stores argument 2 at argument 1, so that io can hold pointers. Such 8 bytes are
 * zero when memory is compared. */
#define XT_STORE 0

struct xt_call {
	int32_t func;
	struct xt_arg arg[5];
};

struct xt_map {
	int fd; /* the kernel's */
	struct xl_map *ours;
};

/* What goes in and what comes out. */
struct xt_state {
	uint8_t io[XT_IO_SIZE];
	uint64_t r0[XT_CALLS_MAX]; /* lookups: the first 4 bytes of the value, ~0 for NULL */
	uint8_t packet[XT_PACKET_SIZE];
	uint32_t len;
	uint32_t meta_len;
};

struct xt_env {
	const struct xt_map *maps;
	uint32_t n_maps;
	const char *note; /* printed with a difference */
	const char *text; /* for TEXT: what a program would have in .rodata */
	bool quiet;	  /* a refused program is no surprise */
	uint32_t ifindex; /* the packet came in by it; 0: the kernel's default, lo */
	struct xl_runtime *rt;
	struct xl_run_sinks sinks;
	struct xl_redirect redirect; /* out: ours */
};

/* Makes the maps of both sides from the same attributes. */
struct xt_map xt_map_create(const union bpf_attr *attr);
void xt_map_destroy(struct xt_map *map);
/* Writes an element on both sides. */
void xt_map_update(const struct xt_map *map, const void *key, const void *value);

/* Runs @calls in the kernel; false, with its log on stderr, if it refuses the program. */
bool xt_run_kernel(const struct xt_env *env, const struct xt_call *calls, uint32_t n,
		   const struct xt_state *in, struct xt_state *out);
void xt_run_ours(struct xt_env *env, const struct xt_call *calls, uint32_t n,
		 const struct xt_state *in, struct xt_state *out);
/* Both, and fails the test when they differ. */
void xt_compare(struct xt_env *env, const struct xt_call *calls, uint32_t n,
		const struct xt_state *in);

/* A packet of @len bytes that all differ from their neighbours; the rest is zero. */
void xt_packet(struct xt_state *s, uint32_t len);
uint32_t xt_random(void); /* the same in each run */

#endif
