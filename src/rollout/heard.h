/* What a worker says (sd_notify(3)), and what follows from it.
 *
 * Whatever it says, however often: it costs nobody but its own program.  What is
 * remembered of it has a size, and what is said about it in log and events a
 * rate. */
#ifndef HOLDPORT_ROLLOUT_HEARD_H
#define HOLDPORT_ROLLOUT_HEARD_H

#include "health/notify.h"

struct member;

void member_heard(struct member *m, struct notify_message *message);
/* It serves from now on: its watchdog begins. */
void member_watch(struct member *m);

#endif
