#include <errno.h>
#include <unistd.h>

#include "platform/platform.h"

int platform_choose(int fd, bool datagram, const unsigned *places, size_t count)
{
	(void)fd, (void)datagram, (void)places;
	errno = ENOTSUP;
	return count ? -1 : 0;
}

int platform_socket_owner(int fd, uid_t user)
{
	(void)fd;
	errno = ENOTSUP;
	return user == geteuid() ? 0 : -1;
}
