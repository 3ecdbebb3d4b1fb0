#include "logs/rotate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static char *old_name(const char *path, int64_t number)
{
	return mem_format("%s.%lld", path, (long long)number);
}

static bool is_there(const char *path, int64_t number)
{
	char *name = old_name(path, number);
	struct stat st;
	bool yes = lstat(name, &st) == 0;

	free(name);
	return yes;
}

static int move(const char *path, int64_t from, int64_t to)
{
	char *source = from ? old_name(path, from) : mem_text(path);
	char *target = old_name(path, to);
	int rc = rename(source, target);

	free(source);
	free(target);
	return rc;
}

/* log_keep was larger once. */
static void remove_beyond(const char *path, int64_t keep)
{
	for (int64_t n = keep + 1; is_there(path, n); n++) {
		char *name = old_name(path, n);

		(void)unlink(name);
		free(name);
	}
}

int rotate(const char *path, int64_t keep, struct err *err)
{
	int64_t gap = 1;
	int rc = 0;

	remove_beyond(path, keep);
	while (gap < keep && is_there(path, gap))
		gap++;
	for (; keep && gap > 0 && rc == 0; gap--)
		rc = move(path, gap - 1, gap);
	if (!keep)
		rc = unlink(path);
	if (rc < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot move %s out of the way", path);
	return 0;
}
