#include "process/executable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* Enough to execute a file, also one that may not be read. */
#ifdef O_PATH
enum { TO_EXECUTE = O_PATH };
#else
enum { TO_EXECUTE = O_RDONLY };
#endif

static bool is_script(const char *path)
{
	char start[2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, start, sizeof(start)) : -1;

	fd_close(&fd);
	return n == (ssize_t)sizeof(start) && memcmp(start, "#!", sizeof(start)) == 0;
}

void executable_hold(struct executable *e, const char *word, const char *path)
{
	if (e->word)
		return;
	e->word = mem_text(word);
	e->path = mem_text(path);
	e->fd = is_script(path) ? -1 : open(path, TO_EXECUTE | O_CLOEXEC);
}

void executable_copy(const struct executable *e, struct executable *ret)
{
	*ret = EXECUTABLE_NONE;
	if (!e->word)
		return;
	ret->word = mem_text(e->word);
	ret->path = mem_text(e->path);
	ret->fd = e->fd >= 0 ? fcntl(e->fd, F_DUPFD_CLOEXEC, 0) : -1;
}

void executable_let_go(struct executable *e)
{
	free(e->word);
	free(e->path);
	fd_close(&e->fd);
	*e = EXECUTABLE_NONE;
}

bool executable_only_here(const struct executable *e, const char *word)
{
	struct stat held, there;

	if (!e->word || e->fd < 0 || strcmp(e->word, word) != 0 || fstat(e->fd, &held) < 0)
		return false;
	return stat(e->path, &there) < 0 || there.st_dev != held.st_dev ||
	       there.st_ino != held.st_ino;
}
