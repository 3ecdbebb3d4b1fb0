/* MPTCP connections that no process has open any more.
 *
 * What holds a port is their subflows, and those the kernel shows as if nothing had
 * happened: ESTABLISHED, with the inode that they had (Linux 6.18).  What became of them
 * is in a table of its own. */
#ifndef HOLDPORT_PLATFORM_LINUX_MPTCP_H
#define HOLDPORT_PLATFORM_LINUX_MPTCP_H

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>

#include "platform/platform.h"

struct mptcp_left {
	struct mptcp_end {
		int family, state;
		struct inet_diag_sockid id;
		int64_t ends_ms;
	} *ends;
	size_t count;
};

/* At this port; nothing where the system has no MPTCP, or does not tell. */
void mptcp_left_look(int port, struct mptcp_left *ret);
void mptcp_left_fini(struct mptcp_left *l);
/* A message of that table; ctx: the struct mptcp_left. */
int mptcp_left_see(const struct nlmsghdr *head, void *ctx);
/* m, read as b: as it is, if it is the first subflow of one of those.  (Others, between
 * other addresses, are not known for what they are.) */
void mptcp_left_correct(const struct mptcp_left *l, const struct inet_diag_msg *m,
			struct bound *b);

#endif
