#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

int platform_look_open(struct glass *g, struct err *err)
{
	if (pipe2(g->ends, O_CLOEXEC | O_NONBLOCK) == 0)
		return 0;
	g->ends[0] = g->ends[1] = -1;
	return err_sys(err, errno, "cannot make a pipe to look into others with");
}

void platform_look_close(struct glass *g)
{
	fd_close(&g->ends[0]);
	fd_close(&g->ends[1]);
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
