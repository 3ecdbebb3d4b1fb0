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

static struct list *all_files(void)
{
	static struct list all;

	if (!all.next)
		list_init(&all);
	return &all;
}

static struct executable_file *same_file(const struct executable_file *f)
{
	list_each(other, all_files(), struct executable_file, node)
		if (other->inode == f->inode && other->device == f->device &&
		    strcmp(other->path, f->path) == 0 && strcmp(other->word, f->word) == 0)
			return other;
	return NULL;
}

static struct {
	void (*closing)(unsigned kept, void *ctx);
	void *ctx;
} owner;

void executable_on_close(void (*closing)(unsigned kept, void *ctx), void *ctx)
{
	owner.closing = closing;
	owner.ctx = ctx;
}

static void file_free(struct executable_file *f)
{
	if (f->kept && owner.closing)
		owner.closing(f->kept, owner.ctx);
	list_remove(&f->node);
	free(f->word);
	free(f->path);
	fd_close(&f->fd);
	free(f);
}

static struct executable_file *file_new(const char *word, const char *path, int fd)
{
	struct executable_file *f = MEM_NEW(struct executable_file);
	struct stat st;

	list_init(&f->node);
	f->word = mem_text(word);
	f->path = mem_text(path);
	f->fd = fd;
	if (f->fd >= 0 && fstat(f->fd, &st) == 0) {
		f->device = st.st_dev;
		f->inode = st.st_ino;
	}
	return f;
}

void executable_hold(struct executable *e, const char *word, const char *path)
{
	struct executable_file *known;

	if (e->file)
		return;
	e->file = file_new(word, path,
			   is_script(path) ? -1 : open(path, TO_EXECUTE | O_CLOEXEC));
	known = e->file->inode ? same_file(e->file) : NULL;
	if (known) {
		file_free(e->file);
		e->file = known;
	} else {
		list_append(all_files(), &e->file->node);
	}
	e->file->references++;
}

static struct executable_file *by_number(unsigned kept)
{
	list_each(f, all_files(), struct executable_file, node)
		if (f->kept == kept)
			return f;
	return NULL;
}

void executable_revive(struct executable *e, const char *word, const char *path, unsigned kept,
		       int *fd)
{
	struct executable_file *f = by_number(kept);

	if (e->file || (!f && *fd < 0))
		return;
	if (!f) {
		f = file_new(word, path, fd_take(fd));
		f->kept = kept;
		list_append(all_files(), &f->node);
	}
	e->file = f;
	f->references++;
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
	if (f && !--f->references)
		file_free(f);
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
