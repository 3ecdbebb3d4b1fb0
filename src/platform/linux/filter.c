/* A filter on a socket (socket(7), SO_ATTACH_FILTER); after SO_LOCK_FILTER not even
 * root gets it off. */
#include <errno.h>
#include <sys/socket.h>

#include "platform/platform.h"

#ifndef SO_GET_FILTER
#define SO_GET_FILTER SO_ATTACH_FILTER
#endif

/* How long it is; one that is no classic program is not shown (EACCES). */
static bool has_filter(int fd)
{
	socklen_t length = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &length) < 0)
		return errno == EACCES;
	return length > 0;
}

int platform_drop_filter(int fd)
{
	int none = 0;

	if (!has_filter(fd))
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) < 0 ? -1 : 1;
}
