#include "intercept/understand.h"

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
	if (own->type == SOCK_STREAM)
		return own->protocol == IPPROTO_TCP || own->protocol == IPPROTO_MPTCP;
	return own->type == SOCK_DGRAM && own->protocol == IPPROTO_UDP;
}

bool understand_bind(const struct own_socket *own, const struct sockaddr_storage *sa,
		     socklen_t length, struct asked *ret)
{
	struct address a = { .sa = *sa };

	if (own->domain == AF_INET && length >= sizeof(struct sockaddr_in))
		a.length = sizeof(struct sockaddr_in);
	else if (own->domain == AF_INET6 && length >= sizeof(struct sockaddr_in6))
		a.length = sizeof(struct sockaddr_in6);
	else
		return false;
	if (sa->ss_family != own->domain || address_port(&a) == 0 || !may_be_held(own))
		return false;
	key_make(&a, own->type, own->protocol, &ret->key);
	ret->v6only = own->v6only;
	return true;
}
