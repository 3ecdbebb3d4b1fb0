/* Questions to the kernel's tables of sockets, sock_diag(7). */
#ifndef HOLDPORT_PLATFORM_LINUX_SOCK_DIAG_H
#define HOLDPORT_PLATFORM_LINUX_SOCK_DIAG_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"
#include "platform/platform.h"

/* Sends one request and gives every answer to cb.  `all`: a dump; otherwise
 * one socket is meant, and -1 with ENOENT says that there is none. */
int sock_diag_ask(const void *request, size_t size, bool all, mnl_cb_t cb, void *ctx,
		  struct err *err);

/* The unix half of platform.h's questions. */
int unix_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			struct holder *ret, size_t most, struct err *err);
int unix_find_acceptor(int fd, unsigned long *ret_inode, struct err *err);

#endif
