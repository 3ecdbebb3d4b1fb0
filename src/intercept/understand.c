#include "intercept/understand.h"

#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "socket/open.h"

static int number_of(int fd, int option)
{
	socklen_t length = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

const struct own_socket *own_socket(int fd, struct own_socket *ret)
{
	*ret = (struct own_socket){ .domain = number_of(fd, SO_DOMAIN),
				    .type = number_of(fd, SO_TYPE),
				    .protocol = number_of(fd, SO_PROTOCOL) };
	ret->v6only = ret->domain == AF_INET6 && socket_is_v6only(fd);
	return ret;
}

static bool may_be_held(const struct own_socket *own)
{
	if (own->domain == AF_UNIX)
		return own->type == SOCK_STREAM || own->type == SOCK_DGRAM ||
		       own->type == SOCK_SEQPACKET;
	if (own->type == SOCK_STREAM)
		return own->protocol == IPPROTO_TCP || own->protocol == IPPROTO_MPTCP;
	return own->type == SOCK_DGRAM && own->protocol == IPPROTO_UDP;
}

static bool understand_port(socklen_t length, size_t size, struct address *a)
{
	a->length = (socklen_t)size;
	return length >= size && address_port(a) != 0;
}

/* A path ends with its first NUL byte, or with the length; an abstract name has all
 * bytes.  Without a name the system chooses one. */
static bool understand_name(socklen_t length, struct address *a)
{
	struct sockaddr_un *un = (void *)&a->sa;
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	size_t most = length > before ? length - before : 0, used = most;

	if (!most || most > sizeof(un->sun_path))
		return false;
	if (un->sun_path[0]) {
		used = strnlen(un->sun_path, most);
		if (used == sizeof(un->sun_path))
			return false;
		memset(un->sun_path + used, 0, sizeof(un->sun_path) - used);
		used++;
	}
	a->length = (socklen_t)(before + used);
	return true;
}

static bool understand_address(socklen_t length, struct address *a)
{
	switch (a->sa.ss_family) {
	case AF_INET:
		return understand_port(length, sizeof(struct sockaddr_in), a);
	case AF_INET6:
		return understand_port(length, sizeof(struct sockaddr_in6), a);
	case AF_UNIX:
		return understand_name(length, a);
	default:
		return false;
	}
}

bool understand_bind(const struct own_socket *own, const struct sockaddr_storage *sa,
		     socklen_t length, struct asked *ret)
{
	struct address a = { .sa = *sa };

	if (sa->ss_family != own->domain || !may_be_held(own) || !understand_address(length, &a))
		return false;
	key_make(&a, own->type, own->domain == AF_UNIX ? 0 : own->protocol, &ret->key);
	ret->v6only = own->v6only;
	return true;
}
