#include "base/pass.h"

#include <string.h>
#include <unistd.h>

void pass_attach(struct msghdr *m, union pass_room *room, const int *fds, size_t count)
{
	struct cmsghdr *c;

	*room = (union pass_room){ .bytes = { 0 } };
	m->msg_control = room;
	m->msg_controllen = CMSG_SPACE(count * sizeof(int));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
}

int pass_send(int socket, const void *bytes, size_t length, int fd)
{
	struct iovec part = { (void *)bytes, length };	/* sendmsg(2) only reads it */
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	union pass_room room;

	pass_attach(&m, &room, &fd, 1);
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

/* What there is no room for is closed: how much came is not ours to say. */
static size_t take(struct msghdr *m, int *fds, size_t most)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int came[sizeof(union pass_room) / sizeof(int)];
	size_t size, count;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	size = c->cmsg_len - CMSG_LEN(0);
	memcpy(came, CMSG_DATA(c), size);
	count = size / sizeof(int);
	for (size_t i = most; i < count; i++)
		(void)close(came[i]);
	count = count < most ? count : most;
	memcpy(fds, came, count * sizeof(int));
	return count;
}

ssize_t pass_receive_all(int socket, void *bytes, size_t length, int *ret_fds, size_t most,
			 size_t *ret_count)
{
	union pass_room room = { .bytes = { 0 } };
	struct iovec part = { bytes, length };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &room,
			    .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_count = n >= 0 ? take(&m, ret_fds, most) : 0;
	return n;
}

ssize_t pass_receive(int socket, void *bytes, size_t length, int *ret_fd)
{
	size_t count;
	ssize_t n = pass_receive_all(socket, bytes, length, ret_fd, 1, &count);

	if (!count)
		*ret_fd = -1;
	return n;
}
