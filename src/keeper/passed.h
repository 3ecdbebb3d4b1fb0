/* Signals that the keeper passes down: told to the manager and not taken by it yet, or
 * come while there was none.  One that is not taken in time means that it is dead. */
#ifndef HOLDPORT_KEEPER_PASSED_H
#define HOLDPORT_KEEPER_PASSED_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct passed {
	unsigned untaken[NSIG];		/* how often it was told */
	bool put_off[NSIG];
	int64_t deadline;		/* for those that were told; 0: there are none */
};

/* From now on the number of each signal that comes is a byte to be read from what is
 * returned, which is not waited for: those that are passed down, CHLD, and ABRT. */
int passed_catch(struct err *err);
/* It was told. */
void passed_await(struct passed *p, int number);
void passed_taken(struct passed *p, int64_t number);
/* The manager has ended: what it did not take is for the next one. */
void passed_take_back(struct passed *p);
/* The next after this one that is to be told now; 0: none. */
int passed_next(struct passed *p, int after);
/* The time begins anew for what waits to be taken. */
void passed_wind_up(struct passed *p);
/* What waits to be taken, and again in another image of this process. */
void passed_write(const struct passed *p, sigset_t *ret);
void passed_read(struct passed *p, const sigset_t *set);

#endif
