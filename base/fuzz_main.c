/* Replays a corpus through a fuzz target: every file named on the command line, and every file
 * in every folder named there. This is the main() of a fuzz target in ordinary builds, so that
 * each input that a fuzzer ever found stays a test.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, unsigned *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!f || fstat(fileno(f), &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	/* Exactly as large as the file, so that ASan sees a read past its end. */
	data = malloc((size_t)st.st_size ? (size_t)st.st_size : 1);
	if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		fprintf(stderr, "%s: short read\n", path);
		exit(1);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	(*n)++;
	return 0;
}

static int replay(const char *path, unsigned *n)
{
	struct dirent *entry;
	char child[4096];
	int bad = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return replay_file(path, n);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		bad |= replay(child, n);
	}
	closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned n = 0;
	int bad = 0;

	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i], &n);
	printf("%u inputs replayed\n", n);
	return bad || !n;
}
