#include "rollout/generation_state.h"

#define GO(state, what) { .to = GENERATION_##state, .act = GENERATION_##what }

/* A current generation is never failed: its workers are started again, and
 * only a proved successor or a stop retires it. */
/* clang-format off */
static const struct generation_arrow
	arrows[GENERATION_STATE_COUNT][GENERATION_EVENT_COUNT] = {
	[GENERATION_STARTING] = {
		[GENERATION_EV_FILLED] = GO(PROVING,  NOTE),
		[GENERATION_EV_SHARED] = GO(PARTIAL,  NOTE),
		[GENERATION_EV_PROVED] = GO(CURRENT,  NOTE),
		[GENERATION_EV_FAIL]   = GO(FAILED,   LET_GO),
		[GENERATION_EV_RETIRE] = GO(DRAINING, CLOSE_ALL),
	},
	[GENERATION_PROVING] = {
		[GENERATION_EV_SHARED] = GO(PARTIAL,  NOTE),
		[GENERATION_EV_PROVED] = GO(CURRENT,  NOTE),
		[GENERATION_EV_FAIL]   = GO(FAILED,   LET_GO),
		[GENERATION_EV_RETIRE] = GO(DRAINING, CLOSE_ALL),
	},
	[GENERATION_PARTIAL] = {
		[GENERATION_EV_PROVED] = GO(CURRENT,  NOTE),
		[GENERATION_EV_FAIL]   = GO(FAILED,   LET_GO),
		[GENERATION_EV_RETIRE] = GO(DRAINING, CLOSE_ALL),
	},
	[GENERATION_CURRENT] = {
		[GENERATION_EV_RETIRE] = GO(DRAINING, CLOSE_ALL),
	},
	[GENERATION_DRAINING] = {
		[GENERATION_EV_EMPTY]  = GO(GONE,     NOTE),
	},
	[GENERATION_FAILED] = {
		[GENERATION_EV_RETIRE] = GO(FAILED,   CLOSE_ALL),
		[GENERATION_EV_EMPTY]  = GO(GONE,     NOTE),
	},
};
/* clang-format on */

const struct generation_arrow *generation_arrow(enum generation_state from,
						enum generation_event event)
{
	return &arrows[from][event];
}

const char *generation_state_word(enum generation_state s)
{
	static const char *const words[] = {
#define X(name, word) [GENERATION_##name] = word,
		GENERATION_STATES(X)
#undef X
	};
	return words[s];
}

const char *generation_event_word(enum generation_event e)
{
	static const char *const words[] = {
#define X(name, word) [GENERATION_EV_##name] = word,
		GENERATION_EVENTS(X)
#undef X
	};
	return words[e];
}
