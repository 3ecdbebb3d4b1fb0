/* Carries a plan out, in two phases: everything new is bound first; only then
 * does anything that runs notice. */
#ifndef HOLDPORT_SUPERVISOR_RECONCILE_H
#define HOLDPORT_SUPERVISOR_RECONCILE_H

#include "control/control.h"
#include "rollout/plan.h"
#include "rollout/rollout.h"
#include "socket/store.h"

struct reconcile {
	struct rollout *rollout;
	struct store *store;
	struct settings *was;		/* NULL: a cold start */
	struct settings *now;
	ask_for_fn *ask_for;		/* may be NULL */
	void *ask_ctx;
};

/* 0: `now` is in force (the caller replaces its reference); programs are on
 * their way.  -1: nothing has changed, and why; with an errno in err->code where
 * the same may go through another time.  A busy address is no failure, unless its
 * `when_busy` says so: its socket waits, and the programs that need it wait with it. */
int reconcile(const struct reconcile *r, const struct plan *plan, struct err *err);
/* A configuration that an earlier manager had in force: a reference to each of its
 * sockets; what was not revived is bound. */
void reconcile_hold(struct store *store, const struct settings *s);
/* The programs are revived too: lists are in order, what nobody needs goes. */
void reconcile_end_revival(struct rollout *r, struct store *store, const struct settings *s);
/* The sockets that a configuration holds are let go. */
void reconcile_release(struct store *store, const struct settings *s);

#endif
