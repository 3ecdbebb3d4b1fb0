/* health = …: who is asked how he is, and what a wrong answer means.
 *
 * A worker is asked where it can be told from the others: at an address with ${slot}
 * or ${worker} in it, or by a command.  Behind a socket that all share nobody chooses
 * who answers: there the program is asked, and who has served longest has to go. */
#ifndef HOLDPORT_ROLLOUT_VITAL_H
#define HOLDPORT_ROLLOUT_VITAL_H

#include "rollout/program.h"

/* It serves, or its settings are other ones. */
void vital_watch(struct member *m);
void vital_stop(struct member *m);
/* Its current generation is another one, or none, or has other settings. */
void vital_watch_program(struct program *p);

#endif
