#include <errno.h>
#include <stddef.h>

#include "platform/platform.h"

int platform_edges_open(void)
{
	errno = ENOTSUP;
	return -1;
}

int platform_edges_add(int set, int fd, void *tag)
{
	(void)set;
	(void)fd;
	(void)tag;
	errno = ENOTSUP;
	return -1;
}

void platform_edges_remove(int set, int fd)
{
	(void)set;
	(void)fd;
}

void *platform_edges_next(int set)
{
	(void)set;
	return NULL;
}
