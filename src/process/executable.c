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
	if (e->file)
		return;
	e->file = MEM_NEW(struct executable_file);
	*e->file = (struct executable_file){
		.references = 1,
		.word = mem_text(word),
		.path = mem_text(path),
		.fd = is_script(path) ? -1 : open(path, TO_EXECUTE | O_CLOEXEC),
	};
}

void executable_copy(const struct executable *e, struct executable *ret)
{
	*ret = *e;
	if (ret->file)
		ret->file->references++;
}

void executable_let_go(struct executable *e)
{
	struct executable_file *f = e->file;

	*e = EXECUTABLE_NONE;
	if (!f || --f->references)
		return;
	free(f->word);
	free(f->path);
	fd_close(&f->fd);
	free(f);
}

bool executable_only_here(const struct executable *e, const char *word)
{
	const struct executable_file *f = e->file;
	struct stat held, there;

	if (!f || f->fd < 0 || strcmp(f->word, word) != 0 || fstat(f->fd, &held) < 0)
		return false;
	return stat(f->path, &there) < 0 || there.st_dev != held.st_dev ||
	       there.st_ino != held.st_ino;
}
