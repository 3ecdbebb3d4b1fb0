/* The next step from old workers to new ones.  Pure: seats in, seats out.
 *
 * A change has a target generation and the others (what serves now, what a
 * superseded change left behind).  Going forward and going back are the same
 * question with another target. */
#ifndef HOLDPORT_ROLLOUT_STRATEGY_H
#define HOLDPORT_ROLLOUT_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"

enum seat_sight { SEAT_CLOSED, SEAT_OPENING, SEAT_PROVED };

struct strategy_view {
	enum strategy strategy;
	size_t wanted;			/* seats of the target that shall be open */
	size_t batch;			/* rolling: how many open unproved at once */
	size_t count;			/* entries of the two arrays */
	const enum seat_sight *target;	/* by index */
	const bool *others;		/* by index: somebody else's seat is open */
	bool others_alive;		/* a worker of the others still runs */
};

enum seat_step { SEAT_KEEP = 0, SEAT_OPEN = 1, SEAT_CLOSE = 2, SEAT_CLOSE_OTHERS = 4 };

/* steps[count]: a set of enum seat_step for each index.  True when the target is
 * complete: every wanted seat is proved, and the others may be retired. */
bool strategy_next(const struct strategy_view *v, unsigned *steps);

#endif
