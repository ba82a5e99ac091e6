/* For the loader's tests: the objects that the build made from testdata/, as bytes. */
#ifndef XL_XDP_RUNTIME_OBJECT_TEST_DATA_H
#define XL_XDP_RUNTIME_OBJECT_TEST_DATA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct test_bytes {
	uint8_t *data; /* exactly as large as the file, so that ASan sees a read past its end */
	size_t size;
};

static inline void test_object_path(const char *name, char *buf, size_t size)
{
	const char *dir = getenv("XL_TESTDATA");

	snprintf(buf, size, "%s/%s.o", dir ? dir : ".", name);
}

static inline struct test_bytes test_object(const char *name)
{
	struct test_bytes b = { 0 };
	char path[4096];
	FILE *f;

	test_object_path(name, path, sizeof(path));
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	fseek(f, 0, SEEK_END);
	b.size = (size_t)ftell(f);
	rewind(f);
	b.data = malloc(b.size);
	if (fread(b.data, 1, b.size, f) != b.size)
		exit(1);
	fclose(f);
	return b;
}

#endif
