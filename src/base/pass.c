#include "base/pass.h"

#include <string.h>
#include <sys/socket.h>

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

ssize_t pass_receive(int socket, void *bytes, size_t length, int *ret_fd)
{
	union room room = { .bytes = { 0 } };
	struct iovec part = { bytes, length };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*ret_fd = -1;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return n;
}
