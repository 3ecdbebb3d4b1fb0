/* A command, or a question over HTTP, that is run again and again until it ends with 0.
 *
 * Each run is a process of its own, in a group of its own, watched and never
 * waited for.  A trial that is stopped kills the run that is under way; what is
 * left of it lies in the list of its owner until its end was seen. */
#ifndef HOLDPORT_HEALTH_TRIAL_H
#define HOLDPORT_HEALTH_TRIAL_H

#include "base/list.h"
#include "config/settings.h"
#include "health/target.h"
#include "loop/loop.h"
#include "process/launch.h"

struct trial;

enum { TRIAL_FDS = 3 };
#define TRIAL_NO_FDS { -1, -1, -1 }

struct trial_spec {
	struct loop *loop;
	struct list *all;		/* where it lives, and what is left of it */
	const struct program_settings *program;
	void (*passed)(struct trial *t);
	/* A run that failed: "ended with exit status 1".  Borrowed.  Another one follows,
	 * unless it is stopped. */
	void (*failed)(struct trial *t, const char *text);
	void *ctx;
	/* What it writes on its standard output, into fds[1], is how it failed; fds[0] is the
	 * other end, not blocking.  All are closed with it; -1: none. */
	int fds[TRIAL_FDS];
};

struct trial {
	struct list node;
	struct trial_spec spec;
	struct launch launch;
	struct process process;		/* of the run under way */
	int report;			/* its exec's verdict */
	struct loop_child child;
	struct loop_timer again;
	int64_t pause;
	bool stopped;
};

/* Takes *launch over. */
struct trial *trial_start(const struct trial_spec *spec, struct launch *launch);
/* A question over HTTP (tools/http_check.c), over `connection` if that is not -1, which is
 * taken.  spec->fds are made here.  NULL: err. */
struct trial *trial_ask(struct trial_spec *spec, const struct target *to, int connection,
			struct err *err);
void trial_stop(struct trial *t);	/* accepts NULL; frees it, now or when its run is gone */
/* At the end of the loop: what has not gone yet is killed and forgotten. */
void trials_end(struct list *all);

#endif
