#include "platform/linux/count_seen.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "platform/linux/sock_diag.h"

/* The kernel checks a filter in the square of its length. */
enum { PORTS_MOST = 512 };

#define STATE(state) (1u << (state))
/* Those in which a socket can have a descriptor after accept(2); a connection that
 * nobody has accepted has no inode. */
#define ACCEPTED                                                                         \
	(STATE(TCP_ESTABLISHED) | STATE(TCP_SYN_RECV) | STATE(TCP_FIN_WAIT1) |           \
	 STATE(TCP_FIN_WAIT2) | STATE(TCP_CLOSE_WAIT) | STATE(TCP_LAST_ACK) |            \
	 STATE(TCP_CLOSING))

static const struct sockaddr_in *v4(const struct count_socket *s)
{
	return (const void *)s->sa;
}

static const struct sockaddr_in6 *v6(const struct count_socket *s)
{
	return (const void *)s->sa;
}

static in_port_t port_of(const struct count_socket *s)
{
	return s->sa->sa_family == AF_INET6 ? v6(s)->sin6_port : v4(s)->sin_port;
}

static void add(struct count_seen *s, unsigned long inode, size_t socket, bool listens)
{
	if (!inode)
		return;
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 256;
		s->items = mem_grow(s->items, s->room, sizeof(*s->items));
	}
	s->items[s->count++] = (struct seen_socket){ .inode = inode, .socket = (unsigned)socket,
						     .listens = listens };
}

/* 0: it is another's; 1: any address of the host is the socket's; 2: this one is. */
static int fits(const struct count_socket *s, const struct inet_diag_msg *m)
{
	static const struct in6_addr any6;
	struct in6_addr local;

	if (s->sa->sa_family != m->idiag_family || port_of(s) != m->id.idiag_sport)
		return 0;
	memcpy(&local, m->id.idiag_src, sizeof(local));
	if (m->idiag_family == AF_INET6) {
		if (memcmp(&v6(s)->sin6_addr, &any6, sizeof(any6)) == 0)
			return 1;
		return memcmp(&v6(s)->sin6_addr, &local, sizeof(local)) ? 0 : 2;
	}
	if (v4(s)->sin_addr.s_addr == htonl(INADDR_ANY))
		return 1;
	return memcmp(&v4(s)->sin_addr, &local, sizeof(v4(s)->sin_addr)) ? 0 : 2;
}

/* The kernel gives a connection to the listener that names its address. */
static size_t socket_of(const struct count_seen *s, const struct inet_diag_msg *m)
{
	size_t best = s->socket_count;
	int fit = 0;

	for (size_t i = 0; i < s->socket_count; i++)
		if (fits(&s->sockets[i], m) > fit) {
			fit = fits(&s->sockets[i], m);
			best = i;
		}
	return best;
}

/* Of an address that was widened or narrowed meanwhile, too. */
static bool port_is_ours(const struct count_seen *s, const struct inet_diag_msg *m)
{
	for (size_t i = 0; i < s->socket_count; i++)
		if (s->sockets[i].sa->sa_family != AF_UNIX &&
		    port_of(&s->sockets[i]) == m->id.idiag_sport)
			return true;
	return false;
}

/* State and port are checked again: the kernel's filter lets some others pass. */
int count_seen_inet(const struct nlmsghdr *head, void *seen)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(head);
	struct count_seen *s = seen;
	size_t i;

	if (mnl_nlmsg_get_payload_len(head) < sizeof(*m) || !m->idiag_inode ||
	    m->idiag_state > TCP_CLOSING)
		return MNL_CB_OK;
	if (m->idiag_state == TCP_LISTEN && port_is_ours(s, m))
		add(s, m->idiag_inode, 0, true);
	else if ((ACCEPTED & STATE(m->idiag_state)) && (i = socket_of(s, m)) < s->socket_count)
		add(s, m->idiag_inode, i, false);
	return MNL_CB_OK;
}

/* A path may or may not count its NUL. */
static bool same_name(const struct count_socket *s, const char *name, size_t length)
{
	const char *own = ((const struct sockaddr_un *)(const void *)s->sa)->sun_path;
	size_t own_length = s->length - offsetof(struct sockaddr_un, sun_path);

	if (length && name[0])
		length = strnlen(name, length);
	if (own_length && own[0])
		own_length = strnlen(own, own_length);
	return length == own_length && memcmp(own, name, length) == 0;
}

/* An accepted connection has the name of its listener. */
int count_seen_unix(const struct nlmsghdr *head, void *seen)
{
	const struct unix_diag_msg *m = mnl_nlmsg_get_payload(head);
	const struct nlattr *attr;
	struct count_seen *s = seen;

	if (mnl_nlmsg_get_payload_len(head) < sizeof(*m) ||
	    (m->udiag_type != SOCK_STREAM && m->udiag_type != SOCK_SEQPACKET))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, head, sizeof(*m)) {
		if (mnl_attr_get_type(attr) != UNIX_DIAG_NAME)
			continue;
		for (size_t i = 0; i < s->socket_count; i++)
			if (s->sockets[i].sa->sa_family == AF_UNIX &&
			    same_name(&s->sockets[i], mnl_attr_get_payload(attr),
				      mnl_attr_get_payload_len(attr)))
				add(s, m->udiag_ino, i, m->udiag_state == TCP_LISTEN);
	}
	return MNL_CB_OK;
}

static int by_port(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x - *y;
}

/* Each once, in their order; how many. */
static size_t ports_of(const struct count_seen *s, int family, uint16_t *ret)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < s->socket_count; i++)
		if (s->sockets[i].sa->sa_family == family)
			ret[count++] = ntohs(port_of(&s->sockets[i]));
	qsort(ret, count, sizeof(*ret), by_port);
	for (size_t i = 0; i < count; i++)
		if (!kept || ret[kept - 1] != ret[i])
			ret[kept++] = ret[i];
	return kept;
}

static uint16_t bytes(const struct inet_diag_bc_op *from, const struct inet_diag_bc_op *to)
{
	return (uint16_t)((const char *)to - (const char *)from);
}

/* "Is it this port?"  Being at the end is yes, being beyond it is no. */
static struct inet_diag_bc_op *add_port(struct inet_diag_bc_op *at,
					const struct inet_diag_bc_op *end, int32_t port)
{
	at[0] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_COND, .yes = bytes(at, at + 3),
					  .no = (uint16_t)(bytes(at, end) + 4) };
	/* struct inet_diag_hostcond: of any family, without an address. */
	at[1] = (struct inet_diag_bc_op){ 0 };
	memcpy(&at[2], &port, sizeof(port));
	at[3] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_JMP, .yes = sizeof(*at),
					  .no = bytes(at + 3, end) };
	return at + 4;
}

/* A search by halves: the upper one follows, the lower one behind that. */
static struct inet_diag_bc_op *add_ports(struct inet_diag_bc_op *at,
					 const struct inet_diag_bc_op *end,
					 const uint16_t *ports, size_t count)
{
	struct inet_diag_bc_op *lower;

	if (count == 1)
		return add_port(at, end, ports[0]);
	lower = add_ports(at + 2, end, ports + count / 2, count - count / 2);
	at[0] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_GE, .yes = bytes(at, at + 2),
					  .no = bytes(at, lower) };
	at[1] = (struct inet_diag_bc_op){ .no = ports[count / 2] };
	return add_ports(lower, end, ports, count / 2);
}

/* One port is asked for as such, several by a filter, too many not at all. */
static int ask_ports(struct count_seen *s, struct inet_diag_req_v2 *r, const uint16_t *ports,
		     size_t count, struct err *err)
{
	size_t steps = count > 1 && count <= PORTS_MOST ? 6 * count - 2 : 0;
	size_t size = sizeof(*r) + (steps ? sizeof(struct nlattr) : 0) +
		      steps * sizeof(struct inet_diag_bc_op);
	char *request = mem_new(size);
	struct nlattr *filter = (void *)(request + sizeof(*r));
	int rc;

	if (count == 1)
		r->id.idiag_sport = htons(ports[0]);
	memcpy(request, r, sizeof(*r));
	if (steps) {
		struct inet_diag_bc_op *first = (void *)(filter + 1);

		*filter = (struct nlattr){ .nla_type = INET_DIAG_REQ_BYTECODE,
					   .nla_len = (uint16_t)(size - sizeof(*r)) };
		(void)add_ports(first, first + steps, ports, count);
	}
	rc = sock_diag_ask(request, size, true, count_seen_inet, s, err);
	free(request);
	return rc;
}

static int ask_inet(struct count_seen *s, int family, struct err *err)
{
	struct inet_diag_req_v2 r = { .sdiag_family = (uint8_t)family,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = ACCEPTED | STATE(TCP_LISTEN) };
	uint16_t *ports = mem_new((s->socket_count + 1) * sizeof(*ports));
	size_t count = ports_of(s, family, ports);
	int rc = count ? ask_ports(s, &r, ports, count, err) : 0;

	free(ports);
	return rc;
}

static int ask_unix(struct count_seen *s, struct err *err)
{
	struct unix_diag_req r = {
		.sdiag_family = AF_UNIX,
		.udiag_states = STATE(TCP_ESTABLISHED) | STATE(TCP_LISTEN),
		.udiag_show = UDIAG_SHOW_NAME,
	};

	for (size_t i = 0; i < s->socket_count; i++)
		if (s->sockets[i].sa->sa_family == AF_UNIX)
			return sock_diag_ask(&r, sizeof(r), true, count_seen_unix, s, err);
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct seen_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

int count_seen_ask(struct count_seen *s, struct err *err)
{
	for (size_t i = 0; i < s->socket_count; i++)
		add(s, s->sockets[i].inode, i, true);
	if (ask_inet(s, AF_INET, err) || ask_inet(s, AF_INET6, err) || ask_unix(s, err))
		return -1;
	if (s->count)
		qsort(s->items, s->count, sizeof(*s->items), by_inode);
	return 0;
}

struct seen_socket *count_seen_find(const struct count_seen *s, unsigned long inode)
{
	struct seen_socket key = { .inode = inode };

	return s->count ? bsearch(&key, s->items, s->count, sizeof(key), by_inode) : NULL;
}

void count_seen_fini(struct count_seen *s)
{
	free(s->items);
	*s = (struct count_seen){ 0 };
}
