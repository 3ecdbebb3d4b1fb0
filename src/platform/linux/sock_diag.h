/* Questions to the kernel's tables of sockets, sock_diag(7). */
#ifndef HOLDPORT_PLATFORM_LINUX_SOCK_DIAG_H
#define HOLDPORT_PLATFORM_LINUX_SOCK_DIAG_H

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"
#include "platform/platform.h"

/* Sends one request and gives every answer to cb.  `all`: a dump; otherwise
 * one socket is meant, and -1 with ENOENT says that there is none. */
int sock_diag_ask(const void *request, size_t size, bool all, mnl_cb_t cb, void *ctx,
		  struct err *err);

/* A dump of what is at these ports, at least one; puts them in order.  The answers are
 * to be looked through: sockets of other ports may be among them. */
int sock_diag_ask_ports(struct inet_diag_req_v2 *r, uint16_t *ports, size_t count, mnl_cb_t cb,
			void *ctx, struct err *err);

/* What came from the kernel, given to cb message by message: as mnl_cb_run().  port: of
 * the socket it came to; 0: nobody looks whether it is an answer to us. */
int sock_diag_read(const void *bytes, size_t size, unsigned port, mnl_cb_t cb, void *ctx);
/* Ends those connections: how many there still were. */
int sock_diag_destroy(const struct inet_diag_req_v2 *which, size_t count, struct err *err);

/* The unix half of platform.h's questions. */
int unix_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			struct holder *ret, size_t most, struct err *err);
int unix_find_acceptor(int fd, unsigned long *ret_inode, struct err *err);

#endif
