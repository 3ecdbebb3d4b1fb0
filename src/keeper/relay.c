#include "keeper/relay.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"

void relay_open(struct relay *r, const char *path)
{
	*r = (struct relay){ .path = path, .fd = -1 };
	if (path)
		r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void relay_close(struct relay *r)
{
	fd_close(&r->fd);
}

int relay_send(struct relay *r, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = r->path ? strlen(r->path) : 0;

	if (!length)
		return ENOENT;
	if (length >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	memcpy(to.sun_path, r->path, length);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	length += offsetof(struct sockaddr_un, sun_path);
	return sendto(r->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		      (struct sockaddr *)&to, (socklen_t)length) < 0 ? errno : 0;
}
