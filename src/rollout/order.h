/* In which order programs come and go: after = NAMES.
 *
 * It is an order among those that are on their way, both up or both down, and asks for
 * nothing else: nobody waits for one that is not wanted, that has failed to come up once,
 * or that runs.  So whoever waits sees an end of it.
 *
 * Each waits for one at a time (program.behind), and no chain of them comes back to its
 * beginning: after a rollback the settings of two programs may ask for that. */
#ifndef HOLDPORT_ROLLOUT_ORDER_H
#define HOLDPORT_ROLLOUT_ORDER_H

#include "rollout/program.h"

/* Whom it waits for before its first generation, before it lets go of the current one;
 * NULL: nobody. */
struct program *order_before_start(const struct program *p);
struct program *order_before_stop(const struct program *p);
/* Is there anybody who is after it? */
bool order_has_followers(const struct program *p);
/* It is another state that it is in: who waits for it looks again. */
void order_moved(const struct program *p);
/* It is about to be freed. */
void order_forget(const struct program *p);

#endif
