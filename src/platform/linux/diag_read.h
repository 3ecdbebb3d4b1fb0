/* What the kernel answers about sockets, understood.  Any bytes may come: what does
 * not hold what it should is no socket. */
#ifndef HOLDPORT_PLATFORM_LINUX_DIAG_READ_H
#define HOLDPORT_PLATFORM_LINUX_DIAG_READ_H

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <stdbool.h>

#include "platform/conflict.h"
#include "platform/platform.h"

/* A message of sock_diag(7) about a TCP or UDP socket; NULL: it is none. */
const struct inet_diag_msg *diag_read_inet(const struct nlmsghdr *head, struct bound *ret);
/* Of an address of the network, in network order. */
in_port_t diag_port_of(const struct sockaddr *sa);
/* A line of /proc/net/tcp and its like. */
bool diag_read_line(const char *line, bool v6, struct bound *ret);

/* The addresses that it claims. */
struct claim bound_claim(const struct bound *b);

#endif
