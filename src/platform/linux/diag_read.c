#include "platform/linux/diag_read.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TIMER_TIME_WAIT = 3, STATE_MOST = TCP_CLOSING };
#define NEW_SYN_RECV 12		/* a connection request without a socket yet */

struct claim bound_claim(const struct bound *b)
{
	return claim_of((const struct sockaddr *)&b->local, b->v6only);
}

in_port_t diag_port_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET6 ?
		       ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port :
		       ((const struct sockaddr_in *)(const void *)sa)->sin_port;
}

static void set_local(struct bound *b, int family, const void *host, int port, unsigned device)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (family == AF_INET) {
		memcpy(&in4.sin_addr, host, sizeof(in4.sin_addr));
		memcpy(&b->local, &in4, sizeof(in4));
		return;
	}
	memcpy(&in6.sin6_addr, host, sizeof(in6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		in6.sin6_scope_id = device;
	memcpy(&b->local, &in6, sizeof(in6));
}

static bool is_v6only(const struct nlmsghdr *head)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, head, sizeof(struct inet_diag_msg))
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY &&
		    mnl_attr_get_payload_len(attr) >= 1)
			return mnl_attr_get_u8(attr);
	return false;
}

/* Only the timer of TIME_WAIT and of a FIN_WAIT_2 that nobody has open ends a
 * state; the others send something again. */
static int64_t end_of(int timer, int64_t ms)
{
	return timer == TIMER_TIME_WAIT ? ms : -1;
}

const struct inet_diag_msg *diag_read_inet(const struct nlmsghdr *head, struct bound *ret)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(head);
	struct bound b = { .v6only = false };
	int state;

	if (head->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*m) ||
	    (m->idiag_family != AF_INET && m->idiag_family != AF_INET6))
		return NULL;
	state = m->idiag_state == NEW_SYN_RECV ? TCP_SYN_RECV : m->idiag_state;
	if (state < TCP_ESTABLISHED || state > STATE_MOST)
		return NULL;
	set_local(&b, m->idiag_family, m->id.idiag_src, ntohs(m->id.idiag_sport), m->id.idiag_if);
	b.v6only = m->idiag_family == AF_INET6 && is_v6only(head);
	b.state = state;
	b.uid = m->idiag_uid;
	b.inode = m->idiag_inode;
	b.ends_ms = end_of(m->idiag_timer, m->idiag_expires);
	*ret = b;
	return m;
}

/* "0100007F" or four of them: 32-bit numbers as they lie in this memory. */
static bool read_host(const char *text, size_t words, uint32_t ret[4])
{
	if (strlen(text) != 8 * words)
		return false;
	for (size_t i = 0; i < words; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &ret[i]) != 1)
			return false;
	return true;
}

/* "  12: 0100007F:1F90 00000000:0000 06 00000000:00000000 03:00000A2C 00000000  0 0 0 …" */
bool diag_read_line(const char *line, bool v6, struct bound *ret)
{
	struct bound b = { .v6only = false };
	unsigned port, state, timer, uid;
	unsigned long when;
	uint32_t host[4];
	char text[33];
	long hz = sysconf(_SC_CLK_TCK);

	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*x %2x %*x:%*x %2x:%8lx %*x %u "
		   "%*d %lu", text, &port, &state, &timer, &when, &uid, &b.inode) != 7 ||
	    !read_host(text, v6 ? 4 : 1, host))
		return false;
	/* sscanf(3) takes a sign, too. */
	if (port > UINT16_MAX || when > UINT32_MAX)
		return false;
	state = state == NEW_SYN_RECV ? TCP_SYN_RECV : state;
	if (state < TCP_ESTABLISHED || state > STATE_MOST)
		return false;
	set_local(&b, v6 ? AF_INET6 : AF_INET, host, (int)port, 0);
	b.state = (int)state;
	b.uid = uid;
	b.ends_ms = end_of((int)timer, (int64_t)when * 1000 / (hz > 0 ? hz : 100));
	*ret = b;
	return true;
}
