/* The life of a generation, as a table.  Decides; touches nothing. */
#ifndef HOLDPORT_ROLLOUT_GENERATION_STATE_H
#define HOLDPORT_ROLLOUT_GENERATION_STATE_H

#define GENERATION_STATES(X)                                                           \
	X(STARTING, "starting")	/* workers are being made */                           \
	X(PROVING, "proving")	/* all are made, not all proved */                     \
	X(PARTIAL, "partial")	/* some of its workers serve beside older ones */      \
	X(CURRENT, "current")                                                          \
	X(DRAINING, "draining")	/* its workers are told to stop */                     \
	X(FAILED, "failed")	/* never became current; what is left of it goes */    \
	X(GONE, "gone")

#define GENERATION_EVENTS(X)                                                           \
	X(FILLED, "filled")	/* every wanted seat has a worker */                   \
	X(SHARED, "shared")	/* one took over a seat from an older generation */    \
	X(PROVED, "proved")	/* every wanted seat is proved */                      \
	X(FAIL, "fail")		/* one was not */                                      \
	X(RETIRE, "retire")	/* another one is current, or none shall be */         \
	X(EMPTY, "empty")	/* its last worker is gone */

enum generation_state {
#define X(name, word) GENERATION_##name,
	GENERATION_STATES(X)
#undef X
	GENERATION_STATE_COUNT
};

enum generation_event {
#define X(name, word) GENERATION_EV_##name,
	GENERATION_EVENTS(X)
#undef X
	GENERATION_EVENT_COUNT
};

enum generation_act {
	GENERATION_NOTHING,	/* this state has no use for the event */
	GENERATION_NOTE,	/* only the state changes */
	GENERATION_LET_GO,	/* seats that are not proved are closed at once */
	GENERATION_CLOSE_ALL,
};

struct generation_arrow {
	enum generation_state to;
	enum generation_act act;
};

const struct generation_arrow *generation_arrow(enum generation_state from,
						enum generation_event event);
const char *generation_state_word(enum generation_state s);
const char *generation_event_word(enum generation_event e);

#endif
