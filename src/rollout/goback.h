/* rollback_window: a new generation that is no good (doubt.h) goes back by itself to the
 * means of the one before.
 *
 * It is condemned at once, and goes back when no other change is under way: a restart
 * that runs is newer, and may have mended it. */
#ifndef HOLDPORT_ROLLOUT_GOBACK_H
#define HOLDPORT_ROLLOUT_GOBACK_H

#include "rollout/program.h"

/* What was seen of it, as a clause: "worker 0 … is not well". */
void goback_sick(struct generation *g, const char *what);
void goback_death(struct generation *g, const char *what, bool given_up);
/* A part of program_step(). */
void goback_step(struct program *p);
/* The next generation has become current; was: the one before, or NULL. */
void goback_promoted(struct program *p, const struct generation *was);

#endif
