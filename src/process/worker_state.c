#include "process/worker_state.h"

#define GO(state, what) { .to = WORKER_##state, .act = WORKER_##what }

/* clang-format off */
static const struct worker_arrow arrows[WORKER_STATE_COUNT][WORKER_EVENT_COUNT] = {
	[WORKER_STARTING] = {
		[WORKER_EV_PROVED]   = GO(SERVING,  SERVE),
		[WORKER_EV_LATE]     = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_MISSED]   = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_STOP]     = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_HURRY]    = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_KILL]     = GO(KILLING,  LAST_RUNG),
		[WORKER_EV_EXITED]   = GO(GONE,     BURY),
	},
	[WORKER_SERVING] = {
		[WORKER_EV_MISSED]   = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_LEAVES]   = GO(DRAINING, LET_LEAVE),
		[WORKER_EV_STOP]     = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_HURRY]    = GO(DRAINING, FIRST_RUNG),
		[WORKER_EV_KILL]     = GO(KILLING,  LAST_RUNG),
		[WORKER_EV_EXITED]   = GO(GONE,     BURY),
	},
	[WORKER_DRAINING] = {
		[WORKER_EV_EMPTY]    = GO(STOPPING, NEXT_RUNG),
		[WORKER_EV_DEADLINE] = GO(STOPPING, NEXT_RUNG),
		[WORKER_EV_HURRY]    = GO(STOPPING, NEXT_RUNG),
		[WORKER_EV_KILL]     = GO(KILLING,  LAST_RUNG),
		[WORKER_EV_EXITED]   = GO(GONE,     BURY),
	},
	[WORKER_STOPPING] = {
		[WORKER_EV_DEADLINE] = GO(STOPPING, NEXT_RUNG),
		[WORKER_EV_HURRY]    = GO(STOPPING, NEXT_RUNG),
		[WORKER_EV_KILL]     = GO(KILLING,  LAST_RUNG),
		[WORKER_EV_EXITED]   = GO(GONE,     BURY),
	},
	[WORKER_KILLING] = {
		[WORKER_EV_EXITED]   = GO(GONE,     BURY),
	},
};

/* The report too until exec(2) has its verdict: a worker may be proved by its age before
 * that, and the listener of its filter comes by it. */
static const unsigned may_hold[WORKER_STATE_COUNT] = {
	[WORKER_STARTING] = WORKER_HOLDS_REPORT | WORKER_HOLDS_DEADLINE | WORKER_HOLDS_CHILD,
	[WORKER_SERVING]  = WORKER_HOLDS_REPORT | WORKER_HOLDS_CHILD,
	[WORKER_DRAINING] = WORKER_HOLDS_REPORT | WORKER_HOLDS_DEADLINE | WORKER_HOLDS_CHILD,
	[WORKER_STOPPING] = WORKER_HOLDS_REPORT | WORKER_HOLDS_DEADLINE | WORKER_HOLDS_CHILD,
	[WORKER_KILLING]  = WORKER_HOLDS_REPORT | WORKER_HOLDS_CHILD,
};
/* clang-format on */

const struct worker_arrow *worker_arrow(enum worker_state from, enum worker_event event)
{
	return &arrows[from][event];
}

unsigned worker_may_hold(enum worker_state s)
{
	return may_hold[s];
}

const char *worker_state_word(enum worker_state s)
{
	static const char *const words[] = {
#define X(name, word) [WORKER_##name] = word,
		WORKER_STATES(X)
#undef X
	};
	return words[s];
}

const char *worker_event_word(enum worker_event e)
{
	static const char *const words[] = {
#define X(name, word) [WORKER_EV_##name] = word,
		WORKER_EVENTS(X)
#undef X
	};
	return words[e];
}
