/* Claims about helpers on maps and strings, decided by the running kernel: the same random calls,
 * one program after the other, on maps that both sides keep. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/kernel_bpf.h"
#include "base/percpu.h"
#include "xdp-runtime/helpers/helper_calls_test.h"

enum {
	ARRAY,
	PERCPU_ARRAY,
	HASH,
	PERCPU_HASH,
	HASH_NO_PREALLOC,
	LRU_HASH,
	LRU_PERCPU_HASH,
	LPM_TRIE,
	N_KEYED,
	QUEUE = N_KEYED,
	STACK,
	BLOOM,
	DEVMAP,
	DEVMAP_HASH,
	CPUMAP,
	XSKMAP,
	PERF,
	N_MAPS
};

static const union bpf_attr attrs[N_MAPS] = {
	[ARRAY] = { .map_type = BPF_MAP_TYPE_ARRAY,
		    .key_size = 4,
		    .value_size = 8,
		    .max_entries = 4 },
	[PERCPU_ARRAY] = { .map_type = BPF_MAP_TYPE_PERCPU_ARRAY,
			   .key_size = 4,
			   .value_size = 8,
			   .max_entries = 4 },
	[HASH] = { .map_type = BPF_MAP_TYPE_HASH,
		   .key_size = 4,
		   .value_size = 8,
		   .max_entries = 3 },
	[PERCPU_HASH] = { .map_type = BPF_MAP_TYPE_PERCPU_HASH,
			  .key_size = 4,
			  .value_size = 8,
			  .max_entries = 5 },
	[HASH_NO_PREALLOC] = { .map_type = BPF_MAP_TYPE_HASH,
			       .key_size = 8,
			       .value_size = 8,
			       .max_entries = 3,
			       .map_flags = BPF_F_NO_PREALLOC },
	/* So large that nothing is evicted, which each kernel does in its own way. */
	[LRU_HASH] = { .map_type = BPF_MAP_TYPE_LRU_HASH,
		       .key_size = 4,
		       .value_size = 8,
		       .max_entries = 20000 },
	[LRU_PERCPU_HASH] = { .map_type = BPF_MAP_TYPE_LRU_PERCPU_HASH,
			      .key_size = 4,
			      .value_size = 8,
			      .max_entries = 20000 },
	[LPM_TRIE] = { .map_type = BPF_MAP_TYPE_LPM_TRIE,
		       .key_size = 8,
		       .value_size = 8,
		       .max_entries = 5,
		       .map_flags = BPF_F_NO_PREALLOC },
	[QUEUE] = { .map_type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 3 },
	[STACK] = { .map_type = BPF_MAP_TYPE_STACK, .value_size = 8, .max_entries = 3 },
	[BLOOM] = { .map_type = BPF_MAP_TYPE_BLOOM_FILTER,
		    .value_size = 8,
		    .max_entries = 20,
		    .map_flags = BPF_F_ZERO_SEED },
	[DEVMAP] = { .map_type = BPF_MAP_TYPE_DEVMAP,
		     .key_size = 4,
		     .value_size = 4,
		     .max_entries = 4 },
	[DEVMAP_HASH] = { .map_type = BPF_MAP_TYPE_DEVMAP_HASH,
			  .key_size = 4,
			  .value_size = 4,
			  .max_entries = 4 },
	[CPUMAP] = { .map_type = BPF_MAP_TYPE_CPUMAP,
		     .key_size = 4,
		     .value_size = 4,
		     .max_entries = 2 },
	[XSKMAP] = { .map_type = BPF_MAP_TYPE_XSKMAP,
		     .key_size = 4,
		     .value_size = 4,
		     .max_entries = 4 },
	[PERF] = { .map_type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
		   .key_size = 4,
		   .value_size = 4,
		   .max_entries = 4 },
};

static struct xt_map maps[N_MAPS];
static struct xt_env env = { .maps = maps, .n_maps = N_MAPS };
static struct xt_state in;

static uint32_t pick(const uint32_t *values, size_t n)
{
	return values[xt_random() % n];
}
#define PICK(...)                               \
	pick((const uint32_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Keys 0..7 at io+0, of which two in a row are one of 8 bytes; values at io+64; results of pop at io+256. */
static int make_maps(void **state)
{
	const uint32_t zero = 0, three = 3, lo = 1, qsize = 64;

	for (int i = 0; i < N_MAPS; i++)
		maps[i] = xt_map_create(&attrs[i]);
	xt_map_update(&maps[DEVMAP], &three, &lo);
	xt_map_update(&maps[DEVMAP_HASH], &three, &lo);
	xt_map_update(&maps[CPUMAP], &zero, &qsize);
	xt_packet(&in, 64);
	for (uint32_t i = 0; i < 8; i++)
		memcpy(in.io + 4 * i, &i, sizeof(i));
	for (uint32_t i = 64; i < 256; i++)
		in.io[i] = (uint8_t)i;
	return 0;
}

static int free_maps(void **state)
{
	for (int i = 0; i < N_MAPS; i++)
		xt_map_destroy(&maps[i]);
	return 0;
}

static struct xt_call random_map_call(void)
{
	const struct xt_arg map = MAP(xt_random() % N_KEYED), line = MAP(QUEUE + xt_random() % 2),
			    keyless = MAP(QUEUE + xt_random() % 3);
	const struct xt_arg key = IO(4 * (xt_random() % 8)),
			    value = IO(64 + xt_random() % 128 / 8 * 8);
	const struct xt_arg popped = IO(256 + xt_random() % 8 * 8);
	const struct xt_arg flags = xt_random() % 8 ? IMM(PICK(BPF_ANY, BPF_NOEXIST, BPF_EXIST))
						    : IMM(PICK(3, 4, 8, 64, UINT32_MAX));

	switch (xt_random() % 8) {
	case 0:
	case 1:
		return (struct xt_call){ BPF_FUNC_map_lookup_elem, { map, key } };
	case 2:
	case 3:
		return (struct xt_call){ BPF_FUNC_map_update_elem, { map, key, value, flags } };
	case 4:
		return (struct xt_call){ BPF_FUNC_map_delete_elem, { map, key } };
	case 5:
		return (struct xt_call){ BPF_FUNC_map_push_elem, { keyless, value, flags } };
	case 6:
		if (xt_random() % 2)
			return (struct xt_call){ BPF_FUNC_map_pop_elem, { line, popped } };
		return (struct xt_call){ BPF_FUNC_map_peek_elem, { keyless, popped } };
	default:
		return (struct xt_call){ BPF_FUNC_map_lookup_percpu_elem,
					 { MAP(PICK(PERCPU_ARRAY, PERCPU_HASH, LRU_PERCPU_HASH)),
					   key, IMM(PICK(0, 0, 1, 64, 4096, UINT32_MAX)) } };
	}
}

static void map_calls_do_what_the_kernels_do(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	for (int round = 0; round < 500; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++)
			calls[i] = random_map_call();
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
}

static void redirects_answer_as_the_kernels_do(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	for (int round = 0; round < 300; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
			const uint64_t high = xt_random() % 16 ? 0 : UINT64_C(1) << 32;
			const uint64_t flags =
				PICK(0, 1, 2, 3, 4, 5, 8, BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS,
				     BPF_F_BROADCAST | 2, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);

			calls[i] = xt_random() % 4
					   ? (struct xt_call){ BPF_FUNC_redirect_map,
							       { MAP(DEVMAP + xt_random() % 4),
								 IMM(PICK(0, 1, 3, 4, UINT32_MAX) |
								     high),
								 IMM(flags | high) } }
					   : (struct xt_call){ BPF_FUNC_redirect,
							       { IMM(PICK(0, 1, 99)),
								 IMM(PICK(0, 0, 1) | high) } };
		}
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
}

static void perf_events_without_a_reader_fail_as_the_kernels_do(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	for (int round = 0; round < 100; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
			uint64_t flags = PICK(0, 1, 3, 4, UINT32_MAX, INT32_MAX);

			flags |= (uint64_t)PICK(0, 1, 64, 65, 0xfffff, 0x100000, 1u << 31) << 32;
			calls[i] = (struct xt_call){ BPF_FUNC_perf_event_output,
						     { CTX, MAP(PERF), IMM(flags), IO(64),
						       IMM(xt_random() % 64) } };
		}
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
}

/* Numbers and what nearly is one. */
static void random_number_text(char *out, size_t size)
{
	static const char *const parts[] = { " ",
					     "\t",
					     "-",
					     "+",
					     "0x",
					     "0X",
					     "0",
					     "00",
					     "7",
					     "8",
					     "12",
					     "ff",
					     "G",
					     "z",
					     "\n",
					     "9223372036854775807",
					     "9223372036854775808",
					     "18446744073709551615",
					     "18446744073709551616",
					     "7fffffffffffffff",
					     "ffffffffffffffff",
					     "99999999999999999999999",
					     "-0",
					     "777777777777777777777",
					     "\xa0",
					     "" };
	const uint32_t n = 1 + xt_random() % 4;

	memset(out, 0, size);
	for (uint32_t i = 0; i < n; i++)
		strcat(out, parts[xt_random() % (sizeof(parts) / sizeof(parts[0]))]);
}

static void numbers_are_parsed_as_the_kernel_parses(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	for (int round = 0; round < 400; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
			const uint32_t text = 512 + 128 * i, result = 3000 + 8 * i;
			const uint64_t flags = PICK(0, 0, 8, 10, 10, 16, 16, 2, 36, 64, 31);
			uint32_t len;

			random_number_text((char *)in.io + text, 128);
			len = (uint32_t)strlen((char *)in.io + text);
			len = xt_random() % 4 && len ? len : 1 + xt_random() % 128;
			calls[i] =
				(struct xt_call){ xt_random() % 2 ? BPF_FUNC_strtol
								  : BPF_FUNC_strtoul,
						  { IO(text), IMM(len), IMM(flags), IO(result) } };
		}
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
}

static void strings_compare_as_in_the_kernel(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	env.text = "abc\xe9xyz";
	for (int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++) {
			char *text = (char *)in.io + 512 + 16 * i;

			memcpy(text, env.text, 8);
			if (xt_random() % 4)
				text[xt_random() % 8] = (char)PICK('a', 'b', 0, 0xff, 0xe8, 0x20);
			calls[i] = (struct xt_call){ BPF_FUNC_strncmp,
						     { IO(512 + 16 * i), IMM(1 + xt_random() % 16),
						       TEXT } };
		}
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
	env.text = NULL;
}

/* Reads of what is the program's own; anything else is another matter here than in the kernel. */
static void memory_is_probed_as_in_the_kernel(void **state)
{
	struct xt_call calls[XT_CALLS_MAX];

	for (int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < XT_CALLS_MAX; i++)
			calls[i] = (struct xt_call){
				PICK(BPF_FUNC_probe_read_kernel, BPF_FUNC_probe_read_kernel_str),
				{ IO(2048 + xt_random() % 512), IMM(xt_random() % 512),
				  xt_random() % 8 ? IO(xt_random() % 1500) : IMM(PICK(0, 1, 4096)) }
			};
		xt_compare(&env, calls, XT_CALLS_MAX, &in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_calls_do_what_the_kernels_do),
		cmocka_unit_test(redirects_answer_as_the_kernels_do),
		cmocka_unit_test(perf_events_without_a_reader_fail_as_the_kernels_do),
		cmocka_unit_test(numbers_are_parsed_as_the_kernel_parses),
		cmocka_unit_test(strings_compare_as_in_the_kernel),
		cmocka_unit_test(memory_is_probed_as_in_the_kernel),
	};
	cpu_set_t cpus;

	if (!xl_kernel_bpf_usable()) {
		fprintf(stderr, "helpers_map_kernel_test: skipped: may not load XDP programs\n");
		return 77;
	}
	/* Per-CPU values are seen from CPU 0 on both sides. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
		fprintf(stderr, "helpers_map_kernel_test: skipped: may not run on CPU 0\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, make_maps, free_maps);
}
