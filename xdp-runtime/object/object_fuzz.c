/* Object files from hell: open, set globals, load and close, in a fresh runtime each time.
 *
 * Whatever the bytes are, nothing crashes, hangs or leaks, neither here nor in libelf and libbpf,
 * which trust what the border lets through.
 *
 * An ELF file is headers that point at headers; blind mutation mostly breaks the first one. The
 * mutator below therefore picks a section and changes something inside of it, in units of what
 * such a section holds, and lengths stay what they are.
 */
#include <bpf/btf.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xdp-runtime/object/object.h"
#include "xdp-runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A small kernel for CO-RE, so that no run reads the host's. */
static const char *kernel_btf(void)
{
	static char path[32];
	struct btf *btf;
	const void *raw;
	uint32_t len;
	int fd, u8, u32;

	if (*path)
		return path;
	btf = btf__new_empty();
	u8 = btf__add_int(btf, "unsigned char", 1, 0);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	btf__add_struct(btf, "iphdr", 44);
	btf__add_field(btf, "ihl", u8, 0, 4);
	btf__add_field(btf, "ttl", u8, 12 * 8, 0);
	btf__add_field(btf, "daddr", u32, 16 * 8, 0);
	btf__add_struct(btf, "xdp_md", 24);
	btf__add_field(btf, "data", u32, 0, 0);
	btf__add_field(btf, "data_end", u32, 32, 0);
	btf__add_struct(btf, "task_struct", 4);
	btf__add_field(btf, "no_such_member", u32, 0, 0);
	raw = btf__raw_data(btf, &len);
	fd = memfd_create("btf", 0);
	if (fd < 0 || write(fd, raw, len) != (ssize_t)len)
		abort();
	btf__free(btf);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* Huge maps are legal, and only cost time here. */
static int is_small(const struct xl_object *obj)
{
	if (obj->n_maps > 64 || obj->n_progs > 256)
		return 0;
	for (uint32_t i = 0; i < obj->n_maps; i++)
		if (obj->maps[i].max_entries > 1 << 16 || obj->maps[i].key_size > 1 << 16 ||
		    obj->maps[i].value_size > 1 << 16)
			return 0;
	return 1;
}

static void notice(void *arg, const char *text)
{
	*(volatile size_t *)arg += strlen(text);
}

static void run(struct xl_runtime *rt, const uint8_t *data, size_t size)
{
	static const char *const globals[][2] = {
		{ "threshold", "4294967295" },
		{ "label", "text" },
		{ "limits.rate[3]", "-1" },
		{ "limits.low", "3" },
		{ "limits.tag[2]", "0x7f" },
		{ "mode", "MODE_LOW" },
		{ "table", "hex:000102030405060708090a0b" },
		{ "enabled", "true" },
		{ "table[2]", "077" },
		{ "tiny", "-128" },
		{ "pointer", "1" },
		{ "counter", "18446744073709551615" },
	};
	volatile size_t heard = 0;
	unsigned sum = 0;
	struct xl_object_opts opts = { .notice = notice, .notice_arg = (void *)&heard };
	struct xl_object *obj;
	struct xl_err e = { 0 };

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	/* Without a given BTF some inputs read the host's, which is slow. */
	opts.btf_path = sum % 8 ? kernel_btf() : NULL;
	if (xl_object_open(rt, data, size, "fuzz.o", &opts, &obj, &e)) {
		if (!e.text[0] || strchr(e.text, '\n'))
			abort();
		return;
	}
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
		xl_object_set_global(obj, globals[i][0], globals[i][1], NULL);
	if (is_small(obj) && xl_object_load(obj, &e) && (!e.text[0] || strchr(e.text, '\n')))
		abort();
	for (uint32_t i = 0; i < obj->n_progs; i++)
		if (!obj->progs[i].prog && obj->progs[i].why_not)
			heard += strlen(obj->progs[i].why_not);
	xl_object_close(obj);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xl_runtime *rt;

	if (xl_runtime_create(&(struct xl_runtime_opts){ .n_cpus = 2, .seed = 1 }, &rt))
		return 0;
	run(rt, data, size);
	xl_runtime_destroy(rt);
	return 0;
}

#if defined(__has_feature)
#if __has_feature(coverage_sanitizer)
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static uint64_t next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* A number that likes to be wrong. */
static uint64_t odd_number(uint64_t *state, uint64_t old)
{
	static const uint64_t numbers[] = { 0,
					    1,
					    7,
					    8,
					    0x7f,
					    0xff,
					    0x7fffffff,
					    0xffffffff,
					    0x7fffffffffffffff,
					    0xffffffffffffffff };

	switch (next(state) % 5) {
	case 0:
		return numbers[next(state) % (sizeof(numbers) / sizeof(numbers[0]))];
	case 1:
		return old + next(state) % 17 - 8;
	case 2:
		return old ^ UINT64_C(1) << next(state) % 64;
	case 3:
		return next(state) % 64;
	}
	return old + (next(state) % 17 - 8) * 8;
}

/* Changes one aligned field of 1, 2, 4 or 8 bytes. */
static void change_field(uint8_t *at, size_t size, uint64_t *state)
{
	size_t width = (size_t)1 << next(state) % 4;
	uint64_t value = 0;

	if (size < width)
		return;
	at += next(state) % (size / width) * width;
	memcpy(&value, at, width);
	value = odd_number(state, value);
	memcpy(at, &value, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint64_t state = seed;
	unsigned n = 1 + (unsigned)(next(&state) % 4);
	Elf64_Ehdr eh;

	if (size < sizeof(eh) || next(&state) % 32 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(&eh, data, sizeof(eh));
	if (eh.e_shoff > size || eh.e_shnum > (size - eh.e_shoff) / sizeof(Elf64_Shdr))
		return LLVMFuzzerMutate(data, size, max_size);
	while (n--) {
		Elf64_Shdr sh;
		size_t i = eh.e_shnum ? next(&state) % eh.e_shnum : 0;
		uint8_t *header = data + eh.e_shoff + i * sizeof(sh);

		if (!i) {
			change_field(data, sizeof(eh), &state);
			continue;
		}
		memcpy(&sh, header, sizeof(sh));
		if (next(&state) % 8 == 0)
			change_field(header, sizeof(sh), &state);
		else if (sh.sh_type == SHT_NOBITS || sh.sh_offset > size ||
			 sh.sh_size > size - sh.sh_offset || !sh.sh_size)
			continue;
		else if (next(&state) % 4 == 0)
			LLVMFuzzerMutate(data + sh.sh_offset, sh.sh_size, sh.sh_size);
		else
			change_field(data + sh.sh_offset, sh.sh_size, &state);
	}
	return size;
}
#endif
#endif
