#include "platform/platform.h"

int platform_bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	return bind(fd, sa, length);
}

int platform_listen(int fd, int backlog)
{
	return listen(fd, backlog);
}
