/* What makes two sockets the same socket.
 *
 * Network namespace, family, type, protocol, address, port or path, and slot.
 * The name of a section, ipv6_only, device and options are attributes of the
 * socket that is held, not of its key: changing them never loses the address. */
#ifndef HOLDPORT_SOCKET_KEY_H
#define HOLDPORT_SOCKET_KEY_H

#include <netinet/in.h>
#include <stdbool.h>

#include "socket/address.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262	/* a system without it says so in socket(2) */
#endif

struct key {
	unsigned long namespace;	/* inode of the network namespace, 0: unknown */
	int family, type, protocol;
	struct address address;
	int slot;			/* in a reuse_port group; 0 otherwise */
};

/* "stream", "datagram", "seqpacket". */
const char *key_type_word(const struct key *key);

/* protocol 0: the usual one of the type; IPPROTO_MPTCP for `mptcp`. */
void key_make(const struct address *a, int type, int protocol, struct key *ret);
struct socket_settings;
/* Of one address of a section: what the settings make of it. */
void key_of_address(const struct socket_settings *s, size_t index, struct key *ret);
bool key_same(const struct key *a, const struct key *b);
/* The same but for its protocol: MPTCP and TCP serve the same clients. */
bool key_same_address(const struct key *a, const struct key *b);
/* Everything that b would be bound to is part of a. */
bool key_covers(const struct key *a, bool a_v6only, const struct key *b, bool b_v6only);
/* Two different keys that the kernel will not hold at once: wildcard against
 * specific, dual-stack against IPv4, the same port.  The flags say whether the
 * sockets are (or will be) IPv6-only; design.md calls this an overlap. */
bool key_overlaps(const struct key *a, bool a_v6only, const struct key *b, bool b_v6only);

#endif
