/* The life of one held socket, as a table.  Decides; touches nothing. */
#ifndef HOLDPORT_SOCKET_HELD_STATE_H
#define HOLDPORT_SOCKET_HELD_STATE_H

#define HELD_STATES(X)                      \
	X(NEW, "new")                       \
	X(WAITING, "waiting")               \
	X(LISTENING, "listening")           \
	X(REFUSING, "refusing")             \
	X(CLOSED, "closed")

#define HELD_EVENTS(X)                                                       \
	X(BOUND, "bound")	/* bind(2) and listen(2) went through */     \
	X(LEFT, "left")		/* a worker will bind it */                  \
	X(BUSY, "busy")		/* they did not; the reason is noted */      \
	X(HANG_UP, "hang-up")	/* somebody shut the listener down */        \
	X(UNSERVED, "unserved")	/* nobody serves it, and clients should know */ \
	X(SERVED, "served")	/* somebody will; it listens again */        \
	X(RETIRED, "retired")	/* nobody refers to it any more */

enum held_state {
#define X(name, word) HELD_##name,
	HELD_STATES(X)
#undef X
	HELD_STATE_COUNT
};

enum held_event {
#define X(name, word) HELD_EV_##name,
	HELD_EVENTS(X)
#undef X
	HELD_EVENT_COUNT
};

enum held_act {
	HELD_NOTHING,
	HELD_WATCH,
	HELD_TRY_LATER,
	HELD_LEAVE,		/* to a worker */
	HELD_LISTEN_AGAIN,
	HELD_REFUSE,
	HELD_WATCH_AGAIN,
	HELD_RELEASE,
};

struct held_arrow {
	enum held_state to;
	enum held_act act;	/* HELD_NOTHING: this state has no use for the event */
};

const struct held_arrow *held_arrow(enum held_state from, enum held_event event);
const char *held_state_word(enum held_state s);

#endif
