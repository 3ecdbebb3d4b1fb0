#include "cli/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/mem.h"

enum { BLOCK = 65536 };

/* The files from the newest on, as far as lines were wanted. */
struct chain {
	int *fds;
	size_t count;
};

void log_reader_init(struct log_reader *r, const char *path)
{
	*r = (struct log_reader){ .path = mem_text(path), .fd = -1 };
}

void log_reader_fini(struct log_reader *r)
{
	fd_close(&r->fd);
	free(r->path);
}

static bool same(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* FILE, FILE.1, …; -1 and errno. */
static int open_number(const struct log_reader *r, size_t number)
{
	char *name = number ? mem_format("%s.%zu", r->path, number) : mem_text(r->path);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), why = errno;

	free(name);
	errno = why;
	return fd;
}

/* Into a file without a name, so that it can be read backwards. */
static int unpack(gzFile from)
{
	FILE *file = tmpfile();
	int fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 0) : -1, n;
	char bytes[BLOCK];

	while (fd >= 0 && (n = gzread(from, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			fd_close(&fd);
	if (file)
		(void)fclose(file);
	return fd;
}

/* FILE.1.gz, …; -1 and errno. */
static int open_packed(const struct log_reader *r, size_t number)
{
	char *name = mem_format("%s.%zu.gz", r->path, number);
	gzFile from = gzopen(name, "rbe");
	int fd = from ? unpack(from) : -1, why = errno;

	if (from)
		(void)gzclose(from);
	free(name);
	errno = why;
	return fd;
}

typedef int open_fn(const struct log_reader *r, size_t number);

static int open_either(const struct log_reader *r, size_t number)
{
	int fd = open_number(r, number);

	return fd < 0 && errno == ENOENT ? open_packed(r, number) : fd;
}

/* The next one from *number on: where one is missing it is just being moved. */
static int open_next(const struct log_reader *r, size_t *number, open_fn *how)
{
	int fd = how(r, *number);

	if (fd < 0 && errno == ENOENT)
		fd = how(r, ++*number);
	return fd;
}

/* Where the last lines of a file begin; *lines becomes how many are still wanted. */
static off_t begin_of_last(int fd, int64_t *lines)
{
	off_t end = lseek(fd, 0, SEEK_END), at = *lines > 0 ? end : 0;
	char bytes[BLOCK];

	if (*lines <= 0)
		return end;
	while (at > 0) {
		size_t count = at < BLOCK ? (size_t)at : BLOCK;

		if (pread(fd, bytes, count, at - (off_t)count) != (ssize_t)count)
			return 0;
		for (; count; count--, at--)
			if (bytes[count - 1] == '\n' && at != end && --*lines == 0)
				return at;
	}
	*lines -= end > 0;
	return 0;
}

static void add_all(int fd, struct str *out)
{
	char bytes[BLOCK];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		str_add_n(out, bytes, (size_t)n);
}

/* From the newest back as far as lines are wanted; one that was turned over between
 * two looks is not taken twice.  0, or errno: there are no more. */
static int open_chain(const struct log_reader *r, int64_t lines, struct chain *c)
{
	for (size_t i = 0; !i || lines > 0; i++) {
		int fd = open_next(r, &i, open_either);

		if (fd < 0)
			return errno;
		if (c->count && same(fd, c->fds[c->count - 1])) {
			fd_close(&fd);
			continue;
		}
		(void)lseek(fd, begin_of_last(fd, &lines), SEEK_SET);
		c->fds = mem_grow(c->fds, c->count + 1, sizeof(*c->fds));
		c->fds[c->count++] = fd;
	}
	return 0;
}

int log_reader_last(struct log_reader *r, int64_t lines, struct str *out, struct err *err)
{
	struct chain c = { 0 };
	int why = open_chain(r, lines, &c);

	for (size_t i = c.count; i-- > 0;) {
		add_all(c.fds[i], out);
		if (i)
			fd_close(&c.fds[i]);
	}
	r->fd = c.count ? c.fds[0] : -1;
	free(c.fds);
	return why && why != ENOENT ? err_sys(err, why, "cannot read %s", r->path) : 0;
}

/* What was made after the one that we read: the oldest of them, as far as they are not
 * packed; -1: none. */
static int successor(const struct log_reader *r)
{
	int newer = open_number(r, 0), fd;

	if (newer < 0 || r->fd < 0)
		return newer;
	if (same(newer, r->fd)) {
		fd_close(&newer);
		return -1;
	}
	for (size_t i = 1; (fd = open_next(r, &i, open_number)) >= 0; i++) {
		bool ours = same(fd, r->fd);

		fd_close(ours ? &fd : &newer);
		if (ours)
			break;
		newer = fd;
	}
	return newer;
}

/* A rotator may have cut it off in place of moving it. */
static void begin_again_if_cut(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && lseek(fd, 0, SEEK_CUR) > st.st_size)
		(void)lseek(fd, 0, SEEK_SET);
}

bool log_reader_more(struct log_reader *r, struct str *out)
{
	size_t before = out->length;
	int next;

	if (r->fd >= 0) {
		begin_again_if_cut(r->fd);
		add_all(r->fd, out);
	}
	if (out->length > before)
		return true;
	next = successor(r);
	if (next < 0)
		return false;
	if (r->fd >= 0)
		add_all(r->fd, out);	/* what came before it was moved */
	fd_close(&r->fd);
	r->fd = next;
	return true;
}
