/* A worker that binds for itself, and is given what is held.
 *
 * Its bind(2) and listen(2) come here, one at a time, and are answered: the held
 * socket takes the place of the worker's own descriptor, or the worker's own socket
 * is bound and held from now on, or the call goes on untouched.  Nothing that the
 * worker does makes us wait, and it gets no socket that its program does not
 * declare. */
#ifndef HOLDPORT_INTERCEPT_INTERCEPT_H
#define HOLDPORT_INTERCEPT_INTERCEPT_H

#include "intercept/decide.h"
#include "intercept/door.h"
#include "loop/loop.h"

struct catch;

struct intercept_spec {
	const char *name;		/* "web/3/0", for sentences; the owner's */
	struct store *store;
	struct permits permits;		/* the owner keeps them */
	uint64_t listened;		/* on which it does already: intercept_remember() */
};

struct intercept {
	struct intercept_spec spec;
	int listener;
	struct door door;		/* where the listener is one */
	struct loop_io readable;
	struct catch *catch;		/* a report that is being caught */
	bool *listened;			/* by permission */
	unsigned warned;		/* of what it should know once: a bit each */
	unsigned said;			/* lines in the log */
	int64_t said_since;
	/* It listens on one more, or on all that its program declares. */
	void (*listens)(struct intercept *i, bool all);
	/* Its call cannot be read: its memory does not answer. */
	void (*stuck)(struct intercept *i);
	/* Nobody is left who could call; it may be stopped now.  May be NULL. */
	void (*over)(struct intercept *i);
};

/* Takes listener: that of a filter, or a door's (door.h). */
void intercept_start(struct intercept *i, const struct intercept_spec *spec, int listener);
void intercept_stop(struct intercept *i);	/* accepts one that was never started */
/* Of the first 63 permissions, a bit each. */
uint64_t intercept_remember(const struct intercept *i);

#endif
