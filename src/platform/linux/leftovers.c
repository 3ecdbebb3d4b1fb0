/* What is left at addresses: all of them are asked about by one dump for each family. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/linux/diag_read.h"
#include "platform/linux/sock_diag.h"

/* The kernel's own, not in <netinet/tcp.h>: a connection request without a
 * socket yet; shown as TCP_SYN_RECV. */
#define NEW_SYN_RECV 12
#define STATE(state) (1u << (state))
#define LEFT	     (0xfffu & ~(STATE(0) | STATE(TCP_LISTEN) | STATE(TCP_CLOSE)))

/* An address that is asked about.  One of IPv6 is taken for dual-stack: what would
 * block that. */
struct place {
	uint16_t port;
	struct claim claim;
	unsigned counts[12];
	size_t index;
};

struct places {
	struct place *all;		/* by port */
	size_t count;
};

static int by_port(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->port - y->port;
}

static size_t first_at(const struct places *p, uint16_t port)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->all[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* State and port are checked again: the kernel's filter lets some others pass. */
static int on_leftover(const struct nlmsghdr *head, void *ctx)
{
	struct places *p = ctx;
	struct bound b;
	const struct inet_diag_msg *m = diag_read_inet(head, &b);
	struct claim claim;

	if (!m || !(LEFT & STATE(b.state)))
		return MNL_CB_OK;
	claim = bound_claim(&b);
	for (size_t i = first_at(p, ntohs(m->id.idiag_sport));
	     i < p->count && p->all[i].port == ntohs(m->id.idiag_sport); i++)
		p->all[i].counts[b.state] += claims_meet(&p->all[i].claim, &claim);
	return MNL_CB_OK;
}

static int ask(struct places *p, int family, struct err *err)
{
	struct inet_diag_req_v2 r = { .sdiag_family = (uint8_t)family,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = LEFT | STATE(NEW_SYN_RECV) };
	uint16_t *ports = mem_new(p->count * sizeof(*ports));
	struct err why = { 0 };
	int rc;

	for (size_t i = 0; i < p->count; i++)
		ports[i] = p->all[i].port;
	rc = sock_diag_ask_ports(&r, ports, p->count, on_leftover, p, &why);
	free(ports);
	/* A kernel without IPv6. */
	if (rc < 0 && family == AF_INET6 && why.code == ENOENT)
		return 0;
	return rc < 0 ? err_set(err, why.code, "%s", why.text) : 0;
}

static void add(struct places *p, const struct left_at *at, size_t index)
{
	if (at->sa->sa_family != AF_INET && at->sa->sa_family != AF_INET6)
		return;
	p->all[p->count++] = (struct place){ .port = ntohs(diag_port_of(at->sa)), .index = index,
					     .claim = claim_of(at->sa, false) };
}

/* IPv4 clients of a dual-stack listener are IPv6 entries: both families are asked. */
int platform_count_leftovers(struct left_at *at, size_t count, struct err *err)
{
	struct places p = { .all = mem_new((count + 1) * sizeof(struct place)) };
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		add(&p, &at[i], i);
	if (!p.count)
		rc = err_set(err, ENOTSUP, "only TCP leaves connections at an address");
	else
		qsort(p.all, p.count, sizeof(*p.all), by_port);
	if (rc == 0 && (ask(&p, AF_INET, err) || ask(&p, AF_INET6, err)))
		rc = -1;
	for (size_t i = 0; rc == 0 && i < p.count; i++)
		memcpy(at[p.all[i].index].counts, p.all[i].counts, sizeof(p.all[i].counts));
	free(p.all);
	return rc;
}
