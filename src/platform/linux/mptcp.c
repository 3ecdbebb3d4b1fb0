#include "platform/linux/mptcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/linux/diag_read.h"
#include "platform/linux/sock_diag.h"

/* What nobody has open is given a minute from its close on, whatever its state, and
 * its peer a reset then; the kernel shows that time as one of keep-alive. */
#define TIMER_CLOSE 2
#define CLOSED (1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSING | \
		1u << TCP_LAST_ACK | 1u << TCP_CLOSE_WAIT)

int mptcp_left_see(const struct nlmsghdr *head, void *ctx)
{
	struct mptcp_left *l = ctx;
	struct bound b;
	const struct inet_diag_msg *m = diag_read_inet(head, &b);

	if (!m || m->idiag_inode || !(CLOSED & 1u << b.state))
		return MNL_CB_OK;
	if ((l->count & (l->count - 1)) == 0)	/* at a power of two there is no room */
		l->ends = mem_grow(l->ends, l->count ? 2 * l->count : 1, sizeof(*l->ends));
	l->ends[l->count++] = (struct mptcp_end){
		.family = m->idiag_family, .state = b.state, .id = m->id,
		.ends_ms = m->idiag_timer == TIMER_CLOSE ? (int64_t)m->idiag_expires : -1,
	};
	return MNL_CB_OK;
}

/* It has no number that fits into the request's eight bits: an attribute has it. */
static void ask(int port, int family, struct mptcp_left *l)
{
	struct {
		struct inet_diag_req_v2 r;
		struct nlattr protocol;
		uint32_t number;
	} request = {
		.r = { .sdiag_family = (uint8_t)family, .idiag_states = CLOSED,
		       .id.idiag_sport = htons((uint16_t)port) },
		.protocol = { .nla_type = INET_DIAG_REQ_PROTOCOL,
			      .nla_len = sizeof(struct nlattr) + sizeof(uint32_t) },
		.number = IPPROTO_MPTCP,
	};

	(void)sock_diag_ask(&request, sizeof(request), true, mptcp_left_see, l, NULL);
}

void mptcp_left_look(int port, struct mptcp_left *ret)
{
	*ret = (struct mptcp_left){ 0 };
	/* Asked without, the kernel would look for a module each time. */
	if (access("/proc/sys/net/mptcp/enabled", F_OK) < 0)
		return;
	ask(port, AF_INET, ret);
	ask(port, AF_INET6, ret);
}

void mptcp_left_fini(struct mptcp_left *l)
{
	free(l->ends);
	*l = (struct mptcp_left){ 0 };
}

static bool is_of(const struct mptcp_end *e, const struct inet_diag_msg *m)
{
	return e->family == m->idiag_family && e->id.idiag_sport == m->id.idiag_sport &&
	       e->id.idiag_dport == m->id.idiag_dport &&
	       memcmp(e->id.idiag_src, m->id.idiag_src, sizeof(m->id.idiag_src)) == 0 &&
	       memcmp(e->id.idiag_dst, m->id.idiag_dst, sizeof(m->id.idiag_dst)) == 0;
}

void mptcp_left_correct(const struct mptcp_left *l, const struct inet_diag_msg *m,
			struct bound *b)
{
	if (b->state == TCP_LISTEN || b->state == TCP_TIME_WAIT)
		return;
	for (size_t i = 0; i < l->count; i++) {
		if (!is_of(&l->ends[i], m))
			continue;
		b->inode = 0;
		b->state = l->ends[i].state;
		b->ends_ms = l->ends[i].ends_ms;
		return;
	}
}
