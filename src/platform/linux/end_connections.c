/* SOCK_DESTROY, sock_diag(7): Linux 4.5, for TIME_WAIT 6.0; needs CAP_NET_ADMIN. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/linux/diag_read.h"
#include "platform/linux/sock_diag.h"

#define ENDABLE (0xffeu & ~(1u << TCP_LISTEN | 1u << TCP_CLOSE | 1u << TCP_SYN_SENT))

/* What is to be ended: collected first, for a dump must not be disturbed.  A cookie
 * keeps us from meeting another one that took its place. */
struct list_of_ends {
	in_port_t port;
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

	if (!m || m->id.idiag_sport != l->port || !(ENDABLE & 1u << b.state) || !l->end(&b, l->ctx))
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

/* Asked of a socket that cannot be: a right that is missing is told before. */
static int may_end(struct err *err)
{
	struct inet_diag_req_v2 nobody = {
		.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u,
		.id = { .idiag_sport = htons(1), .idiag_dport = htons(1),
			.idiag_cookie = { 1, 1 } },
	};
	struct err why = { 0 };

	if (sock_diag_destroy(&nobody, 1, &why) >= 0)
		return 0;
	if (why.code == EPERM)
		return err_set(err, EPERM, "ending connections needs root or CAP_NET_ADMIN");
	return err_set(err, ENOTSUP, "this system cannot end a connection of somebody else: %s",
		       strerror(why.code));
}

int platform_end_connections(int port, bool (*end)(const struct bound *b, void *ctx), void *ctx,
			     struct err *err)
{
	struct list_of_ends l = { .port = htons((uint16_t)port), .end = end, .ctx = ctx };
	int rc = may_end(err);

	if (rc == 0)
		rc = collect(&l, AF_INET, err) || collect(&l, AF_INET6, err);
	rc = rc ? -1 : sock_diag_destroy(l.ends, l.count, err);
	free(l.ends);
	return rc;
}
