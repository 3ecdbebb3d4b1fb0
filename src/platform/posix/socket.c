#include <poll.h>

#include "platform/platform.h"

int platform_bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	return bind(fd, sa, length);
}

int platform_listen(int fd, int backlog)
{
	return listen(fd, backlog);
}

bool platform_has_waiting(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 0) > 0 && (one.revents & POLLIN);
}
