/* Every socket at a port: from sock_diag, or where that is not to be had from
 * /proc/net, which is read whole. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "platform/linux/diag_read.h"
#include "platform/linux/mptcp.h"
#include "platform/linux/sock_diag.h"

/* Bits of the request that are no states: connection requests, and (Linux 6.8)
 * sockets that are bound and do nothing, which come as TCP_CLOSE. */
#define NEW_SYN_RECV   12
#define BOUND_INACTIVE 13

struct look {
	int port;
	struct mptcp_left mptcp;
	void (*see)(const struct bound *b, void *ctx);
	void *ctx;
};

static int port_of(const struct bound *b)
{
	return ntohs(diag_port_of((const struct sockaddr *)&b->local));
}

/* The kernel does not filter every state by the port. */
static int on_socket(const struct nlmsghdr *head, void *ctx)
{
	const struct look *l = ctx;
	struct bound b;
	const struct inet_diag_msg *m = diag_read_inet(head, &b);

	if (!m || port_of(&b) != l->port)
		return MNL_CB_OK;
	mptcp_left_correct(&l->mptcp, m, &b);
	l->see(&b, l->ctx);
	return MNL_CB_OK;
}

static int ask(struct look *l, int family, int type, struct err *err)
{
	struct inet_diag_req_v2 r = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
		.idiag_states = type == SOCK_DGRAM ? 1u << TCP_CLOSE | 1u << TCP_ESTABLISHED :
						     0xffeu | 1u << NEW_SYN_RECV |
							     1u << BOUND_INACTIVE,
		.id.idiag_sport = htons((uint16_t)l->port),
	};

	return sock_diag_ask(&r, sizeof(r), true, on_socket, l, err);
}

/* A kernel without IPv6 says ENOENT. */
static int ask_both(struct look *l, int type, struct err *err)
{
	struct err why = { 0 };

	if (ask(l, AF_INET, type, err))
		return -1;
	if (ask(l, AF_INET6, type, &why) && why.code != ENOENT)
		return err_set(err, why.code, "%s", why.text);
	return 0;
}

static int read_table(const char *path, bool v6, const struct look *l)
{
	FILE *in = fopen(path, "re");
	struct bound b;
	char line[512];

	if (!in)
		return -1;
	while (fgets(line, sizeof(line), in))
		if (diag_read_line(line, v6, &b) && port_of(&b) == l->port)
			l->see(&b, l->ctx);
	(void)fclose(in);
	return 0;
}

static int read_tables(const struct look *l, int type, struct err *err)
{
	bool udp = type == SOCK_DGRAM;

	if (read_table(udp ? "/proc/net/udp" : "/proc/net/tcp", false, l))
		return err_sys(err, errno, "cannot look at the sockets of this system");
	(void)read_table(udp ? "/proc/net/udp6" : "/proc/net/tcp6", true, l);
	return 0;
}

/* By the cheapest question (listeners are a short list): a dump that fails half way
 * would show some sockets twice. */
static bool has_sock_diag(int type)
{
	struct inet_diag_req_v2 r = {
		.sdiag_family = AF_INET,
		.sdiag_protocol = type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
		.idiag_states = 1u << TCP_LISTEN,
		.id.idiag_sport = htons(1),
	};
	struct look nobody = { .port = -1 };

	return sock_diag_ask(&r, sizeof(r), true, on_socket, &nobody, NULL) == 0;
}

int platform_each_bound(int port, int type, void (*see)(const struct bound *b, void *ctx),
			void *ctx, struct err *err)
{
	struct look l = { .port = port, .see = see, .ctx = ctx };
	int rc;

	if (!has_sock_diag(type))
		return read_tables(&l, type, err);
	if (type == SOCK_STREAM)
		mptcp_left_look(port, &l.mptcp);
	rc = ask_both(&l, type, err) ? -1 : 1;
	mptcp_left_fini(&l.mptcp);
	return rc;
}
