#include "base/pass.h"

#include <string.h>
#include <unistd.h>

void pass_attach(struct msghdr *m, union pass_room *room, int fd)
{
	struct cmsghdr *c;

	*room = (union pass_room){ .bytes = { 0 } };
	m->msg_control = room;
	m->msg_controllen = sizeof(*room);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int pass_send(int socket, const void *bytes, size_t length, int fd)
{
	struct iovec part = { (void *)bytes, length };	/* sendmsg(2) only reads it */
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	union pass_room room;

	pass_attach(&m, &room, fd);
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

/* The first one.  The room for one is rounded up, and may hold two. */
static int passed(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fds[sizeof(union pass_room) / sizeof(int)] = { -1 };
	size_t size = 0;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		size = c->cmsg_len - CMSG_LEN(0);
		memcpy(fds, CMSG_DATA(c), size);
	}
	for (size_t i = 1; i < size / sizeof(int); i++)
		(void)close(fds[i]);
	return fds[0];
}

ssize_t pass_receive(int socket, void *bytes, size_t length, int *ret_fd)
{
	union pass_room room = { .bytes = { 0 } };
	struct iovec part = { bytes, length };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_fd = n >= 0 ? passed(&m) : -1;
	return n;
}
