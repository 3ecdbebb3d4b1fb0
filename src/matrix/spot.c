#include "matrix/spot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "platform/platform.h"

/* A loopback interface has one address of IPv6.  Another one is bound without
 * being there (IPV6_FREEBIND); it is one of those set aside for documents. */
static const struct {
	int family, v6only;
	const char *hosts[MATRIX_ADDRESSES];
} kinds[MATRIX_KINDS] = {
	[MATRIX_IPV4] = { AF_INET, 0, { "0.0.0.0", "127.0.0.1", "127.0.0.2" } },
	[MATRIX_IPV6] = { AF_INET6, 1, { "::", "::1", "2001:db8::2" } },
	[MATRIX_DUAL] = { AF_INET6, 0, { "::", "::ffff:127.0.0.1", "::ffff:127.0.0.2" } },
};

/* In the order of words.c. */
static const int option_sets[MATRIX_OPTION_SETS][2] = {
	{ 0 },
	{ SO_REUSEADDR },
	{ SO_REUSEPORT },
	{ SO_REUSEADDR, SO_REUSEPORT },
#ifdef SO_EXCLUSIVEADDRUSE
	{ SO_EXCLUSIVEADDRUSE },
#endif
};

struct spot spot_of(enum matrix_kind kind, enum matrix_address address, int port)
{
	struct spot p = { .sa.ss_family = (sa_family_t)kinds[kind].family };
	struct sockaddr_in6 *in6 = (void *)&p.sa;
	struct sockaddr_in *in4 = (void *)&p.sa;
	bool six = kinds[kind].family == AF_INET6;

	p.length = six ? sizeof(*in6) : sizeof(*in4);
	(void)inet_pton(kinds[kind].family, kinds[kind].hosts[address],
			six ? (void *)&in6->sin6_addr : (void *)&in4->sin_addr);
	spot_set_port(&p, port);
	return p;
}

void spot_set_port(struct spot *p, int port)
{
	if (p->sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&p->sa)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)(void *)&p->sa)->sin_port = htons((uint16_t)port);
}

int spot_port(const struct spot *p)
{
	if (p->sa.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)&p->sa)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)&p->sa)->sin_port);
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0;

	fd_close(&fd);
	return has;
}

struct spot spot_everywhere(int port)
{
	return spot_of(has_ipv6() ? MATRIX_DUAL : MATRIX_IPV4, MATRIX_WILDCARD, port);
}

int spot_free_port(struct err *err)
{
	struct spot p = spot_everywhere(0);
	int fd = socket(p.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), no = 0;

	if (p.sa.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (fd < 0 || platform_bind(fd, SPOT(&p), p.length) < 0 ||
	    getsockname(fd, SPOT(&p), &p.length) < 0) {
		(void)err_sys(err, errno, "cannot find a free port");
		fd_close(&fd);
		return -1;
	}
	fd_close(&fd);
	return spot_port(&p);
}

static int set_options(int fd, const struct matrix_socket *s)
{
	const int *options = option_sets[s->options];
	int yes = 1;

	for (size_t i = 0; i < COUNT(option_sets[0]); i++)
		if (options[i] && setsockopt(fd, SOL_SOCKET, options[i], &yes, sizeof(yes)) < 0)
			return -1;
	if (kinds[s->kind].family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &kinds[s->kind].v6only, sizeof(int)) < 0)
		return -1;
#ifdef IPV6_FREEBIND
	if (s->kind == MATRIX_IPV6 && s->address == MATRIX_OTHER)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes));
#endif
	return 0;
}

int spot_socket(const struct matrix_socket *s, struct err *err)
{
	int fd = socket(kinds[s->kind].family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && set_options(fd, s) == 0)
		return fd;
	(void)err_sys(err, errno, "%s, %s: cannot make a socket",
		      matrix_family_word(s->kind, s->kind), matrix_options_word(s->options));
	fd_close(&fd);
	return -1;
}

void spot_reset(int *fd)
{
	struct linger none = { .l_onoff = 1 };

	if (*fd >= 0)
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	fd_close(fd);
}
