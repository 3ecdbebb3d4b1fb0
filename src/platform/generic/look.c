#include <errno.h>

#include "platform/platform.h"

int platform_look_open(struct glass *g, struct err *err)
{
	g->ends[0] = g->ends[1] = -1;
	return err_set(err, ENOTSUP, "this system cannot look into a pipe");
}

void platform_look_close(struct glass *g)
{
	(void)g;
}

long platform_look(const struct glass *g, int pipe, char *bytes, size_t most)
{
	(void)g;
	(void)pipe;
	(void)bytes;
	(void)most;
	errno = ENOTSUP;
	return -1;
}

void platform_look_skip(const struct glass *g, int pipe, size_t count)
{
	(void)g;
	(void)pipe;
	(void)count;
}

int platform_pipe_room(int pipe)
{
	(void)pipe;
	return OUTPUT_PIPE_ROOM;
}

long platform_look_end(const struct glass *g, const struct glass *copy, int pipe, char *bytes,
		       size_t most, size_t end)
{
	(void)copy;
	(void)end;
	return platform_look(g, pipe, bytes, most);
}

long platform_look_pour(const struct glass *copy, int fd, size_t count)
{
	(void)copy;
	(void)fd;
	(void)count;
	errno = ENOTSUP;
	return -1;
}
