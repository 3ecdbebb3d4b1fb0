/* max_memory: how much memory a worker has, and those below it, looked at now and then.
 *
 * Nobody tells when it is too much, so there is a timer, of programs that have a limit
 * alone: 1 s after a generation has become current, then after twice as long each time,
 * up to every 30 s.  So soon after a start most servers have what they will have. */
#ifndef HOLDPORT_ROLLOUT_MEMORY_LOOK_H
#define HOLDPORT_ROLLOUT_MEMORY_LOOK_H

#include "rollout/program.h"

/* Its current generation is another one, or none, or has other settings. */
void memory_look_begin(struct program *p);
void memory_look_end(struct program *p);	/* accepts one that has not begun */

#endif
