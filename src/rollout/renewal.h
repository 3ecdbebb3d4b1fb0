/* What renew.h decides, done; and what it is decided by: how old a worker is. */
#ifndef HOLDPORT_ROLLOUT_RENEWAL_H
#define HOLDPORT_ROLLOUT_RENEWAL_H

#include "rollout/program.h"

/* It serves, or the settings that it lives by have changed. */
void renewal_watch(struct member *m);
void renewal_stop(struct member *m);	/* accepts one that is not watched */
/* It shall be replaced; stays so. */
void renewal_wanted(struct member *m, enum renew_why why);
/* It need not be, for this reason. */
void renewal_needless(struct member *m, enum renew_why why);
/* Who was to take a place did not come up. */
void renewal_failed(struct program *p, const char *name, const char *why);
/* A part of program_step(): one more, if it is time. */
void renewal_step(struct program *p);

#endif
