/* What a program is about, as a table.  Decides; touches nothing. */
#ifndef HOLDPORT_ROLLOUT_PROGRAM_STATE_H
#define HOLDPORT_ROLLOUT_PROGRAM_STATE_H

#define PROGRAM_STATES(X)                                                              \
	X(STOPPED, "stopped")                                                          \
	X(STARTING, "starting")		/* no generation is current yet */             \
	X(RUNNING, "running")                                                          \
	X(RESTARTING, "restarting")	/* a change from one to the next */            \
	X(BACKOFF, "backoff")		/* waits before the next attempt */            \
	X(FAILED, "failed")		/* gave up */                                  \
	X(STOPPING, "stopping")

#define PROGRAM_EVENTS(X)                                                              \
	X(START, "start")                                                              \
	X(STOP, "stop")                                                                \
	X(CHANGE, "change")		/* a new generation beside a current one */    \
	X(PROVED, "proved")		/* a generation became current */              \
	X(REVERTED, "reverted")		/* a change failed; what ran before runs */    \
	X(UNPROVED, "unproved")		/* a first start failed */                     \
	X(RETRY, "retry")		/* the pause is over */                        \
	X(CRASHING, "crashing")		/* a worker of the current one waits */        \
	X(HEALED, "healed")		/* all workers of the current one are proved */ \
	X(GAVE_UP, "gave-up")		/* start_attempts, or restart = never */       \
	X(FINISHED, "finished")		/* ended for good, as it should */             \
	X(EMPTY, "empty")		/* no process is left */

enum program_state {
#define X(name, word) PROGRAM_##name,
	PROGRAM_STATES(X)
#undef X
	PROGRAM_STATE_COUNT
};

enum program_event {
#define X(name, word) PROGRAM_EV_##name,
	PROGRAM_EVENTS(X)
#undef X
	PROGRAM_EVENT_COUNT
};

/* STATE_COUNT: no arrow. */
enum program_state program_arrow(enum program_state from, enum program_event event);
const char *program_state_word(enum program_state s);
const char *program_event_word(enum program_event e);
/* STATE_COUNT: no such word. */
enum program_state program_state_from_word(const char *word);

#endif
