#include "rollout/program_state.h"

#include <string.h>

/* Stored one up, so that an empty cell is an event without a use. */
#define GO(state) (PROGRAM_##state + 1)

/* clang-format off */
static const unsigned char arrows[PROGRAM_STATE_COUNT][PROGRAM_EVENT_COUNT] = {
	[PROGRAM_STOPPED] = {
		[PROGRAM_EV_START]    = GO(STARTING),
	},
	[PROGRAM_STARTING] = {
		[PROGRAM_EV_STOP]     = GO(STOPPING),
		[PROGRAM_EV_PROVED]   = GO(RUNNING),
		/* Started again while it waited for its turn to stop. */
		[PROGRAM_EV_REVERTED] = GO(RUNNING),
		[PROGRAM_EV_UNPROVED] = GO(BACKOFF),
		[PROGRAM_EV_GAVE_UP]  = GO(FAILED),
		[PROGRAM_EV_FINISHED] = GO(STOPPED),
	},
	[PROGRAM_RUNNING] = {
		[PROGRAM_EV_STOP]     = GO(STOPPING),
		[PROGRAM_EV_CHANGE]   = GO(RESTARTING),
		[PROGRAM_EV_CRASHING] = GO(BACKOFF),
		[PROGRAM_EV_GAVE_UP]  = GO(FAILED),
		[PROGRAM_EV_FINISHED] = GO(STOPPED),
	},
	[PROGRAM_RESTARTING] = {
		[PROGRAM_EV_STOP]     = GO(STOPPING),
		[PROGRAM_EV_PROVED]   = GO(RUNNING),
		[PROGRAM_EV_REVERTED] = GO(RUNNING),
		[PROGRAM_EV_GAVE_UP]  = GO(FAILED),
		[PROGRAM_EV_FINISHED] = GO(STOPPED),
	},
	[PROGRAM_BACKOFF] = {
		[PROGRAM_EV_START]    = GO(STARTING),
		[PROGRAM_EV_STOP]     = GO(STOPPING),
		[PROGRAM_EV_CHANGE]   = GO(RESTARTING),
		[PROGRAM_EV_RETRY]    = GO(STARTING),
		[PROGRAM_EV_HEALED]   = GO(RUNNING),
		[PROGRAM_EV_GAVE_UP]  = GO(FAILED),
		[PROGRAM_EV_FINISHED] = GO(STOPPED),
	},
	[PROGRAM_FAILED] = {
		[PROGRAM_EV_START]    = GO(STARTING),
		[PROGRAM_EV_STOP]     = GO(STOPPING),
	},
	[PROGRAM_STOPPING] = {
		[PROGRAM_EV_START]    = GO(STARTING),
		[PROGRAM_EV_EMPTY]    = GO(STOPPED),
	},
};
/* clang-format on */

enum program_state program_arrow(enum program_state from, enum program_event event)
{
	unsigned char to = arrows[from][event];

	return to ? (enum program_state)(to - 1) : PROGRAM_STATE_COUNT;
}

static const char *const words[] = {
#define X(name, word) [PROGRAM_##name] = word,
	PROGRAM_STATES(X)
#undef X
};

const char *program_state_word(enum program_state s)
{
	return words[s];
}

enum program_state program_state_from_word(const char *word)
{
	for (int s = 0; s < PROGRAM_STATE_COUNT; s++)
		if (strcmp(words[s], word) == 0)
			return (enum program_state)s;
	return PROGRAM_STATE_COUNT;
}

const char *program_event_word(enum program_event e)
{
	static const char *const event_words[] = {
#define X(name, word) [PROGRAM_EV_##name] = word,
		PROGRAM_EVENTS(X)
#undef X
	};
	return event_words[e];
}
