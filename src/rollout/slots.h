/* The slots of a program's sockets with reuse_port (socket/group.h): one for each
 * index of a worker.
 *
 * A slot is served while a worker of its index serves, of whatever generation.  One
 * that shall have no worker any more gets no new connections first, then its worker
 * empties the queue, and only then is told to go; the socket is closed when he is
 * gone.  While the program is stopped, nothing of a group is closed. */
#ifndef HOLDPORT_ROLLOUT_SLOTS_H
#define HOLDPORT_ROLLOUT_SLOTS_H

#include "rollout/program.h"

/* What a worker of this index is given; ret has means->held_count. */
void slots_of(const struct means *m, unsigned index, struct held **ret);

/* A slot for each worker of the next generation: it begins when all are bound. */
void slots_open(struct program *p);
/* Tells the groups who is served, and closes what nobody will serve. */
void slots_settle(struct program *p);
/* Whether workers beyond those that are wanted may be told to go, if somebody wants
 * to close their seats; if not yet, the program is woken again. */
bool slots_quiet(struct program *p, bool closing);

#endif
