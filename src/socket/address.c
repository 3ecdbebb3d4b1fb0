#include "socket/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct sockaddr_in *v4(const struct address *a)
{
	return (const struct sockaddr_in *)(const void *)&a->sa;
}

static const struct sockaddr_in6 *v6(const struct address *a)
{
	return (const struct sockaddr_in6 *)(const void *)&a->sa;
}

static const struct sockaddr_un *local(const struct address *a)
{
	return (const struct sockaddr_un *)(const void *)&a->sa;
}

static void v6_host(const struct sockaddr_in6 *a, char *buf, size_t size)
{
	char name[IF_NAMESIZE];
	size_t used;

	(void)inet_ntop(AF_INET6, &a->sin6_addr, buf, (socklen_t)size);
	used = strlen(buf);
	if (a->sin6_scope_id && if_indextoname(a->sin6_scope_id, name))
		(void)snprintf(buf + used, size - used, "%%%s", name);
	else if (a->sin6_scope_id)
		(void)snprintf(buf + used, size - used, "%%%u", a->sin6_scope_id);
}

static void unix_host(const struct address *a, char buf[ADDRESS_TEXT_SIZE])
{
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t length = a->length > head ? a->length - head : 0;

	(void)snprintf(buf, ADDRESS_TEXT_SIZE, "%.*s", (int)length, local(a)->sun_path);
	if (length && local(a)->sun_path[0] == '\0')
		(void)snprintf(buf, ADDRESS_TEXT_SIZE, "@%.*s", (int)length - 1,
			       local(a)->sun_path + 1);
}

const char *address_host(const struct address *a, char buf[ADDRESS_TEXT_SIZE])
{
	buf[0] = '\0';
	if (a->any)
		(void)snprintf(buf, ADDRESS_TEXT_SIZE, "*");
	else if (a->sa.ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4(a)->sin_addr, buf, ADDRESS_TEXT_SIZE);
	else if (a->sa.ss_family == AF_INET6)
		v6_host(v6(a), buf, ADDRESS_TEXT_SIZE);
	else if (a->sa.ss_family == AF_UNIX)
		unix_host(a, buf);
	return buf;
}

const char *address_text(const struct address *a, char buf[ADDRESS_TEXT_SIZE])
{
	char host[ADDRESS_TEXT_SIZE];
	bool brackets = a->sa.ss_family == AF_INET6 && !a->any;

	address_host(a, host);
	if (a->sa.ss_family == AF_UNIX)
		(void)snprintf(buf, ADDRESS_TEXT_SIZE, "unix:%.*s", ADDRESS_TEXT_SIZE - 6, host);
	else
		(void)snprintf(buf, ADDRESS_TEXT_SIZE, brackets ? "[%.*s]:%d" : "%.*s:%d",
			       ADDRESS_TEXT_SIZE - 9, host, address_port(a));
	return buf;
}

int address_port(const struct address *a)
{
	if (a->sa.ss_family == AF_INET)
		return ntohs(v4(a)->sin_port);
	if (a->sa.ss_family == AF_INET6)
		return ntohs(v6(a)->sin6_port);
	return -1;
}

const char *address_path(const struct address *a)
{
	if (a->sa.ss_family != AF_UNIX || local(a)->sun_path[0] != '/')
		return NULL;
	return local(a)->sun_path;
}

void address_reach(const struct address *listen, struct address *ret)
{
	*ret = *listen;
	ret->any = false;
	if (ret->sa.ss_family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&ret->sa;

		if (in->sin_addr.s_addr == htonl(INADDR_ANY))
			in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else if (ret->sa.ss_family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->sa;

		if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			in6->sin6_addr = in6addr_loopback;
	}
}
