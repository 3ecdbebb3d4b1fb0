#include "logs/rotate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"

char *rotated_name(const char *path, int64_t number, const char *suffix)
{
	return mem_format("%s.%lld%s", path, (long long)number, suffix);
}

static const char *const forms[] = { "", ROTATE_PACKED };

static bool is_there(const char *path, int64_t number)
{
	struct stat st;
	bool yes = false;

	for (size_t i = 0; i < COUNT(forms); i++) {
		char *name = rotated_name(path, number, forms[i]);

		yes = yes || lstat(name, &st) == 0;
		free(name);
	}
	return yes;
}

static int move_form(const char *path, int64_t from, const char *form)
{
	char *source = rotated_name(path, from, form);
	char *target = rotated_name(path, from + 1, form);
	int rc = rename(source, target);

	free(source);
	free(target);
	return rc;
}

static void remove_number(const char *path, int64_t number)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		char *name = rotated_name(path, number, forms[i]);

		(void)unlink(name);
		free(name);
	}
}

/* In each of its forms; what is not there need not be moved. */
static int move(const char *path, int64_t from)
{
	int rc = 0;

	remove_number(path, from + 1);
	for (size_t i = 0; i < COUNT(forms) && rc == 0; i++)
		rc = move_form(path, from, forms[i]) < 0 && errno != ENOENT ? -1 : 0;
	return rc;
}

static int move_first(const char *path)
{
	char *target = rotated_name(path, 1, "");
	int rc = rename(path, target);

	free(target);
	return rc;
}

/* log_keep was larger once. */
static void remove_beyond(const char *path, int64_t keep)
{
	for (int64_t n = keep + 1; is_there(path, n); n++)
		remove_number(path, n);
}

int rotate(const char *path, int64_t keep, struct err *err)
{
	int64_t gap = 1;
	int rc = 0;

	remove_beyond(path, keep);
	while (gap < keep && is_there(path, gap))
		gap++;
	for (; keep && gap > 1 && rc == 0; gap--)
		rc = move(path, gap - 1);
	if (keep && rc == 0)
		remove_number(path, 1);
	if (rc == 0)
		rc = keep ? move_first(path) : unlink(path);
	if (rc < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot move %s out of the way", path);
	return 0;
}
