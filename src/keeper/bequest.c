#include "keeper/bequest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper/hold.h"
#include "platform/process.h"

/* An owner may have closed it before it tells so, and the number be another's. */
static int open_one(const struct custody_item *i)
{
	if (!*i->what || i->fd >= 0)
		return i->fd;
	return i->open >= 0 && custody_inode(i->open) == i->inode ? i->open : -1;
}

int bequest_each(const struct custody *c, int (*see)(int number, int fd, const char *what, void *ctx),
		 void *ctx)
{
	int rc = 0;

	for (size_t n = 1; rc == 0 && n < c->count; n++)
		if (open_one(&c->items[n]) >= 0)
			rc = see((int)n, open_one(&c->items[n]), c->items[n].what, ctx);
	return rc;
}

static int write_one(int number, int fd, const char *what, void *ctx)
{
	struct hold_left left = { .number = number, .fd = fd };

	memcpy(left.what, what, sizeof(left.what));
	return write(*(int *)ctx, &left, sizeof(left)) == (ssize_t)sizeof(left) ? 0 : -1;
}

static int set_flag(int number, int fd, const char *what, void *ctx)
{
	(void)number;
	(void)what;
	(void)fcntl(fd, F_SETFD, *(int *)ctx);
	return 0;
}

static void close_on_exec(const struct custody *c, int file, int flag)
{
	(void)fcntl(file, F_SETFD, flag);
	(void)bequest_each(c, set_flag, &flag);
}

int bequest_write(const struct custody *c, struct err *err)
{
	int file = platform_anonymous_file("holdport-left");

	if (file < 0 || bequest_each(c, write_one, &file) < 0) {
		(void)err_sys(err, errno, "cannot write down what is held");
		fd_close(&file);
		return -1;
	}
	close_on_exec(c, file, 0);
	return file;
}

void bequest_undo(const struct custody *c, int *file)
{
	if (*file >= 0)
		close_on_exec(c, *file, FD_CLOEXEC);
	fd_close(file);
}
