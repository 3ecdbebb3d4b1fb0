#include "logs/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "logs/rotate.h"

enum { PIECE = 65536, FIRST = 2 };

void pack_init(struct pack *p)
{
	*p = (struct pack){ .from = -1 };
}

void pack_stop(struct pack *p)
{
	if (p->to)
		(void)gzclose(p->to);
	if (p->draft)
		(void)unlink(p->draft);
	free(p->draft);
	fd_close(&p->from);
	pack_init(p);
}

static int open_number(const char *path, int64_t number)
{
	char *name = rotated_name(path, number, "");
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

	free(name);
	return fd;
}

/* -1: there is none, or it is not a file of ours alone. */
static int open_plain(const char *path, int64_t number)
{
	int fd = open_number(path, number);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1))
		fd_close(&fd);
	return fd;
}

/* The oldest that is not packed.  One that cannot be is left alone. */
static bool begin(struct pack *p, const char *path, int64_t keep)
{
	int out;

	for (int64_t n = keep; n >= FIRST && p->from < 0; n--)
		p->from = open_plain(path, n);
	if (p->from < 0)
		return false;
	p->draft = mem_format("%s.packing", path);
	(void)unlink(p->draft);
	out = open(p->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	p->to = out >= 0 ? gzdopen(out, "wb") : NULL;
	if (!p->to) {
		fd_close(&out);
		pack_stop(p);
	}
	return p->to;
}

/* Where it is by now: it may have been moved on since it was begun. */
static int64_t number_of(const struct pack *p, const char *path, int64_t keep)
{
	struct stat ours, other;
	int64_t n;

	if (fstat(p->from, &ours) < 0)
		return 0;
	for (n = keep; n > 0; n--) {
		char *name = rotated_name(path, n, "");
		bool same = lstat(name, &other) == 0 && other.st_ino == ours.st_ino &&
			    other.st_dev == ours.st_dev;

		free(name);
		if (same)
			break;
	}
	return n;
}

/* The packed one is there before the other goes. */
static bool finish(struct pack *p, const char *path, int64_t keep)
{
	int64_t number = number_of(p, path, keep);
	char *plain = rotated_name(path, number, "");
	char *packed = rotated_name(path, number, ROTATE_PACKED);
	bool whole = gzclose(p->to) == Z_OK;

	p->to = NULL;
	whole = whole && number && rename(p->draft, packed) == 0;
	if (whole)
		(void)unlink(plain);
	free(plain);
	free(packed);
	pack_stop(p);
	return whole;
}

bool pack_some(struct pack *p, const char *path, int64_t keep)
{
	char bytes[PIECE];
	ssize_t n;

	if (!p->to && !begin(p, path, keep))
		return false;
	n = read(p->from, bytes, sizeof(bytes));
	if (n == 0)
		return finish(p, path, keep);
	if (n > 0 && gzwrite(p->to, bytes, (unsigned)n) == n)
		return true;
	pack_stop(p);
	return false;
}
