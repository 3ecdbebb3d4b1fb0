/* Is a generation that has become current as good as the one before?  Pure.
 *
 * Within rollback_window it is in doubt.  One that was itself gone back to is not: else
 * two that are both no good would take turns for ever. */
#ifndef HOLDPORT_ROLLOUT_DOUBT_H
#define HOLDPORT_ROLLOUT_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

enum { DOUBT_DEATHS = 3 };	/* "keep dying" */

struct doubt {
	int64_t window;			/* ms; 0: there is none */
	int64_t age;			/* ms since it became current */
	bool judged;			/* it was gone back to, or has been taken back */
	bool has_better;		/* other means are there to go back to */
	unsigned deaths;		/* of its workers, none of them asked for or well */
	bool sick;			/* health says so */
	bool given_up;			/* a worker ended badly for good */
};

bool doubt_condemns(const struct doubt *d);

#endif
