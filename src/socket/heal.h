/* What a worker did to a socket that all share, put right again.
 *
 * The socket's options are one for every process that has it: a worker's own
 * listen(2) changes the backlog of all, O_NONBLOCK is shared, and so are the device
 * it is bound to and a filter on it.  Nothing tells of such a change, so we look when a
 * worker is started, when one is proved, and when somebody asks for the sockets.  A
 * shutdown(2) is told, and healed by the store at once.
 *
 * What the system does not let us put right (a filter that was locked) spoils the
 * socket until it is bound anew: `reason` says so. */
#ifndef HOLDPORT_SOCKET_HEAL_H
#define HOLDPORT_SOCKET_HEAL_H

#include "base/str.h"
#include "socket/store.h"

/* Looks, mends, and says what was mended.  Does nothing unless it listens. */
void heal_look(struct held *h);
void heal_look_at(struct held *const *held, size_t count);

/* Who may have done it, as the subject of a sentence: the worker where only one has
 * the socket, else "somebody". */
void heal_suspect(const struct held *h, struct str *ret);

#endif
