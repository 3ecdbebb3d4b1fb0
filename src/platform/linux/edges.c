#include <sys/epoll.h>

#include "platform/platform.h"

int platform_edges_open(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

int platform_edges_add(int set, int fd, void *tag)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data = { .ptr = tag } };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

void platform_edges_remove(int set, int fd)
{
	(void)epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

void *platform_edges_next(int set)
{
	struct epoll_event e;

	return epoll_wait(set, &e, 1, 0) > 0 ? e.data.ptr : NULL;
}
