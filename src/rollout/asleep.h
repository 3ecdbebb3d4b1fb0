/* start = on-demand: a program sleeps until somebody comes to one of its sockets.
 *
 * It shall run (up), and nothing of it does.  Whether a socket is readable is all that is
 * looked at: who comes waits in its queue until the first worker accepts.  Once it is awake
 * nobody listens here, so clients wake nobody but the workers.
 *
 * When all of its workers have ended by themselves, and well, it sleeps again.  However often
 * that happens, and whoever causes it, it only gets slower: ten times a second. */
#ifndef HOLDPORT_ROLLOUT_ASLEEP_H
#define HOLDPORT_ROLLOUT_ASLEEP_H

#include "rollout/program.h"

/* Its last worker has ended as it should. */
void asleep_again(struct program *p);
/* Its step: what is left of it goes; then its sockets, as they are now, are listened to. */
void asleep_step(struct program *p);
/* It is not, from now on.  True if it was. */
bool asleep_end(struct program *p);

#endif
