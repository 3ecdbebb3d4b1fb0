/* SOCK_DESTROY, sock_diag(7): Linux 4.5, for TIME_WAIT 6.0; needs CAP_NET_ADMIN. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/linux/diag_read.h"
#include "platform/linux/mptcp.h"
#include "platform/linux/sock_diag.h"

#define ENDABLE (0xffeu & ~(1u << TCP_LISTEN | 1u << TCP_CLOSE | 1u << TCP_SYN_SENT))

/* What is to be ended: collected first, for a dump must not be disturbed.  A cookie
 * keeps us from meeting another one that took its place. */
struct list_of_ends {
	in_port_t port;
	struct mptcp_left mptcp;
	bool (*end)(const struct bound *b, void *ctx);
	void *ctx;
	struct inet_diag_req_v2 *ends;
	size_t count;
};

static int on_socket(const struct nlmsghdr *head, void *ctx)
{
	struct list_of_ends *l = ctx;
	struct bound b;
	const struct inet_diag_msg *m = diag_read_inet(head, &b);

	if (!m || m->id.idiag_sport != l->port || !(ENDABLE & 1u << b.state))
		return MNL_CB_OK;
	mptcp_left_correct(&l->mptcp, m, &b);
	if (!l->end(&b, l->ctx))
		return MNL_CB_OK;
	if ((l->count & (l->count - 1)) == 0)	/* at a power of two there is no room */
		l->ends = mem_grow(l->ends, l->count ? 2 * l->count : 1, sizeof(*l->ends));
	l->ends[l->count++] = (struct inet_diag_req_v2){
		.sdiag_family = m->idiag_family, .sdiag_protocol = IPPROTO_TCP,
		.idiag_states = ~0u, .id = m->id,
	};
	return MNL_CB_OK;
}

static int collect(struct list_of_ends *l, int family, struct err *err)
{
	struct inet_diag_req_v2 r = {
		.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP,
		.idiag_states = ENDABLE, .id.idiag_sport = l->port,
	};
	struct err why = { 0 };

	if (sock_diag_ask(&r, sizeof(r), true, on_socket, l, &why) == 0 ||
	    (family == AF_INET6 && why.code == ENOENT))
		return 0;
	return err_set(err, why.code, "%s", why.text);
}

/* The kernel finds the socket before it looks at the right, so there is nothing to try
 * it on.  Where it is another namespace's right that counts, ending itself says so. */
static bool may_end(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capget, &head, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

static int end_all(const struct list_of_ends *l, struct err *err)
{
	struct err why = { 0 };
	int ended = sock_diag_destroy(l->ends, l->count, &why);

	if (ended >= 0)
		return ended;
	if (why.code == EPERM)
		return err_set(err, EPERM, "ending connections needs root or CAP_NET_ADMIN");
	if (why.code == EOPNOTSUPP)
		return err_set(err, ENOTSUP, "this kernel cannot end a connection of that state");
	return err_set(err, why.code, "%s", why.text);
}

int platform_end_connections(int port, bool (*end)(const struct bound *b, void *ctx), void *ctx,
			     struct err *err)
{
	struct list_of_ends l = { .port = htons((uint16_t)port), .end = end, .ctx = ctx };
	int rc = -1;

	if (!may_end())
		return err_set(err, EPERM, "ending connections needs root or CAP_NET_ADMIN");
	mptcp_left_look(port, &l.mptcp);
	if (!collect(&l, AF_INET, err) && !collect(&l, AF_INET6, err))
		rc = end_all(&l, err);
	mptcp_left_fini(&l.mptcp);
	free(l.ends);
	return rc;
}
