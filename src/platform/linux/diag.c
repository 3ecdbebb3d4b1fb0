#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "platform/linux/diag_read.h"
#include "platform/linux/sock_diag.h"

#define SCAN_MS	 500	/* for a look at every process of the system */
#define STATE(state)	 (1u << (state))
#define CONNECTED_STATES                                                                 \
	(0xfffu & ~(STATE(0) | STATE(TCP_LISTEN) | STATE(TCP_CLOSE) | STATE(TCP_SYN_SENT)))

/* A look at the listeners of one port, and what comes of it. */
struct look {
	struct claim claim;	/* of the address that is asked about */
	in_port_t port;
	struct holder *holders;
	size_t most, found;
	unsigned states;	/* re-checked: the kernel's filter lets some others pass */
};

/* The port is checked again: newer kernels do not filter every state by it. */
static const struct inet_diag_msg *in_the_way(const struct nlmsghdr *head, const struct look *l,
					      struct bound *ret)
{
	const struct inet_diag_msg *m = diag_read_inet(head, ret);
	struct claim claim;

	if (!m || m->id.idiag_sport != l->port || !(l->states & STATE(ret->state)))
		return NULL;
	claim = bound_claim(ret);
	return claims_meet(&l->claim, &claim) ? m : NULL;
}

static int on_listener(const struct nlmsghdr *head, void *ctx)
{
	struct look *l = ctx;
	struct bound b;
	const struct inet_diag_msg *m = in_the_way(head, l, &b);

	if (!m)
		return MNL_CB_OK;
	if (l->found < l->most)
		l->holders[l->found] = (struct holder){ .uid = m->idiag_uid,
							.inode = m->idiag_inode };
	l->found++;
	return MNL_CB_OK;
}

static int dump(struct look *l, int family, int protocol, mnl_cb_t cb, struct err *err)
{
	struct inet_diag_req_v2 r = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = (uint8_t)protocol,
		.idiag_states = l->states,
		.id.idiag_sport = l->port,
	};

	return sock_diag_ask(&r, sizeof(r), true, cb, l, err);
}

/* IPv4 clients of a dual-stack listener are IPv6 entries, so both families are
 * asked; the one of the address first.  A kernel without IPv6 says ENOENT. */
static int dump_both(struct look *l, int family, int protocol, mnl_cb_t cb, struct err *err)
{
	struct err other = { 0 };

	if (dump(l, family, protocol, cb, err))
		return -1;
	if (dump(l, family == AF_INET ? AF_INET6 : AF_INET, protocol, cb, &other) &&
	    other.code != ENOENT)
		return err_set(err, other.code, "%s", other.text);
	return 0;
}

/* An address of AF_INET6 is taken for dual-stack: what would block that. */
static struct look look_at(const struct sockaddr *sa, unsigned states)
{
	return (struct look){ .claim = claim_of(sa, false), .port = diag_port_of(sa), .states = states };
}

static int inet_find_listeners(const struct sockaddr *sa, int type, struct holder *ret,
			       size_t most, struct err *err)
{
	bool datagram = type == SOCK_DGRAM;
	/* A datagram socket that is connected has its port all the same. */
	struct look l = look_at(sa, datagram ? STATE(TCP_CLOSE) | STATE(TCP_ESTABLISHED) :
					       STATE(TCP_LISTEN));

	l.holders = ret;
	l.most = most;
	if (dump_both(&l, sa->sa_family, datagram ? IPPROTO_UDP : IPPROTO_TCP, on_listener, err))
		return -1;
	return (int)l.found;
}

int platform_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			    struct holder *ret, size_t most, struct err *err)
{
	int found;

	if (sa->sa_family == AF_UNIX)
		found = unix_find_listeners(sa, length, type, ret, most, err);
	else
		found = inet_find_listeners(sa, type, ret, most, err);
	if (found > 0)
		platform_name_holders(ret, (size_t)found < most ? (size_t)found : most, SCAN_MS);
	return found;
}

static void put_end(const struct sockaddr *sa, __be32 ret_host[4], __be16 *ret_port)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in4 = (const void *)sa;

	if (sa->sa_family == AF_INET6)
		memcpy(ret_host, &in6->sin6_addr, sizeof(in6->sin6_addr));
	else
		memcpy(ret_host, &in4->sin_addr, sizeof(in4->sin_addr));
	*ret_port = diag_port_of(sa);
}

/* The server's end: local there is what is remote here. */
static struct inet_diag_sockid other_end(const struct sockaddr *ours, const struct sockaddr *peer)
{
	struct inet_diag_sockid id = { .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } };

	put_end(peer, id.idiag_src, &id.idiag_sport);
	put_end(ours, id.idiag_dst, &id.idiag_dport);
	if (peer->sa_family == AF_INET6)
		id.idiag_if = ((const struct sockaddr_in6 *)(const void *)peer)->sin6_scope_id;
	return id;
}

/* Where nothing is connected the kernel answers with the listener instead. */
static int on_end(const struct nlmsghdr *head, void *ctx)
{
	unsigned long *inode = ctx;
	struct bound b;

	if (diag_read_inet(head, &b) && CONNECTED_STATES & STATE(b.state))
		*inode = b.inode;
	return MNL_CB_OK;
}

/* One lookup in the table of connections, whatever their number; a question
 * for IPv4 finds the IPv6 socket of a dual-stack listener too. */
static int inet_find_acceptor(const struct sockaddr *ours, const struct sockaddr *peer,
			      unsigned long *ret_inode, struct err *err)
{
	struct inet_diag_req_v2 r = {
		.sdiag_family = (uint8_t)peer->sa_family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = CONNECTED_STATES,
		.id = other_end(ours, peer),
	};
	unsigned long inode = 0;
	struct err why = { 0 };

	if (sock_diag_ask(&r, sizeof(r), false, on_end, &inode, &why) && why.code != ENOENT)
		return err_set(err, why.code, "%s", why.text);
	if (inode)
		*ret_inode = inode;
	return inode != 0;
}

int platform_find_acceptor(int fd, unsigned long *ret_inode, struct err *err)
{
	struct sockaddr_storage ours, peer;
	socklen_t length = sizeof(ours), peer_length = sizeof(peer);

	if (getsockname(fd, (struct sockaddr *)&ours, &length) < 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_length) < 0)
		return err_sys(err, errno, "the socket is not connected");
	if (peer.ss_family == AF_UNIX)
		return unix_find_acceptor(fd, ret_inode, err);
	return inet_find_acceptor((struct sockaddr *)&ours, (struct sockaddr *)&peer, ret_inode,
				  err);
}
