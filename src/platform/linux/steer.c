/* A packet finds a socket only on the interface that the socket is bound to.  One
 * that is bound to an index which no interface has is found by none.  It keeps its
 * queue, and a handshake that has begun goes on, for the kernel finds that by
 * itself: measured on 6.18 for TCP and MPTCP, same address, wildcard and
 * specific, dual-stack and IPv6-only, also with TCP_DEFER_ACCEPT.  So new
 * connections go from one socket to another without a lost SYN, and back. */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "platform/platform.h"

#ifndef SO_BINDTOIFINDEX	/* Linux 5.1 */
#define SO_BINDTOIFINDEX 62
#endif

/* Interfaces are counted up from 1. */
enum { NO_INTERFACE = INT_MAX - DEAF_MOST };

int platform_deafen(int fd, unsigned number, struct err *err)
{
	int index = NO_INTERFACE + (int)number;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) < 0)
		return err_sys(err, errno, "cannot take it from its interfaces");
	return 0;
}

int platform_hear(int fd, const char *device, struct err *err)
{
	int any = 0, rc;

	if (device)
		rc = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				(socklen_t)strlen(device));
	else
		rc = setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &any, sizeof(any));
	if (rc < 0)
		return err_sys(err, errno, "cannot give it back to its interfaces");
	return 0;
}

bool platform_hears(int fd, const char *device)
{
	int index = 0, wanted = device ? (int)if_nametoindex(device) : 0;
	socklen_t length = sizeof(index);

	if (device && !wanted)		/* an interface that is not there now */
		return true;
	return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &length) < 0 ||
	       index == wanted;
}

bool platform_is_deaf(int fd)
{
	int index = 0;
	socklen_t length = sizeof(index);

	return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &length) == 0 &&
	       index >= NO_INTERFACE;
}

/* Of sockets of one address the kernel makes a group, and a program that returns
 * a number chooses by the order in which they began to listen.  A number that
 * nobody has is no choice. */
int platform_prefer(int fd, unsigned place, struct err *err)
{
	struct sock_filter choose = BPF_STMT(BPF_RET | BPF_K, place);
	struct sock_fprog program = { .len = 1, .filter = &choose };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0)
		return err_sys(err, errno, "cannot choose between two sockets");
	return 0;
}

/* An address at the same port that ours does not take; 0: there is none. */
static socklen_t beside(const struct sockaddr_storage *ours, bool v6only,
			struct sockaddr_storage *ret)
{
	const struct sockaddr_in6 *in6 = (const void *)ours;
	const struct sockaddr_in *in4 = (const void *)ours;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(ret, 0, sizeof(*ret));
	if (ours->ss_family == AF_INET && in4->sin_addr.s_addr == htonl(INADDR_ANY)) {
		v6.sin6_port = in4->sin_port;
		v6.sin6_addr.s6_addr[0] = 1;	/* 100::/64, where nobody is (RFC 6666) */
		memcpy(ret, &v6, sizeof(v6));
		return sizeof(v6);
	}
	if (ours->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) && !v6only)
		return 0;
	v4.sin_port = ours->ss_family == AF_INET ? in4->sin_port : in6->sin6_port;
	v4.sin_addr.s_addr = htonl(0x7ffffffe);
	memcpy(ret, &v4, sizeof(v4));
	return sizeof(v4);
}

/* The option off is not enough: the port remembers that all who bound it shared
 * it, and lets the next one that wants to share in without a look at ours
 * (measured on 6.18).  A bind of somebody who does not share makes it forget; it
 * needs an address that ours does not take, so not beside a dual-stack wildcard. */
static void forget_sharing(int fd)
{
	struct sockaddr_storage ours = { .ss_family = AF_UNSPEC }, other;
	socklen_t length = sizeof(ours);
	int v6only = 0, one = 1, probe;

	(void)getsockname(fd, (struct sockaddr *)&ours, &length);
	length = sizeof(v6only);
	(void)getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length);
	length = beside(&ours, v6only, &other);
	if (!length)
		return;
	probe = socket(other.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	(void)setsockopt(probe, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one));
	(void)bind(probe, (struct sockaddr *)&other, length);
	fd_close(&probe);
}

int platform_share(int fd, bool shared, struct err *err)
{
	int type = 0, yes = shared;
	socklen_t length = sizeof(type);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) < 0)
		return err_sys(err, errno, "cannot set SO_REUSEPORT");
	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
	if (!shared && type == SOCK_STREAM)
		forget_sharing(fd);
	return 0;
}
