#include "socket/held_state.h"

#define GO(state, act)	{ HELD_##state, HELD_##act }

/* An empty cell is an event this state has no use for. */
static const struct held_arrow arrows[HELD_STATE_COUNT][HELD_EVENT_COUNT] = {
	[HELD_NEW] = {
		[HELD_EV_BOUND]   = GO(LISTENING, WATCH),
		[HELD_EV_LEFT]    = GO(WAITING,   LEAVE),
		[HELD_EV_BUSY]    = GO(WAITING,   TRY_LATER),
		[HELD_EV_RETIRED] = GO(CLOSED,    RELEASE),
	},
	[HELD_WAITING] = {
		[HELD_EV_BOUND]   = GO(LISTENING, WATCH),
		[HELD_EV_BUSY]    = GO(WAITING,   TRY_LATER),
		[HELD_EV_RETIRED] = GO(CLOSED,    RELEASE),
	},
	[HELD_LISTENING] = {
		/* Healed in place; BUSY is what follows where that fails. */
		[HELD_EV_HANG_UP] = GO(LISTENING, LISTEN_AGAIN),
		[HELD_EV_BUSY]    = GO(WAITING,   TRY_LATER),
		[HELD_EV_UNSERVED] = GO(REFUSING,  REFUSE),
		[HELD_EV_RETIRED] = GO(CLOSED,    RELEASE),
	},
	[HELD_REFUSING] = {
		[HELD_EV_SERVED]  = GO(LISTENING, WATCH_AGAIN),
		/* A unix socket that was shut down cannot listen again. */
		[HELD_EV_BOUND]   = GO(LISTENING, WATCH),
		[HELD_EV_BUSY]    = GO(WAITING,   TRY_LATER),
		[HELD_EV_RETIRED] = GO(CLOSED,    RELEASE),
	},
};

const struct held_arrow *held_arrow(enum held_state from, enum held_event event)
{
	return &arrows[from][event];
}

const char *held_state_word(enum held_state s)
{
	static const char *const words[] = {
#define X(name, word) [HELD_##name] = word,
		HELD_STATES(X)
#undef X
	};

	return words[s];
}
