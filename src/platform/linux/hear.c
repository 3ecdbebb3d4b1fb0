/* News from the kernel: destroyed sockets (sock_diag(7), Linux 4.4), addresses
 * (rtnetlink(7)). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/owner.h"
#include "platform/linux/sock_diag.h"
#include "platform/platform.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define MESSAGES_MOST 1000	/* taken in one go; there may be more */
#define SPORT_AT (sizeof(struct nlmsghdr) + offsetof(struct inet_diag_msg, id.idiag_sport))
#define DPORT_AT (sizeof(struct nlmsghdr) + offsetof(struct inet_diag_msg, id.idiag_dport))

static int join(int fd, const int *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			return -1;
	return 0;
}

static int subscribe(int protocol, const int *groups, size_t count,
		     const struct sock_fprog *filter, struct err *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int why;

	if (fd >= 0 &&
	    (!filter ||
	     setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) == 0) &&
	    bind(fd, (struct sockaddr *)&self, sizeof(self)) == 0 && join(fd, groups, count) == 0)
		return fd;
	why = errno;
	fd_close(&fd);
	return err_sys(err, why, "cannot hear news from the kernel");
}

/* What the filter drops takes no room: other ports cannot make us lose news.  A
 * listener has no other end (and neither has what was reset). */
int platform_hear_sockets(int port, int type, bool listener, struct err *err)
{
	static const int tcp[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY };
	static const int udp[] = { SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_UDP_DESTROY };
	struct sock_filter any_end[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SPORT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)port, 2, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, DPORT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0u),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter listeners[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SPORT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)port, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, DPORT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0u),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = COUNT(any_end), .filter = any_end };

	if (listener)
		filter.filter = listeners;
	return subscribe(NETLINK_SOCK_DIAG, type == SOCK_DGRAM ? udp : tcp, 2, &filter, err);
}

int platform_hear_addresses(struct err *err)
{
	static const int groups[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };

	return subscribe(NETLINK_ROUTE, groups, COUNT(groups), NULL, err);
}

/* ENOBUFS is news too: some was lost. */
bool platform_heard(int fd)
{
	bool news = false;
	char room[64];

	for (int i = 0; i < MESSAGES_MOST; i++) {
		if (recv(fd, room, sizeof(room), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
			news = true;
		else if (errno != EINTR)
			break;
	}
	return news;
}
