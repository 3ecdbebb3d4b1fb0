/* What has to be done to come from one configuration to another.
 *
 * Pure: no descriptors, no clock, no log.  A cold start is the plan from nothing;
 * `reload --dry-run` prints the plan that `reload` carries out. */
#ifndef HOLDPORT_ROLLOUT_PLAN_H
#define HOLDPORT_ROLLOUT_PLAN_H

#include "base/err.h"
#include "config/settings.h"
#include "rollout/rollout.h"
#include "socket/key.h"

#define PLAN_ACTIONS(X)                                                          \
	X(ADD, "add")                                                            \
	X(KEEP, "keep")                                                          \
	X(LIVE, "live")		/* taken over by what runs */                    \
	X(RESTART, "restart")	/* a new generation */                           \
	X(REBIND, "rebind")	/* the address must be bound anew */             \
	X(REMOVE, "remove")

enum plan_action {
#define X(name, word) PLAN_##name,
	PLAN_ACTIONS(X)
#undef X
};

struct plan_step {
	enum plan_action action;
	bool is_socket;
	char *name;		/* of the section */
	char *text;		/* address, keys that differ; NULL: nothing to add */
	/* Of a socket: */
	struct key key;
	const struct socket_settings *socket;	/* the new ones; REMOVE: the old ones */
	struct key was_key;			/* REBIND: of the one whose place it takes */
	const struct socket_settings *was;
	unsigned index;
	bool in_place;		/* REBIND: the very key was held before */
	/* Of a program: */
	const struct program_settings *program;	/* NULL: REMOVE */
};

struct plan {
	struct plan_step *steps;	/* sockets first, each in the order of its file */
	size_t count;
};

/* was may be NULL: a cold start.  A program that runs counts as what it was last
 * brought to, not as what `was` says: a change that failed was taken back, and
 * is in the next plan again.  The plan points into all three. */
void plan_make(const struct settings *was, const struct settings *now,
	       const struct rollout *running, struct plan *ret);
/* Says in each step that binds anew what may be lost, on a system that can give
 * new connections to one of two sockets, or cannot. */
void plan_tell_risks(struct plan *p, bool can_steer);
void plan_fini(struct plan *p);
const char *plan_action_word(enum plan_action a);
/* A step that this version cannot take, as a sentence; 0 if there is none. */
int plan_check(const struct plan *p, bool can_steer, struct err *err);

#endif
