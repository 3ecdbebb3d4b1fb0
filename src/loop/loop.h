/* libev at arm's length: timers, descriptors, signals, ends of processes, and
 * "later in this turn".
 *
 * Watchers are members of their owners (OWNER() leads back); a watcher that is
 * all zeroes is stopped, and stopping a stopped one is harmless.  Time is in
 * milliseconds of the monotonic clock: setting the clock misfires nothing.
 *
 * Every loop is made by ev_loop_new(), never ev_default_loop(): the default
 * loop reaps every child behind our back (shared facts: libev 4.33).
 *
 * loop/fake/ implements the same with a clock that the test turns.  Watchers are
 * many, for each worker has a dozen: theirs and ours take the same room. */
#ifndef HOLDPORT_LOOP_LOOP_H
#define HOLDPORT_LOOP_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "platform/process.h"

struct loop;

struct loop *loop_new(struct err *err);
void loop_free(struct loop *l);
void loop_run(struct loop *l);		/* until loop_stop() */
void loop_stop(struct loop *l);
int64_t loop_now(const struct loop *l);	/* ms; the time this turn began */

struct loop_timer {
	union {
		ev_timer ev;
		struct {
			struct list node;
			int64_t due;
		} fake;
	};
	struct loop *loop;		/* NULL: stopped */
	void (*on)(struct loop_timer *t);
};

/* Starts anew if it runs already.  after_ms < 0 counts as 0. */
void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t after_ms,
		      void (*on)(struct loop_timer *t));
void loop_timer_stop(struct loop_timer *t);
static inline bool loop_timer_runs(const struct loop_timer *t)
{
	return t->loop;
}

/* Signals wait in the system from now on (platform_take_signals() ends that); on() is
 * called when each that had come before was heard, in the next turn, after all else. */
void loop_hush(struct loop *l, struct loop_timer *t, void (*on)(struct loop_timer *t));

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_io {
	union {
		ev_io ev;
		struct {
			struct list node;
			int fd, events;
		} fake;
	};
	struct loop *loop;
	void (*on)(struct loop_io *io, int events);
};

/* events: LOOP_READ, LOOP_WRITE.  Starts anew if it runs already. */
void loop_io_start(struct loop *l, struct loop_io *io, int fd, int events,
		   void (*on)(struct loop_io *io, int events));
void loop_io_stop(struct loop_io *io);
/* Stops, and closes the descriptor that was watched: one whose open file somebody else
 * has too, the keeper or a child before its exec(2).  epoll(7) goes on to report such a
 * one, and libev, which can no longer take it out, begins with a new table: work for
 * every descriptor that is watched.  So it stays open until the loop has looked again. */
void loop_io_close(struct loop_io *io, int *fd);

struct loop_signal {
	ev_signal ev;
	struct loop *loop;
	int number;
	void (*on)(struct loop_signal *s);
};

void loop_signal_start(struct loop *l, struct loop_signal *s, int number,
		       void (*on)(struct loop_signal *s));
void loop_signal_stop(struct loop_signal *s);

/* The end of a child: told while it is still a zombie, so that its process
 * group can be signalled and no stranger can have its pid; the owner reaps.
 * By pidfd where the process has one, by SIGCHLD and a look otherwise. */
struct loop_child {
	struct loop_io io;
	struct loop *loop;
	struct list node;
	const struct process *process;	/* the owner's, alive as long as this runs */
	void (*on)(struct loop_child *c);
};

void loop_child_start(struct loop *l, struct loop_child *c, const struct process *process,
		      void (*on)(struct loop_child *c));
void loop_child_stop(struct loop_child *c);

/* Once, at the end of this turn, before the loop sleeps: for work that must
 * not run inside the callback that found it necessary.  When there is much of it
 * the rest waits for the end of the next turn, which comes without a sleep. */
struct loop_later {
	struct loop *loop;
	struct list node;
	void (*on)(struct loop_later *l);
};

void loop_later_start(struct loop *l, struct loop_later *t, void (*on)(struct loop_later *t));
void loop_later_stop(struct loop_later *t);

#endif
