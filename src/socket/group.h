/* The sockets of one address with reuse_port = yes: one for each worker, by its index,
 * in one SO_REUSEPORT group.
 *
 * The socket of slot 0 leads: it is the held socket that configurations and means
 * refer to, and what happens to it (settings, when_down, its end) happens to all.
 * The others come when a worker of their index is started, and stay until nobody
 * can come to serve them.  Old and new worker of an index have the same socket, so a
 * queue outlives every generation.
 *
 * The kernel deals new connections out to all sockets of a group.  One that nobody
 * serves would keep its share waiting, so it gets none while others are served.
 *
 * A held socket without a group is a group of one: every function here takes it. */
#ifndef HOLDPORT_SOCKET_GROUP_H
#define HOLDPORT_SOCKET_GROUP_H

#include "socket/store.h"

struct group {
	struct held **slots;		/* [0] leads */
	size_t count;
	struct held **places;		/* those that listen, in the kernel's order */
	size_t place_count;
	bool steered;			/* not all places get connections */
	bool failed;			/* it was said that this cannot be steered */
	unsigned bound_again;		/* how often one behind the leader was */
};

/* Of a new leader, before it is bound. */
struct group *group_new(struct held *leader);
/* The leader is free of it; the others are closed. */
void group_free(struct group *g);

size_t group_size(const struct held *leader);
struct held *group_slot(const struct held *leader, size_t slot);	/* below the size */
/* Opens the slots below count that are not there; they get no connections yet, if
 * another is served.  A busy one waits like any held socket. */
void group_grow(struct held *leader, size_t count);
/* Closes slots from count on, the leader never. */
void group_trim(struct held *leader, size_t count);
/* Clients that wait in slots from `from` on. */
int group_waiting(const struct held *leader, size_t from);
/* Which slots get new connections; none: all of them. */
void group_serve(struct held *leader, const bool *served, size_t count);

/* Whoever changed the choice: it is as group_serve() said. */
void group_assert(const struct held *any);

/* From the store: it listens now, it does so no more. */
void group_joined(struct held *h);
void group_left(struct held *h);

#endif
