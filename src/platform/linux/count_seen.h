/* What the kernel's table of sockets says about some listening sockets: the inodes
 * of the listeners at their addresses, and of the connections that came by them. */
#ifndef HOLDPORT_PLATFORM_LINUX_COUNT_SEEN_H
#define HOLDPORT_PLATFORM_LINUX_COUNT_SEEN_H

#include <libmnl/libmnl.h>

#include "platform/count.h"

struct seen_socket {
	unsigned long inode;
	unsigned socket;		/* whose it is; nothing for a listener */
	unsigned mark;			/* the last who had it, from 1 */
	bool listens;
};

struct count_seen {
	const struct count_socket *sockets;
	size_t socket_count;
	struct seen_socket *items;
	size_t count, room;
};

/* Asks the kernel: once for each family that is among the sockets. */
int count_seen_ask(struct count_seen *s, struct err *err);
/* NULL: none of theirs. */
struct seen_socket *count_seen_find(const struct count_seen *s, unsigned long inode);
void count_seen_fini(struct count_seen *s);

/* One answer of the kernel each (mnl_cb_t); any bytes are borne. */
int count_seen_inet(const struct nlmsghdr *head, void *seen);
int count_seen_unix(const struct nlmsghdr *head, void *seen);

#endif
