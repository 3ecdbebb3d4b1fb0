/* A descriptor, passed over a unix socket beside a few bytes. */
#ifndef HOLDPORT_BASE_PASS_H
#define HOLDPORT_BASE_PASS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Room for one, aligned as cmsg(3) wants it. */
union pass_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* The message takes fd along; the room is its until it is sent. */
void pass_attach(struct msghdr *m, union pass_room *room, int fd);
/* 0, or -1 and errno.  Fit for a child between fork and exec. */
int pass_send(int socket, const void *bytes, size_t length, int fd);
/* As recv(2), without waiting.  *ret_fd is close-on-exec and the caller's; -1: none
 * came.  Of several the first; the others are closed. */
ssize_t pass_receive(int socket, void *bytes, size_t length, int *ret_fd);

#endif
