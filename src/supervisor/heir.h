/* The keeper was killed: its manager becomes the keeper, by exec(2) of its own image
 * under its own pid.  So its children stay its own, and the descriptors stay open; the
 * new keeper starts a manager, which goes on by ordinary recovery. */
#ifndef HOLDPORT_SUPERVISOR_HEIR_H
#define HOLDPORT_SUPERVISOR_HEIR_H

#include "supervisor/supervisor.h"

/* Another image under our pid, told `word` and `numbers` in front of what we were told.
 * Returns only when it cannot: errno. */
int supervisor_become(struct supervisor *s, int image, char *word, char *numbers,
		      char *const *environment);
/* At the end of one of the next turns, when everything is written down.  Where it
 * cannot be, this manager goes on without a keeper, and tries again. */
void supervisor_lose_keeper(struct supervisor *s);
/* What was done in this turn is known to a successor, and no worker waits for us. */
void supervisor_write_down(struct supervisor *s);

#endif
