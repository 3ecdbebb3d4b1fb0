#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/owner.h"
#include "socket/address.h"

#define DIGITS "0123456789"

static struct sockaddr_in *v4(struct address *a)
{
	return (struct sockaddr_in *)(void *)&a->sa;
}

static struct sockaddr_in6 *v6(struct address *a)
{
	return (struct sockaddr_in6 *)(void *)&a->sa;
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0;

	fd_close(&fd);
	return has;
}

static void set_v4(struct address *a, const struct in_addr *host, in_port_t port)
{
	*v4(a) = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr = *host };
	a->length = sizeof(struct sockaddr_in);
}

static void set_v6(struct address *a, const struct in6_addr *host, in_port_t port, unsigned scope)
{
	*v6(a) = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port,
					.sin6_addr = *host, .sin6_scope_id = scope };
	a->length = sizeof(struct sockaddr_in6);
}

static int parse_port(const char *text, in_port_t *ret, struct err *err)
{
	size_t length = strlen(text);
	long port = strtol(text, NULL, 10);

	if (length == 0 || length > 5 || strspn(text, DIGITS) != length || port < 1 || port > 65535)
		return err_set(err, EINVAL, "\"%s\" is not a port; write a number from 1 to 65535",
			       text);
	*ret = htons((uint16_t)port);
	return 0;
}

static int parse_any(const char *port_text, struct address *a, struct err *err)
{
	in_port_t port;

	if (parse_port(port_text, &port, err))
		return -1;
	a->any = true;
	if (has_ipv6())
		set_v6(a, &in6addr_any, port, 0);
	else
		set_v4(a, &(struct in_addr){ htonl(INADDR_ANY) }, port);
	return 0;
}

static int parse_unix(const char *path, struct address *a, struct err *err)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&a->sa;
	size_t length = strlen(path), most = sizeof(un->sun_path) - 1;
	bool abstract = path[0] == '@';

	if (!abstract && path[0] != '/')
		return err_set(err, EINVAL, "\"unix:%s\": write unix:/path, or unix:@name for the "
			       "abstract namespace", path);
	if (abstract && length == 1)
		return err_set(err, EINVAL, "\"unix:@\" lacks a name after the @");
	if (length > most)
		return err_set(err, ENAMETOOLONG, "\"unix:%.20s...\" has %zu bytes; the system "
			       "takes paths of at most %zu", path, length, most);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, length);
	if (abstract)
		un->sun_path[0] = '\0';
	a->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
	return 0;
}

/* The part behind %: an interface's name or number; 0 for none or no such. */
static unsigned scope_of(const char *scope)
{
	unsigned index = if_nametoindex(scope);

	if (!index && *scope && strspn(scope, DIGITS) == strlen(scope))
		index = (unsigned)strtoul(scope, NULL, 10);
	return index;
}

/* What inet_pton(3) takes and bind(2) would refuse, or take otherwise than meant. */
static int check_v6(const struct in6_addr *host, const char *text, unsigned scope, const char *port,
		    struct err *err)
{
	char plain[INET_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(host)) {
		(void)inet_ntop(AF_INET, &host->s6_addr[12], plain, sizeof(plain));
		return err_set(err, EINVAL, "[%s] is an IPv4 address; write %s:%s", text, plain,
			       port);
	}
	if (IN6_IS_ADDR_LINKLOCAL(host) && !scope)
		return err_set(err, EINVAL, "[%s] is good on one interface only; name it: "
			       "[%s%%eth0]:%s", text, text, port);
	return 0;
}

static int parse_bracketed(const char *text, struct address *a, struct err *err)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	const char *end = strchr(text, ']');
	size_t length = end ? (size_t)(end - text) - 1 : 0;
	struct in6_addr binary;
	unsigned scope = 0;
	in_port_t port;
	char *percent;

	if (!end || end[1] != ':' || length >= sizeof(host))
		return err_set(err, EINVAL, "\"%s\" is not [ADDRESS]:PORT", text);
	memcpy(host, text + 1, length);
	host[length] = '\0';
	if ((percent = strchr(host, '%'))) {
		*percent = '\0';
		if (!(scope = scope_of(percent + 1)))
			return err_set(err, ENODEV, "\"%s\": there is no interface \"%s\"", text,
				       percent + 1);
	}
	if (inet_pton(AF_INET6, host, &binary) != 1)
		return err_set(err, EINVAL, "\"%s\" is not an IPv6 address", host);
	if (parse_port(end + 2, &port, err) || check_v6(&binary, host, scope, end + 2, err))
		return -1;
	set_v6(a, &binary, port, scope);
	return 0;
}

static void take_result(struct address *a, const struct addrinfo *r, in_port_t port)
{
	memcpy(&a->sa, r->ai_addr, r->ai_addrlen);
	a->length = r->ai_addrlen;
	if (r->ai_family == AF_INET6)
		v6(a)->sin6_port = port;
	else
		v4(a)->sin_port = port;
}

/* A name must mean one address: which of several was bound would otherwise be
 * the resolver's choice, and another one after the next start. */
static int resolve(const char *host, in_port_t port, struct address *a, struct err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char one[ADDRESS_TEXT_SIZE], other[ADDRESS_TEXT_SIZE];
	struct addrinfo *found = NULL;
	struct address more = { 0 };
	int rc = getaddrinfo(host, NULL, &hints, &found);

	if (rc)
		return err_set(err, ENOENT, "cannot resolve \"%s\": %s", host, gai_strerror(rc));
	take_result(a, found, port);
	rc = 0;
	for (struct addrinfo *r = found->ai_next; r && !rc; r = r->ai_next) {
		take_result(&more, r, port);
		if (more.length != a->length || memcmp(&more.sa, &a->sa, a->length))
			rc = err_set(err, EINVAL, "\"%s\" has several addresses (%s, %s); "
				     "write those that are meant", host, address_text(a, one),
				     address_text(&more, other));
	}
	freeaddrinfo(found);
	return rc;
}

static int parse_host(const char *text, struct address *a, struct err *err)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char host[256];
	struct in_addr binary;
	in_port_t port;

	if (!colon)
		return err_set(err, EINVAL, "\"%s\" lacks a port; write PORT, HOST:PORT, "
			       "[V6]:PORT or unix:/path", text);
	if (length == 0 || length >= sizeof(host))
		return err_set(err, EINVAL, "\"%s\" lacks a host; write *%s for every address",
			       text, colon);
	memcpy(host, text, length);
	host[length] = '\0';
	if (strchr(host, ':'))
		return err_set(err, EINVAL, "\"%s\": an IPv6 address stands in brackets, [%s]%s",
			       text, host, colon);
	if (parse_port(colon + 1, &port, err))
		return -1;
	if (inet_pton(AF_INET, host, &binary) == 1) {
		set_v4(a, &binary, port);
		return 0;
	}
	/* getaddrinfo(3) would read 10.1 as 10.0.0.1. */
	if (strspn(host, DIGITS ".") == length)
		return err_set(err, EINVAL, "\"%s\" is not an IPv4 address", host);
	return resolve(host, port, a, err);
}

static const struct form {
	const char *prefix;
	size_t skip;
	int (*parse)(const char *text, struct address *a, struct err *err);
} forms[] = {
	{ "unix:", 5, parse_unix },
	{ "*:",    2, parse_any },
	{ "[",     0, parse_bracketed },
};

int address_parse(const char *text, struct address *ret, struct err *err)
{
	int (*parse)(const char *, struct address *, struct err *) = parse_host;
	struct address a = { 0 };
	size_t skip = 0;

	if (*text && strspn(text, DIGITS) == strlen(text))
		parse = parse_any;
	for (size_t i = 0; i < COUNT(forms); i++) {
		if (strncmp(text, forms[i].prefix, strlen(forms[i].prefix)) == 0) {
			parse = forms[i].parse;
			skip = forms[i].skip;
		}
	}
	if (parse(text + skip, &a, err))
		return -1;
	*ret = a;
	return 0;
}
