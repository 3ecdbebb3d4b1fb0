/* What stands in for libFuzzer where there is none: every file that is named,
 * or lies in a directory that is named, goes through the target once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned inputs;

static int try_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, n = 1;

	if (!in) {
		perror(path);
		return -1;
	}
	while (n) {
		uint8_t *more = realloc(data, size + 65536);

		if (!more)
			abort();
		data = more;
		n = fread(data + size, 1, 65536, in);
		size += n;
	}
	(void)fclose(in);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	inputs++;
	return 0;
}

static int try_directory(const char *path, DIR *d)
{
	const struct dirent *e;
	char inner[4096];
	int rc = 0;

	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		rc |= try_file(inner);
	}
	(void)closedir(d);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);

		rc |= d ? try_directory(argv[i], d) : try_file(argv[i]);
	}
	(void)printf("%u inputs\n", inputs);
	return rc || !inputs;
}
