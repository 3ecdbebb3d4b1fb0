/* One held socket takes the place of others that have its address, or a part of
 * it, and no connection is lost.
 *
 * Make before break: the new one is bound beside those that are leaving
 * (SO_REUSEPORT), and deaf: nothing comes to it.  When somebody serves it, it
 * hears and they are deaf, in this order.  What waits in their queues, or is on
 * its way there, is accepted by their own workers, who run until it is done.
 * Then they are closed, and nobody else may bind beside.
 *
 * Where the system cannot take hearing away and give it back (CAN_STEER), what
 * the kernel prefers is what hears: rebind_risk() says what that may cost.
 *
 * Knows nothing of programs: who has an audience is told. */
#ifndef HOLDPORT_SOCKET_REBIND_H
#define HOLDPORT_SOCKET_REBIND_H

#include "socket/open.h"
#include "socket/store.h"

/* Would one bind give the same socket under both?  Only what bind(2) fixes
 * counts: an option that has no meaning for this key is none. */
bool rebind_alike(const struct key *key, const struct socket_settings *a,
		  const struct socket_settings *b);

/* h is about to be bound: those that leave and are in its way let it.  True if
 * there are any, so that it has to be bound beside them, as ret_how says. */
bool rebind_make_room(struct held *h, struct beside *ret_how);
/* The same for one of a group: if what leads it is deaf, it has to be as well. */
bool rebind_like_leader(const struct held *h, struct beside *ret_how);

/* By which it is deaf: the kernel must not make one group of two that are deaf at one
 * address, for one of them may be forsaken. */
unsigned rebind_number(const struct held *h);
/* h is bound now, or could not be; it is about to be closed. */
void rebind_bound(struct held *h);
void rebind_leave(struct held *h);
void rebind_revived(struct store *s);	/* all that an earlier manager had are there */
void rebind_left(struct held *h);	/* it has been closed */

/* Why h could not be bound beside those whose place it is to take, as a sentence
 * that goes on from "cannot be bound beside the one that is held: ". */
const char *rebind_obstacle(const struct held *h);

/* Who hears follows from who has an audience: `audience` of each held socket. */
void rebind_steer(struct store *s);
/* h, whose place another has taken, has nothing left in its queue and nothing on
 * its way.  True as well for one that hears: it is not to be waited for. */
bool rebind_is_empty(const struct held *h);
/* Both have an address, or a part of it, and one of them leaves. */
bool rebind_rivals(const struct held *a, const struct held *b);

/* For who is about to start workers: h, or the one that takes its place because a
 * worker has spoilt it so that only another bind cures it (heal.h).  The
 * configuration has the new one then. */
struct held *rebind_if_spoilt(struct held *h);

/* Of one that has a rival: what becomes of it; NULL: it has none. */
const char *rebind_reason(const struct held *h);

/* Between the two, new connections from this host come to h, though another may
 * hear: so a probe meets the workers that are to be proved. */
void rebind_open_door(struct held *h);
void rebind_close_door(struct held *h);

/* What may be lost when the one takes the place of the other; NULL: nothing. */
const char *rebind_risk(const struct key *was, const struct socket_settings *before,
			const struct key *now, const struct socket_settings *after,
			bool can_steer);

#endif
