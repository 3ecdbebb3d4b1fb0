/* Somebody who is asked again and again whether he is well: by a connection, over
 * HTTP, by a command.
 *
 * One question at a time, the next one an interval after the answer.  One without an
 * answer in time is ended, and that is the answer.  Tells each; what a wrong one means
 * is the owner's business, and so is what is asked: he is asked for it each time. */
#ifndef HOLDPORT_HEALTH_CHECKUP_H
#define HOLDPORT_HEALTH_CHECKUP_H

#include "config/settings.h"
#include "health/probe.h"
#include "health/target.h"
#include "health/trial.h"

struct checkup_question {
	const struct program_settings *program;	/* until checkup_stop() */
	struct launch command;		/* exec:…; taken over */
	struct target target;		/* http:…; taken over */
	struct held *held;		/* tcp: anybody there will do; until checkup_stop() */
};

struct checkup {
	struct loop *loop;		/* NULL: it does not run */
	struct list *trials;		/* where its runs live */
	const struct checkup_owner *owner;
	int64_t interval;		/* as the last question had it */
	bool unasked;			/* that the last one could not be asked was said */
	struct loop_timer timer;	/* until the next question, or the end of this one */
	struct trial *trial;
	struct probe probe;
};

struct checkup_owner {
	/* -1: it cannot be asked; that is no answer. */
	int (*question)(struct checkup *c, struct checkup_question *ret, struct err *err);
	/* why: what was wrong; NULL: it is well. */
	void (*answered)(struct checkup *c, const char *why);
	/* It could not be asked, and why; said once until it can be. */
	void (*unasked)(struct checkup *c, const char *why);
	/* Not now, but in an interval. */
	bool (*waits)(const struct checkup *c);
};

/* The first question comes within an interval: those that came together do not keep
 * together. */
void checkup_start(struct checkup *c, struct loop *loop, struct list *trials, int64_t interval,
		   const struct checkup_owner *owner);
void checkup_stop(struct checkup *c);	/* accepts one that is all zeroes */

#endif
