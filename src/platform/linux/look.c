#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

int platform_look_open(struct glass *g, struct err *err)
{
	*g = (struct glass){ { -1, -1 }, -1 };
	if (pipe2(g->ends, O_CLOEXEC | O_NONBLOCK) == 0 &&
	    (g->away = open("/dev/null", O_WRONLY | O_CLOEXEC)) >= 0)
		return 0;
	(void)err_sys(err, errno, "cannot make a pipe to look into others with");
	platform_look_close(g);
	return -1;
}

void platform_look_close(struct glass *g)
{
	fd_close(&g->ends[0]);
	fd_close(&g->ends[1]);
	fd_close(&g->away);
}

/* tee(2) refers to the pages of the one from the other: what is copied is read once. */
long platform_look(const struct glass *g, int pipe, char *bytes, size_t most)
{
	ssize_t there = tee(pipe, g->ends[1], most, SPLICE_F_NONBLOCK), n = 0, got = 0;

	if (there < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	while (got < there && (n = read(g->ends[0], bytes + got, (size_t)(there - got))) > 0)
		got += n;
	return n < 0 ? -1 : (long)got;
}

/* Nothing of it is copied: its pages are let go. */
void platform_look_skip(const struct glass *g, int pipe, size_t count)
{
	ssize_t n = 1;

	while (count && n > 0) {
		n = splice(pipe, NULL, g->away, NULL, count, SPLICE_F_NONBLOCK);
		count -= n > 0 ? (size_t)n : 0;
	}
}

int platform_pipe_room(int pipe)
{
	int room = fcntl(pipe, F_GETPIPE_SZ);

	return room > 0 ? room : OUTPUT_PIPE_ROOM;
}

static void pour_away(const struct glass *g, size_t count)
{
	platform_look_skip(g, g->ends[0], count);
}

long platform_look_end(const struct glass *g, const struct glass *copy, int pipe, char *bytes,
		       size_t most, size_t end)
{
	ssize_t there = tee(pipe, copy->ends[1], most, SPLICE_F_NONBLOCK), seen, got = 0, n;
	size_t skip;

	if (there <= 0)
		return there;
	seen = tee(pipe, g->ends[1], (size_t)there, SPLICE_F_NONBLOCK);
	skip = (size_t)there > end ? (size_t)there - end : 0;
	if (seen == there) {
		pour_away(g, skip);
		for (got = (ssize_t)skip; got < there; got += n)
			if ((n = read(g->ends[0], bytes + got, (size_t)(there - got))) <= 0)
				break;
	} else if (seen > 0) {
		pour_away(g, (size_t)seen);
	}
	if (got == there)
		return there;
	pour_away(copy, (size_t)there);
	return 0;
}

long platform_look_pour(const struct glass *copy, int fd, size_t count)
{
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	size_t done = 0;
	ssize_t n = 1;

	if (fd < 0) {
		pour_away(copy, count);
		return (long)count;
	}
	while (end >= 0 && done < count && n > 0) {
		n = splice(copy->ends[0], NULL, fd, &end, count - done, 0);
		done += n > 0 ? (size_t)n : 0;
	}
	return done ? (long)done : -1;
}
