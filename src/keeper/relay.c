#include "keeper/relay.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/pass.h"

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

int relay_send(struct relay *r, const char *text, int pass)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec part = { (void *)text, strlen(text) };	/* sendmsg(2) only reads it */
	struct msghdr m = { .msg_name = &to, .msg_iov = &part, .msg_iovlen = 1 };
	size_t length = r->path ? strlen(r->path) : 0;
	union pass_room room;

	if (!length)
		return ENOENT;
	if (length >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	memcpy(to.sun_path, r->path, length);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	m.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (pass >= 0)
		pass_attach(&m, &room, &pass, 1);
	return sendmsg(r->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}
