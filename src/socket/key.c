#include "socket/key.h"

#include <netinet/in.h>
#include <string.h>

#include "config/settings.h"
#include "platform/conflict.h"
#include "platform/platform.h"

static int usual_protocol(int family, int type)
{
	if (family == AF_UNIX)
		return 0;
	return type == SOCK_DGRAM ? IPPROTO_UDP : type == SOCK_STREAM ? IPPROTO_TCP : 0;
}

void key_make(const struct address *a, int type, int protocol, struct key *ret)
{
	int family = a->sa.ss_family;

	*ret = (struct key){ .family = family, .type = type, .address = *a };
	ret->protocol = protocol ? protocol : usual_protocol(family, type);
	/* A path is found through the file system, not through the network. */
	if (!address_path(a))
		ret->namespace = platform_network_namespace();
}

const char *key_type_word(const struct key *key)
{
	switch (key->type) {
	case SOCK_DGRAM:
		return "datagram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "stream";
	}
}

static bool same_host(const struct address *a, const struct address *b)
{
	const struct sockaddr_in *a4 = (const void *)&a->sa, *b4 = (const void *)&b->sa;
	const struct sockaddr_in6 *a6 = (const void *)&a->sa, *b6 = (const void *)&b->sa;

	switch (a->sa.ss_family) {
	case AF_INET:
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	case AF_INET6:
		return a6->sin6_scope_id == b6->sin6_scope_id &&
		       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
	default:
		return a->length == b->length && memcmp(&a->sa, &b->sa, a->length) == 0;
	}
}

static bool same_namespace(const struct key *a, const struct key *b)
{
	return a->namespace == b->namespace || !a->namespace || !b->namespace;
}

static bool same_place(const struct key *a, const struct key *b)
{
	return a->family == b->family && same_namespace(a, b) &&
	       address_port(&a->address) == address_port(&b->address) &&
	       same_host(&a->address, &b->address);
}

bool key_same_address(const struct key *a, const struct key *b)
{
	return a->type == b->type && a->slot == b->slot && same_place(a, b);
}

bool key_same(const struct key *a, const struct key *b)
{
	return a->protocol == b->protocol && key_same_address(a, b);
}

/* A path is one file whatever the type; abstract names are apart by type. */
static bool unix_overlaps(const struct key *a, const struct key *b)
{
	return same_place(a, b) && (address_path(&a->address) || a->type == b->type);
}

/* MPTCP listens at TCP's ports: the type tells whose ports they are. */
static bool same_ports(const struct key *a, const struct key *b)
{
	return a->type == b->type && same_namespace(a, b) &&
	       address_port(&a->address) == address_port(&b->address);
}

bool key_overlaps(const struct key *a, bool a_v6only, const struct key *b, bool b_v6only)
{
	struct claim one = claim_of((const struct sockaddr *)&a->address.sa, a_v6only);
	struct claim other = claim_of((const struct sockaddr *)&b->address.sa, b_v6only);

	if (key_same(a, b))
		return false;
	/* Slots of one group share their address by SO_REUSEPORT. */
	if (a->slot != b->slot && same_place(a, b) && a->protocol == b->protocol)
		return false;
	if (a->family == AF_UNIX)
		return unix_overlaps(a, b);
	return same_ports(a, b) && claims_meet(&one, &other);
}

bool key_covers(const struct key *a, bool a_v6only, const struct key *b, bool b_v6only)
{
	struct claim whole = claim_of((const struct sockaddr *)&a->address.sa, a_v6only);
	struct claim part = claim_of((const struct sockaddr *)&b->address.sa, b_v6only);

	if (a->family == AF_UNIX || b->family == AF_UNIX)
		return key_same_address(a, b);
	return same_ports(a, b) && claim_within(&part, &whole);
}

void key_of_address(const struct socket_settings *s, size_t index, struct key *ret)
{
	key_make(&s->addresses[index], s->type, s->mptcp ? IPPROTO_MPTCP : 0, ret);
}
