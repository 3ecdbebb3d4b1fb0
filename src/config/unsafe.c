#include "config/unsafe.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Of those beside the owner: a group is whom an ordinary user gave it to, but root
 * takes no commands from a group either. */
static mode_t others_write(void)
{
	return geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
}

const char *file_unsafe(const struct stat *st)
{
	bool open = S_ISREG(st->st_mode) && st->st_mode & others_write();

	if (geteuid() != 0)
		return open ? "can be written by anybody (chmod o-w)" : NULL;
	if (st->st_uid != 0)
		return "belongs to another user; root reads only what root alone may write "
		       "(chown root)";
	if (open)
		return "can be written by others; root reads only what root alone may write "
		       "(chmod go-w)";
	return NULL;
}

/* In a sticky directory (/tmp) nobody can replace what is not theirs. */
const char *directory_open(const struct stat *st)
{
	if (!(st->st_mode & others_write()) || st->st_mode & S_ISVTX)
		return NULL;
	return geteuid() == 0 ? "can be written by others, who could replace what is in it "
				"(chmod go-w)"
			      : "can be written by anybody, who could replace what is in it "
				"(chmod o-w)";
}

/* The owner of a directory can replace what is in it.  Asked of the nearest one
 * alone: in a user namespace those further up belong to nobody we know. */
static const char *directory_unsafe(const struct stat *st, bool nearest)
{
	const char *why = directory_open(st);

	if (!why && nearest && geteuid() == 0 && st->st_uid != 0 && !(st->st_mode & S_ISVTX))
		why = "belongs to another user, who could replace what is in it (chown root)";
	return why;
}

char *path_unsafe(const char *path)
{
	char *real = realpath(path, NULL), *found = NULL, *slash;
	const char *why;
	struct stat st;

	for (bool nearest = true; real && !found && (slash = strrchr(real, '/')); nearest = false) {
		*slash = '\0';
		if (stat(*real ? real : "/", &st) == 0 &&
		    (why = directory_unsafe(&st, nearest)))
			found = mem_format("lies in %s, which %s", *real ? real : "/", why);
	}
	free(real);
	return found;
}
