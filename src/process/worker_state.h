/* The life of a worker, as a table.  Decides; touches nothing.
 *
 * Draining begins with the first rung of the stop ladder: nobody can take a
 * listener away from a running process, so the process has to be asked. */
#ifndef HOLDPORT_PROCESS_WORKER_STATE_H
#define HOLDPORT_PROCESS_WORKER_STATE_H

#define WORKER_STATES(X)                                                  \
	X(STARTING, "starting")	/* made; not proved yet */                \
	X(SERVING, "serving")	/* proved */                              \
	X(DRAINING, "draining")	/* asked by the first rung, or leaving */ \
	X(STOPPING, "stopping")	/* asked by a further one */              \
	X(KILLING, "killing")	/* the last rung */                       \
	X(GONE, "gone")

#define WORKER_EVENTS(X)                                                          \
	X(PROVED, "proved")                                                       \
	X(LATE, "late")		/* start_timeout is over */                       \
	X(MISSED, "missed")	/* its watchdog: it does not do its work */       \
	X(LEAVES, "leaves")	/* it stops by itself, and said so */             \
	X(STOP, "stop")		/* not wanted any more */                         \
	X(EMPTY, "empty")	/* no listener, no connection, but it does not end */ \
	X(DEADLINE, "deadline")	/* the patience of a rung is over */              \
	X(HURRY, "hurry")	/* the next rung now */                           \
	X(KILL, "kill")		/* the last rung now */                           \
	X(EXITED, "exited")

enum worker_state {
#define X(name, word) WORKER_##name,
	WORKER_STATES(X)
#undef X
	WORKER_STATE_COUNT
};

enum worker_event {
#define X(name, word) WORKER_EV_##name,
	WORKER_EVENTS(X)
#undef X
	WORKER_EVENT_COUNT
};

enum worker_act {
	WORKER_NOTHING,		/* this state has no use for the event */
	WORKER_SERVE,
	WORKER_LET_LEAVE,
	WORKER_FIRST_RUNG,
	WORKER_NEXT_RUNG,
	WORKER_LAST_RUNG,
	WORKER_BURY,
};

struct worker_arrow {
	enum worker_state to;
	enum worker_act act;
};

/* What a worker holds besides its process; a state releases on entry what it
 * may not keep. */
enum { WORKER_HOLDS_REPORT = 1, WORKER_HOLDS_DEADLINE = 2, WORKER_HOLDS_CHILD = 4 };

const struct worker_arrow *worker_arrow(enum worker_state from, enum worker_event event);
unsigned worker_may_hold(enum worker_state s);
const char *worker_state_word(enum worker_state s);
const char *worker_event_word(enum worker_event e);

#endif
