/* When the next generation has sockets that take the place of those of the
 * current one (socket/rebind.h).
 *
 * It is proved whole beside the current one, however the strategy would go about
 * it.  Then what is new comes to it, and the current one runs on until nothing is
 * left in the queues of its sockets; only then it is told to stop. */
#ifndef HOLDPORT_ROLLOUT_TAKEOVER_H
#define HOLDPORT_ROLLOUT_TAKEOVER_H

#include "rollout/program.h"

/* Old workers that do not accept what waits for them are not waited for longer. */
#define TAKEOVER_MOST_MS 5000

/* Does the change under way come with sockets in the place of others? */
bool takeover_rebinds(const struct program *p);
/* The next generation takes over, or has begun to; true while that is to be waited
 * for.  program_step() comes again by itself. */
bool takeover_waits(struct program *p);

/* Who hears, now that something about generations has changed. */
void rollout_steer(struct rollout *r);

#endif
