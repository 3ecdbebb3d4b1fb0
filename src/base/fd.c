#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

void fd_close(int *fd)
{
	int kept = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = kept;
}

/* close(2) of the last descriptor of a socket with SO_LINGER sleeps, also of a
 * non-blocking one. */
void fd_drop(int *fd)
{
	struct linger no = { 0 };

	if (*fd >= 0)
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &no, sizeof(no));
	fd_close(fd);
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int fd_non_blocking(int fd, int yes)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(fd, F_SETFL, yes ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

char *fd_read_file(const char *path, size_t limit)
{
	/* A FIFO in its place must not keep us: it is opened without waiting, and
	 * then refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct str text = { 0 };
	struct stat st;
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		fd_close(&fd);
		return NULL;
	}
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && text.length <= limit)
		str_add_n(&text, chunk, (size_t)n);
	if (text.length > limit)
		errno = EFBIG;
	fd_close(&fd);
	if (n < 0 || text.length > limit) {
		str_fini(&text);
		return NULL;
	}
	return str_take(&text);
}

int fd_write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

bool fd_try_write(int fd, const char *bytes, size_t length)
{
	while (length) {
		struct pollfd there = { .fd = fd, .events = POLLOUT };
		size_t piece = length < FD_WRITE_MOST ? length : FD_WRITE_MOST;
		ssize_t n;

		if (poll(&there, 1, 0) != 1 || !(there.revents & POLLOUT))
			return false;
		n = write(fd, bytes, piece);
		if (n < 0 && errno != EINTR)
			return false;
		bytes += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

int fd_replace_file(const char *path, const char *text, unsigned mode)
{
	char *beside = mem_format("%s.%ld.new", path, (long)getpid());
	int fd, rc = -1, why;

	(void)unlink(beside);	/* a crash may have left it, under the same pid */
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 && rename(beside, path) == 0)
		rc = 0;
	why = errno;
	if (fd >= 0 && rc < 0)
		(void)unlink(beside);
	fd_close(&fd);
	free(beside);
	errno = why;
	return rc;
}
