#include "base/pass.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor, aligned as cmsg(3) wants it. */
union room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int pass_send(int socket, const void *bytes, size_t length, int fd)
{
	union room room = { .bytes = { 0 } };
	struct iovec part = { (void *)bytes, length };	/* sendmsg(2) only reads it */
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

/* The first one.  The room for one is rounded up, and may hold two. */
static int passed(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fds[sizeof(union room) / sizeof(int)] = { -1 };
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
	union room room = { .bytes = { 0 } };
	struct iovec part = { bytes, length };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_fd = n >= 0 ? passed(&m) : -1;
	return n;
}
