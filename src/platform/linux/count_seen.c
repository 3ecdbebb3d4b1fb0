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
#include "platform/linux/diag_read.h"
#include "platform/linux/sock_diag.h"

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

	if (s->sa->sa_family != m->idiag_family || diag_port_of(s->sa) != m->id.idiag_sport)
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
		    diag_port_of(s->sockets[i].sa) == m->id.idiag_sport)
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

static size_t ports_of(const struct count_seen *s, int family, uint16_t *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < s->socket_count; i++)
		if (s->sockets[i].sa->sa_family == family)
			ret[count++] = ntohs(diag_port_of(s->sockets[i].sa));
	return count;
}

static int ask_inet(struct count_seen *s, int family, struct err *err)
{
	struct inet_diag_req_v2 r = { .sdiag_family = (uint8_t)family,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = ACCEPTED | STATE(TCP_LISTEN) };
	uint16_t *ports = mem_new((s->socket_count + 1) * sizeof(*ports));
	size_t count = ports_of(s, family, ports);
	int rc = count ? sock_diag_ask_ports(&r, ports, count, count_seen_inet, s, err) : 0;

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
