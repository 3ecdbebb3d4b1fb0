/* Descriptors, passed over a unix socket beside a few bytes. */
#ifndef HOLDPORT_BASE_PASS_H
#define HOLDPORT_BASE_PASS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { PASS_MOST = 64 };		/* in one message */

/* Room for them, aligned as cmsg(3) wants it. */
union pass_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PASS_MOST * sizeof(int))];
};

/* The message takes them along; the room is its until it is sent. */
void pass_attach(struct msghdr *m, union pass_room *room, const int *fds, size_t count);
/* 0, or -1 and errno.  Fit for a child between fork and exec. */
int pass_send(int socket, const void *bytes, size_t length, int fd);
/* As recv(2), without waiting.  *ret_fd is close-on-exec and the caller's; -1: none
 * came.  Of several the first; the others are closed. */
ssize_t pass_receive(int socket, void *bytes, size_t length, int *ret_fd);
/* The same of all, up to `most`. */
ssize_t pass_receive_all(int socket, void *bytes, size_t length, int *ret_fds, size_t most,
			 size_t *ret_count);

#endif
