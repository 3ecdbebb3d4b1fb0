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

static int write_left(const struct custody *c, int file)
{
	struct hold_left left;

	for (size_t n = 1; n < c->count; n++) {
		left = (struct hold_left){ .number = (int64_t)n, .fd = open_one(&c->items[n]) };
		memcpy(left.what, c->items[n].what, sizeof(left.what));
		if (left.fd >= 0 && write(file, &left, sizeof(left)) != (ssize_t)sizeof(left))
			return -1;
	}
	return 0;
}

static void close_on_exec(const struct custody *c, int file, int flag)
{
	(void)fcntl(file, F_SETFD, flag);
	for (size_t n = 1; n < c->count; n++)
		if (open_one(&c->items[n]) >= 0)
			(void)fcntl(open_one(&c->items[n]), F_SETFD, flag);
}

int bequest_write(const struct custody *c, struct err *err)
{
	int file = platform_anonymous_file("holdport-left");

	if (file < 0 || write_left(c, file) < 0) {
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
