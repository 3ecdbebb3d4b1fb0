/* A worker that has to be heard of now and then (WATCHDOG=1).  Tells once when
 * it was not; what follows is the owner's business. */
#ifndef HOLDPORT_HEALTH_WATCHDOG_H
#define HOLDPORT_HEALTH_WATCHDOG_H

#include "loop/loop.h"

struct watchdog {
	struct loop *loop;		/* NULL: it does not run */
	int64_t interval;		/* ms */
	int64_t heard;			/* loop_now() */
	struct loop_timer timer;
	void (*missed)(struct watchdog *w);
};

/* An interval of 0 stops it; while it runs, the new one counts from now. */
void watchdog_start(struct watchdog *w, struct loop *loop, int64_t interval,
		    void (*missed)(struct watchdog *w));
void watchdog_ping(struct watchdog *w);		/* harmless when it does not run */
/* By whoever listened before us. */
void watchdog_heard_at(struct watchdog *w, int64_t when);
void watchdog_stop(struct watchdog *w);		/* accepts one that is all zeroes */

#endif
