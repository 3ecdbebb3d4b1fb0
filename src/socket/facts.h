/* What is known about an address that cannot be bound: gathered here, judged by
 * blocker.h.
 *
 * Reads, never changes anything; what it read may be over by the time that it is
 * looked at. */
#ifndef HOLDPORT_SOCKET_FACTS_H
#define HOLDPORT_SOCKET_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/conflict.h"
#include "platform/platform.h"
#include "socket/key.h"

enum { FACTS_HOLDERS = 8, FACTS_STATES = 12 };

/* A bind that was tried. */
struct attempt {
	const struct key *key;
	bool v6only;		/* what the socket was */
	bool sharing;		/* it had SO_REUSEADDR */
	int why;		/* errno; 0: it went through */
};

/* Connections in one TCP state whose local end is in the way of that bind. */
struct left {
	unsigned count;
	unsigned held;		/* of them: a process has them open */
	unsigned timed;		/* of them: the kernel will end their state by itself */
	int64_t latest_ms;	/* the last of those */
	struct holder by;	/* one that holds one; inode 0: nobody */
};

struct facts {
	int why;
	int family, type, port;	/* port -1: none */
	bool sharing;
	struct claim claim;	/* what the bind asks for */
	enum facts_seen { SEEN_NOTHING, SEEN_PART, SEEN_ALL } seen;
	struct holder holders[FACTS_HOLDERS];	/* of listening, datagram, or bound sockets */
	bool listens[FACTS_HOLDERS];		/* false: bound, it does not listen */
	int options[FACTS_HOLDERS];		/* as in rule.h; -1: not visible */
	unsigned holder_count;			/* there may be more than are told */
	struct left left[FACTS_STATES];		/* by state, as in <netinet/tcp.h> */
	int first_free_port;
	bool ephemeral;		/* outgoing connections are given this port */
	bool no_socket;		/* a path that is taken by something else */
	char path_trouble[256];	/* of a path: what is wrong with it; "" nothing */
};

/* before: what was known of the same address; its holders need no second walk over
 * all processes, which takes ms at most.  NULL: nothing. */
void facts_gather(const struct attempt *a, const struct facts *before, int ms,
		  struct facts *ret);

/* The parts of it that touch nothing: an address without anything at it yet, and one
 * socket at its port. */
void facts_begin(const struct attempt *a, struct facts *ret);
void facts_see(struct facts *f, const struct bound *b);
/* Whether that socket's address is in the way of what the bind asks for. */
bool facts_meet(const struct facts *f, const struct bound *b);

#endif
