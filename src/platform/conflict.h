/* Which addresses a bound socket claims, and whether two claims meet.
 *
 * Decides; touches nothing.  The rules are those of Linux and the BSDs for two
 * listeners at one port (measured on Linux 6.18, tests/unit/socket_key.c binds
 * every pair): a wildcard meets every address of its family, an IPv6 wildcard
 * that is not IPv6-only meets IPv4 too, a mapped address is an IPv4 address. */
#ifndef HOLDPORT_PLATFORM_CONFLICT_H
#define HOLDPORT_PLATFORM_CONFLICT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

struct claim {
	enum claim_reach { CLAIM_NONE, CLAIM_ONE, CLAIM_ALL } v4, v6;
	struct in_addr host4;		/* where v4 is CLAIM_ONE */
	struct in6_addr host6;		/* where v6 is CLAIM_ONE */
	unsigned scope;			/* of host6; 0: none */
};

static inline struct claim claim_v4(struct in_addr host)
{
	return (struct claim){ .v4 = host.s_addr == htonl(INADDR_ANY) ? CLAIM_ALL : CLAIM_ONE,
			       .host4 = host };
}

static inline struct claim claim_v6(const struct in6_addr *host, unsigned scope, bool v6only)
{
	struct in_addr mapped;

	if (IN6_IS_ADDR_UNSPECIFIED(host))
		return (struct claim){ .v4 = v6only ? CLAIM_NONE : CLAIM_ALL, .v6 = CLAIM_ALL };
	if (!IN6_IS_ADDR_V4MAPPED(host))
		return (struct claim){ .v6 = CLAIM_ONE, .host6 = *host, .scope = scope };
	memcpy(&mapped, &host->s6_addr[12], sizeof(mapped));
	return claim_v4(mapped);
}

static inline struct claim claim_of(const struct sockaddr *sa, bool v6only)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)sa;

	if (sa->sa_family == AF_INET)
		return claim_v4(in4->sin_addr);
	if (sa->sa_family == AF_INET6)
		return claim_v6(&in6->sin6_addr, in6->sin6_scope_id, v6only);
	return (struct claim){ .v4 = CLAIM_NONE };
}

/* Is all of `part` claimed by `whole`? */
static inline bool claim_within(const struct claim *part, const struct claim *whole)
{
	bool same4 = part->host4.s_addr == whole->host4.s_addr;
	bool same6 = part->scope == whole->scope &&
		     IN6_ARE_ADDR_EQUAL(&part->host6, &whole->host6);

	return (part->v4 < whole->v4 || part->v4 == CLAIM_NONE ||
		(part->v4 == whole->v4 && (part->v4 == CLAIM_ALL || same4))) &&
	       (part->v6 < whole->v6 || part->v6 == CLAIM_NONE ||
		(part->v6 == whole->v6 && (part->v6 == CLAIM_ALL || same6)));
}

static inline bool claims_meet(const struct claim *a, const struct claim *b)
{
	/* By reach of the one and of the other: never, always, if they are equal. */
	static const enum { NO, YES, EQUAL } rule[3][3] = {
		[CLAIM_ONE] = { [CLAIM_ONE] = EQUAL, [CLAIM_ALL] = YES },
		[CLAIM_ALL] = { [CLAIM_ONE] = YES,   [CLAIM_ALL] = YES },
	};
	bool same4 = a->host4.s_addr == b->host4.s_addr;
	bool same6 = a->scope == b->scope && IN6_ARE_ADDR_EQUAL(&a->host6, &b->host6);

	return rule[a->v4][b->v4] == YES || (rule[a->v4][b->v4] == EQUAL && same4) ||
	       rule[a->v6][b->v6] == YES || (rule[a->v6][b->v6] == EQUAL && same6);
}

#endif
