/* A worker with handoff = intercept: from its settings to what answers its bind(2). */
#ifndef HOLDPORT_ROLLOUT_INTERCEPTED_H
#define HOLDPORT_ROLLOUT_INTERCEPTED_H

#include "rollout/member.h"

/* Before it is launched: a door for its preload library, where it has to be that. */
int intercepted_prepare(struct member *m, const struct program_settings *s, struct err *err);
/* It was started: the door is open. */
void intercepted_open(struct member *m);
/* Its filter has told us its listener, which is in m->worker. */
void intercepted_filter(struct member *m);
/* An earlier manager had its listener, which is in m->worker; -1: that is lost, and is
 * made anew where it was a door. */
void intercepted_go_on(struct member *m, uint64_t listened);
/* It is gone, or was never started.  Does nothing for others. */
void intercepted_end(struct member *m);

#endif
